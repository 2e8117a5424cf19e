//! A stable sort of any number of records within a fixed budget of memory.
//!
//! Records are collected up to the budget, sorted, and written to a temporary file as a run; at the
//! end the runs are merged while they are read. Where there are more runs than the budget has read
//! buffers for, groups of them are merged into longer ones first.

use std::io;
use std::path::PathBuf;

use super::SpillError;
use super::runs::{Merge, Record, Runs, length};

/// Sorts records by their key bytes; equal keys keep the order in which they were pushed.
///
/// All calls block on the file; call it from a thread that may block.
pub struct Sorter {
    directory: PathBuf,
    memory_bytes_max: usize,
    buffer: Buffer,
    spilled: Option<Runs>,
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
    pub fn finish(self) -> Result<SortedReader, SpillError> {
        let Self { directory, memory_bytes_max, mut buffer, spilled } = self;
        let order = match spilled {
            None => {
                buffer.sort();
                Order::Memory { buffer, next: 0 }
            }
            Some(mut runs) => {
                let last = buffer.move_to(&mut runs);
                drop(buffer);
                let merge = last.and_then(|()| runs.merge(&directory, memory_bytes_max));
                Order::Merge(merge.map_err(|e| SpillError::io(&directory, e))?)
            }
        };
        Ok(SortedReader { directory, order })
    }

    fn spill(&mut self) -> io::Result<()> {
        let runs = match &mut self.spilled {
            Some(runs) => runs,
            none => none.insert(Runs::create(&self.directory)?),
        };
        self.buffer.move_to(runs)
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
    pub fn next(&mut self) -> Result<Option<Record<'_>>, SpillError> {
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
        Ok(Self { start, key_len: length(key)?, payload_len: length(payload)? })
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

    fn record(&self, entry: &Entry) -> Record<'_> {
        let end = entry.start + entry.key_len as usize + entry.payload_len as usize;
        let record = self.bytes.get(entry.start..end).unwrap_or_default();
        record.split_at_checked(entry.key_len as usize).unwrap_or_default()
    }

    /// Sorts the records into a run of their own, and is empty after.
    fn move_to(&mut self, runs: &mut Runs) -> io::Result<()> {
        self.sort();
        runs.write_run(|run| {
            self.entries.iter().try_for_each(|entry| {
                let (key, payload) = self.record(entry);
                run.write(key, payload)
            })
        })?;
        self.bytes.clear();
        self.entries.clear();
        Ok(())
    }

    fn sort(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_by(|a, b| self.record(a).0.cmp(self.record(b).0));
        self.entries = entries;
    }
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
