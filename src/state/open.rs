//! From a URL to a store.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::StateError;
use super::postgres::{Address, PostgresStore};
use super::sqlite::SqliteStore;
use super::store::StateStore;

/// What an existing store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To look: nothing is made, migrated or written.
    Read,
    /// To write as well: older tables are migrated.
    Write,
}

enum Place {
    Sqlite(PathBuf),
    Postgres(Box<Address>),
}

/// Opens the store that `url` names, and makes it where there is none:
///
/// - `sqlite:PATH`: a file, made with its folder, closed to other users;
/// - `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…&schema=…`: a schema of a PostgreSQL
///   database, `ciosync` where none is named; one database serves several installations so.
///   Connections must keep their settings: behind a pooler, in session mode only.
///
/// `owner` is the installation: `local` on a laptop, in a cluster what tells it from others.
///
/// # Errors
/// [`StateError::Refused`] for another kind of URL, a store of another installation, a newer
/// store or a file that is none; [`StateError::Unavailable`] where it can't be reached.
pub async fn open(url: &str, owner: &str) -> Result<Arc<dyn StateStore>, StateError> {
    Ok(match place(url)? {
        Place::Sqlite(path) => Arc::new(Box::pin(SqliteStore::open(&path, owner)).await?),
        Place::Postgres(address) => Arc::new(Box::pin(PostgresStore::open(*address, owner)).await?),
    })
}

/// Opens the store that `url` names; `None` where there is no state yet. Makes nothing.
/// Where `owner` is `None`, a store of any installation is taken.
///
/// # Errors
/// As [`open`]; for reading also where the tables are older than this binary's.
pub async fn open_existing(
    url: &str,
    owner: Option<&str>,
    access: Access,
) -> Result<Option<Arc<dyn StateStore>>, StateError> {
    Ok(match place(url)? {
        Place::Sqlite(path) => Box::pin(SqliteStore::open_existing(&path, owner, access))
            .await?
            .map(|store| Arc::new(store) as Arc<dyn StateStore>),
        Place::Postgres(address) => Box::pin(PostgresStore::open_existing(*address, owner, access))
            .await?
            .map(|store| Arc::new(store) as Arc<dyn StateStore>),
    })
}

/// Checks that `url` names a store, without opening anything.
///
/// # Errors
/// [`StateError::Refused`], with what to write instead.
pub fn check_url(url: &str) -> Result<(), StateError> {
    place(url).map(drop)
}

fn place(url: &str) -> Result<Place, StateError> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" {
            return Err(refused(url, "names no file"));
        }
        return Ok(Place::Sqlite(PathBuf::from(path)));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Place::Postgres(Box::new(Address::parse(url)?)));
    }
    Err(refused(url, "is of a kind that ciosync doesn't know"))
}

/// A URL of an unknown kind may hold a password anywhere: only its kind is shown.
fn refused(url: &str, problem: &str) -> StateError {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let location = if is_scheme { format!("`{scheme}:…`") } else { "URL".to_owned() };
    StateError::Refused {
        location,
        problem: problem.to_owned(),
        hint: "write `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_kind_of_url_is_refused_without_showing_it() {
        for url in ["mysql://ann:secret@host/db", "ann:secret@host", "secret", "", "sqlite:"] {
            let err = check_url(url).unwrap_err();

            assert!(!format!("{err:?}").contains("secret"), "{err:?}");
            assert!(err.hint().unwrap().contains("sqlite:PATH"));
        }
    }

    #[test]
    fn files_and_servers_are_told_apart() {
        assert!(matches!(place("sqlite:a/b.db"), Ok(Place::Sqlite(path)) if path == *"a/b.db"));
        assert!(matches!(place("sqlite:///a/b.db"), Ok(Place::Sqlite(path)) if path == *"/a/b.db"));
        assert!(matches!(place("postgres://host/db"), Ok(Place::Postgres(_))));
    }
}
