//! A stable sort of any number of records within a fixed budget of memory.
//!
//! Records are collected up to the budget, sorted, and written to a temporary file as a run; at the
//! end the runs are merged while they are read. Where there are more runs than the budget has read
//! buffers for, groups of them are merged into longer ones first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::SpillError;

/// Read buffer of a run that makes a disk read worth its seek.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// Smallest read buffer, for budgets below anything useful.
const READ_BUFFER_BYTES_MIN: usize = 256;

/// Bytes before each record in the file: the lengths of key and payload, 32 bits each.
const HEADER_BYTES: usize = 8;

/// Sorts records by their key bytes; equal keys keep the order in which they were pushed.
///
/// All calls block on the file; call it from a thread that may block.
pub struct Sorter {
    directory: PathBuf,
    memory_bytes_max: usize,
    buffer: Buffer,
    spilled: Option<Spilled>,
}

impl Sorter {
    /// What a sorter holds in memory unless its owner has a reason for another figure.
    pub const MEMORY_BYTES_DEFAULT: usize = 16 * 1024 * 1024;

    /// Returns an empty sorter that holds about `memory_bytes_max` in memory, or one record where
    /// that is larger, and puts the rest into an unnamed file in `directory`.
    pub fn new(directory: impl Into<PathBuf>, memory_bytes_max: usize) -> Self {
        Self {
            directory: directory.into(),
            memory_bytes_max,
            buffer: Buffer::default(),
            spilled: None,
        }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Where the temporary file can't be made or written, or one part of the record is over 4 GiB.
    pub fn push(&mut self, key: &[u8], payload: &[u8]) -> Result<(), SpillError> {
        let entry = Entry::new(self.buffer.bytes.len(), key, payload).map_err(|e| self.error(e))?;
        let size_after = self.buffer.size_bytes() + Buffer::cost(key, payload);
        if size_after > self.memory_bytes_max && !self.buffer.entries.is_empty() {
            self.spill().map_err(|e| self.error(e))?;
            return self.push(key, payload);
        }
        self.buffer.bytes.extend_from_slice(key);
        self.buffer.bytes.extend_from_slice(payload);
        self.buffer.entries.push(entry);
        Ok(())
    }

    /// Sorts what is left and returns all records in order.
    ///
    /// # Errors
    /// Where the temporary file can't be written or read.
    pub fn finish(mut self) -> Result<SortedReader, SpillError> {
        let order = match self.spilled {
            None => {
                self.buffer.sort();
                Order::Memory { buffer: self.buffer, next: 0 }
            }
            Some(_) => {
                let directory = self.directory.clone();
                let merge = self.merge().map_err(|e| SpillError::io(&directory, e))?;
                return Ok(SortedReader { directory, order: Order::Merge(merge) });
            }
        };
        Ok(SortedReader { directory: self.directory, order })
    }

    fn spill(&mut self) -> io::Result<()> {
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            none => none.insert(Spilled::create(&self.directory)?),
        };
        self.buffer.sort();
        let buffer = &self.buffer;
        spilled.write_run(|run| {
            buffer.entries.iter().try_for_each(|entry| {
                let (key, payload) = buffer.record(entry);
                run.write(key, payload)
            })
        })?;
        self.buffer.bytes.clear();
        self.buffer.entries.clear();
        Ok(())
    }

    fn merge(mut self) -> io::Result<Merge> {
        if !self.buffer.entries.is_empty() {
            self.spill()?;
        }
        self.buffer = Buffer::default();
        let fan_in = (self.memory_bytes_max / READ_BUFFER_BYTES).clamp(2, 256);
        let buffer_bytes = (self.memory_bytes_max / fan_in).max(READ_BUFFER_BYTES_MIN);
        let mut spilled = match self.spilled {
            Some(spilled) => spilled,
            None => Spilled::create(&self.directory)?,
        };
        while spilled.runs.len() > fan_in {
            let mut longer = Spilled::create(&self.directory)?;
            for group in spilled.runs.chunks(fan_in) {
                let mut merge = Merge::new(spilled.file.try_clone()?, group, buffer_bytes)?;
                longer.write_run(|run| {
                    while let Some((key, payload)) = merge.next()? {
                        run.write(key, payload)?;
                    }
                    Ok(())
                })?;
            }
            spilled = longer;
        }
        Merge::new(spilled.file, &spilled.runs, buffer_bytes)
    }

    fn error(&self, source: io::Error) -> SpillError {
        SpillError::io(&self.directory, source)
    }
}

/// Sorted records, one after the other.
pub struct SortedReader {
    directory: PathBuf,
    order: Order,
}

enum Order {
    Memory { buffer: Buffer, next: usize },
    Merge(Merge),
}

