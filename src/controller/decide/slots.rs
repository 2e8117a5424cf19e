//! When a Sync is due: its next slot, kept in `status.nextScheduleTime`, against the clock.
//!
//! A slot that lies in the past is due, and stays there until a run serves it or its deadline has
//! passed; so what is due survives a restart. A first run, and a run because of an edited spec, are
//! slots of this moment.

use jiff::{SignedDuration, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use crate::api::SyncSpec;
use crate::controller::decide::decision::EventReason;
use crate::controller::decide::draft::{
    Draft, length, plus, second_after, time, whole_second, written,
};
use crate::controller::decide::text::count;
use crate::schedule::Schedule;

/// How far the clock may have gone back without slots being counted anew: less is a correction,
/// after which no slot runs twice; more means that the clock was wrong, and waiting for it to catch
/// up could take years.
const CLOCK_STEP_MAX: SignedDuration = SignedDuration::from_hours(24);

/// A slot that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The most recent slot.
    pub(super) slot: Timestamp,
    /// How many slots before it passed without a run.
    pub(super) earlier: u64,
    /// Whether its deadline has passed too.
    pub(super) is_expired: bool,
}

/// Returns the hash of what the slots are worked out from.
pub(super) fn schedule_hash(spec: &SyncSpec) -> String {
    let text = match (&spec.schedule, &spec.interval) {
        (Some(cron), _) => format!("cron {cron} {}", spec.time_zone),
        (None, Some(interval)) => format!("interval {interval}"),
        (None, None) => "on request".to_owned(),
    };
    format!("{:016x}", xxh3_64(text.as_bytes()))
}

/// Returns the next slot as the status has it.
pub(super) fn next(draft: &Draft<'_>) -> Option<Timestamp> {
    draft.status.next_schedule_time.as_deref()?.parse().ok()
}

pub(super) fn set_next(draft: &mut Draft<'_>, slot: Option<Timestamp>) {
    draft.status.next_schedule_time = slot.map(written);
}

/// Returns the first slot after an instant; of an interval, the end of it in whole seconds.
fn following(schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    schedule.next_due(after).map(second_after)
}

/// Returns whether no run of this Sync has ended or is under way.
pub(super) fn never_ran(draft: &Draft<'_>) -> bool {
    draft.status.last_run.is_none() && draft.status.current_run.is_none() && draft.running.is_none()
}

/// Brings the next slot up to date with the spec, without judging whether it is due.
pub(super) fn refresh(draft: &mut Draft<'_>) {
    let hash = schedule_hash(draft.spec());
    let known = draft.status.schedule_hash.clone();
    let is_edited = known.as_ref().is_some_and(|known| *known != hash);
    let Ok(schedule) = &draft.view.spec else {
        if is_edited {
            draft.status.schedule_hash = Some(hash);
            set_next(draft, None);
        }
        return;
    };
    draft.status.schedule_hash = Some(hash);
    let is_on_request = matches!(schedule, Schedule::OnRequest);
    if draft.view.suspended.is_some() {
        // Resuming starts from then; a run that only an edit or the first look asks for is kept.
        if !is_on_request {
            set_next(draft, None);
        }
        return;
    }
    let next = next(draft);
    let slot = if never_ran(draft) {
        match schedule {
            Schedule::Cron(_) if is_edited || next.is_none() => following(schedule, draft.view.now),
            Schedule::Cron(_) => next,
            Schedule::Interval(_) | Schedule::OnRequest => {
                Some(next.filter(|next| *next <= draft.view.now).unwrap_or(draft.stamp))
            }
        }
    } else if is_on_request {
        next.filter(|_| !is_edited)
    } else if is_edited || next.is_none() {
        let lost_since = draft.status.last_run.as_ref().and_then(|run| run.started_at.as_ref());
        match (known, lost_since) {
            // The status was lost and rebuilt: slots go on where they were.
            (None, Some(started_at)) => following(schedule, started_at.0),
            _ => following(schedule, draft.view.now),
        }
    } else {
        next
    };
    let slot = slot.map(|slot| without_clock_step(draft, schedule, slot));
    set_next(draft, slot);
}

