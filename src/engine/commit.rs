//! Accepted before remembered: what was answered goes to the journal before it counts as done.

use std::sync::Arc;

use jiff::Timestamp;

use super::error::RunError;
use super::ledger::{Ledger, Note, Purpose};
use super::pipeline::OnRemove;
use super::rejected::RejectedRows;
use crate::customerio::ItemError;
use crate::model::{Encoding, Entry, EntryFlags, Fingerprint, RunId};
use crate::state::store::{JournalRow, RejectedRow};
use crate::state::{RunLock, SegmentWriter, StateStore, fold};

/// Journal rows after which they are folded into the segments: some 3 MiB.
const FOLD_ROWS: u64 = 128;

/// Rows that are remembered without being sent in one journal row.
const REMEMBERED_AT_ONCE: usize = 4_096;

/// Writes what a run learns. Holds the run's right to write.
pub struct Committer {
    store: Arc<dyn StateStore>,
    lock: Arc<RunLock>,
    run: RunId,
    encoding: Encoding,
    on_remove: Option<OnRemove>,
    next_seq: u64,
    unfolded: u64,
    silent: SegmentWriter,
    silent_count: usize,
}

impl Committer {
    /// Returns the committer of a run whose journal is empty.
    pub fn new(
        store: Arc<dyn StateStore>,
        lock: Arc<RunLock>,
        run: RunId,
        encoding: Encoding,
        on_remove: Option<OnRemove>,
    ) -> Self {
        let silent = SegmentWriter::default();
        Self {
            store,
            lock,
            run,
            encoding,
            on_remove,
            next_seq: 1,
            unfolded: 0,
            silent,
            silent_count: 0,
        }
    }

    /// Takes note, before a batch leaves, that what is remembered of its rows is in doubt: until
    /// the answer came, Customer.io may have what was or what is sent. Without this a row that
    /// went back to what it was while a run died would pass for unchanged, and never be set right.
    ///
    /// # Errors
    /// As [`Committer::accepted`]; then the batch must not be sent.
    pub async fn doubt(&mut self, ledger: &Ledger) -> Result<(), RunError> {
        let mut writer = SegmentWriter::default();
        for note in ledger.iter().filter(|note| note.is_known) {
            writer
                .push(&self.entry(note.key, None, note.target))
                .map_err(|_| RunError::Internal("a row that is sent can't be doubted"))?;
        }
        self.append(writer).await
    }

    /// Remembers the items of an answered batch but those in `refused`, sorted by index. Returns
    /// the keys that are no longer rejected.
    ///
    /// # Errors
    /// Where the journal could not be written; then nothing of the batch counts as accepted.
    pub async fn accepted(
        &mut self,
        ledger: &Ledger,
        refused: &[ItemError],
        rejected: &RejectedRows,
    ) -> Result<Vec<Vec<u8>>, RunError> {
        let mut writer = SegmentWriter::default();
        let mut settled = Vec::new();
        let mut refused = refused.iter().map(|error| error.index).peekable();
        for (index, note) in ledger.iter().enumerate() {
            if refused.next_if_eq(&index).is_some() {
                continue;
            }
            self.write_note(&mut writer, note)?;
            if rejected.settle(note.key) {
                settled.push(note.key.to_vec());
            }
        }
        self.append(writer).await?;
        Ok(settled)
    }

    fn write_note(&self, writer: &mut SegmentWriter, note: Note<'_>) -> Result<(), RunError> {
        let written = match (note.purpose, self.on_remove) {
            (Purpose::Removal, Some(OnRemove::Suppress)) => writer.push(&Entry {
                key: note.key,
                fingerprint: None,
                encoding: self.encoding,
                target: note.target,
                flags: EntryFlags { suppressed: true, ..EntryFlags::default() },
            }),
            (Purpose::Removal | Purpose::MoveRemoval, _) => writer.push_removed(note.key),
            (Purpose::Upsert, _) => {
                writer.push(&self.entry(note.key, note.fingerprint, note.target))
            }
        };
        written.map_err(|_| RunError::Internal("an accepted row can't be remembered"))
    }

