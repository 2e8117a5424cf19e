//! A Sync, its clock, what the state store remembers and what runs: carries decisions out, and
//! judges each.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api;
use crate::api::condition::{Condition, ConditionStatus};
use crate::api::sync_status::SyncStatus;
use crate::controller::decide::*;
use crate::model::duration::GoDuration;
use crate::model::{Disposition, Reason, RunCounts, RunId, RunReport, RunResult, SyncId};
use crate::schedule::{Schedule, ScheduleError};

pub(super) const START: &str = "2026-03-02T10:00:00Z";

/// Something that happens to a Sync.
pub(super) type Happening = fn(&mut World);

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What is known and done, in memory.
#[derive(Clone)]
pub(super) struct World {
    pub(super) sync: api::Sync,
    /// Without the jitter of the uid, unless a test puts it in.
    pub(super) schedule: Result<Schedule, ScheduleError>,
    pub(super) now: Timestamp,
    pub(super) requests: Vec<StoredRequest>,
    pub(super) running: Option<Running>,
    pub(super) spec_problem: Option<Problem>,
    pub(super) references: References,
    pub(super) named_changed_at: Option<Timestamp>,
    pub(super) suspended: Option<SuspendedBy>,
    pub(super) dependencies: Vec<Standing>,
    pub(super) recorded: Vec<RunReport>,
    pub(super) is_stopping: bool,
    pub(super) deletion: Option<DeletionView>,
    pub(super) starts: Vec<Start>,
    pub(super) resets: Vec<String>,
    runs_before_reset: usize,
    pub(super) cleanups: Vec<RunId>,
    pub(super) events: Vec<Notice>,
    /// When the last decision asked to be looked at again.
    pub(super) look_again: Option<Timestamp>,
}

/// Returns a Sync whose spec has these fields besides what every spec has.
pub(super) fn sync(fields: Value) -> api::Sync {
    let mut spec = json!({
        "sourceRef": {"name": "warehouse"},
        "connectionRef": {"name": "production"},
        "model": {"sql": "select id from people", "primaryKey": ["id"]},
        "entity": "person",
        "behavior": "updateOrCreate",
        "identifiers": {"id": "id"},
    });
    for (name, value) in fields.as_object().unwrap() {
        spec[name] = value.clone();
    }
    serde_json::from_value(json!({
        "apiVersion": "ciosync.dev/v1alpha1",
        "kind": "Sync",
        "metadata": {
            "name": "people", "namespace": "growth", "uid": "u-1", "generation": 1,
            "creationTimestamp": START,
        },
        "spec": spec,
    }))
    .unwrap()
}

fn schedule(spec: &api::SyncSpec) -> Result<Schedule, ScheduleError> {
    let interval = spec.interval.map(GoDuration::get);
    Schedule::parse(spec.schedule.as_deref(), &spec.time_zone, interval)
}

impl World {
    pub(super) fn new(fields: Value) -> Self {
        let sync = sync(fields);
        Self {
            schedule: schedule(&sync.spec),
            sync,
            now: at(START),
            requests: Vec::new(),
            running: None,
            spec_problem: None,
            references: References::Usable,
            named_changed_at: None,
            suspended: None,
            dependencies: Vec::new(),
            recorded: Vec::new(),
            is_stopping: false,
            deletion: None,
            starts: Vec::new(),
            resets: Vec::new(),
            runs_before_reset: 0,
            cleanups: Vec::new(),
            events: Vec::new(),
            look_again: None,
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        let spec = match &self.spec_problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(self.schedule.clone().unwrap()),
        };
        View {
            sync: &self.sync,
            now: self.now,
            spec,
            references: self.references.clone(),
            named_changed_at: self.named_changed_at,
            suspended: self.suspended,
            dependencies: &self.dependencies,
            requests: &self.requests,
            running: self.running.as_ref(),
            recorded: &self.recorded,
            is_stopping: self.is_stopping,
            deletion: self.deletion.clone(),
        }
    }

    /// Decides, judges and carries out; then sees that deciding again changes nothing.
    pub(super) fn look(&mut self) -> Decision {
        let decision = decide(&self.view());
        self.carry_out(&decision);
        let again = decide(&self.view());
        let is_going = again.after.contains(&Step::RemoveFinalizer);
        assert_eq!(again.status, decision.status, "deciding twice gives another status");
        assert!(again.before.is_empty(), "deciding twice gives {:?}", again.before);
        assert!(again.after.is_empty() || is_going, "deciding twice gives {:?}", again.after);
        assert!(again.events.is_empty() || is_going, "deciding twice gives {:?}", again.events);
        decision
    }