impl SortedReader {
    /// Returns the next record's key and payload, or `None` after the last.
    ///
    /// # Errors
    /// Where the temporary file can't be read.
    #[expect(clippy::should_implement_trait, reason = "the record is borrowed from the reader")]
    pub fn next(&mut self) -> Result<Option<(&[u8], &[u8])>, SpillError> {
        match &mut self.order {
            Order::Memory { buffer, next } => {
                let entry = buffer.entries.get(*next);
                *next += 1;
                Ok(entry.map(|entry| buffer.record(entry)))
            }
            Order::Merge(merge) => merge.next().map_err(|e| SpillError::io(&self.directory, e)),
        }
    }
}

/// Records in memory: all bytes in one arena.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

struct Entry {
    start: usize,
    key_len: u32,
    payload_len: u32,
}

impl Entry {
    fn new(start: usize, key: &[u8], payload: &[u8]) -> io::Result<Self> {
        let too_large = |_| io::Error::new(io::ErrorKind::InvalidInput, "a record is over 4 GiB");
        Ok(Self {
            start,
            key_len: u32::try_from(key.len()).map_err(too_large)?,
            payload_len: u32::try_from(payload.len()).map_err(too_large)?,
        })
    }
}

impl Buffer {
    /// What a record costs: its bytes, its entry, and half an entry while sorting.
    fn cost(key: &[u8], payload: &[u8]) -> usize {
        key.len() + payload.len() + size_of::<Entry>() * 3 / 2
    }

    fn size_bytes(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>() * 3 / 2
    }

    fn record(&self, entry: &Entry) -> (&[u8], &[u8]) {
        let end = entry.start + entry.key_len as usize + entry.payload_len as usize;
        let record = self.bytes.get(entry.start..end).unwrap_or_default();
        record.split_at_checked(entry.key_len as usize).unwrap_or_default()
    }

    fn sort(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_by(|a, b| self.record(a).0.cmp(self.record(b).0));
        self.entries = entries;
    }
}

/// Sorted runs, one after the other in a file without a name.
struct Spilled {
    file: File,
    end: u64,
    runs: Vec<Range<u64>>,
}

impl Spilled {
    fn create(directory: &Path) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile_in(directory)?, end: 0, runs: Vec::new() })
    }

    fn write_run(
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
        self.runs.push(start..self.end);
        Ok(())
    }
}

struct RunWriter<'a> {
    out: BufWriter<&'a File>,
    written: u64,
}

impl RunWriter<'_> {
    fn write(&mut self, key: &[u8], payload: &[u8]) -> io::Result<()> {
        let entry = Entry::new(0, key, payload)?;
        self.out.write_all(&entry.key_len.to_le_bytes())?;
        self.out.write_all(&entry.payload_len.to_le_bytes())?;
        self.out.write_all(key)?;
        self.out.write_all(payload)?;
        self.written += (HEADER_BYTES + key.len() + payload.len()) as u64;
        Ok(())
    }
}

/// Runs read side by side, the smallest key first.
struct Merge {
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

    fn next(&mut self) -> io::Result<Option<(&[u8], &[u8])>> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Records = Vec<(Vec<u8>, Vec<u8>)>;

    fn sorted(records: &Records, memory_bytes_max: usize) -> Records {
        let directory = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(directory.path(), memory_bytes_max);
        for (key, payload) in records {
            sorter.push(key, payload).unwrap();
        }
        let mut reader = sorter.finish().unwrap();
        let mut out = Vec::new();
        while let Some((key, payload)) = reader.next().unwrap() {
            out.push((key.to_vec(), payload.to_vec()));
        }
        assert!(reader.next().unwrap().is_none());
        out
    }

    fn bytes(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(0u8..4, len)
    }

    proptest! {
        #[test]
        fn any_records_come_back_in_stable_order_whatever_the_memory(
            records in proptest::collection::vec((bytes(0..4), bytes(0..40)), 0..200),
            memory_bytes_max in 0usize..2_000,
        ) {
            let mut expected = records.clone();
            expected.sort_by(|(a, _), (b, _)| a.cmp(b));

            prop_assert_eq!(sorted(&records, memory_bytes_max), expected);
        }
    }

    #[test]
    fn a_record_larger_than_the_memory_is_sorted_too() {
        let large = vec![7u8; 10_000];
        let records = vec![(vec![2], large.clone()), (vec![1], large.clone()), (vec![0], large)];

        let keys: Vec<_> = sorted(&records, 100).into_iter().map(|(key, _)| key).collect();

        assert_eq!(keys, [[0], [1], [2]]);
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_an_error_that_names_it() {
        let mut sorter = Sorter::new("/nowhere/at-all", 1);
        sorter.push(b"a", b"").unwrap();

        let error = sorter.push(b"b", b"").unwrap_err();

        assert!(error.to_string().contains("/nowhere/at-all"), "{error}");
    }
}
