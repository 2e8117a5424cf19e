//! The resolved settings of any source, and the door from them to the source itself.

use super::error::SourceError;
use super::files::{FilesConfig, FilesSource};
use super::postgres::{PostgresConfig, PostgresSource};
use super::source::Source;
use super::sqlite::{SqliteConfig, SqliteSource};

/// A source that this version can read, its secrets in hand.
#[derive(Clone, Debug)]
pub enum SourceConfig {
    /// PostgreSQL.
    Postgres(PostgresConfig),
    /// A SQLite database file.
    Sqlite(SqliteConfig),
    /// CSV files in a folder.
    Files(FilesConfig),
}

impl SourceConfig {
    /// Returns the source, without reaching out to it.
    ///
    /// # Errors
    /// Where the settings can't be used: an unreadable URL, a place that isn't supported.
    pub fn into_source(self) -> Result<Box<dyn Source>, SourceError> {
        Ok(match self {
            Self::Postgres(config) => Box::new(PostgresSource::new(config)?),
            Self::Sqlite(config) => Box::new(SqliteSource::new(config)),
            Self::Files(config) => Box::new(FilesSource::new(config)?),
        })
    }
}
