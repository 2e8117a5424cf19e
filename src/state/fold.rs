//! Moves what the journal says into the segments, in steps of bounded memory.
//!
//! Each step is one transaction. A journal row goes only with the step that contains the last of
//! it; until then its changes may stand in the segments already, where saying them again changes
//! nothing. So a crash between steps loses nothing and the next fold goes on.

use std::collections::VecDeque;
use std::ops::Bound;

use super::chunk::EntryChunk;
use super::error::StateError;
use super::journal::{Changes, Merge, PAGE_ROWS};
use super::lock::RunLock;
use super::packer::{Packer, cost_of_segment};
use super::segment::{SEGMENT_BYTES, decode};
use super::snapshot::PAGE_SEGMENTS;
use super::store::{FoldStep, JournalRow, StateStore, StoredSegment};

/// Most journal rows that are merged at a time.
const BATCH_ROWS: usize = 256;

/// Most bytes of journal rows that are merged at a time: some 100,000 entries, 12 MiB in memory.
const BATCH_BYTES: usize = 2 * 1_024 * 1_024;

/// After how many segments read or written a step is carried out: at most some 10 MiB in memory.
const STEP_SEGMENTS: usize = 32;

/// Folds the longest prefix of the journal whose rows lie wholly below `below` (all of it where
/// that is `None`) and returns how many rows that were. Dropped half-way, it leaves a state in
/// which nothing is lost, and the next call goes on.
///
/// # Errors
/// [`StateError::LockLost`] where another process took over, [`StateError::Damaged`] where a
/// segment or journal row can't be read. What was folded until then stays folded.
pub async fn fold(
    store: &dyn StateStore,
    lock: &RunLock,
    below: Option<&[u8]>,
) -> Result<usize, StateError> {
    let mut folded = 0;
    loop {
        let rows = next_batch(store, lock, below).await?;
        if rows.is_empty() {
            return Ok(folded);
        }
        let mut changes = Changes::default();
        for row in &rows {
            changes.append(row, store, lock.sync())?;
        }
        changes.settle();
        let places: Vec<u64> = rows.iter().map(|row| row.seq).collect();
        drop(rows);
        folded += places.len();
        Rewrite::new(store, lock, &changes).run(places).await?;
    }
}

/// Returns the first rows of the journal that may be folded now.
async fn next_batch(
    store: &dyn StateStore,
    lock: &RunLock,
    below: Option<&[u8]>,
) -> Result<Vec<JournalRow>, StateError> {
    let mut batch: Vec<JournalRow> = Vec::new();
    let mut bytes = 0;
    loop {
        let after = batch.last().map(|row| row.seq);
        let page = store.journal(lock.sync(), after, PAGE_ROWS).await?;
        if page.is_empty() {
            return Ok(batch);
        }
        for row in page {
            let is_open = below.is_some_and(|below| row.changes.last_key.as_slice() >= below);
            if is_open || batch.len() >= BATCH_ROWS || bytes >= BATCH_BYTES {
                return Ok(batch);
            }
            bytes += row.changes.data.len();
            batch.push(row);
        }
    }
}

/// Segments on their way through a list of changes.
struct Rewrite<'a> {
    store: &'a dyn StateStore,
    lock: &'a RunLock,
    changes: &'a Changes,
    merge: Merge,
    /// Segments that were read and not yet looked at.
    page: VecDeque<StoredSegment>,
    segment: EntryChunk,
    packer: Packer,
    step: FoldStep,
}

impl<'a> Rewrite<'a> {
    fn new(store: &'a dyn StateStore, lock: &'a RunLock, changes: &'a Changes) -> Self {
        Self {
            store,
            lock,
            changes,
            merge: Merge::default(),
            page: VecDeque::new(),
            segment: EntryChunk::default(),
            packer: Packer::default(),
            step: FoldStep::default(),
        }
    }

    /// Applies all changes, and removes the journal rows at `places` with the last step.
    async fn run(mut self, places: Vec<u64>) -> Result<(), StateError> {
        while let Some(key) = self.merge.next_key(self.changes) {
            self.start_at(key).await?;
            self.rewrite_neighbourhood().await?;
        }
        self.step.folded = places;
        self.store.apply_fold(self.lock, &self.step).await
    }

    /// Reads the segments from `key` on. Where the key lies between two, a light one before it is
    /// filled up: rows that come in order would make a new segment each time otherwise.
    async fn start_at(&mut self, key: &[u8]) -> Result<(), StateError> {
        let sync = self.lock.sync();
        self.page = self.store.segments(sync, Bound::Included(key), PAGE_SEGMENTS).await?.into();
        let is_inside =
            self.page.front().is_some_and(|segment| segment.first_key.as_slice() <= key);
        if is_inside {
            return Ok(());
        }
        match self.store.segment_before(sync, key).await? {
            Some(left) if is_light(&left) => self.rewrite(&left),
            Some(_) | None => Ok(()),
        }
    }

    /// Rewrites segment after segment until one is met that no change touches.
    async fn rewrite_neighbourhood(&mut self) -> Result<(), StateError> {
        while let Some(segment) = self.page.pop_front() {
            let is_touched = self
                .merge
                .next_key(self.changes)
                .is_some_and(|key| key <= segment.last_key.as_slice());
            if !is_touched && !self.packer.is_light() {
                return self.close();
            }
            self.rewrite(&segment)?;
            if self.page.is_empty() {
                let from = Bound::Excluded(segment.last_key.as_slice());
                let sync = self.lock.sync();
                self.page = self.store.segments(sync, from, PAGE_SEGMENTS).await?.into();
            }
            if self.step.replaced.len().max(self.step.written.len()) >= STEP_SEGMENTS {
                self.close()?;
                self.store.apply_fold(self.lock, &std::mem::take(&mut self.step)).await?;
            }
        }
        let Self { merge, packer, changes, .. } = self;
        merge.emit_before(None, changes, &mut |entry| packer.push(entry));
        self.close()
    }

    fn rewrite(&mut self, segment: &StoredSegment) -> Result<(), StateError> {
        decode(segment, &mut self.segment)
            .map_err(|err| err.in_state("a segment", self.store, self.lock.sync()))?;
        let Self { merge, packer, changes, segment: entries, .. } = self;
        merge.emit_merged(entries, changes, &mut |entry| packer.push(entry));
        self.step.replaced.push(segment.first_key.clone());
        self.take_full()
    }

    /// Moves the segments that are full into the step.
    fn take_full(&mut self) -> Result<(), StateError> {
        self.packer
            .take_full(&mut self.step.written)
            .map_err(|err| err.in_state("a segment", self.store, self.lock.sync()))
    }

    /// Moves all that was rewritten into the step: from here on the step is whole.
    fn close(&mut self) -> Result<(), StateError> {
        self.take_full()?;
        self.packer
            .take_rest(&mut self.step.written)
            .map_err(|err| err.in_state("a segment", self.store, self.lock.sync()))
    }
}

/// Returns whether a segment is so small that it should be joined with a neighbour.
fn is_light(segment: &StoredSegment) -> bool {
    cost_of_segment(segment) < SEGMENT_BYTES / 2
}
