//! What Ready says: kept while nothing speaks against it, else worked out from the last runs.

use crate::api::condition::{Condition, ConditionStatus};
use crate::controller::decide::draft::{Draft, written};
use crate::controller::decide::text::{count, sentences};
use crate::controller::decide::view::{Problem, References};
use crate::model::{Disposition, Reason};
use crate::schedule::Schedule;

/// What the condition Ready says, and whether a person must act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) status: ConditionStatus,
    /// Empty only where the resource has no condition yet.
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) is_stalled: bool,
}

impl Ready {
    /// Returns what the conditions say.
    pub(super) fn of(conditions: &[Condition]) -> Self {
        let find = |name: &str| conditions.iter().find(|it| it.condition_type == name);
        let is_stalled = find("Stalled").is_some_and(|it| it.status == ConditionStatus::True);
        let ready = find("Ready");
        Self {
            status: ready.map_or(ConditionStatus::Unknown, |it| it.status),
            reason: ready.map(|it| it.reason.clone()).unwrap_or_default(),
            message: ready.map(|it| it.message.clone()).unwrap_or_default(),
            is_stalled,
        }
    }

    pub(super) fn yes(reason: &str, phrases: &[&str]) -> Self {
        Self::new(ConditionStatus::True, reason, phrases, false)
    }

    pub(super) fn unknown(reason: &str, phrases: &[&str]) -> Self {
        Self::new(ConditionStatus::Unknown, reason, phrases, false)
    }

    /// Returns False, with Stalled where a person must act.
    pub(super) fn no(reason: &str, phrases: &[&str], is_stalled: bool) -> Self {
        Self::new(ConditionStatus::False, reason, phrases, is_stalled)
    }

    fn new(status: ConditionStatus, reason: &str, phrases: &[&str], is_stalled: bool) -> Self {
        Self { status, reason: reason.to_owned(), message: sentences(phrases), is_stalled }
    }

    /// Returns Ready where the only run so far was stopped by a person.
    pub(super) fn cancelled() -> Self {
        let ask =
            "annotate the Sync with `ciosync.dev/requestedAt` to run it: the run was cancelled";
        Self::unknown("Progressing", &[ask])
    }

    /// Returns what a problem makes of Ready.
    pub(super) fn problem(problem: &Problem) -> Self {
        let hint = problem.hint.as_deref().unwrap_or_default();
        let is_stalled = problem.disposition != Disposition::Transient;
        Self::no(word(problem.reason), &[hint, &problem.message], is_stalled)
    }
}

/// Returns the reason under which a Sync's conditions name a cause. A run may fail for causes that
/// belong to its Source or connection; those have one word each here.
pub fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::PermissionDenied => Reason::InvalidQuery.as_str(),
        Reason::RegionMismatch | Reason::WorkspaceMismatch => Reason::ConnectionNotReady.as_str(),
        Reason::RunFailed
        | Reason::SourceNotReady
        | Reason::ConnectionNotReady
        | Reason::DependencyNotReady
        | Reason::RefNotFound
        | Reason::RefNotPermitted
        | Reason::SecretNotFound
        | Reason::SecretKeyMissing
        | Reason::InvalidSpec
        | Reason::InvalidQuery
        | Reason::InvalidSchedule
        | Reason::InvalidTimeZone
        | Reason::SchemaDrift
        | Reason::AuthenticationFailed
        | Reason::RateLimited
        | Reason::GuardTripped
        | Reason::TooManyRejected
        | Reason::AttributeConflict
        | Reason::RemovalUnsafe
        | Reason::SegmentNotFound
        | Reason::Timeout
        | Reason::StateUnavailable
        | Reason::StateLost
        | Reason::StateMismatch
        | Reason::Internal => reason.as_str(),
    }
}

/// Returns what a reason alone says of a cause, where the error itself is gone: after a restart,
/// or when a problem that hid the last run's end has passed.
pub(super) fn disposition_of(reason: &str) -> Disposition {
    match reason {
        "RunFailed" | "SourceNotReady" | "ConnectionNotReady" | "DependencyNotReady"
        | "RateLimited" | "Timeout" | "StateUnavailable" => Disposition::Transient,
        "Internal" => Disposition::Bug,
        _ => Disposition::NeedsOperator,
    }
}

/// Reasons that come from looking at the resources, without a run.
pub(super) const WITHOUT_A_RUN: [&str; 11] = [
    "SegmentNotFound",
    "InvalidSpec",
    "InvalidSchedule",
    "InvalidTimeZone",
    "RefNotFound",
    "RefNotPermitted",
    "SecretNotFound",
    "SecretKeyMissing",
    "SourceNotReady",
    "ConnectionNotReady",
    "AttributeConflict",
];

/// Brings Ready up to date with what is known of the resources.
pub(super) fn look(draft: &mut Draft<'_>) {
    if let Err(problem) = &draft.view.spec {
        draft.ready = Ready::problem(problem);
        return;
    }
    match &draft.view.references {
        References::Broken(problem) => {
            draft.ready = Ready::problem(problem);
            return;
        }
        References::Unproven if draft.status.last_run.is_none() => {
            let wait = "wait until the Source and the connection were probed";
            draft.ready = Ready::unknown("Progressing", &[wait]);
            return;
        }
        References::Unproven | References::Usable => {}
    }
    let is_passed_problem = draft.ready.status == ConditionStatus::False
        && (WITHOUT_A_RUN.contains(&draft.ready.reason.as_str()) || is_passed_outage(draft));
    let is_unsettled = draft.ready.status == ConditionStatus::Unknown
        && draft.status.last_run.is_none()
        && draft.status.current_run.is_none();
    if is_passed_problem || is_unsettled || draft.ready.reason.is_empty() {
        draft.ready = from_runs(draft);
    }
}

