//! What becomes of a Sync that is being deleted.
//!
//! Nothing, unless its policy is Delete: then its finalizer holds it until every row of its
//! snapshot was treated as `onRemove` says, within limits, and for an hour at most.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api;
use crate::api::guards::Limit;
use crate::api::sync::DeletionPolicy;
use crate::api::sync_status::{Blocked, BlockedCounts, CurrentRun, RunSummary};
use crate::controller::decide::asks::APPROVE;
use crate::controller::decide::decision::{EventReason, Step, Trigger};
use crate::controller::decide::draft::{Draft, plus, time, written};
use crate::controller::decide::outcome::signed;
use crate::controller::decide::ready::Ready;
use crate::controller::decide::start::{QUEUED, next_run_id};
use crate::controller::decide::text::count;
use crate::controller::decide::view::{CancelCause, SuspendedBy};

/// Our finalizer, on Syncs whose `deletionPolicy` is Delete.
pub const FINALIZER: &str = "ciosync.dev/cleanup";
/// Set to `true`, it lets a deleted Sync go at once; its rows stay in Customer.io.
pub const SKIP_CLEANUP: &str = "ciosync.dev/skip-cleanup";
/// What `ciosync.dev/approve` says to let a cleanup pass its guard.
pub const CLEANUP: &str = "cleanup";

/// How long a cleanup may take, approval included, before the Sync goes all the same.
pub const CLEANUP_DEADLINE: SignedDuration = SignedDuration::from_hours(1);

/// How soon to look again for what can't be known now.
const POLL: SignedDuration = SignedDuration::from_secs(30);

/// Percents never trip on so few rows. Source: the guards of a run.
const PERCENT_ROWS_MIN: u64 = 10;

/// Returns whether a Sync carries our finalizer.
pub fn has_finalizer(sync: &api::Sync) -> bool {
    sync.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER)
}

/// Decides about a Sync that is being deleted. Returns whether time changes nothing any more.
pub(super) fn settle(draft: &mut Draft<'_>) -> bool {
    if let Some(running) = draft.running {
        draft.status.current_run = Some(super::decide::current_run(running));
        if running.trigger != Trigger::CleanUp && running.cancelled.is_none() {
            let run = running.id.clone();
            draft.before.push(Step::Cancel { run, cause: CancelCause::Deleted });
        }
    }
    draft.status.next_schedule_time = None;
    if !has_finalizer(draft.view.sync) {
        return true;
    }
    if draft.spec().deletion_policy == DeletionPolicy::Orphan || is_clean(draft) {
        draft.after.push(Step::RemoveFinalizer);
        return true;
    }
    if let Some(why) = given_up(draft) {
        abandon(draft, &why);
        return true;
    }
    draft.wakes.extend(deadline(draft));
    if draft.running.is_none() {
        go_on(draft);
    }
    false
}

fn deadline(draft: &Draft<'_>) -> Option<Timestamp> {
    let deleted_at = draft.view.sync.metadata.deletion_timestamp.as_ref()?;
    Some(plus(deleted_at.0, CLEANUP_DEADLINE))
}

/// Returns the last run where it was a cleanup.
fn last_cleanup<'d>(draft: &'d Draft<'_>) -> Option<&'d RunSummary> {
    draft.status.last_run.as_ref().filter(|run| run.trigger.as_deref() == Some(CLEANUP))
}

fn is_clean(draft: &Draft<'_>) -> bool {
    let is_well = |run: &RunSummary| {
        matches!(run.result.as_str(), "Succeeded" | "NoChanges" | "PartiallySucceeded")
    };
    last_cleanup(draft).is_some_and(is_well)
}

/// Returns why the rows stay in Customer.io.
fn given_up(draft: &Draft<'_>) -> Option<String> {
    let deletion = draft.view.deletion.clone().unwrap_or_default();
    if draft.annotation(SKIP_CLEANUP) == Some("true") {
        return Some(format!("the annotation {SKIP_CLEANUP} says so"));
    }
    if deletion.is_namespace_terminating {
        return Some("its namespace is being deleted".to_owned());
    }
    if deletion.connection_gone.is_some() {
        return deletion.connection_gone;
    }
    let is_late = deadline(draft).is_some_and(|deadline| draft.view.now >= deadline);
    is_late.then(|| "the cleanup did not end within an hour".to_owned())
}

fn abandon(draft: &mut Draft<'_>, why: &str) {
    if let Some(running) = draft.running
        && running.cancelled.is_none()
        && running.trigger == Trigger::CleanUp
    {
        let run = running.id.clone();
        draft.before.push(Step::Cancel { run, cause: CancelCause::Deleted });
    }
    let what = format!("the rows that were delivered stay in Customer.io: {why}");
    draft.notice(EventReason::CleanupAbandoned, &[&what]);
    draft.after.push(Step::RemoveFinalizer);
}

