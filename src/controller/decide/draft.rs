//! A decision in the making: the status as it is edited, and what is to be done so far.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, TimestampRound, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::condition::{Condition, ConditionStatus};
use crate::api::sync_status::SyncStatus;
use crate::api::{Sync, SyncSpec};
use crate::controller::decide::decision::{Decision, EventReason, Notice, Step};
use crate::controller::decide::ready::Ready;
use crate::controller::decide::text::sentences;
use crate::controller::decide::view::{Running, View};
use crate::model::RunId;

/// Longest time until the next look: protects from clocks that are set and machines that sleep.
pub const LOOK_AGAIN_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Shortest time until the next look.
const LOOK_AGAIN_MIN: SignedDuration = SignedDuration::from_millis(100);

/// A decision in the making.
pub(super) struct Draft<'a> {
    pub(super) view: &'a View<'a>,
    /// The run in this process, as far as it has not ended.
    pub(super) running: Option<&'a Running>,
    /// The time in whole seconds, as the status writes it.
    pub(super) stamp: Timestamp,
    /// The conditions as they were.
    pub(super) was: Vec<Condition>,
    /// The generation that was looked at before; `None` at the first look.
    pub(super) seen_generation: Option<i64>,
    pub(super) status: SyncStatus,
    pub(super) ready: Ready,
    pub(super) before: Vec<Step>,
    pub(super) after: Vec<Step>,
    pub(super) events: Vec<Notice>,
    /// Instants at which time alone changes the answer.
    pub(super) wakes: Vec<Timestamp>,
}

impl<'a> Draft<'a> {
    /// Returns a draft that says what the status says. A run that `has_ended` counts as gone.
    pub(super) fn new(view: &'a View<'a>, has_ended: Option<&RunId>) -> Self {
        let mut status = view.sync.status.clone().unwrap_or_default();
        let was = std::mem::take(&mut status.conditions);
        Self {
            view,
            running: view.running.filter(|running| has_ended != Some(&running.id)),
            stamp: whole_second(view.now),
            ready: Ready::of(&was),
            was,
            seen_generation: status.observed_generation.filter(|generation| *generation >= 0),
            status,
            before: Vec::new(),
            after: Vec::new(),
            events: Vec::new(),
            wakes: Vec::new(),
        }
    }

    pub(super) fn spec(&self) -> &'a SyncSpec {
        &self.view.sync.spec
    }

    /// Returns the generation of the resource; 0 where it has none, in tests and files.
    pub(super) fn generation(&self) -> i64 {
        self.view.sync.metadata.generation.unwrap_or_default()
    }

    /// Returns the uid, or the name where there is none.
    pub(super) fn uid(&self) -> &'a str {
        let metadata = &self.view.sync.metadata;
        metadata.uid.as_deref().or(metadata.name.as_deref()).unwrap_or_default()
    }

    /// Returns the value of one of our annotations; an empty one is none.
    pub(super) fn annotation(&self, name: &str) -> Option<&'a str> {
        let annotations = self.view.sync.metadata.annotations.as_ref()?;
        annotations.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns whether a condition was True.
    pub(super) fn was_true(&self, condition_type: &str) -> bool {
        self.was.iter().any(|condition| {
            condition.condition_type == condition_type && condition.status == ConditionStatus::True
        })
    }

    /// Adds an event.
    pub(super) fn notice(&mut self, reason: EventReason, phrases: &[&str]) {
        self.events.push(Notice { reason, message: sentences(phrases) });
    }

    /// Returns the decision; `is_final` where time changes nothing any more.
    pub(super) fn finish(self, is_final: bool) -> Decision {
        let now = self.view.now;
        let next = self.wakes.into_iter().filter(|wake| *wake > now).min();
        let latest = plus(now, LOOK_AGAIN_MAX);
        let look_again = next.unwrap_or(latest).clamp(plus(now, LOOK_AGAIN_MIN), latest);
        Decision {
            before: self.before,
            status: self.status,
            after: self.after,
            events: self.events,
            look_again: (!is_final).then_some(look_again),
        }
    }
}

/// Returns an instant later by so much; the end of the calendar where that is beyond it.
pub(super) fn plus(instant: Timestamp, duration: SignedDuration) -> Timestamp {
    instant.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// Returns the second that an instant lies in: statuses carry whole seconds.
pub(super) fn whole_second(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}

/// Returns the first whole second that is not before an instant.
pub(super) fn second_after(instant: Timestamp) -> Timestamp {
    let up = TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Ceil);
    instant.round(up).unwrap_or(instant)
}

/// Returns an instant in the status's spelling, for people too.
pub(super) fn written(instant: Timestamp) -> String {
    whole_second(instant).to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns until when the last success is fresh, where that is watched. A Sync that never succeeded
/// counts from when it was made.
pub(super) fn fresh_until(sync: &Sync, status: &SyncStatus, stamp: Timestamp) -> Option<Timestamp> {
    let freshness = sync.spec.freshness?;
    let made_at = sync.metadata.creation_timestamp.as_ref();
    let since = status.last_successful_time.as_ref().or(made_at);
    Some(plus(since.map_or(stamp, |since| since.0), length(freshness)))
}

/// Returns what a status's field takes.
pub(super) fn time(instant: Timestamp) -> Option<Time> {
    Some(Time(whole_second(instant)))
}

/// Returns a length of the spec as one that instants take.
pub(super) fn length(duration: crate::model::duration::GoDuration) -> SignedDuration {
    SignedDuration::try_from(duration.get()).unwrap_or(SignedDuration::MAX)
}
