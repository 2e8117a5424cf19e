//! The rows of which something is believed: those that the source has as they were accepted.

use std::path::Path;
use std::sync::Arc;

use super::VerifyCounts;
use crate::diff::{Cursor, Met};
use crate::engine::begin::{self, Opened};
use crate::engine::change::Change;
use crate::engine::error::RunError;
use crate::engine::pipeline::Pipeline;
use crate::engine::read::RowReader;
use crate::mapping::{Mapper, RowError};
use crate::model::{ChangeKind, Entry, Fingerprint, RecordBuf, Row};
use crate::spill::spool::MEMORY_BYTES_DEFAULT;
use crate::spill::{SpoolReader, SpoolWriter, spool};
use crate::state::store::SyncMemo;
use crate::state::{EntryChunk, SnapshotReader, StateStore};

/// Which of the remembered rows are looked at: each as likely as any other, without holding them.
/// Source: Knuth, The Art of Computer Programming, volume 2, 3.4.2, algorithm S.
pub(super) struct Choice {
    wanted: u64,
    left: u64,
}

impl Choice {
    /// Returns the choice of `sample` rows of `remembered`; of all without a sample.
    pub(super) fn new(sample: Option<u64>, remembered: u64) -> Self {
        Self { wanted: sample.unwrap_or(u64::MAX), left: remembered }
    }

    /// Says whether the next row is taken; `chance` is a random number from 0 to 1.
    fn takes(&mut self, chance: f64) -> bool {
        let left = self.left.max(1);
        self.left = self.left.saturating_sub(1);
        let is_taken = self.wanted > 0 && chance * (left as f64) < self.wanted as f64;
        self.wanted -= u64::from(is_taken && self.wanted < u64::MAX);
        is_taken
    }
}

/// Rows that wait to be asked for, as changes on a spool.
pub(super) struct Collected {
    pub(super) rows: SpoolReader,
    pub(super) counts: VerifyCounts,
}

/// Reads the whole source before anything is asked: it is never held open by the pace of the API.
pub(super) async fn collect(
    pipeline: &Pipeline,
    store: &Arc<dyn StateStore>,
    memo: &SyncMemo,
    choice: Choice,
    spill_dir: &Path,
) -> Result<Collected, RunError> {
    let Opened { stream, mapper, .. } = begin::open(pipeline, memo, None, spill_dir).await?;
    let snapshot =
        SnapshotReader::open_with_journal(Arc::clone(store), pipeline.sync.clone()).await?;
    let (writer, rows) = spool(spill_dir, MEMORY_BYTES_DEFAULT);
    let mut collector = Collector {
        mapper,
        snapshot,
        chunk: EntryChunk::default(),
        cursor: Cursor::default(),
        choice,
        record: RecordBuf::default(),
        last_key: Vec::new(),
        change: Vec::new(),
        writer,
        counts: VerifyCounts::default(),
    };
    let mut reader = RowReader::start(stream);
    while let Some(batch) = reader.next().await? {
        for row in batch.rows() {
            collector.take(row).await?;
        }
        reader.give_back(batch);
    }
    let Collector { writer, counts, .. } = collector;
    writer.finish().await?;
    Ok(Collected { rows, counts })
}

struct Collector {
    mapper: Mapper,
    snapshot: SnapshotReader,
    chunk: EntryChunk,
    cursor: Cursor,
    choice: Choice,
    record: RecordBuf,
    last_key: Vec<u8>,
    change: Vec<u8>,
    writer: SpoolWriter,
    counts: VerifyCounts,
}

impl Collector {
    async fn take(&mut self, row: Row<'_>) -> Result<(), RunError> {
        self.counts.rows_read += 1;
        match self.mapper.map_key(row, &mut self.record.key) {
            Ok(()) => {}
            // A row that has no key is no remembered one.
            Err(RowError::Invalid(_)) => return Ok(()),
            Err(RowError::KeyKind { column, expected, found }) => {
                return Err(RunError::MixedKey { column, expected, found });
            }
        }
        // Of a key that several rows have nothing new is believed: the first one is judged.
        if self.record.key == self.last_key {
            return Ok(());
        }
        if self.record.key < self.last_key {
            return Err(RunError::OutOfOrder);
        }
        self.last_key.clone_from(&self.record.key);
        let Some(index) = self.meet().await? else { return Ok(()) };
        if !self.choice.takes(fastrand::f64()) {
            return Ok(());
        }
        let is_mapped = self.mapper.map_record(row, &mut self.record).is_ok();
        match self.believed(index).filter(|_| is_mapped) {
            None => self.counts.not_current += 1,
            Some(fingerprint) => {
                let RecordBuf { key, canonical, .. } = &self.record;
                let kind = ChangeKind::Refreshed;
                Change::Upsert { kind, key, fingerprint, canonical, at: None }
                    .encode(&mut self.change);
                self.writer.push(&self.change).await?;
            }
        }
        Ok(())
    }

    /// Returns which entry of the chunk has the row's key.
    async fn meet(&mut self) -> Result<Option<usize>, RunError> {
        loop {
            let left = &mut self.choice.left;
            // Rows that left the source stand for nobody who could be chosen.
            let passed = |_: Entry<'_>| *left = left.saturating_sub(1);
            match self.cursor.seek(&self.chunk, &self.record.key, passed) {
                Met::Entry(index) => return Ok(Some(index)),
                Met::Nothing => return Ok(None),
                Met::NeedsChunk => {
                    let more = self.snapshot.next_chunk(&mut self.chunk).await?;
                    if !more {
                        self.chunk.clear();
                    }
                    self.cursor.next_chunk(more);
                }
            }
        }
    }

    /// Returns the fingerprint of an entry where it is that of the mapped row.
    fn believed(&self, index: usize) -> Option<Fingerprint> {
        let entry = self.chunk.get(index).filter(|entry| !entry.flags.suppressed)?;
        let fingerprint = entry.fingerprint?;
        (self.record.fingerprint(entry.encoding) == fingerprint).then_some(fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_its_size_and_leaves_no_row_without_a_chance() {
        let mut taken = [0u32; 50];
        for _ in 0..400 {
            let mut choice = Choice::new(Some(10), 50);
            let mut count = 0;
            for place in &mut taken {
                let is_taken = choice.takes(fastrand::f64());
                *place += u32::from(is_taken);
                count += u32::from(is_taken);
            }
            assert_eq!(count, 10);
        }
        assert!(taken.iter().all(|count| (20..180).contains(count)), "{taken:?}");
    }

    #[test]
    fn without_a_sample_every_row_is_taken_also_beyond_those_expected() {
        let mut choice = Choice::new(None, 3);

        assert!((0..10).all(|_| choice.takes(0.999_999)));
    }

    #[test]
    fn a_sample_larger_than_what_is_remembered_takes_all() {
        let mut choice = Choice::new(Some(10), 3);

        assert!((0..3).all(|_| choice.takes(0.999_999)));
    }
}