/// Starts the cleanup, goes on with one, or waits for approval.
fn go_on(draft: &mut Draft<'_>) {
    let is_held_back = draft.view.is_stopping
        || draft.view.spec.is_err()
        || draft.view.suspended == Some(SuspendedBy::Connection);
    let rows = draft.view.deletion.as_ref().and_then(|deletion| deletion.snapshot_rows);
    let (false, Some(rows)) = (is_held_back, rows) else {
        draft.wakes.push(plus(draft.view.now, POLL));
        return;
    };
    if let Some(result) = last_cleanup(draft).map(|run| run.result.clone()) {
        // It passed its guard when it began.
        let is_due =
            draft.status.next_retry_time.as_ref().is_none_or(|again| again.0 <= draft.view.now);
        if is_due && matches!(result.as_str(), "Failed" | "Interrupted") {
            clean_up(draft);
        }
        return;
    }
    if rows == 0 {
        nothing_to_remove(draft);
    } else if !trips(draft, rows) {
        clean_up(draft);
    } else if is_approved(draft) {
        draft.status.last_handled_approval = Some(CLEANUP.to_owned());
        draft.notice(EventReason::Approved, &["the cleanup was approved"]);
        clean_up(draft);
    } else {
        block(draft, rows);
    }
}

/// Lets the Sync go. Where the status counts rows that the state store doesn't know, they stay, and
/// that is told.
fn nothing_to_remove(draft: &mut Draft<'_>) {
    let counted = draft.status.snapshot_rows.unwrap_or(0);
    if counted > 0 {
        let counted = count(counted, "row");
        abandon(draft, &format!("the state store remembers none of {counted}"));
    } else {
        draft.after.push(Step::RemoveFinalizer);
    }
}

/// Returns whether the guard on removals holds a cleanup of so many rows, which is all there are.
fn trips(draft: &Draft<'_>, rows: u64) -> bool {
    let spec = draft.spec();
    match spec.guards.with_defaults(spec.behavior).max_removed {
        Some(Limit::Rows(limit)) => rows > limit,
        Some(Limit::Percent(percent)) => rows > PERCENT_ROWS_MIN && percent < 100.0,
        None => false,
    }
}

/// Returns whether a person approved the cleanup. An approval that was there before the Sync was
/// deleted has been echoed, and doesn't count.
fn is_approved(draft: &Draft<'_>) -> bool {
    draft.annotation(APPROVE) == Some(CLEANUP)
        && draft.status.last_handled_approval.as_deref() != Some(CLEANUP)
}

fn block(draft: &mut Draft<'_>, rows: u64) {
    let is_echoed = draft.status.last_handled_approval.as_deref() == Some(CLEANUP);
    if is_echoed && draft.annotation(APPROVE).is_none() {
        // The old approval was taken away: one that comes now is a new one.
        draft.status.last_handled_approval = None;
    }
    let known = draft.status.blocked.take().filter(|blocked| blocked.id == CLEANUP);
    let is_new = known.is_none();
    draft.status.blocked = Some(Blocked {
        id: CLEANUP.to_owned(),
        since: known.map_or(Time(draft.stamp), |known| known.since),
        guard: "maxRemoved".to_owned(),
        counts: BlockedCounts { removed: signed(rows), ..BlockedCounts::default() },
    });
    let until = deadline(draft).map(written).unwrap_or_default();
    let phrase = format!(
        "annotate the Sync with `{APPROVE}: {CLEANUP}` to remove its {rows} rows from Customer.io, \
         or with `{SKIP_CLEANUP}: \"true\"` to leave them there. maxRemoved holds the cleanup; at \
         {until} the Sync goes and its rows stay"
    );
    if is_new {
        draft.notice(EventReason::CleanupBlocked, &[&phrase]);
    }
    draft.ready = Ready::no("GuardTripped", &[&phrase], true);
}

fn clean_up(draft: &mut Draft<'_>) {
    let run = next_run_id(draft, CLEANUP, "");
    draft.status.blocked = None;
    draft.status.next_retry_time = None;
    draft.status.current_run = Some(CurrentRun {
        id: run.0.clone(),
        trigger: Some(Trigger::CleanUp.to_string()),
        started_at: time(draft.stamp),
        phase: Some(QUEUED.to_owned()),
        ..CurrentRun::default()
    });
    draft.after.push(Step::CleanUp { run });
}
