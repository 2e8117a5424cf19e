//! The server's and the driver's errors in our words.
//!
//! The server's own message may quote row values (`invalid input syntax for type integer: "…"`), so
//! it is shown only where it speaks of the query: SQLSTATE class 42.

use std::fmt;
use std::io;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgErrorPosition};

use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::source::Model;
use crate::sources::sql::{line_and_column, quoted};

/// The place just behind the person's own text.
const END: &str = "its end";

/// Whom we talk to and as whom, for messages; no secrets.
#[derive(Clone, Debug)]
pub(super) struct Target {
    host: String,
    port: u16,
    database: String,
    user: String,
    pub(super) statement_timeout: Duration,
}

impl Target {
    pub(super) fn new(options: &PgConnectOptions, statement_timeout: Duration) -> Self {
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => options.get_host().to_owned(),
        };
        let user = options.get_username().to_owned();
        let database = options.get_database().unwrap_or(&user).to_owned();
        Self { host, port: options.get_port(), database, user, statement_timeout }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Where the person's own text lies in the query that was sent.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) model: &'a Model,
    pub(super) prefix_chars: usize,
}

/// Returns the error for a server that said nothing for so long.
pub(super) fn no_answer(target: &Target, waited: Duration) -> SourceError {
    let message = format!("{target} did not answer within {} s", waited.as_secs());
    SourceError::new(SourceErrorKind::Unreachable, message)
        .with_hint("check host and port, and that a firewall or network policy lets us through")
}

/// Returns the error of an attempt to connect.
pub(super) fn of_connecting(error: sqlx::Error, target: &Target) -> SourceError {
    match error {
        sqlx::Error::Database(error) => of_database(&*error, target, None),
        sqlx::Error::Io(error) => of_network(&error, target),
        sqlx::Error::Tls(error) => of_tls(&error.to_string(), target),
        sqlx::Error::Configuration(_) => {
            let message = "the client certificate or its key can't be used";
            SourceError::new(SourceErrorKind::InvalidSpec, message)
                .with_hint("tls.clientCert and tls.clientKey belong together, both in PEM")
        }
        sqlx::Error::Protocol(_) => {
            let message = format!("{target} does not speak PostgreSQL's protocol");
            SourceError::new(SourceErrorKind::Unreachable, message)
                .with_hint("check host and port of the Source")
        }
        other => unexpected(&other),
    }
}

/// Returns the error of a query; `place` where it holds the person's own.
pub(super) fn of_query(
    error: sqlx::Error,
    target: &Target,
    place: Option<Place<'_>>,
) -> SourceError {
    match error {
        sqlx::Error::Database(error) => of_database(&*error, target, place),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => {
            let message = format!("the connection to {target} broke during a query");
            SourceError::new(SourceErrorKind::Unreachable, message)
        }
        other => unexpected(&other),
    }
}

fn unexpected(error: &sqlx::Error) -> SourceError {
    SourceError::new(SourceErrorKind::Internal, "the driver of PostgreSQL failed")
        .with_vendor_text(error.to_string())
}

fn of_network(error: &io::Error, target: &Target) -> SourceError {
    let text = error.to_string();
    // The resolver's failures have no kind of their own; their text is the standard library's.
    if text.contains("failed to lookup address") {
        let message = format!("the host name {} is not known", target.host);
        return SourceError::new(SourceErrorKind::Unreachable, message)
            .with_hint("check the host of the Source, and the name server of this machine or pod");
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            let message = format!("{target} refused the connection: nothing listens there");
            SourceError::new(SourceErrorKind::Unreachable, message)
                .with_hint("check host and port, and that the server runs")
        }
        io::ErrorKind::InvalidData => of_tls(&text, target),
        io::ErrorKind::NotFound => {
            let message = format!("there is no PostgreSQL socket in {}", target.host);
            SourceError::new(SourceErrorKind::Unreachable, message)
        }
        kind => {
            let message = format!("no connection to {target}: {kind}");
            SourceError::new(SourceErrorKind::Unreachable, message)
        }
    }
}

/// The words of the TLS library speak of certificates and names, never of rows.
fn of_tls(text: &str, target: &Target) -> SourceError {
    let (message, hint) = if text.contains("server does not support TLS") {
        (
            format!("{target} offers no TLS"),
            "turn on TLS at the server, or set tls.mode: disable where the network is trusted",
        )
    } else if text.contains("UnknownIssuer") {
        (
            format!("the certificate of {target} comes from an authority that is not trusted"),
            "put the authority's certificate into tls.ca",
        )
    } else if text.contains("not valid for") || text.contains("NotValidForName") {
        (
            format!("the certificate of {target} is for another host name"),
            "use the name in the certificate as host, or tls.mode: verify-ca",
        )
    } else {
        (
            format!("no TLS connection to {target}: {text}"),
            "check tls.mode and the certificates in tls",
        )
    };
    SourceError::new(SourceErrorKind::InvalidSpec, message).with_hint(hint)
}

