//! The resolved settings of a PostgreSQL source: parsed, secrets in hand.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::sources::error::{SourceError, SourceErrorKind};

/// What a URL may say after its `?`. Files are not among it: certificates come from the Source.
const URL_PARAMETERS: [&str; 8] =
    ["sslmode", "ssl-mode", "host", "port", "user", "password", "dbname", "options"];

/// What PostgreSQL takes for a timeout: whole milliseconds in 31 bits, where zero means none.
const STATEMENT_TIMEOUT_RANGE: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(24 * 24 * 60 * 60);

/// A PostgreSQL database and how to reach it.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// Where the database is and who asks.
    pub address: Address,
    /// How the connection is protected.
    pub tls: TlsConfig,
    /// How long the server may work on one query, transfer of its rows included: 1 ms to 24 days.
    pub statement_timeout: Duration,
}

/// Where the database is and who asks.
#[derive(Clone, Debug)]
pub enum Address {
    /// All in one: `postgres://user:password@host:port/database?sslmode=verify-full`.
    Url(SecretString),
    /// Part by part.
    Parts {
        /// Host name, IP address, or the folder of a Unix socket.
        host: String,
        /// TCP port.
        port: u16,
        /// The database's name.
        database: String,
        /// The role to log in as.
        user: String,
        /// The role's password; none where a certificate or the server's trust is enough.
        password: Option<SecretString>,
    },
}

/// How the connection is protected.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// What is demanded; where unset, what the URL says, else [`TlsMode::VerifyFull`].
    pub mode: Option<TlsMode>,
    /// Authorities to trust besides the public ones, in PEM.
    pub ca_pem: Option<String>,
    /// What we show to the server.
    pub client: Option<ClientIdentity>,
}

/// A client's certificate and its key.
#[derive(Clone)]
pub struct ClientIdentity {
    /// The certificate and those between it and its authority, in PEM.
    pub certificate_pem: String,
    /// Its private key, in PEM.
    pub key_pem: SecretString,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity([redacted])")
    }
}

/// What is demanded of the connection. The words are those of libpq's `sslmode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS where the server offers it; proves nothing.
    Prefer,
    /// TLS, whoever the server is.
    Require,
    /// TLS with a certificate from a trusted authority, for any name.
    VerifyCa,
    /// TLS with a certificate from a trusted authority for this host.
    #[default]
    VerifyFull,
}

impl TlsMode {
    fn to_ssl_mode(self) -> PgSslMode {
        match self {
            Self::Disable => PgSslMode::Disable,
            Self::Prefer => PgSslMode::Prefer,
            Self::Require => PgSslMode::Require,
            Self::VerifyCa => PgSslMode::VerifyCa,
            Self::VerifyFull => PgSslMode::VerifyFull,
        }
    }
}

/// Returns the driver's form of the settings.
pub(super) fn connect_options(config: &PostgresConfig) -> Result<PgConnectOptions, SourceError> {
    if !STATEMENT_TIMEOUT_RANGE.contains(&config.statement_timeout) {
        return Err(invalid("statementTimeout is not between 1 ms and 24 days"));
    }
    let (mut options, url_decides_tls) = match &config.address {
        Address::Url(url) => options_of_url(url)?,
        Address::Parts { host, port, database, user, password } => {
            let password = password.as_ref().map_or("", ExposeSecret::expose_secret);
            let options = PgConnectOptions::new_without_pgpass()
                .host(host)
                .port(*port)
                .database(database)
                .username(user)
                .password(password);
            (options, false)
        }
    };
    let is_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
    options = match config.tls.mode {
        // A socket never leaves the machine, and the server speaks no TLS on it.
        _ if is_socket => options.ssl_mode(PgSslMode::Disable),
        Some(mode) => options.ssl_mode(mode.to_ssl_mode()),
        None if url_decides_tls => options,
        None => options.ssl_mode(PgSslMode::VerifyFull),
    };
    if let Some(ca) = &config.tls.ca_pem {
        if !ca.contains("-----BEGIN CERTIFICATE-----") {
            return Err(invalid("tls.ca holds no certificate in PEM"));
        }
        options = options.ssl_root_cert_from_pem(ca.clone().into_bytes());
    }
    if let Some(client) = &config.tls.client {
        options = options
            .ssl_client_cert_from_pem(&client.certificate_pem)
            .ssl_client_key_from_pem(client.key_pem.expose_secret());
    }
    Ok(options
        .application_name("ciosync")
        // Set in the transaction instead: PgBouncer refuses it in the start-up packet.
        .extra_float_digits(None)
        .statement_cache_capacity(0)
        .disable_statement_logging())
}

/// Returns the options of a URL, and whether it says how to use TLS.
fn options_of_url(secret: &SecretString) -> Result<(PgConnectOptions, bool), SourceError> {
    let unreadable = || {
        invalid("the database's url can't be read")
            .with_hint("write it as postgres://user:password@host:5432/database, with special characters of user and password percent-encoded")
    };
    let url = reqwest::Url::parse(secret.expose_secret()).map_err(|_| unreadable())?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(invalid("the database's url doesn't begin with postgres://"));
    }
    let mut says_tls = false;
    for (name, value) in url.query_pairs() {
        if !URL_PARAMETERS.contains(&&*name) {
            return Err(invalid(format!(
                "the database's url has a parameter `{name}` that isn't supported"
            ))
            .with_hint(format!(
                "supported are: {}; certificates go into the Source's tls block",
                URL_PARAMETERS.join(", ")
            )));
        }
        if matches!(&*name, "sslmode" | "ssl-mode") {
            says_tls = true;
            if value == "allow" {
                return Err(invalid("the database's url asks for sslmode=allow")
                    .with_hint("use prefer or require"));
            }
        }
    }
    let options = PgConnectOptions::from_url(&url).map_err(|_| unreadable())?;
    Ok((options, says_tls))
}

fn invalid(message: impl Into<String>) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidSpec, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_url(url: &str) -> Result<PgConnectOptions, SourceError> {
        connect_options(&PostgresConfig {
            address: Address::Url(SecretString::from(url)),
            tls: TlsConfig::default(),
            statement_timeout: Duration::from_secs(1),
        })
    }

    #[test]
    fn the_servers_name_is_verified_unless_somebody_says_otherwise() {
        for (url, expected) in [
            ("postgres://u:p@h/d", PgSslMode::VerifyFull),
            ("postgres://u:p@h/d?sslmode=require", PgSslMode::Require),
            ("postgres://u:p@h/d?sslmode=disable", PgSslMode::Disable),
            ("postgres://u:p@%2Fvar%2Frun/d", PgSslMode::Disable),
        ] {
            let mode = of_url(url).unwrap().get_ssl_mode();
            assert_eq!(format!("{mode:?}"), format!("{expected:?}"), "{url}");
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_without_showing_it() {
        for (url, expected) in [
            ("not a url: s3cret", "can't be read"),
            ("mysql://u:s3cret@h/d", "doesn't begin with postgres://"),
            ("postgres://u:s3cret@h/d?sslrootcert=/etc/passwd", "`sslrootcert`"),
            ("postgres://u:s3cret@h/d?sslmode=allow", "sslmode=allow"),
            ("postgres://u:s3cret@h/d?sslmode=maybe", "can't be read"),
        ] {
            let error = of_url(url).unwrap_err();
            assert!(error.message.contains(expected), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
