//! Which run starts now, if any.

use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;
use xxhash_rust::xxh3::xxh3_128;

use crate::api::condition::ConditionStatus;
use crate::api::sync_status::{CurrentRun, RunSummary};
use crate::controller::decide::asks::{self, Asks};
use crate::controller::decide::decision::{EventReason, Start, Step, Trigger};
use crate::controller::decide::draft::{
    Draft, LOOK_AGAIN_MAX, length, plus, second_after, time, written,
};
use crate::controller::decide::ready::Ready;
use crate::controller::decide::request::RequestKind;
use crate::controller::decide::view::{Hold, References, View};
use crate::controller::decide::{outcome, retry, slots};
use crate::model::{Reason, RunCounts, RunId, RunReport, RunResult, SyncId};
use crate::schedule::Schedule;

/// How soon a Sync that waits for others looks again, should word of them get lost.
const DEPENDENCY_POLL: SignedDuration = SignedDuration::from_secs(30);

/// The phase of a run that waits for its place in the pool.
pub(super) const QUEUED: &str = "queued";

/// What a run is started for.
struct Cause {
    trigger: Trigger,
    request: Option<String>,
    full_resync: bool,
    approve: Option<RunId>,
}

impl Cause {
    fn of(trigger: Trigger) -> Self {
        Self { trigger, request: None, full_resync: false, approve: None }
    }
}

/// Returns whether a run could start.
fn is_open(draft: &Draft<'_>) -> bool {
    let View { is_stopping, suspended, spec, references, .. } = draft.view;
    draft.running.is_none()
        && !is_stopping
        && suspended.is_none()
        && spec.is_ok()
        && *references == References::Usable
}

/// Starts the run that is due, if one is and nothing holds it back. `is_edited` says that the spec
/// changed since the last look.
pub(super) fn choose(draft: &mut Draft<'_>, asks: Asks, is_edited: bool) {
    if !is_open(draft) {
        return;
    }
    if !waited_too_long(draft) {
        slots::pass_expired(draft);
    }
    let cause = interrupted(draft)
        .or_else(|| approved(draft, &asks))
        .or_else(|| requested(draft, &asks))
        .or_else(|| due(draft, is_edited))
        .or_else(|| tried_again(draft))
        .or_else(|| reference_changed(draft))
        .or_else(|| looked_up_again(draft));
    if let Some(cause) = cause {
        start(draft, cause);
    }
}

/// An interrupted run starts again at once, for what it was started.
fn interrupted(draft: &Draft<'_>) -> Option<Cause> {
    let last = last(draft, &["Interrupted"])?;
    let trigger = last.trigger.as_deref().and_then(Trigger::parse).unwrap_or(Trigger::Schedule);
    let approve = draft.status.last_handled_approval.clone().map(RunId);
    Some(Cause {
        trigger,
        full_resync: trigger == Trigger::FullResync || is_full_resync(draft, last),
        request: last.request.clone(),
        approve: approve.filter(|_| trigger == Trigger::Approval),
    })
}

fn approved(draft: &mut Draft<'_>, asks: &Asks) -> Option<Cause> {
    let id = asks.approve.as_ref()?;
    asks::started(draft, RequestKind::Approve, id);
    let what = format!("run {id} was approved: a run may pass the guard that stopped it");
    draft.notice(EventReason::Approved, &[&what]);
    Some(Cause {
        request: Some(id.clone()),
        approve: Some(RunId(id.clone())),
        ..Cause::of(Trigger::Approval)
    })
}

fn requested(draft: &mut Draft<'_>, asks: &Asks) -> Option<Cause> {
    let token = asks.run.as_ref()?;
    let trigger = asks::start_run(draft, token, asks.full_resync.as_deref());
    Some(Cause {
        request: Some(token.clone()),
        full_resync: trigger == Trigger::FullResync,
        ..Cause::of(trigger)
    })
}

/// Returns why a slot that is due starts a run, if what it depends on lets it.
fn due(draft: &mut Draft<'_>, is_edited: bool) -> Option<Cause> {
    slots::due(draft, draft.view.now)?;
    let is_slot = !matches!(draft.view.spec, Ok(Schedule::OnRequest)) && !slots::never_ran(draft);
    let is_first = slots::never_ran(draft) && !matches!(draft.view.spec, Ok(Schedule::Cron(_)));
    if !dependencies_let(draft, is_slot || !is_first) {
        return None;
    }
    let trigger = match &draft.view.spec {
        _ if is_first => Trigger::Initial,
        _ if is_edited => Trigger::SpecChange,
        Ok(Schedule::OnRequest) => Trigger::SpecChange,
        _ => Trigger::Schedule,
    };
    Some(Cause::of(trigger))
}

