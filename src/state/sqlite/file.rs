//! The file itself: made closed to other users, looked into before it is touched.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::{error, migrations};
use crate::state::error::StateError;

pub(super) const NAME_ANOTHER: &str = "name another file, or move this one away";

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// To how many bytes the write-ahead log is cut back after a large transaction.
const LOG_BYTES_KEPT: &str = "16777216";

/// Returns where the store is, for messages.
pub(super) fn location(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// Returns how the file is opened, whatever for. It is never made by opening it.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Returns how the file is opened to write. A commit is on the disk before it returns.
pub(super) fn writing_options(path: &Path) -> SqliteConnectOptions {
    options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", LOG_BYTES_KEPT)
}

/// Returns whether the tables in the file are of an older version; `None` where there is no file
/// or nothing in it. Changes nothing.
///
/// # Errors
/// Where the file holds something else, or a state that isn't for us.
pub(super) async fn look_inside(
    path: &Path,
    owner: Option<&str>,
) -> Result<Option<bool>, StateError> {
    let location = location(path);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            return Err(refused(&location, "is a folder"));
        }
        Ok(found) if found.len() == 0 => return Ok(None),
        Ok(_) => {}
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(unavailable(&location, "can't be opened", err.kind())),
    }
    let look = async {
        let mut connection = options(path).read_only(true).connect().await?;
        migrations::look(&mut connection).await
    };
    match look.await.map_err(|err| error::explain(&location, err))? {
        migrations::Contents::Nothing => Ok(None),
        migrations::Contents::SomethingElse => Err(not_ours(&location)),
        migrations::Contents::State(found) => found.is_older(&location, owner).map(Some),
    }
}

/// Returns the error of a database that holds something else.
pub(super) fn not_ours(location: &str) -> StateError {
    refused(location, "is not a state store: it holds tables of something else")
}

/// Makes the file and the folders above it, for this user only.
pub(super) fn make(path: &Path) -> Result<(), StateError> {
    let location = location(path);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)
            .map_err(|err| unavailable(&location, "can't be made: its folder", err.kind()))?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(err) if err.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(err) => Err(unavailable(&location, "can't be made", err.kind())),
    }
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn unavailable(location: &str, problem: &str, kind: ErrorKind) -> StateError {
    let hint = match kind {
        ErrorKind::PermissionDenied => "see that this user may write there",
        ErrorKind::ReadOnlyFilesystem => "name a place that can be written, such as a volume",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room",
        ErrorKind::NotADirectory => "a part of the path is a file: name another place",
        _ => "name another place",
    };
    StateError::Unavailable {
        location: location.to_owned(),
        problem: format!("{problem}: {kind}"),
        hint: Some(hint.to_owned()),
    }
}

fn refused(location: &str, problem: &str) -> StateError {
    StateError::Refused {
        location: location.to_owned(),
        problem: problem.to_owned(),
        hint: NAME_ANOTHER.to_owned(),
    }
}
