//! The two decisions: what is to be done now, and what after a run has ended.

use crate::api::SyncSpec;
use crate::api::condition::ConditionStatus;
use crate::api::sync::{DeletionPolicy, RetrySpec};
use crate::api::sync_status::CurrentRun;
use crate::controller::decide::asks;
use crate::controller::decide::conditions::{Aspects, Moment, Reconciling};
use crate::controller::decide::decision::{Decision, EventReason, Step, Trigger};
use crate::controller::decide::deletion;
use crate::controller::decide::draft::{Draft, fresh_until, time};
use crate::controller::decide::outcome::{fold, signed};
use crate::controller::decide::ready;
use crate::controller::decide::recover::recover;
use crate::controller::decide::view::{CancelCause, Ended, References, Running, SuspendedBy, View};
use crate::controller::decide::{slots, start};
use crate::model::Disposition;
use crate::schedule::Schedule;

/// Returns what is to be done about a Sync now. Deciding again with nothing new gives the same
/// status and no step.
pub fn decide(view: &View<'_>) -> Decision {
    let mut draft = Draft::new(view, None);
    recover(&mut draft);
    settle(draft, false)
}

/// Returns what a run's end makes of the status, and what comes next. `view.running` may still be
/// that run. Taking the same end twice changes nothing.
pub fn ended(view: &View<'_>, ended: &Ended) -> Decision {
    let mut draft = Draft::new(view, Some(&ended.report.id));
    // What an edit asks for was decided with the end that it brought about, and once is enough.
    let is_news = fold(&mut draft, ended);
    settle(draft, is_news && ended.cancelled == Some(CancelCause::SpecChanged))
}

/// Decides on. `is_outdated` says that the run which ended had an older spec.
fn settle(mut draft: Draft<'_>, is_outdated: bool) -> Decision {
    let generation = draft.generation();
    if draft.view.sync.metadata.deletion_timestamp.is_some() {
        ready::begin(&mut draft);
        let is_final = deletion::settle(&mut draft);
        draft.status.observed_generation = Some(generation);
        conclude(&mut draft);
        return draft.finish(is_final);
    }
    finalizer(&mut draft);
    let is_resumed = note_suspension(&mut draft);
    let mut asks = asks::record(&mut draft);
    slots::refresh(&mut draft);
    let is_edited = is_outdated || draft.seen_generation.is_some_and(|seen| seen != generation);
    draft.status.observed_generation = Some(generation);
    if is_edited && draft.running.is_none() {
        make_edit_due(&mut draft, is_resumed);
    }
    asks::act(&mut draft, &mut asks);
    if let Some(running) = draft.running {
        follow(&mut draft, running);
    }
    ready::look(&mut draft);
    start::choose(&mut draft, asks, is_edited);
    conclude(&mut draft);
    draft.finish(false)
}

/// Sees that the finalizer is there exactly where deleting has something to do.
fn finalizer(draft: &mut Draft<'_>) {
    let has = deletion::has_finalizer(draft.view.sync);
    match draft.spec().deletion_policy {
        DeletionPolicy::Delete if !has => draft.before.push(Step::AddFinalizer),
        DeletionPolicy::Orphan if has => draft.before.push(Step::RemoveFinalizer),
        DeletionPolicy::Delete | DeletionPolicy::Orphan => {}
    }
}

/// Tells of a suspension that began or ended; returns whether it ended.
fn note_suspension(draft: &mut Draft<'_>) -> bool {
    let was = draft.was_true("Suspended");
    match draft.view.suspended {
        Some(by) if !was => {
            let what = match by {
                SuspendedBy::Spec => "the spec says so",
                SuspendedBy::Connection => "its connection is suspended",
                SuspendedBy::Source => "its Source is suspended",
            };
            draft.notice(EventReason::Suspended, &["no runs are started", what]);
            false
        }
        None if was => {
            draft.notice(EventReason::Resumed, &["runs are started again, from now on"]);
            true
        }
        Some(_) | None => false,
    }
}

/// A spec that changed runs at once where no slot would take it up, or where the last run failed.
fn make_edit_due(draft: &mut Draft<'_>, is_resumed: bool) {
    // As written: it counts even where the spec can't be run yet.
    let is_on_request = draft.spec().schedule.is_none() && draft.spec().interval.is_none();
    let has_failed = draft
        .status
        .last_run
        .as_ref()
        .is_some_and(|run| matches!(run.result.as_str(), "Failed" | "Blocked" | "Skipped"));
    let is_held_back = draft.view.suspended.is_some() || is_resumed;
    if is_on_request || has_failed && !is_held_back {
        slots::make_due(draft);
    }
}

