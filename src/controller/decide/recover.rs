//! Runs whose end the status doesn't know: the process that ran them is gone, or the status was
//! lost.

use std::collections::BTreeMap;

use crate::api;
use crate::api::sync_status::{CurrentRun, RunSummary};
use crate::controller::decide::asks;
use crate::controller::decide::decision::Trigger;
use crate::controller::decide::deletion::CLEANUP;
use crate::controller::decide::draft::{Draft, time};
use crate::controller::decide::outcome::{fold, summary};
use crate::controller::decide::ready::{disposition_of, from_runs};
use crate::controller::decide::view::{CancelCause, Ended};
use crate::model::{RunCounts, RunId, RunReport, RunResult, SyncId};

/// Returns whether [`View::recorded`](super::View::recorded) is looked at: where the Sync has no
/// status yet, or its status names a run that is not in this process.
pub fn needs_recorded(sync: &api::Sync, running: Option<&RunId>) -> bool {
    let Some(status) = &sync.status else { return true };
    let is_first_look = status.observed_generation.is_none_or(|generation| generation < 0);
    is_first_look
        || status.current_run.as_ref().is_some_and(|run| running.is_none_or(|id| id.0 != run.id))
}

/// Brings in what the status doesn't know of.
pub(super) fn recover(draft: &mut Draft<'_>) {
    if draft.seen_generation.is_none() && draft.status.last_run.is_none() {
        rebuild(draft);
    }
    let Some(run) = draft.status.current_run.clone() else { return };
    if draft.running.is_none() {
        let ended = lost_run(draft, &run);
        fold(draft, &ended);
    }
}

/// Writes a lost status anew from the runs in the state store. Runs from before the resource was
/// made belong to one of the same name that is gone: a new resource starts as a new one. The time
/// at which it was made has whole seconds, so a run of that second counts as such.
fn rebuild(draft: &mut Draft<'_>) {
    let made_at = draft.view.sync.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let runs: Vec<&RunReport> = draft
        .view
        .recorded
        .iter()
        .filter(|run| made_at.is_none_or(|at| run.started_at.as_second() > at.as_second()))
        .collect();
    let limit = usize::try_from(draft.spec().history_limit).unwrap_or(usize::MAX);
    // What started them is not recorded.
    let summaries = runs.iter().map(|run| RunSummary {
        trigger: None,
        ..summary(run, run.result, Trigger::Schedule, None)
    });
    draft.status.history = summaries.clone().take(limit).collect();
    draft.status.last_run = summaries.clone().next();
    if runs.is_empty() {
        return;
    }
    let newest = |is_wanted: fn(RunResult) -> bool| {
        runs.iter().find(|run| is_wanted(run.result)).and_then(|run| time(run.finished_at))
    };
    draft.status.last_successful_time = newest(RunResult::ended_well);
    draft.status.last_failure_time = newest(|result| result == RunResult::Failed);
    let failures = runs
        .iter()
        .take_while(|run| !run.result.ended_well())
        .filter(|run| run.result == RunResult::Failed)
        .count();
    draft.status.consecutive_failures = Some(i32::try_from(failures).unwrap_or(i32::MAX));
    draft.ready = from_runs(draft);
}

/// Returns how a run ended that the status names and nobody runs: as the state store has it, else
/// it was interrupted.
fn lost_run(draft: &Draft<'_>, run: &CurrentRun) -> Ended {
    let recorded = draft.view.recorded.iter().find(|report| report.id.0 == run.id);
    let report = recorded.cloned().unwrap_or_else(|| interrupted(draft, run));
    let is_cancelled = asks::is_cancelled(draft, &run.id);
    Ended {
        disposition: report.reason.map(|reason| disposition_of(reason.as_str())),
        report,
        trigger: run.trigger.as_deref().and_then(Trigger::parse).unwrap_or(Trigger::Schedule),
        request: run.request.clone(),
        hint: None,
        cancelled: if is_cancelled {
            Some(CancelCause::Requested)
        } else {
            // A clean-up goes on all the same.
            draft
                .view
                .suspended
                .filter(|_| run.trigger.as_deref() != Some(CLEANUP))
                .map(|_| CancelCause::Suspended)
        },
        blocked: None,
        secret_versions: BTreeMap::new(),
        snapshot_rows: None,
        parked_rows: None,
    }
}

fn interrupted(draft: &Draft<'_>, run: &CurrentRun) -> RunReport {
    let metadata = &draft.view.sync.metadata;
    let unsigned = |number: Option<i64>| number.and_then(|it| u64::try_from(it).ok()).unwrap_or(0);
    RunReport {
        id: RunId(run.id.clone()),
        trigger: run.trigger.clone(),
        request: run.request.clone(),
        sync: SyncId::new(
            metadata.namespace.clone().unwrap_or_default(),
            metadata.name.clone().unwrap_or_default(),
        ),
        started_at: run.started_at.as_ref().map_or(draft.stamp, |time| time.0),
        finished_at: draft.stamp,
        result: RunResult::Interrupted,
        reason: None,
        message: String::new(),
        counts: RunCounts {
            rows_read: unsigned(run.rows_read),
            delivered: unsigned(run.delivered),
            ..RunCounts::default()
        },
    }
}
