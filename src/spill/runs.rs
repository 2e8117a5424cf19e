//! Sorted runs of records in a temporary file, and their merge.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

/// Read buffer of a run that makes a disk read worth its seek.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// Smallest read buffer, for budgets below anything useful.
const READ_BUFFER_BYTES_MIN: usize = 256;

/// Bytes before each record in the file: the lengths of key and payload, 32 bits each.
const HEADER_BYTES: usize = 8;

/// A record's key and payload.
pub type Record<'a> = (&'a [u8], &'a [u8]);

/// Sorted runs, one after the other in a file without a name.
pub(super) struct Runs {
    file: File,
    end: u64,
    ranges: Vec<Range<u64>>,
}

impl Runs {
    pub(super) fn create(directory: &Path) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile_in(directory)?, end: 0, ranges: Vec::new() })
    }

    /// Adds a run of the records that `fill` writes in order.
    pub(super) fn write_run(
        &mut self,
        fill: impl FnOnce(&mut RunWriter<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let start = self.end;
        self.file.seek(SeekFrom::Start(start))?;
        let out = BufWriter::with_capacity(READ_BUFFER_BYTES, &self.file);
        let mut run = RunWriter { out, written: 0 };
        fill(&mut run)?;
        run.out.flush()?;
        self.end = start + run.written;
        self.ranges.push(start..self.end);
        Ok(())
    }

    /// Returns all records in order. Where there are more runs than read buffers fit the budget,
    /// groups of them become longer runs first, in another file.
    pub(super) fn merge(mut self, directory: &Path, memory_bytes_max: usize) -> io::Result<Merge> {
        let fan_in = (memory_bytes_max / READ_BUFFER_BYTES).clamp(2, 256);
        let buffer_bytes = (memory_bytes_max / fan_in).max(READ_BUFFER_BYTES_MIN);
        while self.ranges.len() > fan_in {
            let mut longer = Self::create(directory)?;
            for group in self.ranges.chunks(fan_in) {
                let mut merge = Merge::new(self.file.try_clone()?, group, buffer_bytes)?;
                longer.write_run(|run| {
                    while let Some((key, payload)) = merge.next()? {
                        run.write(key, payload)?;
                    }
                    Ok(())
                })?;
            }
            self = longer;
        }
        Merge::new(self.file, &self.ranges, buffer_bytes)
    }
}

/// A run that is being written.
pub(super) struct RunWriter<'a> {
    out: BufWriter<&'a File>,
    written: u64,
}

impl RunWriter<'_> {
    pub(super) fn write(&mut self, key: &[u8], payload: &[u8]) -> io::Result<()> {
        self.out.write_all(&length(key)?.to_le_bytes())?;
        self.out.write_all(&length(payload)?.to_le_bytes())?;
        self.out.write_all(key)?;
        self.out.write_all(payload)?;
        self.written += (HEADER_BYTES + key.len() + payload.len()) as u64;
        Ok(())
    }
}

/// Runs read side by side, the smallest key first.
pub(super) struct Merge {
    file: File,
    readers: Vec<RunReader>,
    heap: BinaryHeap<Head>,
    started: bool,
}

/// The next record of a run. The greatest head is the one to read first.
#[derive(PartialEq, Eq)]
struct Head {
    key: Vec<u8>,
    payload: Vec<u8>,
    run: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key).then(other.run.cmp(&self.run))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Merge {
    fn new(mut file: File, runs: &[Range<u64>], buffer_bytes: usize) -> io::Result<Self> {
        let mut readers = Vec::with_capacity(runs.len());
        let mut heap = BinaryHeap::with_capacity(runs.len());
        for (run, range) in runs.iter().enumerate() {
            let mut reader = RunReader::new(range.clone(), buffer_bytes);
            let mut head = Head { key: Vec::new(), payload: Vec::new(), run };
            if reader.read(&mut file, &mut head)? {
                heap.push(head);
            }
            readers.push(reader);
        }
        Ok(Self { file, readers, heap, started: false })
    }

    /// Returns the next record, or `None` after the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        if self.started
            && let Some(mut head) = self.heap.peek_mut()
        {
            let more = match self.readers.get_mut(head.run) {
                Some(reader) => reader.read(&mut self.file, &mut head)?,
                None => false,
            };
            if !more {
                PeekMut::pop(head);
            }
        }
        self.started = true;
        Ok(self.heap.peek().map(|head| (head.key.as_slice(), head.payload.as_slice())))
    }
}

/// One run, read in large pieces.
struct RunReader {
    unread: Range<u64>,
    buffer: Vec<u8>,
    at: usize,
    buffer_bytes: usize,
}

impl RunReader {
    fn new(unread: Range<u64>, buffer_bytes: usize) -> Self {
        Self { unread, buffer: Vec::new(), at: 0, buffer_bytes }
    }

    /// Replaces `head` by the run's next record; `false` after the last.
    fn read(&mut self, file: &mut File, head: &mut Head) -> io::Result<bool> {
        if self.at == self.buffer.len() && self.unread.is_empty() {
            return Ok(false);
        }
        let header = self.take(file, HEADER_BYTES)?;
        let (key_len, payload_len) = header.split_at_checked(4).unwrap_or_default();
        let (key_len, payload_len) = (read_u32(key_len), read_u32(payload_len));
        head.key.clear();
        head.key.extend_from_slice(self.take(file, key_len)?);
        head.payload.clear();
        head.payload.extend_from_slice(self.take(file, payload_len)?);
        Ok(true)
    }

    fn take(&mut self, file: &mut File, len: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.at < len {
            self.buffer.drain(..self.at);
            self.at = 0;
            let missing = len.max(self.buffer_bytes).saturating_sub(self.buffer.len());
            let unread = self.unread.end - self.unread.start;
            let wanted = unread.min(missing as u64);
            file.seek(SeekFrom::Start(self.unread.start))?;
            file.take(wanted).read_to_end(&mut self.buffer)?;
            self.unread.start += wanted;
        }
        let end = self.at + len;
        let bytes = self.buffer.get(self.at..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.at = end;
        Ok(bytes)
    }
}

fn read_u32(bytes: &[u8]) -> usize {
    bytes.try_into().map_or(0, |bytes| u32::from_le_bytes(bytes) as usize)
}

/// Returns the length of a part of a record as it is kept.
pub(super) fn length(part: &[u8]) -> io::Result<u32> {
    let too_large = |_| io::Error::new(io::ErrorKind::InvalidInput, "a record is over 4 GiB");
    u32::try_from(part.len()).map_err(too_large)
}
