//! The first half of a run: rows in key order, mapped, held against the snapshot, and what differs
//! put on the spool. Sends nothing and writes no state.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::change::Change;
use super::error::RunError;
use super::gate::{Bounds, bounded, check_invalid};
use super::invalid::{InvalidRows, numbered_key};
use super::pipeline::{InitialRun, Pipeline};
use super::progress::Progress;
use super::read::RowReader;
use super::rejected::{Due, RejectedRows, SUPPRESSED_CODE};
use super::run::RunOptions;
use super::targets::{Counted, Others, TargetCheck};
use crate::customerio::operation::oversize;
use crate::diff::{Cursor, Entries, Guards, Met, Present, Verdict, judge};
use crate::mapping::{Mapper, RowError};
use crate::model::rejection::InvalidCode;
use crate::model::{
    ChangeKind, Encoding, Entry, EntryBuf, Fingerprint, IdentifierKind, RecordBuf, RecordView,
    Rejection, RejectionKind, Row, RowBatch, RunCounts, Target,
};
use crate::spill::{SortedReader, SpoolWriter};
use crate::state::EntryChunk;
use crate::state::snapshot::SnapshotReader;
use crate::state::store::RejectedRow;

const UNREADABLE_RECORD: RunError = RunError::Internal("a mapped record can't be read");

/// What decides how differences become changes in this run.
#[derive(Clone, Copy, Debug)]
pub struct PlanRules {
    /// The encoding in which fingerprints are made.
    pub encoding: Encoding,
    /// Whether equal rows are sent again.
    pub full_resync: bool,
    /// Whether rows are remembered instead of sent (a first run that adopts).
    pub baseline: bool,
    /// Whether no run has ended well yet: then nothing is removed.
    pub is_first_run: bool,
    /// The time of the plan, for the rows that are refused.
    pub now: Timestamp,
}

impl PlanRules {
    /// Returns the rules of a run now.
    pub fn new(pipeline: &Pipeline, options: &RunOptions, is_first_run: bool) -> Self {
        Self {
            encoding: options.encoding,
            full_resync: options.full_resync,
            baseline: is_first_run && pipeline.initial_run == InitialRun::Baseline,
            is_first_run,
            now: Timestamp::now(),
        }
    }
}

/// What a plan found, besides the changes on the spool.
pub struct Planned {
    /// The numbers, as far as a plan knows them.
    pub counts: RunCounts,
    /// Rows that were remembered, which guards take shares of.
    pub snapshot_rows: u64,
    /// What became of changes once all targets were known, sorted by key.
    pub overrides: Option<SortedReader>,
    /// The rows that were refused.
    pub invalid: InvalidRows,
    /// Rows that came back after they were suppressed, to be stored as rejected.
    pub suppressed: Vec<RejectedRow>,
    /// Rows that were accepted or fell back to what was: no longer rejected.
    pub settled: Vec<Vec<u8>>,
}

impl Entries for EntryChunk {
    fn entry(&self, index: usize) -> Option<Entry<'_>> {
        self.get(index)
    }
}

/// The last row that was read: it is judged when the next one proves that its key stands alone.
#[derive(Default)]
struct Pending {
    record: RecordBuf,
    rejection: Option<Rejection>,
    /// How many rows had its key.
    rows: u64,
}

/// Plans one run, row by row.
pub struct Planner {
    pipeline: Arc<Pipeline>,
    rules: PlanRules,
    mapper: Mapper,
    snapshot: Option<SnapshotReader>,
    chunk: EntryChunk,
    cursor: Cursor,
    pending: Pending,
    next: RecordBuf,
    spool: SpoolWriter,
    targets: TargetCheck,
    rejected: Arc<RejectedRows>,
    departed: Vec<EntryBuf>,
    planned: Planned,
    change_count: u64,
    progress: watch::Sender<Progress>,
    scratch: Scratch,
}

#[derive(Default)]
struct Scratch {
    change: Vec<u8>,
    target: String,
}

