//! What every source can do.

use std::path::PathBuf;

use async_trait::async_trait;

use super::error::SourceError;
use crate::model::{Column, RowBatch};

/// What a Sync reads: the part of its spec that a source needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Model {
    /// A query in the warehouse's own SQL, as the person wrote it.
    Sql(String),
    /// A table or view, with its schema where it has one (`marts.customers`); for files the name
    /// of the file or folder.
    Table(String),
}

/// One read: which columns, in the order of which key.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// What to read.
    pub model: Model,
    /// The columns that order the rows, in this order; a part of `columns`.
    pub primary_key: Vec<String>,
    /// The columns to return, in this order.
    pub columns: Vec<String>,
    /// Where a source that can't order its rows may put temporary files.
    pub spill_dir: PathBuf,
    /// The column by which only new rows are read; `None` reads every row.
    pub window: Option<Window>,
}

/// Which rows a cursor reads. Every row then carries one cell more than the columns asked for, its
/// last: the cursor column as unix microseconds, or null where it holds no instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The column with the time of load or update.
    pub column: String,
    /// The first instant that is read, in unix microseconds; rows from then on and before the
    /// warehouse's now are read, and those that hold no instant. `None` reads every row.
    pub from: Option<i64>,
}

/// The name of the cell that a window adds to each row; no query gives a column without a name.
pub(super) const WINDOW_COLUMN: &str = "";

/// A warehouse from which rows are read.
#[async_trait]
pub trait Source: Send + Sync {
    /// Proves that the source can be reached with its credentials and may be queried,
    /// with the cheapest statement that does.
    ///
    /// # Errors
    /// What is missing, and what to do next.
    async fn probe(&self) -> Result<(), SourceError>;

    /// Returns the columns that `model` gives, in its order, without reading its rows.
    ///
    /// # Errors
    /// Where the model is refused (with the position in the person's own text), or returns two
    /// columns of one name.
    async fn describe(&self, model: &Model) -> Result<Vec<Column>, SourceError>;

    /// Opens a read: one consistent view of the model, ordered by the primary key's canonical
    /// byte order ([`crate::model::key`]), rows with a null in the key anywhere.
    ///
    /// Columns of [`crate::model::ValueKind::Dynamic`] in the key are settled before the first row:
    /// a key that holds several kinds is an error here. One that holds no value at all stays
    /// dynamic.
    ///
    /// Dropping the stream ends the read at the source.
    async fn open(&self, request: &ReadRequest) -> Result<Box<dyn RowStream>, SourceError>;
}

/// A read that goes on.
#[async_trait]
pub trait RowStream: Send {
    /// Returns the columns of the rows, in the order asked for, with the kinds that the rows have,
    /// and behind them the cell of the window where one was asked for.
    fn columns(&self) -> &[Column];

    /// Returns the warehouse's now in the view that is read, in unix microseconds; `None` where no
    /// window was asked for.
    fn clock(&self) -> Option<i64> {
        None
    }

    /// Replaces what `batch` holds by the next rows. An empty batch after the call means that the
    /// source was read to its end without error; nothing else does.
    ///
    /// # Errors
    /// Where the read broke: then what came before is not the whole of it.
    async fn next(&mut self, batch: &mut RowBatch) -> Result<(), SourceError>;
}
