//! Rows one after the other, each judged when the next one proves that its key stands alone.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::warn;

use super::{PlanRules, Planned, PlannerParts};
use crate::customerio::app::collections::ROW_BYTES_MAX;
use crate::customerio::operation::oversize;
use crate::diff::{Cursor, Entries, Met};
use crate::engine::collection::Content;
use crate::engine::error::RunError;
use crate::engine::invalid::{InvalidRows, numbered_key};
use crate::engine::pipeline::Pipeline;
use crate::engine::progress::Progress;
use crate::engine::rejected::RejectedRows;
use crate::engine::targets::{Others, TargetCheck};
use crate::mapping::{Mapper, RowError};
use crate::model::rejection::InvalidCode;
use crate::model::{Entry, EntryBuf, RecordBuf, Rejection, Row, RowBatch, RunCounts, Value};
use crate::spill::SpoolWriter;
use crate::state::EntryChunk;
use crate::state::snapshot::SnapshotReader;

impl Entries for EntryChunk {
    fn entry(&self, index: usize) -> Option<Entry<'_>> {
        self.get(index)
    }
}

/// The last row that was read: it is judged when the next one proves that its key stands alone.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) record: RecordBuf,
    pub(super) rejection: Option<Rejection>,
    /// How many rows had its key.
    pub(super) rows: u64,
    /// Its cursor, in unix microseconds.
    pub(super) at: Option<i64>,
}

/// Plans one run, row by row.
pub struct Planner {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) rules: PlanRules,
    pub(super) mapper: Mapper,
    pub(super) snapshot: Option<SnapshotReader>,
    pub(super) chunk: EntryChunk,
    pub(super) cursor: Cursor,
    pub(super) reads_all: bool,
    pub(super) clock: Option<i64>,
    pub(super) pending: Pending,
    pub(super) next: RecordBuf,
    pub(super) spool: SpoolWriter,
    pub(super) targets: TargetCheck,
    pub(super) rejected: Arc<RejectedRows>,
    /// Whether rows were invalid before: then each one is looked up.
    had_invalid: bool,
    /// What a collection is made of; `None` for any other entity.
    pub(super) content: Option<Content>,
    pub(super) departed: Vec<EntryBuf>,
    pub(super) planned: Planned,
    pub(super) change_count: u64,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) scratch: Scratch,
}

#[derive(Default)]
pub(super) struct Scratch {
    pub(super) change: Vec<u8>,
    pub(super) target: String,
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
            reads_all: parts.reads_all,
            clock: parts.clock,
            pending: Pending::default(),
            next: RecordBuf::default(),
            spool: parts.spool,
            targets: parts.targets,
            had_invalid: parts.rejected.has_invalid(),
            rejected: parts.rejected,
            content: parts.content,
            departed: Vec::new(),
            planned: Planned {
                counts: RunCounts::default(),
                snapshot_rows: 0,
                overrides: None,
                invalid: InvalidRows::default(),
                suppressed: Vec::new(),
                settled: Vec::new(),
                cursor: None,
                content: None,
                has_returned: false,
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
            let at = self.read_cursor(row);
            if !self.take(row)? {
                continue;
            }
            self.flush().await?;
            std::mem::swap(&mut self.pending.record, &mut self.next);
            self.pending.rows = 1;
            self.pending.at = at;
            self.pending.rejection = self.map(row).err();
        }
        self.report_progress();
        Ok(())
    }

    /// Returns the cell that a window adds to a row, and notes how far the cursor is.
    fn read_cursor(&mut self, row: Row<'_>) -> Option<i64> {
        let now = self.clock?;
        let Value::Int(at) = row.last() else { return None };
        if at < now {
            self.planned.cursor = self.planned.cursor.max(Some(at));
        }
        Some(at)
    }

    fn map(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        let record = &mut self.pending.record;
        self.mapper.map_record(row, record)?;
        let config = self.pipeline.client.config();
        let limit = match &self.content {
            Some(_) => ROW_BYTES_MAX,
            None => config.limits.item_bytes as usize,
        };
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
                    self.rejected.invalid(&key, None);
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

    pub(super) fn refuse(&mut self, key: Vec<u8>, rejection: Rejection, rows: u64) {
        self.planned.counts.invalid += rows;
        self.planned.invalid.add(key, rejection, rows, self.rules.now);
    }

    /// Judges the pending row, now that its key is known to stand alone or not.
    async fn flush(&mut self) -> Result<(), RunError> {
        while !self.has_judged()? {
            self.hand_over().await?;
            self.load_chunk().await?;
        }
        self.hand_over().await
    }

    /// Makes what was planned readable once it is much.
    async fn hand_over(&mut self) -> Result<(), RunError> {
        if self.spool.is_due() {
            self.spool.flush().await?;
        }
        Ok(())
    }

    /// Does so without waiting, which the next remembered rows and the disk alone may take; `false`
    /// where those come first.
    fn has_judged(&mut self) -> Result<bool, RunError> {
        if self.pending.rows == 0 {
            return Ok(true);
        }
        let departed = &mut self.departed;
        let met = self.cursor.seek(&self.chunk, &self.pending.record.key, |entry| {
            departed.push(entry.to_buf());
        });
        self.flush_departed()?;
        if met == Met::NeedsChunk {
            return Ok(false);
        }
        if self.pending.rows > 1 {
            let rows = self.pending.rows;
            self.pending.rejection = Some(Rejection::invalid(
                InvalidCode::DuplicateKey,
                None,
                format!("{rows} rows have this primary key"),
            ));
        }
        match self.pending.rejection.take() {
            Some(rejection) => self.hold_invalid(rejection, met)?,
            None => {
                if self.had_invalid {
                    self.rejected.valid(&self.pending.record.key);
                }
                self.judge_pending(met)?;
            }
        }
        Ok(true)
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
            self.flush_departed()?;
            self.hand_over().await?;
            self.load_chunk().await?;
        }
        let non_finite_count = self.mapper.non_finite_count();
        if non_finite_count > 0 {
            warn!(non_finite_count, "numbers that are infinite or not a number are sent as null");
        }
        let Self {
            mut planned,
            content,
            targets,
            spool,
            rules,
            progress,
            change_count,
            rejected,
            reads_all,
            ..
        } = self;
        let Planned { counts, invalid, .. } = &mut planned;
        if !reads_all {
            // Rows outside of the window that were refused are still not accepted.
            counts.rejected += rejected.unseen().len() as u64;
        }
        let overrides = targets
            .resolve(others, counts, |key| {
                rejected.invalid(key, None);
                invalid.add(key.to_vec(), duplicate_target(), 1, rules.now);
            })
            .await?;
        if !reads_all {
            invalid.add_unread(rejected.unread_invalid());
        }
        planned.overrides = Some(overrides);
        planned.content = content;
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

fn duplicate_target() -> Rejection {
    Rejection::invalid(
        InvalidCode::DuplicateTarget,
        None,
        "other rows are about the same in Customer.io; none of them is sent",
    )
}
