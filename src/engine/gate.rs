//! The gate between planning and delivering, and the bounds of both.

use std::future::Future;
use std::time::Instant;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::error::RunError;
use super::pipeline::{InitialRun, Pipeline};
use super::plan::Planned;
use super::session::Prepared;
use crate::diff::{GuardInput, Guards, Tripped};
use crate::model::{RunCounts, RunId};
use crate::state::store::{Blocked, SyncMemo};

/// Rows read from which on `maxInvalid` is watched while a run sends as it reads.
const INVALID_WATCHED_FROM: u64 = 1_000;

/// What ends a run early.
pub struct Bounds<'a> {
    /// Ends it at once.
    pub halt: &'a CancellationToken,
    /// When its time is over.
    pub deadline: Instant,
    /// The run, whose id a person approves.
    pub run: &'a RunId,
}

/// Returns whether sending must wait for the whole plan. It need not only where nothing can come
/// of the rest of the plan that would have stopped the run.
pub(super) fn needs_whole_plan(pipeline: &Pipeline, prepared: &Prepared) -> bool {
    if pipeline.appends() {
        // An event is never taken back, and never depends on another row.
        return pipeline.guards.need_whole_plan()
            || (prepared.is_first_run && pipeline.initial_run == InitialRun::Review);
    }
    !prepared.is_first_run
        || pipeline.collection.is_some()
        || pipeline.initial_run != InitialRun::Backfill
        || !pipeline.record.operation.holds_target()
        || pipeline.guards.need_whole_plan()
        || prepared.targets_may_repeat
}

/// Says whether the plan may go out.
///
/// # Errors
/// The guard that stops it, or the review that a first run waits for.
pub(super) fn check(
    pipeline: &Pipeline,
    planned: &Planned,
    prepared: &Prepared,
    run: &RunId,
) -> Result<(), RunError> {
    let blocked = prepared.memo.blocked.as_ref();
    let approved = blocked.filter(|blocked| blocked.approved).map(|blocked| &blocked.counts);
    let input = GuardInput {
        counts: &planned.counts,
        snapshot_rows: planned.snapshot_rows,
        is_first_run: prepared.is_first_run,
        operation: pipeline.record.operation,
        approved,
    };
    if let Some(tripped) = pipeline.guards.check(&input) {
        let blocked_id = blocked_id(&prepared.memo, tripped.guard, run);
        return Err(RunError::Guard { tripped, blocked_id });
    }
    if prepared.is_first_run && pipeline.initial_run == InitialRun::Review && approved.is_none() {
        let blocked_id = blocked_id(&prepared.memo, REVIEW, run);
        return Err(RunError::Review { blocked_id });
    }
    Ok(())
}

/// The name under which a review is kept beside the guards.
pub const REVIEW: &str = "initialRun";

/// While one guard keeps blocking, the id of the first blocked run is what is approved.
fn blocked_id(memo: &SyncMemo, guard: &str, run: &RunId) -> RunId {
    match &memo.blocked {
        Some(blocked) if blocked.guard == guard => blocked.id.clone(),
        Some(_) | None => run.clone(),
    }
}

/// Says whether too many rows are invalid already, while the rest is still being read.
///
/// # Errors
/// The guard.
pub fn check_invalid(guards: &Guards, counts: &RunCounts, run: &RunId) -> Result<(), RunError> {
    let Some(limit) = guards.max_invalid else { return Ok(()) };
    let RunCounts { rows_read, invalid, .. } = *counts;
    if rows_read < INVALID_WATCHED_FROM || !limit.is_exceeded(invalid, rows_read) {
        return Ok(());
    }
    let tripped = Tripped {
        guard: "maxInvalid",
        limit: limit.to_string(),
        actual: invalid,
        base: rows_read,
        what: "rows read are invalid",
    };
    Err(RunError::Guard { tripped, blocked_id: run.clone() })
}

/// Returns what to remember of a run that was blocked; `None` for any other end.
pub fn blocked(
    error: &RunError,
    run: &RunId,
    counts: &RunCounts,
    memo: &SyncMemo,
) -> Option<Blocked> {
    let (guard, id) = match error {
        RunError::Guard { tripped, blocked_id } => (tripped.guard, blocked_id),
        RunError::Review { blocked_id } => (REVIEW, blocked_id),
        _ => return None,
    };
    let since = match &memo.blocked {
        Some(blocked) if blocked.id == *id && *id != *run => blocked.since,
        Some(_) | None => Timestamp::now(),
    };
    let guard = guard.to_owned();
    Some(Blocked { id: id.clone(), since, guard, counts: *counts, approved: false })
}

/// Carries out a part of a run inside its bounds.
///
/// # Errors
/// As the part itself, and where a bound ended it.
pub async fn bounded<T>(
    part: impl Future<Output = Result<T, RunError>>,
    halt: &CancellationToken,
    deadline: Instant,
    pipeline: &Pipeline,
) -> Result<T, RunError> {
    tokio::select! {
        done = part => done,
        () = halt.cancelled() => Err(RunError::Stopped),
        () = tokio::time::sleep_until(deadline.into()) => Err(RunError::Timeout(pipeline.timeout)),
    }
}
