//! What PostgreSQL's SQLSTATE codes mean for a person. The server's own text is never shown: it
//! may quote what was stored.

use crate::state::error::StateError;

/// Returns the error of a store at `location` for what the server or its driver said.
pub(super) fn explain(location: &str, err: sqlx::Error) -> StateError {
    let unavailable = |problem: String, hint: Option<&str>| StateError::Unavailable {
        location: location.to_owned(),
        problem,
        hint: hint.map(str::to_owned),
    };
    if let Some(code) = err.as_database_error().and_then(|err| err.code()) {
        return explain_code(location, &code);
    }
    match err {
        sqlx::Error::Io(err) => unavailable(
            format!("can't be reached: {}", err.kind()),
            Some("see that the host and port are right and that the server runs"),
        ),
        sqlx::Error::Tls(_) => unavailable(
            "can't be reached over TLS".to_owned(),
            Some("see `sslmode` and `sslrootcert` in the URL, and the server's certificate"),
        ),
        sqlx::Error::PoolTimedOut => unavailable(
            "didn't give a connection in time".to_owned(),
            Some("see that the server is reachable and has connections left"),
        ),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => {
            unavailable("ended the connection".to_owned(), None)
        }
        other => StateError::Internal(format!("PostgreSQL driver: {other}")),
    }
}

/// Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn explain_code(location: &str, code: &str) -> StateError {
    let unavailable = |problem: &str, hint: Option<&str>| StateError::Unavailable {
        location: location.to_owned(),
        problem: format!("{problem} (SQLSTATE {code})"),
        hint: hint.map(str::to_owned),
    };
    match code {
        "28000" | "28P01" => {
            unavailable("refused the login", Some("see the user and password in the URL"))
        }
        "3D000" => unavailable("doesn't exist", Some("create the database, or name another one")),
        "42501" => unavailable(
            "denies its user what is needed",
            Some("grant the user `create` on the database, or create the schema for it"),
        ),
        "25006" => unavailable(
            "can't be written: it is read-only",
            Some("name the primary server, not a standby"),
        ),
        "53100" => unavailable("can't be written: its disk is full", Some("make room")),
        "53300" => unavailable("has no connections left", None),
        "57014" => unavailable("took too long to answer", None),
        "42P01" | "42703" | "3F000" => StateError::Corrupt {
            location: location.to_owned(),
            problem: format!("lacks a table or column (SQLSTATE {code})"),
        },
        _ => match code.get(..2) {
            Some("08" | "53" | "57" | "58" | "40" | "55") => unavailable("can't answer now", None),
            Some("XX") => StateError::Corrupt {
                location: location.to_owned(),
                problem: format!("is damaged (SQLSTATE {code})"),
            },
            _ => StateError::Internal(format!("SQLSTATE {code}")),
        },
    }
}
