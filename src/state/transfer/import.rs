//! From a file to a store.

use std::io::{BufRead, Read};

use super::{End, Header, Line, Summary, VERSION, export_error};
use crate::state::chunk::EntryChunk;
use crate::state::error::StateError;
use crate::state::lock::RunLock;
use crate::state::segment::decode;
use crate::state::store::{Portion, StateStore, StoredSegment};

/// Longest line that is read. A segment's is below 1 MiB.
const LINE_BYTES_MAX: u64 = 4 * 1_024 * 1_024;

/// Replaces all that is remembered of the lock's Sync by what an export wrote, of this Sync or
/// another. The number of runs and the clock never go back. Reads `file` to its end first and
/// changes nothing where it is damaged or cut off: all is one transaction.
///
/// # Errors
/// [`StateError::Export`] with the line that is wrong, and what writing gives.
pub async fn import(
    store: &dyn StateStore,
    lock: &RunLock,
    file: &mut (dyn BufRead + Send),
) -> Result<Summary, StateError> {
    let known = store.sync(lock.sync()).await?.map(|state| state.memo).unwrap_or_default();
    let mut reader = FileReader::new(file);
    let Header { sync, mut memo, .. } = reader.header()?;
    memo.run_number = memo.run_number.max(known.run_number);
    memo.clock_floor_seconds = memo.clock_floor_seconds.max(known.clock_floor_seconds);
    store.replace(lock, &memo, &mut reader).await?;
    Ok(Summary { sync, rows: reader.read.rows, rejections: reader.read.rejections })
}

/// Gives the portions of a file and, at its end, an error unless all of it was there.
struct FileReader<'a> {
    file: &'a mut (dyn BufRead + Send),
    line: Vec<u8>,
    line_number: u64,
    crc: crc32fast::Hasher,
    /// What was read so far, to be compared with the last line.
    read: End,
    last_key: Option<Vec<u8>>,
    chunk: EntryChunk,
    is_done: bool,
}

impl<'a> FileReader<'a> {
    fn new(file: &'a mut (dyn BufRead + Send)) -> Self {
        Self {
            file,
            line: Vec::new(),
            line_number: 0,
            crc: crc32fast::Hasher::new(),
            read: End::default(),
            last_key: None,
            chunk: EntryChunk::default(),
            is_done: false,
        }
    }

    fn header(&mut self) -> Result<Header, StateError> {
        match self.next_line()? {
            Line::Header(header) if header.version == VERSION => Ok(*header),
            Line::Header(header) => Err(export_error(format!(
                "has the form {}, this version of ciosync reads {VERSION}",
                header.version,
            ))),
            Line::Segment(_) | Line::Rejection(_) | Line::End(_) => {
                Err(self.wrong("is not the header"))
            }
        }
    }

    fn next_portion(&mut self) -> Result<Option<Portion>, StateError> {
        self.read.crc = self.crc.clone().finalize();
        match self.next_line()? {
            Line::Segment(line) => self.segment(line.into()).map(Some),
            Line::Rejection(line) => {
                let row = line.into_row().ok_or_else(|| self.wrong("has no fingerprint"))?;
                self.read.rejections += 1;
                Ok(Some(Portion::Rejection(row)))
            }
            Line::End(end) if end != self.read => {
                Err(self.wrong("tells of other lines than those before it"))
            }
            Line::End(_) => match self.read_line()? {
                0 => Ok(None),
                _ => Err(self.wrong("stands behind the end")),
            },
            Line::Header(_) => Err(self.wrong("is a second header")),
        }
    }

    fn segment(&mut self, segment: StoredSegment) -> Result<Portion, StateError> {
        decode(&segment, &mut self.chunk).map_err(|err| self.wrong(&err.to_string()))?;
        if self.last_key.as_ref().is_some_and(|last_key| *last_key >= segment.first_key) {
            return Err(self.wrong("is out of order"));
        }
        self.last_key = Some(segment.last_key.clone());
        self.read.segments += 1;
        self.read.rows += u64::from(segment.count);
        Ok(Portion::Segment(segment))
    }

    fn next_line(&mut self) -> Result<Line, StateError> {
        if self.read_line()? == 0 {
            return Err(export_error(format!("is cut off after line {}", self.line_number - 1)));
        }
        serde_json::from_slice(&self.line).map_err(|_| self.wrong("can't be read"))
    }

    /// Reads one line, its end included, and returns its length in bytes; 0 at the file's end.
    fn read_line(&mut self) -> Result<usize, StateError> {
        self.line.clear();
        self.line_number += 1;
        let read = Read::take(&mut *self.file, LINE_BYTES_MAX)
            .read_until(b'\n', &mut self.line)
            .map_err(|err| export_error(format!("can't be read: {}", err.kind())))?;
        self.crc.update(&self.line);
        Ok(read)
    }

    fn wrong(&self, problem: &str) -> StateError {
        export_error(format!("is damaged: line {} {problem}", self.line_number))
    }
}

impl Iterator for FileReader<'_> {
    type Item = Result<Portion, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let portion = self.next_portion().transpose();
        self.is_done = !matches!(portion, Some(Ok(_)));
        portion
    }
}
