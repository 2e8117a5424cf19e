//! Journal rows merged in memory: of each key, only what was said last.

use super::chunk::EntryChunk;
use super::error::StateError;
use super::segment::decode_journal;
use super::store::{JournalRow, StateStore};
use crate::model::{Entry, SyncId};

/// How many journal rows are read at a time. A row covers one request: some tens of kilobytes.
pub(super) const PAGE_ROWS: u32 = 16;

/// What the journal says of one key.
#[derive(Clone, Copy)]
pub(super) enum Change<'a> {
    /// Customer.io accepted it.
    Accepted(Entry<'a>),
    /// It was removed.
    Removed,
}

/// What journal rows change, sorted by key.
#[derive(Default)]
pub(super) struct Changes {
    chunk: EntryChunk,
}

impl Changes {
    /// Reads all that stands in a Sync's journal. A run keeps its journal short by folding.
    pub(super) async fn read_all(
        store: &dyn StateStore,
        sync: &SyncId,
    ) -> Result<Self, StateError> {
        let mut changes = Self::default();
        let mut after = None;
        loop {
            let rows = store.journal(sync, after, PAGE_ROWS).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.seq);
            for row in &rows {
                changes.append(row, store, sync)?;
            }
        }
        changes.settle();
        Ok(changes)
    }

    /// Appends one row; rows must come in order of their places. [`Changes::settle`] must follow.
    pub(super) fn append(
        &mut self,
        row: &JournalRow,
        store: &dyn StateStore,
        sync: &SyncId,
    ) -> Result<(), StateError> {
        decode_journal(&row.changes, &mut self.chunk)
            .map_err(|err| err.in_state("a journal row", store, sync))
    }

    /// Sorts what was appended and keeps the last word on each key.
    pub(super) fn settle(&mut self) {
        self.chunk.settle();
    }

    /// Returns the key at `index`.
    pub(super) fn key(&self, index: usize) -> Option<&[u8]> {
        self.chunk.get(index).map(|entry| entry.key)
    }

    /// Returns the key and what is said of it at `index`.
    pub(super) fn get(&self, index: usize) -> Option<(&[u8], Change<'_>)> {
        let entry = self.chunk.get(index)?;
        let change = match self.chunk.is_removed(index) {
            true => Change::Removed,
            false => Change::Accepted(entry),
        };
        Some((entry.key, change))
    }
}

/// A place in [`Changes`] that moves on as entries are merged with them.
#[derive(Default)]
pub(super) struct Merge {
    next: usize,
}

impl Merge {
    /// Returns the first key that has not been merged.
    pub(super) fn next_key<'c>(&self, changes: &'c Changes) -> Option<&'c [u8]> {
        changes.key(self.next)
    }

    /// Gives `emit` the accepted changes before `key` (all where it is `None`).
    pub(super) fn emit_before(
        &mut self,
        key: Option<&[u8]>,
        changes: &Changes,
        emit: &mut impl FnMut(&Entry<'_>),
    ) {
        while let Some((changed, change)) = changes.get(self.next) {
            if key.is_some_and(|key| changed >= key) {
                return;
            }
            if let Change::Accepted(entry) = change {
                emit(&entry);
            }
            self.next += 1;
        }
    }

    /// Appends the next accepted change to `out`; `false` where there is none left.
    pub(super) fn emit_next(&mut self, changes: &Changes, out: &mut EntryChunk) -> bool {
        while let Some((_, change)) = changes.get(self.next) {
            self.next += 1;
            if let Change::Accepted(entry) = change {
                out.push(&entry);
                return true;
            }
        }
        false
    }

    /// Gives `emit` the entries of a segment as the changes leave them, new keys in between
    /// included, up to and with the segment's last key.
    pub(super) fn emit_merged(
        &mut self,
        segment: &EntryChunk,
        changes: &Changes,
        emit: &mut impl FnMut(&Entry<'_>),
    ) {
        for entry in segment.iter() {
            self.emit_before(Some(entry.key), changes, emit);
            match changes.get(self.next) {
                Some((key, change)) if key == entry.key => {
                    self.next += 1;
                    if let Change::Accepted(accepted) = change {
                        emit(&accepted);
                    }
                }
                Some(_) | None => emit(&entry),
            }
        }
    }
}
