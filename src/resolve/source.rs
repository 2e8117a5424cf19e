//! A Source resource and its secrets to a source that can be read.

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use super::error::ResolveError;
use super::secrets::{SecretReader, read_optional};
use crate::api::SourceSpec;
use crate::model::secret::Secret;
use crate::sources::Source;
use crate::sources::config::SourceConfig;
use crate::sources::files::FilesConfig;
use crate::sources::files::spec::{FileFormat, FilesSpec};
use crate::sources::postgres::spec::PostgresSpec;
use crate::sources::postgres::{Address, ClientIdentity, PostgresConfig, TlsConfig, TlsMode};
use crate::sources::spec::{TlsMode as TlsModeSpec, TlsSpec};
use crate::sources::sqlite::SqliteConfig;

const POSTGRES_PORT: u16 = 5432;

/// Returns the source that `spec` describes. Relative paths count from `base`. Opens nothing.
///
/// # Errors
/// Where a secret is missing or a setting can't be used, or this version can't read such a source.
pub async fn source(
    namespace: &str,
    spec: &SourceSpec,
    base: &Path,
    secrets: &dyn SecretReader,
) -> Result<Arc<dyn Source>, ResolveError> {
    let config = if let Some(postgres) = &spec.postgres {
        SourceConfig::Postgres(self::postgres(namespace, postgres, secrets).await?)
    } else if let Some(sqlite) = &spec.sqlite {
        SourceConfig::Sqlite(SqliteConfig { path: base.join(&sqlite.path) })
    } else if let Some(files) = &spec.files {
        SourceConfig::Files(self::files(files, base)?)
    } else {
        let block = spec.block().unwrap_or("spec");
        return Err(ResolveError::InvalidSpec {
            path: format!("spec.{block}"),
            message: format!("this version can't read a source of type {block} yet"),
            hint: Some("it reads postgres, sqlite and files".to_owned()),
        });
    };
    Ok(Arc::from(config.into_source()?))
}

async fn postgres(
    namespace: &str,
    spec: &PostgresSpec,
    secrets: &dyn SecretReader,
) -> Result<PostgresConfig, ResolveError> {
    let url = read_optional(secrets, namespace, spec.url.as_ref()).await?;
    let password = read_optional(secrets, namespace, spec.password.as_ref()).await?;
    let address = match url {
        Some(url) => Address::Url(secret_string(&url)),
        None => Address::Parts {
            host: spec.host.clone().unwrap_or_default(),
            port: spec.port.unwrap_or(POSTGRES_PORT),
            database: spec.database.clone().unwrap_or_default(),
            user: spec.user.clone().unwrap_or_default(),
            password: password.as_ref().map(secret_string),
        },
    };
    let tls = match &spec.tls {
        Some(tls) => self::tls(namespace, tls, secrets).await?,
        None => TlsConfig::default(),
    };
    Ok(PostgresConfig { address, tls, statement_timeout: spec.statement_timeout.get() })
}

async fn tls(
    namespace: &str,
    spec: &TlsSpec,
    secrets: &dyn SecretReader,
) -> Result<TlsConfig, ResolveError> {
    let ca = read_optional(secrets, namespace, spec.ca.as_ref()).await?;
    let certificate = read_optional(secrets, namespace, spec.client_cert.as_ref()).await?;
    let key = read_optional(secrets, namespace, spec.client_key.as_ref()).await?;
    let mode = match spec.mode {
        TlsModeSpec::Disable => TlsMode::Disable,
        TlsModeSpec::Prefer => TlsMode::Prefer,
        TlsModeSpec::Require => TlsMode::Require,
        TlsModeSpec::VerifyCa => TlsMode::VerifyCa,
        TlsModeSpec::VerifyFull => TlsMode::VerifyFull,
    };
    Ok(TlsConfig {
        mode: Some(mode),
        ca_pem: ca.map(|ca| ca.expose().to_owned()),
        client: certificate.zip(key).map(|(certificate, key)| ClientIdentity {
            certificate_pem: certificate.expose().to_owned(),
            key_pem: secret_string(&key),
        }),
    })
}

fn files(spec: &FilesSpec, base: &Path) -> Result<FilesConfig, ResolveError> {
    if spec.format == FileFormat::Parquet {
        return Err(ResolveError::InvalidSpec {
            path: "spec.files.format".to_owned(),
            message: "this version can't read Parquet yet".to_owned(),
            hint: Some("give the files as CSV".to_owned()),
        });
    }
    let url = if spec.url.contains("://") {
        spec.url.clone()
    } else {
        base.join(&spec.url).to_string_lossy().into_owned()
    };
    Ok(FilesConfig { url })
}

fn secret_string(secret: &Secret) -> SecretString {
    SecretString::from(secret.expose())
}
