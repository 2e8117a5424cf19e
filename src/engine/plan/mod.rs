//! The first half of a run: rows in key order, mapped, held against the snapshot, and what differs
//! put on the spool. Sends nothing and writes no state.

mod append;
mod judge;
mod planner;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::collection::Content;
use super::cursor::forget_before;
use super::error::RunError;
use super::gate::{Bounds, bounded, check_invalid};
use super::invalid::InvalidRows;
use super::pipeline::{InitialRun, Pipeline};
use super::progress::Progress;
use super::read::RowReader;
use super::rejected::RejectedRows;
use super::run::{RunOptions, RunPurpose};
use super::targets::{Others, TargetCheck};
use crate::diff::{Guards, Refresh};
use crate::mapping::Mapper;
use crate::model::{Encoding, IdentifierKind, RunCounts};
use crate::spill::{SortedReader, SpoolWriter};
use crate::state::snapshot::SnapshotReader;
use crate::state::store::{RejectedRow, SyncMemo};

pub use planner::Planner;

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
    /// Which equal rows are sent again because of their age.
    pub refresh: Option<Refresh>,
    /// How long a row must have been missing before it is removed.
    pub remove_after: Duration,
    /// Before this no row counts as missing, in unix seconds.
    pub missing_from: u32,
    /// Whether rows are read by a cursor: one that is not read has not left the source.
    pub has_cursor: bool,
    /// Whether rows are events: each is sent once, whatever becomes of its row.
    pub appends: bool,
    /// Events from before this are forgotten, where their rows are no longer read.
    pub forget_before: Option<Timestamp>,
    /// Events from before this were forgotten: a row that is not known was sent.
    pub forgotten_before: Option<Timestamp>,
    /// The time of the plan, for the rows that are refused.
    pub now: Timestamp,
}

impl PlanRules {
    /// Returns the rules of a run now.
    pub fn new(pipeline: &Pipeline, options: &RunOptions, memo: &SyncMemo) -> Self {
        let now = Timestamp::now();
        let is_first_run = is_first_run(options, memo);
        let since = memo.planned_at.or(memo.last_success_at);
        let refresh = pipeline
            .refresh
            .zip(since)
            .and_then(|(period, since)| Refresh::new(period, since, now));
        Self {
            encoding: options.encoding,
            full_resync: options.full_resync,
            baseline: is_first_run
                && (pipeline.initial_run == InitialRun::Baseline
                    || (pipeline.appends() && memo.was_reset)),
            is_first_run,
            refresh,
            remove_after: pipeline.remove_after,
            missing_from: memo.found_again_at.map_or(0, seconds),
            has_cursor: pipeline.cursor.is_some(),
            appends: pipeline.appends(),
            forget_before: forget_before(pipeline, memo.cursor.as_ref()),
            forgotten_before: memo.cursor.as_ref().and_then(|memo| memo.forgotten_before),
            now,
        }
    }

    /// Returns whether the row of `key` is sent again although it equals what was accepted.
    pub fn sends_again(&self, key: &[u8]) -> bool {
        self.full_resync || self.refresh.is_some_and(|refresh| refresh.is_due(key))
    }

    /// Returns whether a row that is missing now, and was found so first at `since` (unix seconds),
    /// is to be removed.
    pub fn is_missing_long_enough(&self, since: Option<u32>) -> bool {
        let since = since.map(|since| since.max(self.missing_from));
        let waited = since.map(|since| self.now_seconds().saturating_sub(since));
        self.remove_after.is_zero()
            || waited.is_some_and(|waited| u64::from(waited) >= self.remove_after.as_secs())
    }

    /// Returns the time of the plan in unix seconds, as entries hold it.
    pub fn now_seconds(&self) -> u32 {
        seconds(self.now)
    }
}

fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_second()).unwrap_or(u32::MAX)
}

/// Returns whether no run has ended well yet. A clean-up is never a first run: it has something to
/// remove wherever anything was delivered.
pub fn is_first_run(options: &RunOptions, memo: &SyncMemo) -> bool {
    memo.last_success_at.is_none() && options.purpose == RunPurpose::Sync
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
    /// The largest cursor before the warehouse's now, in unix microseconds.
    pub cursor: Option<i64>,
    /// The content of a collection; `None` for any other entity.
    pub content: Option<Content>,
    /// Whether rows were found again that had been missing.
    pub has_returned: bool,
}

impl Planned {
    /// Returns the numbers as they are told: rows outside of the window that were refused before
    /// are still not accepted. Guards look at what was read alone.
    pub fn told_counts(&self) -> RunCounts {
        let RunCounts { invalid, .. } = self.counts;
        RunCounts { invalid: invalid + self.invalid.unread(), ..self.counts }
    }
}

/// What a planner starts with.
pub struct PlannerParts {
    /// The Sync.
    pub pipeline: Arc<Pipeline>,
    /// The rules of the run.
    pub rules: PlanRules,
    /// The compiled mapping.
    pub mapper: Mapper,
    /// Whether every row is read, and not those of a window only.
    pub reads_all: bool,
    /// The warehouse's now, in unix microseconds, where rows carry a cursor.
    pub clock: Option<i64>,
    /// The remembered rows; `None` where there is no state.
    pub snapshot: Option<SnapshotReader>,
    /// Where changes go.
    pub spool: SpoolWriter,
    /// Where targets are gathered.
    pub targets: TargetCheck,
    /// What is known of rows that were refused.
    pub rejected: Arc<RejectedRows>,
    /// Where the content of a collection is gathered; `None` for any other entity.
    pub content: Option<Content>,
    /// Who watches.
    pub progress: watch::Sender<Progress>,
}

/// Returns whether two rows of a read may mean one target although their keys differ, and must not.
pub fn targets_may_repeat(mapper: &Mapper) -> bool {
    let may_repeat =
        !mapper.target_is_key() || mapper.target_kind().identifier == IdentifierKind::Email;
    may_repeat && !mapper.makes_events()
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
    let all = Box::pin(async {
        while let Some(batch) = rows.next().await? {
            planner.observe(&batch).await?;
            rows.give_back(batch);
            if let Some(guards) = watched {
                check_invalid(guards, planner.counts(), bounds.run)?;
            }
        }
        planner.finish(others).await
    });
    bounded(all, bounds.halt, bounds.deadline, &pipeline).await
}
