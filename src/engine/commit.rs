//! Accepted before remembered: what was answered goes to the journal before it counts as done.

use std::sync::Arc;

use jiff::Timestamp;

use super::error::RunError;
use super::ledger::{Ledger, Note, Purpose};
use super::pipeline::OnRemove;
use super::rejected::RejectedRows;
use crate::customerio::ItemError;
use crate::model::{Encoding, Entry, EntryFlags, Fingerprint, RunId};
use crate::state::store::{JournalRow, RejectedRow, StoredSegment};
use crate::state::{RunLock, SegmentWriter, StateStore, fold};

/// Journal rows after which they are folded into the segments: some 1.5 MiB on disk, ten times that
/// in memory while it lasts.
const FOLD_ROWS: u64 = 64;

/// Rows that are remembered without being sent in one journal row.
const REMEMBERED_AT_ONCE: usize = 4_096;

/// Writes what a run learns. Holds the run's right to write.
pub struct Committer {
    store: Arc<dyn StateStore>,
    lock: Arc<RunLock>,
    run: RunId,
    rules: CommitRules,
    next_seq: u64,
    unfolded: u64,
    silent: SegmentWriter,
    silent_count: usize,
}

/// How accepted rows are remembered.
#[derive(Clone, Copy)]
pub struct CommitRules {
    /// The encoding in which fingerprints are written.
    pub encoding: Encoding,
    /// What happens to rows that left the source.
    pub on_remove: Option<OnRemove>,
    /// Whether rows are remembered with their cursor, so that they can be forgotten by it.
    pub keeps_cursor: bool,
}

/// What became of [`Committer::write`].
pub struct Written {
    rows: u64,
    /// Rows that were folded afterwards; `None` where the journal was too short for it.
    folded: Option<usize>,
}

impl Committer {
    /// Returns the committer of a run whose journal is empty.
    pub fn new(
        store: Arc<dyn StateStore>,
        lock: Arc<RunLock>,
        run: RunId,
        rules: CommitRules,
    ) -> Self {
        let silent = SegmentWriter::default();
        Self { store, lock, run, rules, next_seq: 1, unfolded: 0, silent, silent_count: 0 }
    }

    /// Returns what must be written before a batch leaves: that what is remembered of its rows is
    /// in doubt. Until the answer came, Customer.io may have what was or what is sent. Without this
    /// a row that went back to what it was while a run died would pass for unchanged, and never be
    /// set right. `None` where nothing is remembered of any of them.
    ///
    /// # Errors
    /// Where rows are out of order; then the batch must not be sent.
    pub fn doubt(&self, ledger: &Ledger) -> Result<Option<StoredSegment>, RunError> {
        let mut writer = SegmentWriter::default();
        for note in ledger.iter().filter(|note| note.is_known) {
            writer
                .push(&self.entry(note.key, None, (note.target, note.at)))
                .map_err(|_| RunError::Internal("a row that is sent can't be doubted"))?;
        }
        Ok(writer.finish())
    }

    /// Returns what must be written of an answered batch: all its items but those in `refused`,
    /// sorted by index. `None` where all were refused.
    ///
    /// # Errors
    /// Where rows are out of order; then nothing of the batch counts as accepted.
    pub fn accepted(
        &self,
        ledger: &Ledger,
        refused: &[ItemError],
    ) -> Result<Option<StoredSegment>, RunError> {
        let mut writer = SegmentWriter::default();
        for note in accepted_notes(ledger, refused) {
            self.write_note(&mut writer, note)?;
        }
        Ok(writer.finish())
    }

    /// Returns the keys of an answered batch that are no longer rejected.
    pub fn settled(
        ledger: &Ledger,
        refused: &[ItemError],
        rejected: &RejectedRows,
    ) -> Vec<Vec<u8>> {
        accepted_notes(ledger, refused)
            .filter(|note| rejected.accept(note.key))
            .map(|note| note.key.to_vec())
            .collect()
    }

    fn write_note(&self, writer: &mut SegmentWriter, note: Note<'_>) -> Result<(), RunError> {
        let written = match (note.purpose, self.rules.on_remove) {
            (Purpose::Removal, Some(OnRemove::Suppress)) => writer.push(&Entry {
                key: note.key,
                fingerprint: None,
                encoding: self.rules.encoding,
                target: note.target,
                flags: EntryFlags { suppressed: true, ..EntryFlags::default() },
            }),
            (Purpose::Removal | Purpose::MoveRemoval, _) => writer.push_removed(note.key),
            (Purpose::Upsert, _) => {
                writer.push(&self.entry(note.key, note.fingerprint, (note.target, note.at)))
            }
        };
        written.map_err(|_| RunError::Internal("an accepted row can't be remembered"))
    }

