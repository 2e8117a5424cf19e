//! Rows of CSV files in the order of the key, through the external sort.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use csv::ByteRecord;

use super::csv::{CsvFile, check_same};
use super::off_thread;
use super::place::Root;
use crate::model::{Column, KeyKind, KeyShape, RowBatch, Value, varint};
use crate::sources::error::{SourceError, SourceErrorKind};
use crate::sources::source::{ReadRequest, RowStream};
use crate::spill::{SortedReader, Sorter, SpillError};

const NOT_UTF8: Value<'static> = Value::Undecodable("is not valid UTF-8");

/// First byte of a cell in the sort's payload.
const NULL: u8 = 0;
const TEXT: u8 = 1;
const BROKEN: u8 = 2;

/// Rows between two looks at whether anybody still wants them.
const ROWS_BETWEEN_LOOKS: usize = 1_000;

/// Sorted rows of the files.
pub(super) struct FileStream {
    columns: Vec<Column>,
    /// Taken while a batch is made; gone for good where that failed or was given up.
    sorted: Option<SortedReader>,
}

/// Reads all files, sorts their rows and returns them as a stream.
///
/// Dropped before it is done, the reading stops soon after.
pub(super) async fn open(
    root: PathBuf,
    name: String,
    request: ReadRequest,
    columns: Vec<Column>,
) -> Result<FileStream, SourceError> {
    let abandoned = AbandonOnDrop(Arc::new(AtomicBool::new(false)));
    let is_abandoned = Arc::clone(&abandoned.0);
    let sorting = off_thread(move || {
        let files = Root::open(&root)?.files(&name)?;
        sort(&files, &request, &is_abandoned)
    });
    let sorted = Some(sorting.await?);
    Ok(FileStream { columns, sorted })
}

struct AbandonOnDrop(Arc<AtomicBool>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn sort(
    files: &[PathBuf],
    request: &ReadRequest,
    is_abandoned: &AtomicBool,
) -> Result<SortedReader, SourceError> {
    let mut rows = Rows::new(request);
    let mut first: Option<Vec<String>> = None;
    for path in files {
        let mut file = CsvFile::open(path)?;
        match &first {
            None => first = Some(file.header().to_vec()),
            Some(expected) => check_same(&file, expected)?,
        }
        rows.add(&mut file, request, is_abandoned)?;
    }
    rows.sorter.finish().map_err(|err| of_spill(&err))
}

/// Rows on their way into the sort.
struct Rows {
    sorter: Sorter,
    shape: KeyShape,
    record: ByteRecord,
    key: Vec<u8>,
    payload: Vec<u8>,
}

impl Rows {
    fn new(request: &ReadRequest) -> Self {
        Self {
            sorter: Sorter::new(&request.spill_dir, Sorter::MEMORY_BYTES_DEFAULT),
            shape: KeyShape(vec![KeyKind::Text; request.primary_key.len()]),
            record: ByteRecord::new(),
            key: Vec::new(),
            payload: Vec::new(),
        }
    }

    fn add(
        &mut self,
        file: &mut CsvFile,
        request: &ReadRequest,
        is_abandoned: &AtomicBool,
    ) -> Result<(), SourceError> {
        let columns = file.indices(&request.columns)?;
        let key = file.indices(&request.primary_key)?;
        let mut count = 0usize;
        while file.next(&mut self.record)? {
            count += 1;
            if count.is_multiple_of(ROWS_BETWEEN_LOOKS) && is_abandoned.load(Ordering::Relaxed) {
                let message = "the read was given up";
                return Err(SourceError::new(SourceErrorKind::Internal, message));
            }
            let cells = key.iter().map(|index| cell(&self.record, *index));
            if self.shape.encode(cells, &mut self.key).is_err() {
                // A row without a usable key may stand anywhere; it is put first.
                self.key.clear();
            }
            self.payload.clear();
            for index in &columns {
                write_cell(cell(&self.record, *index), &mut self.payload);
            }
            let pushed = self.sorter.push(&self.key, &self.payload);
            pushed.map_err(|err| of_spill(&err))?;
        }
        Ok(())
    }
}

fn cell(record: &ByteRecord, index: usize) -> Value<'_> {
    match record.get(index) {
        None | Some([]) => Value::Null,
        Some(bytes) => std::str::from_utf8(bytes).map_or(NOT_UTF8, Value::Text),
    }
}

fn write_cell(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(NULL),
        Value::Text(text) => {
            out.push(TEXT);
            varint::write_bytes(out, text.as_bytes());
        }
        _ => out.push(BROKEN),
    }
}

/// Takes a cell off the front of a payload; `None` where it holds none.
fn read_cell<'a>(payload: &mut &'a [u8]) -> Option<Value<'a>> {
    let (&tag, rest) = payload.split_first()?;
    *payload = rest;
    match tag {
        NULL => Some(Value::Null),
        TEXT => std::str::from_utf8(varint::read_bytes(payload)?).ok().map(Value::Text),
        _ => Some(NOT_UTF8),
    }
}

#[async_trait]
impl RowStream for FileStream {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    async fn next(&mut self, batch: &mut RowBatch) -> Result<(), SourceError> {
        let Some(mut sorted) = self.sorted.take() else {
            let message = "the read was used after it had failed";
            return Err(SourceError::new(SourceErrorKind::Internal, message));
        };
        let width = self.columns.len();
        let mut filling = std::mem::replace(batch, RowBatch::new(width));
        filling.reset(width);
        let filled = off_thread(move || {
            fill(&mut sorted, width, &mut filling)?;
            Ok((sorted, filling))
        });
        let (sorted, filled) = filled.await?;
        self.sorted = Some(sorted);
        *batch = filled;
        Ok(())
    }
}

fn fill(sorted: &mut SortedReader, width: usize, batch: &mut RowBatch) -> Result<(), SourceError> {
    while !batch.is_full() {
        let next = sorted.next().map_err(|err| of_spill(&err))?;
        let Some((_, mut payload)) = next else { break };
        for _ in 0..width {
            let cell = read_cell(&mut payload).ok_or_else(|| {
                let message = "the temporary file of the sort holds other bytes than were written";
                SourceError::new(SourceErrorKind::SpillFailed, message)
            })?;
            batch.push(cell);
        }
    }
    Ok(())
}

fn of_spill(error: &SpillError) -> SourceError {
    SourceError::new(SourceErrorKind::SpillFailed, format!("the rows can't be sorted: {error}"))
        .with_hint(
            "make room on the disk of the temporary files, or choose another folder for them",
        )
}
