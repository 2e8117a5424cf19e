//! One connection in one transaction, and the rows of a query on it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::TryStreamExt;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow, SqliteValueRef};
use sqlx::{
    AssertSqlSafe, Column as _, Decode, Either, Executor, Row, SqlSafeStr, Statement, TypeInfo,
    ValueRef,
};

use super::{error, query};
use crate::model::{Column, RowBatch, Value, ValueKind};
use crate::sources::batches::BatchSink;
use crate::sources::columns;
use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::source::{ReadRequest, Window};

/// Steps of SQLite's virtual machine between two looks at whether anybody still wants the rows:
/// some tens of microseconds.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// A connection that reads one snapshot of the file. Dropped, it stops what it runs.
pub(super) struct Reader {
    /// Set when the reader is dropped, and dropped first; SQLite's thread looks at it and gives up.
    _abandoned: Abandon,
    connection: SqliteConnection,
    path: PathBuf,
}

struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Reader {
    /// Begins the transaction that all of this reader's queries are in.
    pub(super) async fn begin(
        connection: SqliteConnection,
        path: PathBuf,
    ) -> Result<Self, SourceError> {
        let abandoned = Arc::new(AtomicBool::new(false));
        let mut reader = Self { _abandoned: Abandon(Arc::clone(&abandoned)), connection, path };
        let mut handle = reader
            .connection
            .lock_handle()
            .await
            .map_err(|err| error::of_driver(err, &reader.path))?;
        handle
            .set_progress_handler(STEPS_BETWEEN_LOOKS, move || !abandoned.load(Ordering::Relaxed));
        drop(handle);
        reader.fetch("begin").await?;
        // The first read takes the snapshot, and shows whether the file is a database at all.
        reader.fetch("select count(*) from sqlite_schema").await?;
        Ok(reader)
    }

    /// Returns the columns of a select, without running it.
    pub(super) async fn describe(&mut self, select: &str) -> Result<Vec<Column>, SourceError> {
        self.prepare(query::wrapped(select)).await?;
        // The names come from the model by itself: around it, SQLite would tell doubled ones apart.
        let columns = self.prepare(select.to_owned()).await?;
        let mut names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        columns::check_names(&mut names)?;
        Ok(columns)
    }

    /// Replaces the kinds of the key's columns by those of the values that they hold.
    pub(super) async fn settle_key(
        &mut self,
        request: &ReadRequest,
        select: &str,
        columns: &mut [Column],
    ) -> Result<(), SourceError> {
        if request.primary_key.is_empty() {
            return Ok(());
        }
        let rows = self.fetch(query::kinds_of_key(request, select)).await?;
        for (index, name) in request.primary_key.iter().enumerate() {
            let mut classes: Vec<&str> = rows
                .iter()
                .filter_map(|row| row.try_get(index).ok())
                .filter(|c| *c != "null")
                .collect();
            classes.sort_unstable();
            classes.dedup();
            if classes == ["text"] {
                self.check_encoding(name).await?;
            }
            if let Some(column) = columns.iter_mut().find(|column| column.name == *name) {
                column.kind = query::kind_of_key(column, &classes)?;
            }
        }
        Ok(())
    }

    /// Returns the time in unix microseconds, by the clock that the queries see.
    pub(super) async fn now_micros(&mut self) -> Result<i64, SourceError> {
        let rows = self.fetch(query::now()).await?;
        let now = rows.first().and_then(|row| row.try_get(0).ok());
        now.ok_or_else(|| SourceError::new(SourceErrorKind::Internal, "SQLite told no time"))
    }

    /// Refuses a cursor column whose first value is no time: every row of it would be read always.
    pub(super) async fn check_cursor(
        &mut self,
        window: &Window,
        select: &str,
    ) -> Result<(), SourceError> {
        let rows = self.fetch(query::first_of_cursor(window, select)).await?;
        let is_time = rows.first().and_then(|row| row.try_get::<Option<i64>, _>(0).ok());
        match is_time {
            Some(None) => Err(query::no_time(window)),
            Some(Some(_)) | None => Ok(()),
        }
    }

    /// Reads the rows of `sql` to their end.
    pub(super) async fn read(
        mut self,
        sql: String,
        mut sink: BatchSink,
    ) -> Result<(), SourceError> {
        let path = self.path.clone();
        let failed = |err| error::of_driver(err, &path);
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut self.connection);
        let mut batch = sink.batch();
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            push_row(&row, &mut batch).map_err(failed)?;
            if batch.is_full() {
                sink.send(batch).await?;
                batch = sink.batch();
            }
        }
        if !batch.is_empty() {
            sink.send(batch).await?;
        }
        Ok(())
    }

    /// In a database in UTF-16, text would be ordered by other bytes than ours.
    async fn check_encoding(&mut self, name: &str) -> Result<(), SourceError> {
        let rows = self.fetch("pragma encoding").await?;
        let encoding: &str = rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or("UTF-8");
        if encoding == "UTF-8" {
            return Ok(());
        }
        let message = format!(
            "column `{name}` of the primary key is text in {encoding}, which SQLite orders differently"
        );
        Err(SourceError::new(SourceErrorKind::InvalidSpec, message)
            .with_hint("use a database in UTF-8, or a key of another kind"))
    }

    async fn fetch(&mut self, sql: impl Into<String>) -> Result<Vec<SqliteRow>, SourceError> {
        let fetched = sqlx::query(AssertSqlSafe(sql.into())).fetch_all(&mut self.connection).await;
        fetched.map_err(|err| error::of_driver(err, &self.path))
    }

    async fn prepare(&mut self, sql: String) -> Result<Vec<Column>, SourceError> {
        let prepared = self.connection.prepare(AssertSqlSafe(sql).into_sql_str()).await;
        let statement = prepared.map_err(|err| error::of_driver(err, &self.path))?;
        let refused = |message| SourceError::new(SourceErrorKind::InvalidQuery, message);
        if matches!(statement.parameters(), Some(Either::Right(1..))) {
            return Err(refused("the query has a parameter")
                .with_hint("a model has no parameters; write the value itself"));
        }
        let column = |column: &sqlx::sqlite::SqliteColumn| Column {
            name: column.name().to_owned(),
            kind: ValueKind::Dynamic,
            type_name: column.type_info().name().to_owned(),
        };
        let columns: Vec<Column> = statement.columns().iter().map(column).collect();
        match columns.is_empty() {
            true => Err(refused("the model returns no columns")),
            false => Ok(columns),
        }
    }
}

