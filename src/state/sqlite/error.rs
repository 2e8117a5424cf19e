//! What SQLite's result codes mean for a person.

use crate::state::error::StateError;

/// Result codes. Source: <https://www.sqlite.org/rescode.html>
mod code {
    pub(super) const PERM: i32 = 3;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const AUTH: i32 = 23;
    pub(super) const NOTADB: i32 = 26;
}

/// Returns the error of a store at `location` for what SQLite or its driver said.
pub(super) fn explain(location: &str, err: sqlx::Error) -> StateError {
    let unavailable = |problem: &str, hint: Option<&str>| StateError::Unavailable {
        location: location.to_owned(),
        problem: problem.to_owned(),
        hint: hint.map(str::to_owned),
    };
    let Some(code) = result_code(&err) else {
        return match err {
            sqlx::Error::PoolTimedOut => unavailable("is busy: it took over a minute", None),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => unavailable("was closed", None),
            sqlx::Error::Io(err) => unavailable(&format!("can't be opened: {}", err.kind()), None),
            other => StateError::Internal(format!("SQLite driver: {other}")),
        };
    };
    match code & 0xff {
        code::BUSY | code::LOCKED => unavailable(
            "is locked by another process",
            Some("wait until the other process is done, or end it"),
        ),
        code::READONLY => unavailable("can't be written: it is read-only", Some(WRITABLE)),
        code::CANTOPEN | code::PERM | code::AUTH => unavailable("can't be opened", Some(WRITABLE)),
        code::FULL => unavailable("can't be written: the disk is full", Some("make room")),
        code::IOERR => unavailable(
            &format!("can't be read or written: the disk fails (SQLite code {code})"),
            Some("look at the disk: its room, limits on the size of files, its health"),
        ),
        code::NOTADB => StateError::Refused {
            location: location.to_owned(),
            problem: "is not a state store: the file is no SQLite database".to_owned(),
            hint: super::file::NAME_ANOTHER.to_owned(),
        },
        code::CORRUPT => StateError::Corrupt {
            location: location.to_owned(),
            problem: format!("is damaged (SQLite code {code})"),
        },
        _ => StateError::Internal(format!("SQLite code {code}")),
    }
}

const WRITABLE: &str = "see that this user may read and write the file and its folder";

fn result_code(err: &sqlx::Error) -> Option<i32> {
    err.as_database_error()?.code()?.parse().ok()
}
