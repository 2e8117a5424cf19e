//! The remembered rows of a Sync in order of their keys, a chunk at a time.
//!
//! Segments are paged through in short reads, so nothing is held open in the store; a fold that
//! rewrites segments meanwhile is met by going on behind the last key that was given out.

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;

use super::chunk::EntryChunk;
use super::error::StateError;
use super::journal::{Changes, Merge, PAGE_ROWS};
use super::segment::{SEGMENT_ENTRIES, decode, decode_journal};
use super::store::{StateStore, StoredSegment};
use crate::model::{EntryBuf, SyncId};

/// How many segments one read brings: at most 2 MiB in memory, usually 0.6.
pub(super) const PAGE_SEGMENTS: u32 = 8;

/// Reads a Sync's snapshot from its first key to its last.
pub struct SnapshotReader {
    store: Arc<dyn StateStore>,
    sync: SyncId,
    /// The last key that was given out: everything up to it is done.
    position: Option<Vec<u8>>,
    page: VecDeque<StoredSegment>,
    overlay: Option<Overlay>,
}

/// A left-over journal that stands over the segments.
struct Overlay {
    changes: Changes,
    merge: Merge,
    /// The segment that is being merged; reused.
    segment: EntryChunk,
}

impl SnapshotReader {
    /// Opens the snapshot as the segments hold it: for a run, which has folded the journal.
    ///
    /// # Errors
    /// [`StateError::Damaged`] where segments are missing.
    pub async fn open(store: Arc<dyn StateStore>, sync: SyncId) -> Result<Self, StateError> {
        check_totals(store.as_ref(), &sync).await?;
        Ok(Self { store, sync, position: None, page: VecDeque::new(), overlay: None })
    }

    /// Opens the snapshot with what stands in the journal merged over it in memory: for who holds
    /// no lock and writes nothing.
    ///
    /// # Errors
    /// [`StateError::Damaged`] where segments are missing or a journal row can't be read.
    pub async fn open_with_journal(
        store: Arc<dyn StateStore>,
        sync: SyncId,
    ) -> Result<Self, StateError> {
        // The journal comes first: rows that a fold moves after this are seen twice, not never.
        let changes = Changes::read_all(store.as_ref(), &sync).await?;
        let overlay = Overlay { changes, merge: Merge::default(), segment: EntryChunk::default() };
        Ok(Self { overlay: Some(overlay), ..Self::open(store, sync).await? })
    }

    /// Replaces `out` by the entries that follow, at least one; `false` after the last.
    /// When this is dropped half-way, the next call goes on where this one began.
    ///
    /// # Errors
    /// [`StateError::Damaged`] where a segment can't be read, and at the end where one is missing.
    pub async fn next_chunk(&mut self, out: &mut EntryChunk) -> Result<bool, StateError> {
        loop {
            if self.page.is_empty() {
                let from = self.position.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
                self.page = self.store.segments(&self.sync, from, PAGE_SEGMENTS).await?.into();
            }
            let Some(segment) = self.page.pop_front() else {
                check_totals(self.store.as_ref(), &self.sync).await?;
                return Ok(self.take_rest(out));
            };
            self.take_segment(&segment, out)?;
            self.position = Some(segment.last_key);
            if !out.is_empty() {
                return Ok(true);
            }
        }
    }

    fn take_segment(
        &mut self,
        segment: &StoredSegment,
        out: &mut EntryChunk,
    ) -> Result<(), StateError> {
        let decoded = match &mut self.overlay {
            Some(overlay) => &mut overlay.segment,
            None => &mut *out,
        };
        decode(segment, decoded)
            .map_err(|err| err.in_state("a segment", self.store.as_ref(), &self.sync))?;
        if let Some(position) = &self.position {
            decoded.drop_through(position);
        }
        if let Some(Overlay { changes, merge, segment }) = &mut self.overlay {
            out.clear();
            merge.emit_merged(segment, changes, &mut |entry| out.push(entry));
        }
        Ok(())
    }

    /// Gives out what the journal holds behind the last segment.
    fn take_rest(&mut self, out: &mut EntryChunk) -> bool {
        out.clear();
        if let Some(Overlay { changes, merge, .. }) = &mut self.overlay {
            while out.len() < SEGMENT_ENTRIES && merge.emit_next(changes, out) {}
        }
        !out.is_empty()
    }
}

/// Returns how many rows are remembered, the journal included. The store keeps that number; only
/// where a run left a journal behind are they counted one by one.
///
/// # Errors
/// [`StateError::Damaged`] where a journal stands over segments that are missing, or one of both
/// can't be read.
pub async fn count(store: &Arc<dyn StateStore>, sync: &SyncId) -> Result<u64, StateError> {
    if store.journal(sync, None, 1).await?.is_empty() {
        return Ok(store.sync(sync).await?.map_or(0, |state| state.segment_rows));
    }
    let mut reader = SnapshotReader::open_with_journal(Arc::clone(store), sync.clone()).await?;
    let (mut rows, mut chunk) = (0, EntryChunk::default());
    while reader.next_chunk(&mut chunk).await? {
        rows += chunk.len() as u64;
    }
    Ok(rows)
}

/// Returns what is remembered of one key, the journal included.
///
/// # Errors
/// [`StateError::Damaged`] where segments are missing, or the segment or a journal row that would
/// hold the key can't be read.
pub async fn get(
    store: &dyn StateStore,
    sync: &SyncId,
    key: &[u8],
) -> Result<Option<EntryBuf>, StateError> {
    if let Some(last_word) = get_from_journal(store, sync, key).await? {
        return Ok(last_word);
    }
    check_totals(store, sync).await?;
    let segments = store.segments(sync, Bound::Included(key), 1).await?;
    let Some(segment) = segments.first() else { return Ok(None) };
    let mut chunk = EntryChunk::default();
    decode(segment, &mut chunk).map_err(|err| err.in_state("a segment", store, sync))?;
    Ok(chunk.find(key).map(|entry| entry.to_buf()))
}

/// Returns what the journal says last: an entry, that the key is gone, or nothing.
async fn get_from_journal(
    store: &dyn StateStore,
    sync: &SyncId,
    key: &[u8],
) -> Result<Option<Option<EntryBuf>>, StateError> {
    let mut last_word = None;
    let mut after = None;
    let mut chunk = EntryChunk::default();
    loop {
        let rows = store.journal(sync, after, PAGE_ROWS).await?;
        let Some(last) = rows.last() else { return Ok(last_word) };
        after = Some(last.seq);
        for row in rows {
            let changes = &row.changes;
            if changes.first_key.as_slice() > key || changes.last_key.as_slice() < key {
                continue;
            }
            chunk.clear();
            decode_journal(changes, &mut chunk)
                .map_err(|err| err.in_state("a journal row", store, sync))?;
            if let Ok(index) = chunk.position(key) {
                let entry = chunk.get(index).filter(|_| !chunk.is_removed(index));
                last_word = Some(entry.map(|entry| entry.to_buf()));
            }
        }
    }
}

/// Compares what is noted of the segments with what is there: a lost row is not a removed one.
async fn check_totals(store: &dyn StateStore, sync: &SyncId) -> Result<(), StateError> {
    let totals = store.segment_totals(sync).await?;
    if totals.noted_segments == totals.found_segments && totals.noted_rows == totals.found_rows {
        return Ok(());
    }
    let problem = format!(
        "{} segments with {} rows should be there, {} with {} are",
        totals.noted_segments, totals.noted_rows, totals.found_segments, totals.found_rows,
    );
    Err(StateError::Damaged { sync: sync.clone(), problem })
}