fn push_row(row: &SqliteRow, batch: &mut RowBatch) -> Result<(), sqlx::Error> {
    for index in 0..row.len() {
        push(row.try_get_raw(index)?, batch).map_err(sqlx::Error::Decode)?;
    }
    Ok(())
}

/// Appends a value as it is stored: a declared type is a hint that SQLite itself does not follow.
fn push(value: SqliteValueRef<'_>, batch: &mut RowBatch) -> Result<(), sqlx::error::BoxDynError> {
    batch.push(match Class::of(&value) {
        Class::Null => Value::Null,
        Class::Integer => Value::Int(Decode::<Sqlite>::decode(value)?),
        Class::Real => Value::Float(Decode::<Sqlite>::decode(value)?),
        Class::Text => match std::str::from_utf8(Decode::<Sqlite>::decode(value)?) {
            Ok(text) => Value::Text(text),
            Err(_) => Value::Undecodable("is not valid UTF-8"),
        },
        Class::Blob => Value::Bytes(Decode::<Sqlite>::decode(value)?),
    });
    Ok(())
}

/// SQLite's storage classes.
enum Class {
    Null,
    Integer,
    Real,
    Text,
    Blob,
}

impl Class {
    fn of(value: &SqliteValueRef<'_>) -> Self {
        if value.is_null() {
            return Self::Null;
        }
        match value.type_info().name() {
            "INTEGER" => Self::Integer,
            "REAL" => Self::Real,
            "TEXT" => Self::Text,
            _ => Self::Blob,
        }
    }
}
