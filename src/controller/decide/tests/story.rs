//! What may happen to a Sync, drawn at random, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::world::{World, problem};
use crate::controller::decide::*;
use crate::model::{Disposition, Reason, RunReport, RunResult};

/// Something that happens to a Sync.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// Time passes, and nobody looks.
    Sleep(i64),
    /// Time passes, and the Sync is looked at when it asked to be.
    Live(i64),
    Look,
    End(RunResult),
    Fail(Reason, Disposition),
    /// The process ends after so many steps of a decision; whether the run's end was recorded.
    Crash(usize, Option<RunResult>),
    Stopping(bool),
    Depend(Option<Hold>),
    Refer(References),
    NamedChanged,
    Suspend(Option<SuspendedBy>),
    /// The spec can't be run.
    Break(bool),
    /// What a run does is edited.
    EditRows,
    /// Something that no run depends on is edited.
    EditRest,
    Schedule(Option<&'static str>),
    Interval(&'static str),
    Ask(Asked),
    /// A GitOps tool takes annotations away.
    TakeAway,
    LoseStatus,
}

/// What a person asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    Run,
    FullResync,
    Reset,
    CancelCurrent,
    CancelNothing,
    ApproveBlocked,
    ApproveNothing,
}

pub(super) fn result() -> impl Strategy<Value = RunResult> {
    prop::sample::select(vec![
        RunResult::Succeeded,
        RunResult::NoChanges,
        RunResult::PartiallySucceeded,
        RunResult::Blocked,
        RunResult::Interrupted,
    ])
}

fn failure() -> impl Strategy<Value = Event> {
    prop::sample::select(vec![
        Event::Fail(Reason::SourceNotReady, Disposition::Transient),
        Event::Fail(Reason::Timeout, Disposition::Transient),
        Event::Fail(Reason::InvalidQuery, Disposition::NeedsOperator),
        Event::Fail(Reason::SecretNotFound, Disposition::NeedsOperator),
        Event::Fail(Reason::Internal, Disposition::Bug),
    ])
}

fn references() -> impl Strategy<Value = References> {
    prop::sample::select(vec![
        References::Usable,
        References::Usable,
        References::Unproven,
        References::Broken(problem(Reason::RefNotFound, Disposition::NeedsOperator)),
        References::Broken(problem(Reason::SourceNotReady, Disposition::Transient)),
    ])
}

/// Returns events that move no slot.
pub(super) fn of_time_and_runs() -> BoxedStrategy<Event> {
    prop_oneof![
        3 => (0i64..4000).prop_map(Event::Sleep),
        3 => (0i64..4000).prop_map(Event::Live),
        1 => (0i64..200_000).prop_map(Event::Sleep),
        2 => Just(Event::Look),
        6 => result().prop_map(Event::End),
        2 => failure(),
        2 => (0usize..6, prop::option::of(result())).prop_map(|(at, end)| Event::Crash(at, end)),
        1 => any::<bool>().prop_map(Event::Stopping),
        2 => prop::sample::select(vec![None, Some(Hold::Go), Some(Hold::Wait), Some(Hold::Failed)])
            .prop_map(Event::Depend),
        2 => references().prop_map(Event::Refer),
        1 => Just(Event::NamedChanged),
        2 => asked().prop_map(Event::Ask),
        1 => Just(Event::TakeAway),
    ]
    .boxed()
}

fn asked() -> impl Strategy<Value = Asked> {
    prop::sample::select(vec![
        Asked::Run,
        Asked::Run,
        Asked::FullResync,
        Asked::Reset,
        Asked::CancelCurrent,
        Asked::CancelNothing,
        Asked::ApproveBlocked,
        Asked::ApproveBlocked,
        Asked::ApproveNothing,
    ])
}

pub(super) fn any_event() -> BoxedStrategy<Event> {
    let by = [SuspendedBy::Spec, SuspendedBy::Connection, SuspendedBy::Source];
    prop_oneof![
        12 => of_time_and_runs(),
        1 => Just(Event::EditRows),
        1 => Just(Event::EditRest),
        1 => prop::option::of(prop::sample::select(by.to_vec())).prop_map(Event::Suspend),
        1 => Just(Event::Suspend(None)),
        1 => any::<bool>().prop_map(Event::Break),
        1 => prop::sample::select(vec![None, Some("0 * * * *"), Some("*/20 * * * *")])
            .prop_map(Event::Schedule),
        1 => prop::sample::select(vec!["10m", "1h"]).prop_map(Event::Interval),
        1 => Just(Event::LoseStatus),
    ]
    .boxed()
}

/// A world, and what its state store and the people around it remember.
pub(super) struct Story {
    pub(super) world: World,
    tokens: u64,
    /// How many runs answered each token, restarts after an interruption left out.
    pub(super) answers: BTreeMap<String, usize>,
    starts_seen: usize,
    pub(super) slots_served: BTreeSet<Timestamp>,
}

impl Story {
    pub(super) fn new(fields: serde_json::Value) -> Self {
        let mut world = World::new(fields);
        world.look();
        let mut story = Self {
            world,
            tokens: 0,
            answers: BTreeMap::new(),
            starts_seen: 0,
            slots_served: BTreeSet::new(),
        };
        story.take_note();
        story
    }

    pub(super) fn happens(&mut self, event: Event) {
        self.befall(event);
        self.take_note();
    }