    /// Decides, and ends the process after so many of the steps; writing the status is one of them.
    pub(super) fn look_and_die_after(&mut self, steps: usize) {
        let decision = decide(&self.view());
        self.judge(&decision);
        let first = decision.before.len();
        for step in decision.before.iter().take(steps) {
            self.step(step);
        }
        if steps > first {
            self.write(&decision.status);
        }
        for step in decision.after.iter().take(steps.saturating_sub(first + 1)) {
            self.step(step);
        }
        self.look_again = decision.look_again;
        self.crash();
    }

    fn carry_out(&mut self, decision: &Decision) {
        self.judge(decision);
        for step in &decision.before {
            self.step(step);
        }
        self.write(&decision.status);
        for step in &decision.after {
            self.step(step);
        }
        self.events.extend(decision.events.iter().cloned());
        self.look_again = decision.look_again;
    }

    /// Writes the status the way the API server keeps it.
    pub(super) fn write(&mut self, status: &SyncStatus) {
        let json = serde_json::to_value(status).unwrap();
        let kept: SyncStatus = serde_json::from_value(json).unwrap();
        assert_eq!(kept, *status, "the status changes when it is written");
        self.sync.status = Some(kept);
    }

    pub(super) fn judge(&self, decision: &Decision) {
        let status = &decision.status;
        let generation = self.sync.metadata.generation.unwrap();
        let mut complaints =
            conform(api::Kind::Sync, generation, status.observed_generation, &status.conditions);
        let before = self.sync.status.clone().unwrap_or_default();
        complaints.extend(conform_change(&before.conditions, &status.conditions));
        assert_eq!(complaints, Vec::<String>::new(), "{:#?}", status.conditions);
        if let Some(again) = decision.look_again {
            assert!(again > self.now, "a busy loop: {again} at {}", self.now);
            assert!(again <= self.now + LOOK_AGAIN_MAX, "{again} is too far from {}", self.now);
        }
        for event in &decision.events {
            assert!(event.message.len() <= MESSAGE_LENGTH_MAX && !event.message.is_empty());
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Remember(request) => {
                self.requests.retain(|known| known.kind != request.kind);
                self.requests.push(request.clone());
            }
            Step::Cancel { run, cause } => {
                let running = self.running.as_mut().expect("nothing runs that could be cancelled");
                assert_eq!(running.id, *run);
                running.cancelled = Some(*cause);
            }
            Step::Reset { token } => {
                assert!(self.running.is_none(), "a reset during a run");
                // After a crash it may be done again, as long as nothing ran in between.
                let runs = self.starts.len() + self.cleanups.len();
                let is_again = self.resets.contains(token);
                assert!(!is_again || self.runs_before_reset == runs, "reset {token} twice");
                if !is_again {
                    self.resets.push(token.clone());
                }
                self.runs_before_reset = runs;
            }
            Step::Start(start) => {
                self.run(start.run.clone(), start.trigger, start.request.clone());
                self.starts.push(start.clone());
            }
            Step::CleanUp { run } => {
                self.run(run.clone(), Trigger::CleanUp, None);
                self.cleanups.push(run.clone());
            }
            Step::AddFinalizer => {
                self.sync.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
            }
            Step::RemoveFinalizer => self.sync.metadata.finalizers = None,
        }
    }

    fn run(&mut self, id: RunId, trigger: Trigger, request: Option<String>) {
        assert!(self.running.is_none(), "two runs at once");
        self.running = Some(Running {
            id,
            trigger,
            request,
            started_at: self.now,
            spec: self.sync.spec.clone(),
            progress: None,
            cancelled: None,
        });
    }

    /// Lets time pass without a look.
    pub(super) fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// Lets time pass, looking where the decisions ask for it.
    pub(super) fn live(&mut self, seconds: i64) {
        let until = self.now + SignedDuration::from_secs(seconds);
        while let Some(again) = self.look_again.filter(|again| *again <= until) {
            self.now = again;
            self.look();
        }
        self.now = until;
        self.look();
    }

    /// Ends the run with a result, and decides.
    pub(super) fn end(&mut self, result: RunResult) -> Decision {
        let ended = self.ended(result);
        self.end_as(ended)
    }