/// Gives a Sync that was never looked at, or whose status was lost, the Ready of its last runs.
pub(super) fn begin(draft: &mut Draft<'_>) {
    if draft.ready.reason.is_empty() {
        draft.ready = from_runs(draft);
    }
}

/// Returns whether Ready tells of a state store that could not be asked, which it can now; not where
/// that is how the last run ended.
fn is_passed_outage(draft: &Draft<'_>) -> bool {
    let outage = Reason::StateUnavailable.as_str();
    let last = draft.status.last_run.as_ref();
    draft.ready.reason == outage && last.is_none_or(|run| run.reason.as_deref() != Some(outage))
}

/// Returns what the last runs make of Ready.
pub(super) fn from_runs(draft: &Draft<'_>) -> Ready {
    let status = &draft.status;
    // A cancelled or interrupted run leaves Ready as it was before it.
    let telling = status
        .last_run
        .iter()
        .chain(&status.history)
        .find(|run| !matches!(run.result.as_str(), "Cancelled" | "Interrupted"));
    let Some(run) = telling else {
        return match (&status.last_successful_time, &status.last_failure_time) {
            (Some(success), failure) if failure.as_ref().is_none_or(|it| it < success) => {
                Ready::yes(
                    "Succeeded",
                    &["nothing to do: the last run that was not stopped ended well"],
                )
            }
            (_, Some(_)) => {
                Ready::no("RunFailed", &["wait for the next run: the last one failed"], false)
            }
            _ => before_the_first_run(draft),
        };
    };
    match run.result.as_str() {
        "Succeeded" | "NoChanges" | "PartiallySucceeded" => ended_well(run),
        "Skipped" => Ready::no("DependencyNotReady", &["see to the Syncs in dependsOn"], false),
        "Blocked" => Ready::no("GuardTripped", &[&blocked_phrase(status)], true),
        _ if status.next_retry_time.is_some() && status.last_successful_time.is_some() => {
            Ready::yes("Succeeded", &["wait: the last run failed and is tried again"])
        }
        _ if status.next_retry_time.is_some() => {
            Ready::unknown("Progressing", &["wait: the last run failed and is tried again"])
        }
        _ => {
            let reason = run.reason.as_deref().unwrap_or("RunFailed");
            let is_stalled = disposition_of(reason) != Disposition::Transient;
            if draft.ready.reason == reason && draft.ready.status == ConditionStatus::False {
                return Ready { is_stalled, ..draft.ready.clone() };
            }
            let reason = known(reason);
            Ready::no(
                reason,
                &["mend what the last run failed on", &format!("it ended with {reason}")],
                is_stalled,
            )
        }
    }
}

/// Returns a reason as conditions may carry it; an older status may hold a word of a run.
fn known(reason: &str) -> &str {
    match reason {
        "PermissionDenied" => "InvalidQuery",
        "RegionMismatch" | "WorkspaceMismatch" => "ConnectionNotReady",
        other => other,
    }
}

/// Returns Ready of a Sync that never ran.
pub(super) fn before_the_first_run(draft: &Draft<'_>) -> Ready {
    let next = draft.status.next_schedule_time.as_deref().unwrap_or_default();
    match &draft.view.spec {
        Ok(Schedule::Cron(_)) if next.is_empty() => {
            Ready::yes("Scheduled", &["nothing to do: it waits for its first slot"])
        }
        Ok(Schedule::Cron(_)) => {
            Ready::yes("Scheduled", &[&format!("nothing to do: the first run is at {next}")])
        }
        _ => Ready::unknown("Progressing", &["wait: the first run has not ended yet"]),
    }
}

/// Returns Ready after a run that ended well.
pub(super) fn ended_well(run: &crate::api::sync_status::RunSummary) -> Ready {
    let rows = count(run.rows_read, "row");
    let delivered = count(run.delivered, "change");
    match run.result.as_str() {
        "NoChanges" => {
            Ready::yes("NoChanges", &[&format!("nothing to do: none of {rows} differed")])
        }
        "PartiallySucceeded" => Ready::yes(
            "PartiallySucceeded",
            &[
                &format!(
                    "look at the refused rows with `ciosync get rejections`: {} invalid and {} rejected of {rows}",
                    run.invalid, run.rejected
                ),
                &format!("{delivered} delivered"),
            ],
        ),
        _ => Ready::yes("Succeeded", &[&format!("nothing to do: {delivered} of {rows} delivered")]),
    }
}

/// Returns what to do about a guard.
pub(super) fn blocked_phrase(status: &crate::api::sync_status::SyncStatus) -> String {
    let Some(blocked) = &status.blocked else {
        return "look at the changes with `ciosync plan`: a guard stopped the run".to_owned();
    };
    let counts = &blocked.counts;
    format!(
        "look at the changes with `ciosync plan` and, if they are meant, annotate the Sync with \
         `ciosync.dev/approve: {}`. {} stopped the run since {}: {} read, {} added, {} changed, \
         {} removed, {} invalid",
        blocked.id,
        blocked.guard,
        written(blocked.since.0),
        counts.rows_read,
        counts.added,
        counts.changed,
        counts.removed,
        counts.invalid,
    )
}
