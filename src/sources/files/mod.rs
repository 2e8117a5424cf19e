//! CSV files in a local folder.
//!
//! A model is a file, or a folder whose `*.csv` files all have the same header. Every cell is text;
//! an empty cell is null, quoted or not, since the reader of CSV can't tell the two apart. Rows
//! come in the order of the key through the external sort.

mod csv;
mod marked;
mod place;
mod read;
pub mod spec;

use std::path::PathBuf;

use async_trait::async_trait;

use self::place::Root;
use super::error::{SourceError, SourceErrorKind};
use super::source::{Model, ReadRequest, RowStream, Source};
use crate::model::{Column, ValueKind};

/// Files in a folder.
#[derive(Clone, Debug)]
pub struct FilesConfig {
    /// A path, or a `file://` URL, of a folder or of one file.
    pub url: String,
}

/// A folder of files that rows are read from. Nothing outside of it is ever opened.
#[derive(Debug)]
pub struct FilesSource {
    root: PathBuf,
}

impl FilesSource {
    /// Returns the source without opening anything.
    ///
    /// # Errors
    /// Where the URL is not that of a local file.
    pub fn new(config: FilesConfig) -> Result<Self, SourceError> {
        Ok(Self { root: place::local_path(&config.url)? })
    }
}

#[async_trait]
impl Source for FilesSource {
    async fn probe(&self) -> Result<(), SourceError> {
        let root = self.root.clone();
        off_thread(move || Root::open(&root).map(drop)).await
    }

    async fn describe(&self, model: &Model) -> Result<Vec<Column>, SourceError> {
        let root = self.root.clone();
        let name = table_of(model)?.to_owned();
        let names = off_thread(move || {
            let files = Root::open(&root)?.files(&name)?;
            csv::common_header(&files)
        });
        Ok(names.await?.into_iter().map(text_column).collect())
    }

    async fn open(&self, request: &ReadRequest) -> Result<Box<dyn RowStream>, SourceError> {
        if request.window.is_some() {
            let message = "files can't be read with a cursor: they have no clock to compare with";
            return Err(SourceError::new(SourceErrorKind::InvalidSpec, message)
                .with_hint("take model.cursor away; only what differs is sent anyway"));
        }
        let root = self.root.clone();
        let name = table_of(&request.model)?.to_owned();
        let columns = request.columns.iter().cloned().map(text_column).collect();
        let stream = read::open(root, name, request.clone(), columns).await?;
        Ok(Box::new(stream))
    }
}

fn table_of(model: &Model) -> Result<&str, SourceError> {
    match model {
        Model::Table(name) => Ok(name),
        Model::Sql(_) => {
            let message = "files can't be queried with SQL";
            Err(SourceError::new(SourceErrorKind::InvalidSpec, message)
                .with_hint("name the file or folder in model.table"))
        }
    }
}

fn text_column(name: String) -> Column {
    Column { name, kind: ValueKind::Text, type_name: "csv".to_owned() }
}

/// Runs what blocks on files on a thread that may.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => {
            let message = "reading the files was cut off: the program is stopping";
            Err(SourceError::new(SourceErrorKind::Unavailable, message))
        }
    }
}