/// What a planner starts with.
pub struct PlannerParts {
    /// The Sync.
    pub pipeline: Arc<Pipeline>,
    /// The rules of the run.
    pub rules: PlanRules,
    /// The compiled mapping.
    pub mapper: Mapper,
    /// The remembered rows; `None` where there is no state.
    pub snapshot: Option<SnapshotReader>,
    /// Where changes go.
    pub spool: SpoolWriter,
    /// Where targets are gathered.
    pub targets: TargetCheck,
    /// What is known of rows that were refused.
    pub rejected: Arc<RejectedRows>,
    /// Who watches.
    pub progress: watch::Sender<Progress>,
}

/// Returns whether two rows of a read may mean one person although their keys differ.
pub fn targets_may_repeat(mapper: &Mapper) -> bool {
    !mapper.target_is_key() || mapper.identifier() == IdentifierKind::Email
}

/// Plans a whole read. Where `watched` is given, changes go out while rows are read, and too many
/// invalid rows end it as soon as they are seen.
///
/// # Errors
/// What broke the read or the plan, or the bound that ended it.
pub async fn plan_rows(
    mut planner: Planner,
    mut rows: RowReader,
    others: &Others,
    bounds: &Bounds<'_>,
    watched: Option<&Guards>,
) -> Result<Planned, RunError> {
    let pipeline = Arc::clone(&planner.pipeline);
    let all = async {
        while let Some(batch) = rows.next().await? {
            planner.observe(&batch).await?;
            rows.give_back(batch);
            if let Some(guards) = watched {
                check_invalid(guards, planner.counts(), bounds.run)?;
            }
        }
        planner.finish(others).await
    };
    bounded(all, bounds.halt, bounds.deadline, &pipeline).await
}

impl Planner {
    /// Returns a planner that has seen no row.
    pub fn new(parts: PlannerParts) -> Self {
        Self {
            pipeline: parts.pipeline,
            rules: parts.rules,
            mapper: parts.mapper,
            snapshot: parts.snapshot,
            chunk: EntryChunk::default(),
            cursor: Cursor::default(),
            pending: Pending::default(),
            next: RecordBuf::default(),
            spool: parts.spool,
            targets: parts.targets,
            rejected: parts.rejected,
            departed: Vec::new(),
            planned: Planned {
                counts: RunCounts::default(),
                snapshot_rows: 0,
                overrides: None,
                invalid: InvalidRows::default(),
                suppressed: Vec::new(),
                settled: Vec::new(),
            },
            change_count: 0,
            progress: parts.progress,
            scratch: Scratch::default(),
        }
    }

    /// Takes the rows of a batch.
    ///
    /// # Errors
    /// Where rows are out of order, keys of several kinds, or state or disk fail.
    pub async fn observe(&mut self, batch: &RowBatch) -> Result<(), RunError> {
        for row in batch.rows() {
            self.planned.counts.rows_read += 1;
            if !self.take(row)? {
                continue;
            }
            self.flush().await?;
            std::mem::swap(&mut self.pending.record, &mut self.next);
            self.pending.rows = 1;
            self.pending.rejection = self.map(row).err();
        }
        self.report_progress();
        Ok(())
    }

