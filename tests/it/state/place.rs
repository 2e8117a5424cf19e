//! Where a test's state is kept: opened through the public door, and reached behind its back.

use std::sync::Arc;

use ciosync::model::SyncId;
use ciosync::state::{self, LockHolder, RunLock, StateError, StateStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;

use crate::support::postgres::{Database, postgres};

/// An empty place for one store.
pub enum Place {
    Sqlite(TempDir),
    Postgres(Box<Database>),
}

impl Place {
    pub fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().unwrap())
    }

    pub async fn postgres() -> Self {
        Self::Postgres(Box::new(postgres().await.database().await))
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}/state.db", folder.path().display()),
            Self::Postgres(database) => database.url(),
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Opens the store, or makes it.
    pub async fn open(&self) -> Arc<dyn StateStore> {
        state::open(&self.url(), "local").await.unwrap()
    }

    /// Runs statements that both databases understand, past the store.
    pub async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(folder) => {
                let options = SqliteConnectOptions::new()
                    .filename(folder.path().join("state.db"))
                    .create_if_missing(true);
                let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres(database) => {
                database.execute(&format!("set search_path to ciosync; {sql}")).await;
            }
        }
    }
}

/// Checks a rule in an empty store of each kind.
pub async fn in_each_store(rule: impl AsyncFn(&Place)) {
    for place in [Place::sqlite(), Place::postgres().await] {
        let _named = NamedOnPanic(place.name());
        rule(&place).await;
    }
}

/// Tells in which store a rule failed.
struct NamedOnPanic(&'static str);

impl Drop for NamedOnPanic {
    #[expect(clippy::print_stderr, reason = "a failed rule must say where it failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the store: {}", self.0);
        }
    }
}

pub fn sync() -> SyncId {
    SyncId::new("default", "customers")
}

/// Takes the run lock of [`sync`].
pub async fn lock(store: &dyn StateStore) -> RunLock {
    RunLock::acquire(store, &sync(), &LockHolder::this_process()).await.unwrap()
}

/// Returns the error of an outcome whose value can't be printed.
pub fn error<T>(outcome: Result<T, StateError>) -> StateError {
    outcome.err().expect("this must fail")
}