    fn befall(&mut self, event: Event) {
        let world = &mut self.world;
        match event {
            Event::Sleep(seconds) => world.pass(seconds),
            Event::Live(seconds) => {
                world.look();
                self.take_note();
                self.live(seconds);
            }
            Event::Look => {
                world.look();
            }
            Event::End(result) => self.end(result),
            Event::Fail(reason, disposition) => {
                if self.world.running.is_some() {
                    let report = self.world.ended(RunResult::Failed).report;
                    self.record(RunReport { reason: Some(reason), ..report });
                    self.world.fail(reason, disposition);
                }
            }
            Event::Crash(steps, end) => self.crash(steps, end),
            Event::Stopping(is_stopping) => world.is_stopping = is_stopping,
            Event::Depend(hold) => {
                let of = |hold| Standing { name: "accounts".to_owned(), hold };
                world.dependencies = hold.map(of).into_iter().collect();
            }
            Event::Refer(references) => world.references = references,
            Event::NamedChanged => world.named_changed_at = Some(world.now),
            Event::Suspend(by) => world.suspended = by,
            Event::Break(is_broken) => {
                let broken = problem(Reason::InvalidSpec, Disposition::NeedsOperator);
                world.spec_problem = is_broken.then_some(broken);
            }
            Event::EditRows => world.edit(|spec| {
                use crate::mapping::spec::Nulls::{Omit, Send};
                spec.nulls = if spec.nulls == Send { Omit } else { Send };
            }),
            Event::EditRest => world.edit(|spec| spec.retry.limit = (spec.retry.limit + 1) % 4),
            Event::Schedule(cron) => world.edit(|spec| {
                spec.interval = None;
                spec.schedule = cron.map(str::to_owned);
            }),
            Event::Interval(length) => world.edit(|spec| {
                spec.schedule = None;
                spec.interval = Some(length.parse().unwrap());
            }),
            Event::Ask(asked) => self.ask(asked),
            Event::TakeAway => world.sync.metadata.annotations = None,
            Event::LoseStatus => {
                world.look();
                self.take_note();
                self.world.sync.status = None;
                self.world.look();
            }
        }
    }

    /// Lets time pass, looking where the decisions ask for it.
    fn live(&mut self, seconds: i64) {
        let until = self.world.now + SignedDuration::from_secs(seconds);
        while let Some(again) = self.world.look_again.filter(|again| *again <= until) {
            self.world.now = again;
            self.world.look();
            self.take_note();
        }
        self.world.now = until;
    }

    fn end(&mut self, result: RunResult) {
        if self.world.running.is_none() {
            return;
        }
        let report = self.world.ended(result).report;
        self.record(report);
        self.world.end(result);
    }

    fn record(&mut self, report: RunReport) {
        self.world.recorded.insert(0, report);
    }

    /// The process ends in the middle of a decision; before, its run may have ended in the store.
    fn crash(&mut self, steps: usize, end: Option<RunResult>) {
        if let Some(result) = end
            && self.world.running.is_some()
        {
            let report = self.world.ended(result).report;
            self.record(report);
        } else {
            self.world.look_and_die_after(steps);
            self.take_note();
        }
        self.world.crash();
        self.world.pass(1);
        self.world.look();
    }

    fn ask(&mut self, asked: Asked) {
        self.tokens += 1;
        let token = format!("token-{}", self.tokens);
        let world = &mut self.world;
        match asked {
            Asked::Run => world.annotate(REQUESTED_AT, &token),
            Asked::FullResync => {
                world.annotate(REQUESTED_AT, &token);
                world.annotate(FULL_RESYNC_AT, &token);
            }
            Asked::Reset => world.annotate(RESET_STATE, &token),
            Asked::CancelNothing => world.annotate(CANCEL, &token),
            Asked::ApproveNothing => world.annotate(APPROVE, &token),
            Asked::CancelCurrent => {
                let current = world.running.as_ref().map(|running| running.id.0.clone());
                world.annotate(CANCEL, &current.unwrap_or(token));
            }
            Asked::ApproveBlocked => {
                let id = world.status().blocked.as_ref().map(|blocked| blocked.id.clone());
                world.annotate(APPROVE, &id.unwrap_or(token));
            }
        }
    }

    /// Counts what the last decision started and served.
    fn take_note(&mut self) {
        let Self { world, answers, starts_seen, slots_served, .. } = self;
        for start in &world.starts[*starts_seen..] {
            let is_answer = matches!(start.trigger, Trigger::Request | Trigger::FullResync);
            let status = world.status();
            let goes_on = status
                .last_run
                .as_ref()
                .is_some_and(|last| last.result == "Interrupted" && last.request == start.request);
            if let Some(token) = start.request.as_ref().filter(|_| is_answer && !goes_on) {
                *answers.entry(token.clone()).or_default() += 1;
            }
        }
        *starts_seen = world.starts.len();
        slots_served.extend(world.status().last_schedule_time.as_ref().map(|time| time.0));
    }

    /// Mends all that could hold the Sync back, and lets it run.
    pub(super) fn mend(&mut self) {
        let world = &mut self.world;
        world.is_stopping = false;
        world.spec_problem = None;
        world.references = References::Usable;
        world.suspended = None;
        world.dependencies = Vec::new();
        world.look();
        self.take_note();
        for _ in 0..20 {
            self.happens(Event::End(RunResult::Succeeded));
        }
        assert!(self.world.running.is_none(), "it never comes to rest");
    }
}
