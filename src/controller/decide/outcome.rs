//! What a run that ended leaves in the status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::condition::ConditionStatus;
use crate::api::sync_status::{Blocked, BlockedCounts, RunSummary};
use crate::controller::decide::decision::{EventReason, Trigger};
use crate::controller::decide::draft::{Draft, time, whole_second};
use crate::controller::decide::ready::{Ready, blocked_phrase, disposition_of, ended_well, word};
use crate::controller::decide::text::{count, sentences};
use crate::controller::decide::view::{CancelCause, Ended};
use crate::controller::decide::{retry, slots};
use crate::model::{Disposition, Reason, RunCounts, RunReport, RunResult};

/// Takes a run's end into the status, and says whether it did: the same end twice is taken once.
pub(super) fn fold(draft: &mut Draft<'_>, ended: &Ended) -> bool {
    // A slot that was skipped since then may stand above it.
    let mut known = draft.status.last_run.iter().chain(&draft.status.history);
    if known.any(|run| run.id == ended.report.id.0) {
        return false;
    }
    draft.status.current_run = None;
    draft.status.next_retry_time = None;
    slots::overlap(draft, ended.report.finished_at);
    note_numbers(draft, ended);
    let before = draft.status.last_run.clone();
    let result = result(ended);
    remember(draft, summary(&ended.report, result, ended.trigger, ended.request.clone()));
    match result {
        RunResult::Succeeded | RunResult::NoChanges | RunResult::PartiallySucceeded => {
            well(draft, ended, before.as_ref());
        }
        RunResult::Blocked => blocked(draft, ended),
        RunResult::Failed => failed(draft, ended, before.as_ref()),
        RunResult::Interrupted if draft.ready.status == ConditionStatus::Unknown => {
            let goes_on = "wait: the run was interrupted and goes on";
            draft.ready = Ready::unknown("Interrupted", &[goes_on]);
        }
        RunResult::Cancelled if draft.ready.status == ConditionStatus::Unknown => {
            draft.ready = Ready::cancelled();
        }
        RunResult::Interrupted | RunResult::Cancelled | RunResult::Skipped => {}
    }
    true
}

/// Returns how a run counts: one that was stopped for a person's sake is not started again.
fn result(ended: &Ended) -> RunResult {
    match (ended.report.result, ended.cancelled) {
        (
            RunResult::Interrupted,
            Some(CancelCause::Requested | CancelCause::Suspended | CancelCause::Deleted),
        ) => RunResult::Cancelled,
        (result, _) => result,
    }
}

/// Returns a run as the status keeps it.
pub(super) fn summary(
    report: &RunReport,
    result: RunResult,
    trigger: Trigger,
    request: Option<String>,
) -> RunSummary {
    let RunCounts {
        rows_read,
        added,
        changed,
        removed,
        unchanged,
        refreshed,
        kept,
        // The status has no such field: the rows are still remembered.
        missing: _,
        delivered,
        invalid,
        rejected,
        retried,
        requests,
    } = report.counts;
    RunSummary {
        id: report.id.0.clone(),
        trigger: Some(trigger.to_string()),
        request,
        started_at: time(report.started_at),
        finished_at: time(report.finished_at),
        result: result.as_str().to_owned(),
        reason: report.reason.map(|reason| reason.as_str().to_owned()),
        rows_read: signed(rows_read),
        added: signed(added),
        changed: signed(changed),
        removed: signed(removed),
        unchanged: signed(unchanged),
        refreshed: signed(refreshed),
        kept: signed(kept),
        delivered: signed(delivered),
        invalid: signed(invalid),
        rejected: signed(rejected),
        retried: signed(retried),
        requests: signed(requests),
    }
}

