//! SQLite: a database file, opened for reading only.
//!
//! SQLite decides the kind of each value, not of a column, so every column is dynamic; only those of
//! the key are settled before the first row. Sorting beyond its cache goes to SQLite's own temporary
//! files (`SQLITE_TMPDIR`, `TMPDIR`).

mod error;
mod query;
mod read;
pub mod spec;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use self::read::Reader;
use super::batches::BatchStream;
use super::columns;
use super::error::{SourceError, SourceErrorKind};
use super::source::{Model, ReadRequest, RowStream, Source};
use super::sql::{self, Dialect};
use crate::model::Column;

/// How long we wait for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A SQLite database file.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// The file; it is never made.
    pub path: PathBuf,
}

/// A SQLite database that rows are read from. Opens the file anew for each call.
pub struct SqliteSource {
    path: PathBuf,
}

impl SqliteSource {
    /// Returns the source without opening the file.
    pub fn new(config: SqliteConfig) -> Self {
        Self { path: config.path }
    }

    async fn connect(&self) -> Result<SqliteConnection, SourceError> {
        check_file(&self.path).await?;
        SqliteConnectOptions::new()
            .filename(&self.path)
            .read_only(true)
            .create_if_missing(false)
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(0)
            .disable_statement_logging()
            .connect()
            .await
            .map_err(|err| error::of_driver(err, &self.path))
    }

    async fn reader(&self) -> Result<Reader, SourceError> {
        Reader::begin(self.connect().await?, self.path.clone()).await
    }
}

#[async_trait]
impl Source for SqliteSource {
    async fn probe(&self) -> Result<(), SourceError> {
        self.reader().await.map(drop)
    }

    async fn describe(&self, model: &Model) -> Result<Vec<Column>, SourceError> {
        let select = sql::select_of(model, Dialect::Sqlite)?;
        self.reader().await?.describe(&select).await
    }

    async fn open(&self, request: &ReadRequest) -> Result<Box<dyn RowStream>, SourceError> {
        let select = sql::select_of(&request.model, Dialect::Sqlite)?;
        let mut reader = self.reader().await?;
        let described = reader.describe(&select).await?;
        let mut columns = query::chosen(request, &described)?;
        reader.settle_key(request, &select, &mut columns).await?;
        let mut clock = None;
        if let Some(window) = &request.window {
            if !described.iter().any(|column| column.name == window.column) {
                let given = described.iter().map(|column| column.name.as_str());
                return Err(columns::missing(&window.column, given));
            }
            let now = reader.now_micros().await?;
            reader.check_cursor(window, &select).await?;
            columns.push(query::window_column());
            clock = Some(now);
        }
        let query = query::ordered(request, &select, clock);
        let stream = BatchStream::new(columns, |sink| reader.read(query, sink));
        Ok(Box::new(stream.with_clock(clock)))
    }
}

async fn check_file(path: &Path) -> Result<(), SourceError> {
    let shown = path.display();
    let invalid = |message| SourceError::new(SourceErrorKind::InvalidSpec, message);
    match tokio::fs::metadata(path).await {
        Ok(metadata) if metadata.is_dir() => {
            Err(invalid(format!("{shown} is a folder, not a SQLite database")))
        }
        Ok(_) => Ok(()),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => {
            Err(invalid(format!("there is no database file {shown}")).with_hint(
                "check the path of the Source; a relative one counts from the manifest's folder",
            ))
        }
        Err(err) => {
            Err(invalid(format!("the database file {shown} can't be reached: {}", err.kind())))
        }
    }
}