/// Skips a slot that waited for the Syncs of `dependsOn` until its deadline had passed. One whose
/// deadline passed longer ago was not waiting: nobody looked.
fn waited_too_long(draft: &mut Draft<'_>) -> bool {
    let now = draft.view.now;
    let Some(due) = slots::due(draft, now).filter(|due| due.is_expired) else { return false };
    let deadline = draft.spec().starting_deadline.map(length).unwrap_or_default();
    let waited_for = named(draft, Hold::Wait);
    if waited_for.is_empty() || plus(plus(due.slot, deadline), LOOK_AGAIN_MAX) < now {
        return false;
    }
    slots::pass(draft, due);
    skip(draft, due.slot, &format!("{waited_for} did not end in time"));
    true
}

/// Returns the names of the Syncs of `dependsOn` that stand so.
fn named(draft: &Draft<'_>, hold: Hold) -> String {
    let those = draft.view.dependencies.iter().filter(|it| it.hold == hold);
    those.map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Returns whether the Syncs of `dependsOn` let a run start. A slot that they can't serve any more
/// is skipped.
fn dependencies_let(draft: &mut Draft<'_>, may_skip: bool) -> bool {
    let (failed, waited_for) = (named(draft, Hold::Failed), named(draft, Hold::Wait));
    if failed.is_empty() && waited_for.is_empty() {
        return true;
    }
    draft.wakes.push(plus(draft.view.now, DEPENDENCY_POLL));
    if !may_skip || matches!(draft.view.spec, Ok(Schedule::OnRequest)) {
        return false;
    }
    let Some(due) = slots::due(draft, draft.view.now) else { return false };
    if !failed.is_empty() {
        slots::pass(draft, due);
        skip(draft, due.slot, &format!("{failed} did not end well"));
    } else if due.earlier > 0 {
        // The wait of the earlier slots ended with the next one; the latest one waits on.
        slots::pass(draft, slots::Due { earlier: due.earlier - 1, ..due });
        slots::set_next(draft, Some(due.slot));
        skip(draft, due.slot, &format!("{waited_for} did not end in time"));
    } else if let Some(deadline) = draft.spec().starting_deadline {
        // The deadline itself is still in time.
        draft
            .wakes
            .push(plus(due.slot, length(deadline).saturating_add(SignedDuration::from_secs(1))));
    }
    false
}

/// Puts a slot that is not served into the history.
fn skip(draft: &mut Draft<'_>, slot: Timestamp, why: &str) {
    let metadata = &draft.view.sync.metadata;
    let report = RunReport {
        id: run_id(draft, "skipped", &written(slot)),
        trigger: None,
        request: None,
        sync: SyncId::new(
            metadata.namespace.clone().unwrap_or_default(),
            metadata.name.clone().unwrap_or_default(),
        ),
        started_at: draft.stamp,
        finished_at: draft.stamp,
        result: RunResult::Skipped,
        reason: Some(Reason::DependencyNotReady),
        message: String::new(),
        counts: RunCounts::default(),
    };
    let run = outcome::summary(&report, report.result, Trigger::Schedule, None);
    outcome::remember(draft, RunSummary { started_at: None, ..run });
    // A retry would run on what the skipped slot could not.
    draft.status.next_retry_time = None;
    let see_to = "see to the Syncs in dependsOn; the next slot tries again";
    let why = format!("this slot was skipped: {why}");
    draft.ready = Ready::no(Reason::DependencyNotReady.as_str(), &[see_to, &why], false);
}

/// Returns the last run where it ended in one of these ways.
fn last<'d>(draft: &'d Draft<'_>, results: &[&str]) -> Option<&'d RunSummary> {
    draft.status.last_run.as_ref().filter(|run| results.contains(&run.result.as_str()))
}

fn tried_again(draft: &Draft<'_>) -> Option<Cause> {
    let due_at = draft.status.next_retry_time.as_ref()?.0;
    let now = draft.view.now;
    // A clock that went back must not hold a retry off for long.
    let latest = plus(now, length(draft.spec().retry.max_backoff));
    let last = last(draft, &["Failed"])?;
    if due_at > now && due_at <= second_after(latest) {
        return None;
    }
    let trigger = last.trigger.as_deref().and_then(Trigger::parse).unwrap_or(Trigger::Schedule);
    Some(Cause {
        request: last.request.clone(),
        full_resync: is_full_resync(draft, last),
        ..Cause::of(Trigger::Retry(retry::tries(trigger).saturating_add(1)))
    })
}

/// Returns whether a run was asked to send every row again.
fn is_full_resync(draft: &Draft<'_>, run: &RunSummary) -> bool {
    run.request.is_some()
        && run.request == draft.status.last_handled_full_resync_at
        && draft.spec().behavior.as_str() != "append"
}

/// A Sync that a person must mend is tried again when something that it names changes.
fn reference_changed(draft: &Draft<'_>) -> Option<Cause> {
    let last = last(draft, &["Failed", "Blocked"])?;
    let changed_at = draft.view.named_changed_at?;
    // The status has whole seconds; a run that started in the one of the change may have started
    // before it or because of it. Its id tells.
    let is_since = match decided_at(&last.id) {
        Some(decided_at) => changed_at > decided_at,
        None => last.started_at.as_ref().is_none_or(|start| second_after(changed_at) > start.0),
    };
    (is_since && draft.ready.status == ConditionStatus::False)
        .then(|| Cause::of(Trigger::ReferenceChange))
}

/// Nobody tells of a ConfigMap that was made or edited: a Sync that lacks a statement of `sqlFrom`
/// which can be used is tried again now and then.
fn looked_up_again(draft: &mut Draft<'_>) -> Option<Cause> {
    draft.spec().model.sql_from.as_ref()?;
    let reasons = [Reason::InvalidSpec, Reason::InvalidQuery, Reason::SchemaDrift];
    let is_meant = |reason: &str| reasons.iter().any(|meant| meant.as_str() == reason);
    let last = last(draft, &["Failed"])?;
    last.reason.as_deref().filter(|reason| is_meant(reason))?;
    let finished_at = last.finished_at.as_ref()?.0;
    let again = plus(finished_at, length(draft.spec().retry.max_backoff));
    draft.wakes.push(again);
    let is_due = again <= draft.view.now && draft.status.next_retry_time.is_none();
    is_due.then(|| Cause::of(Trigger::ReferenceChange))
}

fn start(draft: &mut Draft<'_>, cause: Cause) {
    let slot = slots::serve(draft);
    let Cause { trigger, request, full_resync, approve } = cause;
    let about = request.clone().or_else(|| slot.map(written)).unwrap_or_default();
    let run = next_run_id(draft, &trigger.to_string(), &about);
    draft.status.next_retry_time = None;
    draft.status.current_run = Some(CurrentRun {
        id: run.0.clone(),
        trigger: Some(trigger.to_string()),
        request: request.clone(),
        started_at: time(draft.stamp),
        phase: Some(QUEUED.to_owned()),
        ..CurrentRun::default()
    });
    let is_new_spec = matches!(trigger, Trigger::Initial | Trigger::SpecChange);
    if is_new_spec && draft.ready.status != ConditionStatus::True {
        draft.ready = Ready::unknown("Progressing", &["wait: a run with this spec is under way"]);
    }
    // The run comes before the notes that its request is done with.
    let start = Start { run, trigger, request, full_resync, approve, slot };
    draft.after.insert(0, Step::Start(start));
}

/// Returns the millisecond in which a run was decided, as its id has it.
fn decided_at(run: &str) -> Option<Timestamp> {
    let id = Ulid::from_string(run).ok()?;
    Timestamp::from_millisecond(i64::try_from(id.timestamp_ms()).ok()?).ok()
}

/// Returns the id of a run: a ULID of this moment, whose rest is a hash of what the run is for, so
/// that the same decision made twice names the same run.
fn run_id(draft: &Draft<'_>, trigger: &str, about: &str) -> RunId {
    let now_ms = u64::try_from(draft.view.now.as_millisecond()).unwrap_or(0);
    let text = format!("{}\n{trigger}\n{about}", draft.uid());
    RunId(Ulid::from_parts(now_ms, xxh3_128(text.as_bytes())).to_string())
}

/// Returns the id of a run that starts: [`run_id`], but never that of a run which was decided for
/// the same thing in the same millisecond and has ended already.
pub(super) fn next_run_id(draft: &Draft<'_>, trigger: &str, about: &str) -> RunId {
    let id = run_id(draft, trigger, about);
    let skipped = RunResult::Skipped.as_str();
    let last = draft.status.last_run.as_ref().filter(|last| last.result != skipped);
    match last.filter(|last| decided_at(&last.id) == decided_at(&id.0)) {
        Some(last) => run_id(draft, trigger, &format!("{about}\n{}", last.id)),
        None => id,
    }
}