/// Puts a run on top of the history.
pub(super) fn remember(draft: &mut Draft<'_>, run: RunSummary) {
    let limit = usize::try_from(draft.spec().history_limit).unwrap_or(usize::MAX);
    draft.status.history.insert(0, run.clone());
    draft.status.history.truncate(limit);
    draft.status.last_run = Some(run);
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn note_numbers(draft: &mut Draft<'_>, ended: &Ended) {
    if let Some(rows) = ended.snapshot_rows {
        draft.status.snapshot_rows = Some(signed(rows));
    }
    if let Some(rows) = ended.parked_rows {
        draft.status.parked_rows = Some(signed(rows));
    }
    if ended.secret_versions.is_empty() {
        return;
    }
    let known = &draft.status.observed_secret_versions;
    let rotated: Vec<&str> = ended
        .secret_versions
        .iter()
        .filter(|(name, version)| known.get(*name).is_some_and(|known| known != *version))
        .map(|(name, _)| name.as_str())
        .collect();
    if !rotated.is_empty() {
        let what = format!("the run used a new version of {}", rotated.join(", "));
        draft.notice(EventReason::SecretRotated, &[&what]);
    }
    draft.status.observed_secret_versions = ended.secret_versions.clone();
}

fn well(draft: &mut Draft<'_>, ended: &Ended, before: Option<&RunSummary>) {
    let had_failed = draft.status.consecutive_failures.unwrap_or(0) > 0
        || before.is_some_and(|run| matches!(run.result.as_str(), "Failed" | "Blocked"));
    draft.status.last_successful_time = time(ended.report.finished_at);
    draft.status.consecutive_failures = Some(0);
    draft.status.blocked = None;
    let Some(run) = draft.status.last_run.clone() else { return };
    draft.ready = ended_well(&run);
    draft.ready.message = sentences(&[&draft.ready.message, &ended.report.message]);
    let what =
        format!("{} of {} delivered", count(run.delivered, "change"), count(run.rows_read, "row"));
    if had_failed {
        draft.notice(EventReason::RunRecovered, &[&what]);
    }
    match ended.report.result {
        RunResult::PartiallySucceeded
            if before.is_none_or(|before| before.result != run.result) =>
        {
            let refused = format!("{} invalid, {} rejected", run.invalid, run.rejected);
            draft.notice(EventReason::RunPartiallySucceeded, &[&what, &refused]);
        }
        RunResult::Succeeded if !had_failed => {
            draft.notice(EventReason::RunSucceeded, &[&what]);
        }
        _ => {}
    }
}

fn blocked(draft: &mut Draft<'_>, ended: &Ended) {
    let by = ended.blocked.as_ref();
    let id = by.map_or(&ended.report.id, |by| &by.id).0.clone();
    let known = draft.status.blocked.take().filter(|known| known.id == id);
    let is_new = known.is_none();
    let RunCounts { rows_read, added, changed, removed, invalid, rejected, .. } =
        ended.report.counts;
    draft.status.blocked = Some(Blocked {
        id,
        since: known.map_or(Time(whole_second(ended.report.finished_at)), |known| known.since),
        guard: by.map(|by| by.guard.clone()).unwrap_or_default(),
        counts: BlockedCounts {
            rows_read: signed(rows_read),
            added: signed(added),
            changed: signed(changed),
            removed: signed(removed),
            invalid: signed(invalid),
            rejected: signed(rejected),
        },
    });
    let phrase = blocked_phrase(&draft.status);
    if is_new {
        draft.notice(EventReason::GuardTripped, &[&phrase]);
    }
    draft.ready = Ready::no("GuardTripped", &[&phrase], true);
}

fn failed(draft: &mut Draft<'_>, ended: &Ended, before: Option<&RunSummary>) {
    let report = &ended.report;
    let reason = report.reason.unwrap_or(Reason::RunFailed);
    let disposition = ended.disposition.unwrap_or_else(|| disposition_of(reason.as_str()));
    let failures = draft.status.consecutive_failures.unwrap_or(0).saturating_add(1);
    draft.status.consecutive_failures = Some(failures);
    draft.status.last_failure_time = time(report.finished_at);
    let count = u32::try_from(failures).unwrap_or(u32::MAX);
    let retry = &draft.spec().retry;
    let is_tried_again = ended.trigger == Trigger::CleanUp
        || disposition != Disposition::NeedsOperator && retry::is_left(retry, ended.trigger, count);
    if is_tried_again {
        let again = retry::at(retry, ended.trigger, &report.id, report.finished_at);
        draft.status.next_retry_time = time(again);
    }
    let what = match report.message.as_str() {
        "" => format!("the run ended with {}", word(reason)),
        message => message.to_owned(),
    };
    let is_spent = !is_tried_again || count > retry.limit;
    if disposition != Disposition::Transient || is_spent {
        let hint = ended.hint.as_deref().unwrap_or(match disposition {
            Disposition::Transient => "nothing to do if it passes: the next run tries again",
            Disposition::NeedsOperator => "mend the cause: the Sync is tried again when it changes",
            Disposition::Bug => "please report this",
        });
        let is_stalled = disposition != Disposition::Transient;
        draft.ready = Ready::no(word(reason), &[hint, &what], is_stalled);
    }
    let is_news = before.is_none_or(|before| {
        before.result != RunResult::Failed.as_str()
            || before.reason.as_deref() != Some(reason.as_str())
    });
    let name = match reason {
        Reason::StateLost => EventReason::StateLost,
        _ => EventReason::RunFailed,
    };
    let has_given_up = is_spent && count == retry.limit.saturating_add(1);
    if is_news || has_given_up {
        draft.notice(name, &[&what, ended.hint.as_deref().unwrap_or_default()]);
    }
}