    fn entry<'e>(
        &self,
        key: &'e [u8],
        fingerprint: Option<Fingerprint>,
        (target, at): (Option<&'e str>, Option<i64>),
    ) -> Entry<'e> {
        let read_at = at.filter(|_| self.rules.keeps_cursor).map(whole_seconds);
        let flags = EntryFlags { read_at, ..EntryFlags::default() };
        Entry { key, fingerprint, encoding: self.rules.encoding, target, flags }
    }

    /// Takes note of a row that is remembered without being sent; says whether so many wait that
    /// those of [`Committer::take_silent`] should be written.
    ///
    /// # Errors
    /// Where rows come out of order.
    pub fn remember(
        &mut self,
        key: &[u8],
        fingerprint: Fingerprint,
        (target, at): (Option<&str>, Option<i64>),
    ) -> Result<bool, RunError> {
        let entry = self.entry(key, Some(fingerprint), (target, at));
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

    /// Returns what was remembered or forgotten without being sent and waits to be written.
    pub fn take_silent(&mut self) -> Option<StoredSegment> {
        self.silent_count = 0;
        self.silent.finish()
    }

    /// Writes what was remembered or forgotten without being sent. No other write may go on.
    ///
    /// # Errors
    /// As [`Committer::write`].
    pub async fn flush_silent(&mut self) -> Result<(), RunError> {
        if let Some(silent) = self.take_silent() {
            let written = self.write(vec![silent], None).await?;
            self.written(&written);
        }
        Ok(())
    }

    /// Appends segments to the journal in one commit, each as a row of its own. Once the journal
    /// has grown, it is folded as far as its rows lie below `outstanding`, the least key that may
    /// still be answered.
    ///
    /// The future needs nothing of the committer, so that a run goes on meanwhile; but only one
    /// may be under way, and [`Committer::written`] must be told of its end.
    ///
    /// # Errors
    /// Where the journal could not be written: then nothing of it counts as done.
    pub fn write(
        &mut self,
        segments: Vec<StoredSegment>,
        outstanding: Option<Vec<u8>>,
    ) -> impl Future<Output = Result<Written, RunError>> + Send + use<> {
        let rows: Vec<JournalRow> = segments
            .into_iter()
            .zip(self.next_seq..)
            .map(|(changes, seq)| JournalRow { run: self.run.clone(), seq, changes })
            .collect();
        let count = rows.len() as u64;
        self.next_seq += count;
        let has_grown = self.unfolded + count >= FOLD_ROWS;
        let (store, lock) = (Arc::clone(&self.store), Arc::clone(&self.lock));
        async move {
            if !rows.is_empty() {
                store.append_journal(&lock, &rows).await?;
            }
            drop(rows);
            let folded = match has_grown {
                true => Some(fold(store.as_ref(), &lock, outstanding.as_deref()).await?),
                false => None,
            };
            Ok(Written { rows: count, folded })
        }
    }

    /// Takes note of the end of a write.
    pub fn written(&mut self, written: &Written) {
        self.unfolded += written.rows;
        self.unfolded = match written.folded {
            None => self.unfolded,
            // Where a slow request holds the rest up, asking again each time would be in vain.
            Some(0) => 0,
            Some(folded) => self.unfolded.saturating_sub(folded as u64),
        };
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

    /// Returns the row that is stored for an item that was refused.
    pub fn refused(
        note: Note<'_>,
        error: &ItemError,
        rejected: &RejectedRows,
    ) -> Option<RejectedRow> {
        rejected.refused(note.key, note.fingerprint, error.to_rejection(), Timestamp::now())
    }
}

/// Returns a cursor in unix seconds, rounded down, as entries hold it: never later than it was.
fn whole_seconds(micros: i64) -> u32 {
    u32::try_from(micros.div_euclid(1_000_000).max(0)).unwrap_or(u32::MAX)
}

/// Returns the notes of the items that were accepted; `refused` is sorted by index.
fn accepted_notes<'l>(
    ledger: &'l Ledger,
    refused: &'l [ItemError],
) -> impl Iterator<Item = Note<'l>> {
    let mut refused = refused.iter().map(|error| error.index).peekable();
    ledger
        .iter()
        .enumerate()
        .filter(move |(index, _)| refused.next_if_eq(index).is_none())
        .map(|(_, note)| note)
}