    /// Ends the run with a failure.
    pub(super) fn fail(&mut self, reason: Reason, disposition: Disposition) -> Decision {
        let mut ended = self.ended(RunResult::Failed);
        ended.report.reason = Some(reason);
        ended.report.message = "it broke".to_owned();
        ended.disposition = Some(disposition);
        self.end_as(ended)
    }

    pub(super) fn end_as(&mut self, end: Ended) -> Decision {
        let decision = ended(&self.view(), &end);
        self.running = None;
        self.carry_out(&decision);
        let again = ended(&self.view(), &end);
        assert_eq!(again.status, decision.status, "one end taken twice");
        decision
    }

    /// Returns how the run ends.
    pub(super) fn ended(&self, result: RunResult) -> Ended {
        let running = self.running.clone().expect("nothing runs that could end");
        let delivered = if result == RunResult::NoChanges { 0 } else { 3 };
        Ended {
            report: RunReport {
                id: running.id.clone(),
                trigger: None,
                request: None,
                sync: SyncId::new("growth", "people"),
                started_at: running.started_at,
                finished_at: self.now,
                result,
                reason: (result == RunResult::Blocked).then_some(Reason::GuardTripped),
                message: String::new(),
                counts: RunCounts { rows_read: 10, delivered, ..RunCounts::default() },
            },
            trigger: running.trigger,
            request: running.request,
            disposition: (result == RunResult::Blocked).then_some(Disposition::NeedsOperator),
            hint: None,
            cancelled: running.cancelled,
            blocked: (result == RunResult::Blocked).then(|| self.blocked_by(&running.id)),
            secret_versions: BTreeMap::new(),
            snapshot_rows: Some(10),
            parked_rows: Some(0),
        }
    }

    /// As the engine names a block: the first run that the guard stopped.
    fn blocked_by(&self, run: &RunId) -> BlockedBy {
        let known = self.status().blocked.as_ref().map(|blocked| RunId(blocked.id.clone()));
        BlockedBy { id: known.unwrap_or_else(|| run.clone()), guard: "maxRemoved".to_owned() }
    }

    pub(super) fn status(&self) -> &SyncStatus {
        static NONE: std::sync::OnceLock<SyncStatus> = std::sync::OnceLock::new();
        self.sync.status.as_ref().unwrap_or_else(|| NONE.get_or_init(SyncStatus::default))
    }

    pub(super) fn condition(&self, name: &str) -> Option<&Condition> {
        self.status().conditions.iter().find(|it| it.condition_type == name)
    }

    /// Returns the conditions in short, such as `Ready=True/Succeeded Fresh=False/Overdue`;
    /// ResolvedRefs only where it isn't True.
    pub(super) fn conditions(&self) -> String {
        let shown: Vec<String> = self
            .status()
            .conditions
            .iter()
            .filter(|it| it.condition_type != "ResolvedRefs" || it.status != ConditionStatus::True)
            .map(|it| format!("{}={:?}/{}", it.condition_type, it.status, it.reason))
            .collect();
        shown.join(" ")
    }

    pub(super) fn next(&self) -> &str {
        self.status().next_schedule_time.as_deref().unwrap_or("-")
    }

    /// Returns the reasons of the events since the last call.
    pub(super) fn take_events(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.events).iter().map(|event| event.reason.as_str()).collect()
    }

    pub(super) fn annotate(&mut self, name: &str, value: &str) {
        let annotations = self.sync.metadata.annotations.get_or_insert_default();
        annotations.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn unannotate(&mut self, name: &str) {
        self.sync.metadata.annotations.get_or_insert_default().remove(name);
    }

    /// Edits the spec, as `kubectl edit` does.
    pub(super) fn edit(&mut self, edit: impl FnOnce(&mut api::SyncSpec)) {
        edit(&mut self.sync.spec);
        self.schedule = schedule(&self.sync.spec);
        *self.sync.metadata.generation.as_mut().unwrap() += 1;
    }

    /// The process ends, and another takes over.
    pub(super) fn crash(&mut self) {
        self.running = None;
    }
}

/// Returns a problem of that reason and disposition.
pub(super) fn problem(reason: Reason, disposition: Disposition) -> Problem {
    Problem {
        reason,
        message: "it is so".to_owned(),
        hint: Some("mend it".to_owned()),
        disposition,
    }
}