fn of_database(
    error: &(dyn sqlx::error::DatabaseError + 'static),
    target: &Target,
    place: Option<Place<'_>>,
) -> SourceError {
    let Some(error) = error.try_downcast_ref::<PgDatabaseError>() else {
        return SourceError::new(SourceErrorKind::Internal, "an error of another database");
    };
    let is_about_query = error.code().starts_with("42");
    let said = match is_about_query {
        true => of_query_text(error, target, place),
        false => of_code(error, target, place),
    };
    if is_about_query && error.detail().is_none() {
        // All of the server's words are in ours.
        return said;
    }
    let mut text = error.message().to_owned();
    for more in [error.detail(), error.hint()].into_iter().flatten() {
        text.push('\n');
        text.push_str(more);
    }
    said.with_vendor_text(text)
}

/// Class 42: what is wrong with the query, in the server's words.
fn of_query_text(
    error: &PgDatabaseError,
    target: &Target,
    place: Option<Place<'_>>,
) -> SourceError {
    let (code, message) = (error.code(), error.message());
    if code == "42501" {
        return denied(message, target);
    }
    let at = position(error, place);
    // There the server sees our closing parenthesis, and speaks of it.
    let message = match at.as_deref() {
        Some(END) => "it is not complete",
        _ => message,
    };
    let at = at.map_or_else(String::new, |at| format!(" at {at}"));
    let message = format!("PostgreSQL refused the query{at}: {message} ({code})");
    let refused = SourceError::new(SourceErrorKind::InvalidQuery, message);
    match (error.hint(), code) {
        (Some(hint), _) => refused.with_hint(hint),
        (None, "42P01" | "3F000") => refused.with_hint(format!(
            "names are taken as the catalog shows them; without a schema, the search path of {} applies",
            quoted(&target.user)
        )),
        (None, "42601") => refused.with_hint("the model must be one select statement"),
        (None, "42P02") => refused.with_hint("a model has no parameters; write the value itself"),
        (None, _) => refused,
    }
}

fn denied(message: &str, target: &Target) -> SourceError {
    let user = quoted(&target.user);
    let object = message.strip_prefix("permission denied for ").unwrap_or_default();
    let hint = match object.split_once(' ') {
        Some(("table" | "view" | "relation", name)) => {
            format!("run: grant select on {name} to {user}")
        }
        Some(("materialized view" | "foreign table", name)) => {
            format!("run: grant select on {name} to {user}")
        }
        Some(("schema", name)) => format!("run: grant usage on schema {name} to {user}"),
        Some(("function", name)) => format!("run: grant execute on function {name} to {user}"),
        Some(("sequence", name)) => format!("run: grant select on sequence {name} to {user}"),
        Some(_) | None => {
            format!("grant {user} what the model reads: usage on schemas, select on tables")
        }
    };
    let message = format!(
        "user {user} may not read this in database {}: {message} (42501)",
        quoted(&target.database)
    );
    SourceError::new(SourceErrorKind::PermissionDenied, message).with_hint(hint)
}

/// Every other class: our words by the code.
fn of_code(error: &PgDatabaseError, target: &Target, place: Option<Place<'_>>) -> SourceError {
    let code = error.code();
    let Target { database, user, statement_timeout, .. } = target;
    let (user, database) = (quoted(user), quoted(database));
    let new = |kind, message: String| SourceError::new(kind, format!("{message} ({code})"));
    match code {
        "28P01" => new(
            SourceErrorKind::AuthenticationFailed,
            format!("{target} refused the password of user {user}"),
        )
        .with_hint("check user and password of the Source"),
        code if code.starts_with("28") => new(
            SourceErrorKind::AuthenticationFailed,
            format!("{target} does not let user {user} into database {database}"),
        )
        .with_hint("check that the user exists, and pg_hba.conf: the host, whether it demands TLS or a client certificate (tls.clientCert)"),
        "3D000" => new(
            SourceErrorKind::InvalidSpec,
            format!("there is no database {database} at {target}"),
        )
        .with_hint("check the database of the Source"),
        "57014" if error.message().contains("statement timeout") => new(
            SourceErrorKind::StatementTimeout,
            format!("the query took longer than {} s", statement_timeout.as_secs_f64()),
        )
        .with_hint("raise statementTimeout of the Source, or make the model read less"),
        "57014" => new(
            SourceErrorKind::Unavailable,
            format!("somebody cancelled the query at {target}"),
        ),
        "53300" => new(
            SourceErrorKind::Unavailable,
            format!("{target} has no free connection for user {user}"),
        ),
        "57P03" => new(
            SourceErrorKind::Unavailable,
            format!("{target} is starting or stopping"),
        ),
        "40001" => new(
            SourceErrorKind::Unavailable,
            format!("{target} dropped the snapshot of the read"),
        )
        .with_hint("on a standby, raise max_standby_streaming_delay or turn on hot_standby_feedback"),
        "55P03" => new(
            SourceErrorKind::Unavailable,
            "a table that the model reads stayed locked".to_owned(),
        ),
        "25006" => new(SourceErrorKind::InvalidQuery, "the model writes".to_owned())
            .with_hint("a model may only read; take the function that writes out of it"),
        "0A000" => new(
            SourceErrorKind::InvalidQuery,
            "PostgreSQL can't run the model inside of another query".to_owned(),
        )
        .with_hint("a model is one select; it can't hold insert, update or delete"),
        "3F000" => new(SourceErrorKind::InvalidQuery, "a schema that the model names does not exist".to_owned()),
        code => of_class(code, position(error, place), target),
    }
}

fn of_class(code: &str, position: Option<String>, target: &Target) -> SourceError {
    let at = position.map_or_else(String::new, |at| format!(" at {at}"));
    let hint = match code.get(..2) {
        Some("22") => {
            "mend the row or the expression: nullif(…, 0) for a divisor, a case around a cast"
        }
        _ => {
            "PostgreSQL's own words may quote row values; the command line shows them with --show-values"
        }
    };
    let (kind, message) = match code.get(..2).unwrap_or_default() {
        "08" => (SourceErrorKind::Unreachable, format!("the connection to {target} broke")),
        "25" | "40" | "53" | "57" | "58" => {
            (SourceErrorKind::Unavailable, format!("{target} can't serve the query now"))
        }
        "22" => {
            let message = format!("PostgreSQL could not convert or compute a value{at}");
            (SourceErrorKind::InvalidQuery, message)
        }
        _ => (SourceErrorKind::InvalidQuery, format!("PostgreSQL could not run the query{at}")),
    };
    let error = SourceError::new(kind, format!("{message} ({code})"));
    match kind {
        SourceErrorKind::InvalidQuery => error.with_hint(hint),
        _ => error,
    }
}

/// Returns where in the person's own text the server points.
fn position(error: &PgDatabaseError, place: Option<Place<'_>>) -> Option<String> {
    let Some(PgErrorPosition::Original(position)) = error.position() else { return None };
    let Place { model: Model::Sql(text), prefix_chars } = place? else { return None };
    let index = position.checked_sub(1)?.checked_sub(prefix_chars)?;
    if index >= text.trim_end().chars().count() {
        return Some(END.to_owned());
    }
    let (line, column) = line_and_column(text, index);
    Some(format!("line {line}, column {column}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            host: "db.internal".into(),
            port: 5432,
            database: "analytics".into(),
            user: "ciosync".into(),
            statement_timeout: Duration::from_secs(900),
        }
    }

    #[test]
    fn a_missing_right_comes_with_the_grant_to_run() {
        for (message, expected) in [
            ("permission denied for table orders", "run: grant select on orders to \"ciosync\""),
            ("permission denied for schema m", "run: grant usage on schema m to \"ciosync\""),
            ("permission denied for function f", "run: grant execute on function f to \"ciosync\""),
            ("Zugriff verweigert", "grant \"ciosync\" what the model reads"),
        ] {
            let hint = denied(message, &target()).hint.unwrap();
            assert!(hint.starts_with(expected), "{hint}");
        }
    }

    #[test]
    fn failures_of_the_network_and_of_tls_each_have_their_words() {
        let other = |text: &str| io::Error::other(text.to_owned());
        let invalid = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
        for (error, expected) in [
            (
                other("failed to lookup address information: x"),
                "host name db.internal is not known",
            ),
            (io::ErrorKind::ConnectionRefused.into(), "db.internal:5432 refused the connection"),
            (io::ErrorKind::ConnectionReset.into(), "no connection to db.internal:5432"),
            (invalid("invalid peer certificate: UnknownIssuer"), "authority that is not trusted"),
            (invalid("certificate not valid for name \"a\""), "for another host name"),
            (invalid("peer is incompatible"), "no TLS connection to db.internal:5432"),
        ] {
            let message = of_network(&error, &target()).message;
            assert!(message.contains(expected), "{message}");
        }
    }
}