    fn map(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        let record = &mut self.pending.record;
        self.mapper.map_record(row, record)?;
        let config = self.pipeline.client.config();
        let limit = config.limits.item_bytes as usize;
        match oversize(&record.canonical, config.update_timestamps, limit) {
            Ok(Some(size)) => Err(Rejection::invalid(
                InvalidCode::ItemTooLarge,
                None,
                format!(
                    "the row takes {size} bytes as JSON, more than the {limit} that may be sent"
                ),
            )),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// Reads the row's key into `next`; `false` where the row has none or shares the pending one.
    fn take(&mut self, row: Row<'_>) -> Result<bool, RunError> {
        if let Err(error) = self.mapper.map_key(row, &mut self.next.key) {
            return match error {
                RowError::Invalid(rejection) => {
                    let key = numbered_key(self.planned.counts.rows_read);
                    self.refuse(key, rejection, 1);
                    Ok(false)
                }
                RowError::KeyKind { column, expected, found } => {
                    Err(RunError::MixedKey { column, expected, found })
                }
            };
        }
        if self.pending.rows == 0 {
            return Ok(true);
        }
        match self.next.key.cmp(&self.pending.record.key) {
            std::cmp::Ordering::Greater => Ok(true),
            std::cmp::Ordering::Equal => {
                self.pending.rows += 1;
                Ok(false)
            }
            std::cmp::Ordering::Less => Err(RunError::OutOfOrder),
        }
    }

    fn refuse(&mut self, key: Vec<u8>, rejection: Rejection, rows: u64) {
        self.planned.counts.invalid += rows;
        self.planned.invalid.add(key, rejection, rows, self.rules.now);
    }

    /// Judges the pending row, now that its key is known to stand alone or not.
    async fn flush(&mut self) -> Result<(), RunError> {
        if self.pending.rows == 0 {
            return Ok(());
        }
        let met = loop {
            let departed = &mut self.departed;
            let met = self.cursor.seek(&self.chunk, &self.pending.record.key, |entry| {
                departed.push(entry.to_buf());
            });
            if met != Met::NeedsChunk {
                break met;
            }
            self.load_chunk().await?;
        };
        self.flush_departed().await?;
        if self.pending.rows > 1 {
            let rows = self.pending.rows;
            self.pending.rejection = Some(Rejection::invalid(
                InvalidCode::DuplicateKey,
                None,
                format!("{rows} rows have this primary key"),
            ));
        }
        match self.pending.rejection.take() {
            Some(rejection) => self.hold_invalid(rejection, met),
            None => self.judge_pending(met).await,
        }
    }

    async fn load_chunk(&mut self) -> Result<(), RunError> {
        let more = match &mut self.snapshot {
            Some(snapshot) => snapshot.next_chunk(&mut self.chunk).await?,
            None => false,
        };
        if !more {
            self.chunk.clear();
        }
        self.planned.snapshot_rows += self.chunk.len() as u64;
        self.cursor.next_chunk(more);
        Ok(())
    }

    /// A row that can't be sent still holds its key, and the target remembered for it.
    fn hold_invalid(&mut self, rejection: Rejection, met: Met) -> Result<(), RunError> {
        let key = self.pending.record.key.clone();
        let rows = self.pending.rows;
        // An invalid row was seen: what was rejected under its key is no longer what it was.
        self.rejected.due(&key, None);
        self.refuse(key, rejection, rows);
        let Met::Entry(index) = met else { return Ok(()) };
        let Some(entry) = self.chunk.get(index) else { return Ok(()) };
        if entry.write_target(self.mapper.key_shape(), &mut self.scratch.target).is_some() {
            let target = Target { kind: self.mapper.identifier(), text: &self.scratch.target };
            self.targets.present(target, entry.key, Counted::HolderOnly)?;
        }
        Ok(())
    }

    async fn judge_pending(&mut self, met: Met) -> Result<(), RunError> {
        let record = &self.pending.record;
        let view = RecordView::parse(&record.canonical).ok_or(UNREADABLE_RECORD)?;
        let fingerprint = record.fingerprint(self.rules.encoding);
        let entry = match met {
            Met::Entry(index) => self.chunk.get(index),
            Met::Nothing | Met::NeedsChunk => None,
        };
        let remembered = match &entry {
            Some(entry) => {
                entry
                    .write_target(self.mapper.key_shape(), &mut self.scratch.target)
                    .ok_or(RunError::Internal("a remembered key can't be read"))?;
                Some((entry, self.scratch.target.as_str()))
            }
            None => None,
        };
        let present = Present {
            canonical: &record.canonical,
            fingerprint,
            encoding: self.rules.encoding,
            target: view.target,
        };
        let verdict = judge(&present, remembered);
        let due = match verdict {
            Verdict::Unchanged | Verdict::Outdated if !self.rules.full_resync => {
                if self.rejected.settle(&record.key) {
                    self.planned.settled.push(record.key.clone());
                }
                Due::Fresh
            }
            Verdict::Moved => self.due_to_move(fingerprint),
            _ => self.rejected.due(&record.key, Some(fingerprint)),
        };
        let judged = Judged { verdict, due, fingerprint };
        let counted = self.planned_change(judged)?;
        let record = &self.pending.record;
        let view = RecordView::parse(&record.canonical).ok_or(UNREADABLE_RECORD)?;
        self.targets.present(view.target, &record.key, counted)?;
        if verdict == Verdict::Moved && due == Due::Waiting {
            // Until it is accepted, the row holds the person whom the snapshot knows it by.
            let old = Target { kind: view.target.kind, text: &self.scratch.target };
            self.targets.present(old, &record.key, Counted::HolderOnly)?;
        }
        if !self.scratch.change.is_empty() {
            self.change_count += 1;
            self.spool.push(&self.scratch.change).await?;
        }
        Ok(())
    }

    /// A moved row waits for whichever was refused: the removal of its old target, or itself.
    fn due_to_move(&self, fingerprint: Fingerprint) -> Due {
        let key = &self.pending.record.key;
        match self.rejected.due(key, None) {
            Due::Fresh => self.rejected.due(key, Some(fingerprint)),
            due => due,
        }
    }

    /// Counts what was judged and encodes the change it asks for into the scratch; empty for none.
    fn planned_change(&mut self, judged: Judged) -> Result<Counted, RunError> {
        let Judged { verdict, due, fingerprint } = judged;
        self.scratch.change.clear();
        let record = &self.pending.record;
        let (key, canonical) = (record.key.as_slice(), record.canonical.as_slice());
        let view = RecordView::parse(canonical).ok_or(UNREADABLE_RECORD)?;
        let counts = &mut self.planned.counts;
        let remember = Change::Remember {
            key,
            fingerprint,
            target: (!self.mapper.target_is_key()).then_some(view.target.text),
        };
        if due == Due::Waiting {
            counts.rejected += 1;
            return Ok(Counted::Waiting);
        }
        counts.retried += u64::from(due == Due::Retry);
        let (kind, counted) = match verdict {
            Verdict::Added if self.rules.baseline => {
                counts.unchanged += 1;
                remember.encode(&mut self.scratch.change);
                return Ok(Counted::Unchanged);
            }
            Verdict::Added => (ChangeKind::Added, Counted::Added),
            Verdict::Changed => (ChangeKind::Changed, Counted::Changed),
            Verdict::Moved if self.pipeline.on_remove.is_none() => {
                (ChangeKind::Changed, Counted::Changed)
            }
            Verdict::Moved => {
                let old_target = self.scratch.target.as_str();
                let old = Target { kind: view.target.kind, text: old_target };
                self.targets.moved(old, key)?;
                Change::Move { key, fingerprint, canonical, old_target }
                    .encode(&mut self.scratch.change);
                return Ok(Counted::Moved);
            }
            Verdict::Unchanged | Verdict::Outdated if self.rules.full_resync => {
                (ChangeKind::Refreshed, Counted::Refreshed)
            }
            Verdict::Unchanged => {
                counts.unchanged += 1;
                return Ok(Counted::Unchanged);
            }
            Verdict::Outdated => {
                counts.unchanged += 1;
                remember.encode(&mut self.scratch.change);
                return Ok(Counted::Unchanged);
            }
            Verdict::Suppressed if due == Due::Retry => (ChangeKind::Changed, Counted::Changed),
            Verdict::Suppressed => {
                counts.rejected += 1;
                let row = self.rejected.refused(
                    key,
                    Some(fingerprint),
                    suppressed_rejection(),
                    self.rules.now,
                );
                self.planned.suppressed.extend(row);
                return Ok(Counted::Waiting);
            }
        };
        match kind {
            ChangeKind::Added => counts.added += 1,
            ChangeKind::Changed | ChangeKind::Removed => counts.changed += 1,
            ChangeKind::Refreshed => counts.refreshed += 1,
        }
        Change::Upsert { kind, key, fingerprint, canonical }.encode(&mut self.scratch.change);
        Ok(counted)
    }

    /// Turns entries whose rows left the source into removals.
    async fn flush_departed(&mut self) -> Result<(), RunError> {
        if self.departed.is_empty() {
            return Ok(());
        }
        let mut departed = std::mem::take(&mut self.departed);
        for entry in departed.drain(..) {
            self.remove(&entry).await?;
        }
        self.departed = departed;
        Ok(())
    }

    async fn remove(&mut self, entry: &EntryBuf) -> Result<(), RunError> {
        if entry.flags.suppressed || self.rules.is_first_run {
            return Ok(());
        }
        let counts = &mut self.planned.counts;
        if self.pipeline.on_remove.is_none() {
            counts.removed += 1;
            Change::Forget { key: &entry.key }.encode(&mut self.scratch.change);
        } else {
            match self.rejected.due(&entry.key, None) {
                Due::Waiting => {
                    counts.rejected += 1;
                    return Ok(());
                }
                Due::Retry => counts.retried += 1,
                Due::Fresh => {}
            }
            counts.removed += 1;
            let Scratch { change, target: text } = &mut self.scratch;
            entry
                .as_entry()
                .write_target(self.mapper.key_shape(), text)
                .ok_or(RunError::Internal("a remembered key can't be read"))?;
            let target = Target { kind: self.mapper.identifier(), text };
            self.targets.removal(target, &entry.key)?;
            Change::Remove { key: &entry.key, target: text }.encode(change);
        }
        self.change_count += 1;
        Ok(self.spool.push(&self.scratch.change).await?)
    }

    /// Ends the plan after the last row: what is left in the snapshot left the source, and all
    /// targets are judged.
    ///
    /// # Errors
    /// Where state or disk fail.
    pub async fn finish(mut self, others: &Others) -> Result<Planned, RunError> {
        self.flush().await?;
        while !self.cursor.has_ended() {
            let departed = &mut self.departed;
            self.cursor.drain(&self.chunk, |entry| departed.push(entry.to_buf()));
            self.flush_departed().await?;
            self.load_chunk().await?;
        }
        let Self { mut planned, targets, spool, rules, progress, change_count, .. } = self;
        let Planned { counts, invalid, .. } = &mut planned;
        let overrides = targets
            .resolve(others, counts, |key| {
                invalid.add(key.to_vec(), duplicate_target(), 1, rules.now);
            })
            .await?;
        planned.overrides = Some(overrides);
        spool.finish().await?;
        progress.send_modify(|progress| {
            progress.rows_read = planned.counts.rows_read;
            progress.planned = change_count;
            progress.is_plan_complete = true;
        });
        Ok(planned)
    }

    /// Returns the numbers so far.
    pub fn counts(&self) -> &RunCounts {
        &self.planned.counts
    }

    fn report_progress(&self) {
        self.progress.send_modify(|progress| {
            progress.rows_read = self.planned.counts.rows_read;
            progress.planned = self.change_count;
        });
    }
}

/// A pending row, judged.
struct Judged {
    verdict: Verdict,
    due: Due,
    fingerprint: Fingerprint,
}

fn suppressed_rejection() -> Rejection {
    Rejection {
        kind: RejectionKind::Rejected,
        code: SUPPRESSED_CODE.to_owned(),
        field: None,
        message: "this Sync suppressed the person; Customer.io would ignore the row. Unsuppress \
                  the person and run `ciosync retry`"
            .to_owned(),
    }
}

fn duplicate_target() -> Rejection {
    Rejection::invalid(
        InvalidCode::DuplicateTarget,
        None,
        "other rows have the same identifier; none of them is sent",
    )
}
