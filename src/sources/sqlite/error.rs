//! SQLite's errors in our words.

use std::path::Path;

use crate::sources::error::{SourceError, SourceErrorKind};

/// Returns the error of the driver at the database file `path`.
///
/// SQLite's own message is shown where it speaks of the query. Source of the codes:
/// <https://sqlite.org/rescode.html>; the low byte is the primary code.
pub(super) fn of_driver(error: sqlx::Error, path: &Path) -> SourceError {
    let sqlx::Error::Database(error) = error else {
        return SourceError::new(SourceErrorKind::Internal, "the driver of SQLite failed")
            .with_vendor_text(error.to_string());
    };
    let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(1);
    let shown = path.display();
    let new = |kind, message: String| SourceError::new(kind, format!("{message} ({code})"));
    let said = match code & 0xff {
        5 | 6 => new(
            SourceErrorKind::Unavailable,
            format!("another process holds the database {shown} locked"),
        ),
        3 | 23 => new(
            SourceErrorKind::PermissionDenied,
            format!("the database {shown} may not be read"),
        ),
        8 | 14 => new(
            SourceErrorKind::InvalidSpec,
            format!("the database {shown} can't be opened for reading"),
        )
        .with_hint("check the file's rights; a database in WAL mode also needs its -wal and -shm files, or a folder that may be written"),
        7 | 10 => new(SourceErrorKind::Unavailable, format!("the database {shown} can't be read now")),
        11 => new(SourceErrorKind::InvalidSpec, format!("the database {shown} is damaged"))
            .with_hint("run `pragma integrity_check` on it"),
        13 => new(
            SourceErrorKind::SpillFailed,
            "the disk of SQLite's temporary files is full".to_owned(),
        )
        .with_hint("make room, or set SQLITE_TMPDIR to a larger disk"),
        26 => new(SourceErrorKind::InvalidSpec, format!("{shown} is not a SQLite database"))
            .with_hint("check the path of the Source"),
        // These words speak of the query, and are told already.
        1 => {
            let message = format!("SQLite refused the query: {} ({code})", error.message());
            return SourceError::new(SourceErrorKind::InvalidQuery, message);
        }
        _ => new(SourceErrorKind::InvalidQuery, "SQLite could not run the query".to_owned()),
    };
    said.with_vendor_text(error.message())
}