/// Returns a slot that a clock which went back can be waited for.
fn without_clock_step(draft: &Draft<'_>, schedule: &Schedule, slot: Timestamp) -> Timestamp {
    let now = draft.view.now;
    let Some(from_now) = following(schedule, now) else { return slot };
    let is_ahead = match schedule {
        Schedule::OnRequest => false,
        Schedule::Interval(_) => slot > from_now,
        Schedule::Cron(_) => draft
            .status
            .last_schedule_time
            .as_ref()
            .is_some_and(|last| last.0 > plus(now, CLOCK_STEP_MAX)),
    };
    if is_ahead { from_now.min(slot) } else { slot }
}

/// Makes a run due at once, unless one is due already.
pub(super) fn make_due(draft: &mut Draft<'_>) {
    let slot = next(draft).map_or(draft.stamp, |slot| slot.min(draft.stamp));
    set_next(draft, Some(slot));
}

/// Returns the slot that is due at an instant.
pub(super) fn due(draft: &Draft<'_>, at: Timestamp) -> Option<Due> {
    let schedule = draft.view.spec.as_ref().ok()?;
    let first = next(draft).filter(|slot| *slot <= at)?;
    let is_first_run = never_ran(draft) && !matches!(schedule, Schedule::Cron(_));
    if is_first_run || matches!(schedule, Schedule::OnRequest) {
        return Some(Due { slot: first, earlier: 0, is_expired: false });
    }
    let passed = schedule.missed(first, at);
    let slot = passed.latest.map_or(first, whole_second);
    let is_expired =
        draft.spec().starting_deadline.is_some_and(|deadline| plus(slot, length(deadline)) < at);
    Some(Due { slot, earlier: passed.count, is_expired })
}

/// Lets a due slot pass without a run: it is counted, and the next one is waited for.
pub(super) fn pass(draft: &mut Draft<'_>, due: Due) -> i64 {
    let missed = i64::try_from(due.earlier).unwrap_or(i64::MAX).saturating_add(1);
    add_missed(draft, missed);
    roll(draft, due.slot);
    missed
}

/// Counts slots that passed without a run.
fn add_missed(draft: &mut Draft<'_>, missed: i64) {
    let so_far = draft.status.missed_schedules.unwrap_or(0);
    draft.status.missed_schedules = Some(so_far.saturating_add(missed));
}

/// Waits for the slot after one that is done with.
fn roll(draft: &mut Draft<'_>, slot: Timestamp) {
    let Ok(schedule) = &draft.view.spec else { return };
    let slot = following(schedule, slot);
    set_next(draft, slot);
}

/// Lets slots whose deadline has passed go, with one event.
pub(super) fn pass_expired(draft: &mut Draft<'_>) {
    let Some(due) = due(draft, draft.view.now).filter(|due| due.is_expired) else { return };
    let missed = pass(draft, due);
    let what = format!(
        "{} passed without a run, the last at {}, longer ago than startingDeadline",
        count(missed, "slot"),
        written(due.slot)
    );
    draft.notice(EventReason::MissedSchedule, &[&what]);
}

/// Counts the slots that fell into a run that is under way or ended at an instant.
pub(super) fn overlap(draft: &mut Draft<'_>, until: Timestamp) {
    if matches!(draft.view.spec, Ok(Schedule::OnRequest)) {
        return;
    }
    let Some(due) = due(draft, until) else { return };
    let missed = pass(draft, due);
    let what = format!(
        "{} fell into a run that had not ended, the last at {}",
        count(missed, "slot"),
        written(due.slot)
    );
    draft.notice(EventReason::MissedSchedule, &[&what]);
}

/// Notes that a run starts now, and serves the slot that is due. Returns that slot.
pub(super) fn serve(draft: &mut Draft<'_>) -> Option<Timestamp> {
    let now = draft.view.now;
    let due = due(draft, now);
    if let Some(due) = due {
        if due.earlier > 0 {
            let missed = i64::try_from(due.earlier).unwrap_or(i64::MAX);
            add_missed(draft, missed);
            let what = format!(
                "{} passed without a run; the one of {} is made up for now",
                count(missed, "slot"),
                written(due.slot)
            );
            draft.notice(EventReason::MissedSchedule, &[&what]);
        }
        draft.status.last_schedule_time = time(due.slot);
    }
    let Ok(schedule) = &draft.view.spec else { return None };
    let slot = match schedule {
        Schedule::OnRequest => None,
        // From start to start.
        Schedule::Interval(_) => following(schedule, now),
        Schedule::Cron(_) => match due {
            Some(due) => following(schedule, due.slot.max(now)),
            None => next(draft),
        },
    };
    set_next(draft, slot);
    due.map(|due| due.slot)
}