/// Follows the run that is under way: shows how far it is, and stops it where it must not go on.
fn follow(draft: &mut Draft<'_>, running: &Running) {
    draft.status.current_run = Some(current_run(running));
    let cause = if draft.view.suspended.is_some() {
        Some(CancelCause::Suspended)
    } else if relevant(&running.spec) != relevant(draft.spec()) {
        Some(CancelCause::SpecChanged)
    } else {
        None
    };
    let is_asked = draft
        .before
        .iter()
        .any(|step| matches!(step, Step::Cancel { run, .. } if *run == running.id));
    if let Some(cause) = cause
        && running.cancelled.is_none()
        && !is_asked
    {
        draft.before.push(Step::Cancel { run: running.id.clone(), cause });
    }
    if cause == Some(CancelCause::SpecChanged) && matches!(draft.view.spec, Ok(Schedule::OnRequest))
    {
        // It may end well before it stops, and no slot would take the new spec up.
        slots::make_due(draft);
    }
    slots::overlap(draft, draft.view.now);
}

pub(super) fn current_run(running: &Running) -> CurrentRun {
    let progress = running.progress;
    CurrentRun {
        id: running.id.0.clone(),
        trigger: Some(running.trigger.to_string()),
        request: running.request.clone(),
        started_at: time(running.started_at),
        phase: Some(progress.map_or(start::QUEUED, |it| it.phase.as_str()).to_owned()),
        rows_read: progress.map(|it| signed(it.rows_read)),
        delivered: progress.map(|it| signed(it.delivered)),
        total: progress.filter(|it| it.is_plan_complete).map(|it| signed(it.planned)),
    }
}

/// Returns the part of a spec that a run depends on: what only says when to run is blanked.
fn relevant(spec: &SyncSpec) -> SyncSpec {
    SyncSpec {
        schedule: None,
        time_zone: String::new(),
        interval: None,
        starting_deadline: None,
        retry: RetrySpec::default(),
        depends_on: Vec::new(),
        freshness: None,
        deletion_policy: DeletionPolicy::default(),
        suspend: false,
        history_limit: 0,
        ..spec.clone()
    }
}

/// Builds the conditions, and notes when time alone changes them.
fn conclude(draft: &mut Draft<'_>) {
    let view = draft.view;
    let reconciling = reconciling(draft);
    if draft.ready.status == ConditionStatus::False
        && reconciling.is_none()
        && view.suspended.is_none()
    {
        draft.ready.is_stalled = true;
    }
    let fresh_until = fresh_until(view.sync, &draft.status, draft.stamp);
    let is_resolved = match &view.references {
        References::Usable | References::Unproven => true,
        References::Broken(problem) => problem.disposition == Disposition::Transient,
    };
    let moment = Moment {
        stamp: draft.stamp,
        now: view.now,
        generation: draft.generation(),
        was: &draft.was,
    };
    draft.status.conditions = moment.build(&Aspects {
        ready: &draft.ready,
        reconciling,
        is_resolved,
        fresh_until,
        suspended: view.suspended,
    });
    draft.wakes.extend(fresh_until);
    draft.wakes.extend(slots::next(draft));
    draft.wakes.extend(draft.status.next_retry_time.as_ref().map(|time| time.0));
}

/// Returns whether something is under way that a person may wait for.
fn reconciling(draft: &Draft<'_>) -> Option<Reconciling> {
    let status = &draft.status;
    let trigger =
        status.current_run.as_ref().and_then(|run| Trigger::parse(run.trigger.as_deref()?));
    if matches!(trigger, Some(Trigger::Initial | Trigger::SpecChange)) {
        return Some(Reconciling::Progressing);
    }
    if draft.view.suspended.is_some() {
        return None;
    }
    let is_ahead = status.next_schedule_time.is_some() || status.current_run.is_some();
    let is_passing = matches!(
        &draft.view.references,
        References::Broken(problem) if problem.disposition == Disposition::Transient
    );
    match draft.ready.status {
        _ if status.next_retry_time.is_some() => Some(Reconciling::Retrying),
        ConditionStatus::False => (is_ahead || is_passing).then_some(Reconciling::Retrying),
        ConditionStatus::Unknown if is_ahead || !has_run(draft) => Some(Reconciling::Progressing),
        ConditionStatus::Unknown | ConditionStatus::True => None,
    }
}

fn has_run(draft: &Draft<'_>) -> bool {
    draft.status.last_run.is_some()
}