    fn entry<'e>(
        &self,
        key: &'e [u8],
        fingerprint: Option<Fingerprint>,
        target: Option<&'e str>,
    ) -> Entry<'e> {
        Entry { key, fingerprint, encoding: self.encoding, target, flags: EntryFlags::default() }
    }

    /// Takes note of a row that is remembered without being sent; says whether so many wait that
    /// [`Committer::flush_silent`] should write them.
    ///
    /// # Errors
    /// Where rows come out of order.
    pub fn remember(
        &mut self,
        key: &[u8],
        fingerprint: Fingerprint,
        target: Option<&str>,
    ) -> Result<bool, RunError> {
        let entry = self.entry(key, Some(fingerprint), target);
        self.silent.push(&entry).map_err(|_| RunError::Internal("a row can't be remembered"))?;
        Ok(self.is_silent_full())
    }

    /// Takes note of something about a remembered row without touching what is remembered of what
    /// was sent; says as [`Committer::remember`].
    ///
    /// # Errors
    /// Where rows come out of order.
    pub fn note(&mut self, entry: &Entry<'_>) -> Result<bool, RunError> {
        self.silent.push(entry).map_err(|_| RunError::Internal("a row can't be noted"))?;
        Ok(self.is_silent_full())
    }

    /// Takes note of a row that is forgotten without sending anything; says as
    /// [`Committer::remember`].
    ///
    /// # Errors
    /// Where rows come out of order.
    pub fn forget(&mut self, key: &[u8]) -> Result<bool, RunError> {
        self.silent
            .push_removed(key)
            .map_err(|_| RunError::Internal("a row can't be forgotten"))?;
        Ok(self.is_silent_full())
    }

    fn is_silent_full(&mut self) -> bool {
        self.silent_count += 1;
        self.silent_count >= REMEMBERED_AT_ONCE
    }

    /// Writes what was remembered or forgotten without being sent.
    ///
    /// # Errors
    /// As [`Committer::accepted`].
    pub async fn flush_silent(&mut self) -> Result<(), RunError> {
        self.silent_count = 0;
        let writer = std::mem::take(&mut self.silent);
        self.append(writer).await
    }

    async fn append(&mut self, mut writer: SegmentWriter) -> Result<(), RunError> {
        let Some(changes) = writer.finish() else { return Ok(()) };
        let row = JournalRow { run: self.run.clone(), seq: self.next_seq, changes };
        self.store.append_journal(&self.lock, &row).await?;
        self.next_seq += 1;
        self.unfolded += 1;
        Ok(())
    }

    /// Stores what was refused, and takes `settled` keys off.
    ///
    /// # Errors
    /// Where the state can't be written.
    pub async fn rejections(
        &self,
        rows: &[RejectedRow],
        settled: &[Vec<u8>],
    ) -> Result<(), RunError> {
        if rows.is_empty() && settled.is_empty() {
            return Ok(());
        }
        Ok(self.store.save_rejections(&self.lock, rows, settled).await?)
    }

    /// Folds the journal once it has grown, as far as all keys below `outstanding` are answered.
    ///
    /// # Errors
    /// Where the state can't be written.
    pub async fn fold_if_grown(&mut self, outstanding: Option<&[u8]>) -> Result<(), RunError> {
        if self.unfolded < FOLD_ROWS {
            return Ok(());
        }
        let folded = fold(self.store.as_ref(), &self.lock, outstanding).await?;
        // Where a slow request holds the rest up, asking again for each answer would be in vain.
        self.unfolded = if folded == 0 { 0 } else { self.unfolded.saturating_sub(folded as u64) };
        Ok(())
    }

    /// Folds all that is left.
    ///
    /// # Errors
    /// Where the state can't be written; the next run then folds it.
    pub async fn fold_all(&mut self) -> Result<(), RunError> {
        self.flush_silent().await?;
        fold(self.store.as_ref(), &self.lock, None).await?;
        Ok(())
    }

    /// Returns the row that is stored for an item that was refused.
    pub fn refused(
        note: Note<'_>,
        error: &ItemError,
        rejected: &RejectedRows,
    ) -> Option<RejectedRow> {
        rejected.refused(note.key, note.fingerprint, error.to_rejection(), Timestamp::now())
    }
}
