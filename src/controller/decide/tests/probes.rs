//! Sources and connections: what their probes make of their conditions.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::world::{START, at, problem};
use crate::api::condition::{Condition, ConditionStatus};
use crate::api::{CustomerIoConnection, Kind, Source};
use crate::controller::decide::probe::{
    self, CONNECTION_INTERVAL, ProbeView, RETRY_INTERVAL, probed,
};
use crate::controller::decide::*;
use crate::model::{Disposition, Reason};

/// A resource under probes, with its clock.
struct Probed {
    kind: Kind,
    generation: i64,
    observed: Option<i64>,
    conditions: Vec<Condition>,
    last_probe_at: Option<Timestamp>,
    probe_at: Option<Timestamp>,
    is_suspended: bool,
    now: Timestamp,
}

impl Probed {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            generation: 1,
            observed: Some(-1),
            conditions: Vec::new(),
            last_probe_at: None,
            probe_at: None,
            is_suspended: false,
            now: at(START),
        }
    }

    /// Returns one that was probed well.
    fn ready(kind: Kind) -> Self {
        let mut it = Self::new(kind);
        it.look(Some(Ok(())));
        it
    }

    fn look(&mut self, outcome: Option<Result<(), Problem>>) {
        let view = ProbeView {
            generation: self.generation,
            conditions: &self.conditions,
            last_probe_at: self.last_probe_at,
            observed_generation: self.observed,
            interval: CONNECTION_INTERVAL,
            is_suspended: self.is_suspended,
            now: self.now,
            outcome,
            app_problem: None,
        };
        let decision = probed(self.kind, &view);
        // A status of an older generation says so: then kstatus waits.
        let observed = Some(decision.observed_generation);
        let complaints = [
            conform(self.kind, decision.observed_generation, observed, &decision.conditions),
            conform_change(&self.conditions, &decision.conditions),
        ]
        .concat();
        assert_eq!(complaints, Vec::<String>::new(), "{:#?}", decision.conditions);
        self.observed = observed;
        self.conditions = decision.conditions;
        self.last_probe_at = decision.last_probe_at;
        self.probe_at = decision.probe_at;
    }

    fn fail(&mut self, reason: Reason, disposition: Disposition) {
        self.look(Some(Err(problem(reason, disposition))));
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn shown(&self) -> String {
        let shown: Vec<String> = self
            .conditions
            .iter()
            .filter(|it| it.condition_type != "ResolvedRefs" || it.status != ConditionStatus::True)
            .map(|it| format!("{}={:?}/{}", it.condition_type, it.status, it.reason))
            .collect();
        shown.join(" ")
    }
}

const BOTH: [Kind; 2] = [Kind::Source, Kind::CustomerIoConnection];

#[test]
fn a_new_resource_is_unknown_and_probed_at_once_and_then_every_interval() {
    for kind in BOTH {
        let mut it = Probed::new(kind);
        it.look(None);
        assert_eq!(it.shown(), "Ready=Unknown/Progressing Reconciling=True/Progressing");
        assert_eq!(it.probe_at, Some(it.now));

        it.look(Some(Ok(())));

        assert_eq!(it.shown(), "Ready=True/ProbeSucceeded");
        assert_eq!(it.probe_at, Some(at("2026-03-02T10:05:00Z")));
        it.pass(299);
        it.look(None);
        assert_eq!(it.probe_at, Some(at("2026-03-02T10:05:00Z")));
    }
}

#[test]
fn each_cause_has_its_reason_and_what_a_person_must_mend_stalls() {
    let (operator, transient, bug) =
        (Disposition::NeedsOperator, Disposition::Transient, Disposition::Bug);
    for (reason, disposition, of_source, of_connection) in [
        (Reason::AuthenticationFailed, operator, "AuthenticationFailed", "AuthenticationFailed"),
        (Reason::PermissionDenied, operator, "PermissionDenied", "PermissionDenied"),
        (Reason::SecretNotFound, operator, "SecretNotFound", "SecretNotFound"),
        (Reason::SecretKeyMissing, operator, "SecretKeyMissing", "SecretKeyMissing"),
        (Reason::RegionMismatch, operator, "InvalidSpec", "RegionMismatch"),
        (Reason::WorkspaceMismatch, operator, "InvalidSpec", "WorkspaceMismatch"),
        (Reason::InvalidSpec, operator, "InvalidSpec", "InvalidSpec"),
        (Reason::SourceNotReady, operator, "ConnectionFailed", "ConnectionFailed"),
        (Reason::SourceNotReady, transient, "ConnectionFailed", "ConnectionFailed"),
        (Reason::RateLimited, transient, "ConnectionFailed", "ConnectionFailed"),
        (Reason::Timeout, transient, "ConnectionFailed", "ConnectionFailed"),
        (Reason::Internal, bug, "Internal", "Internal"),
    ] {
        for (kind, shown) in
            [(Kind::Source, of_source), (Kind::CustomerIoConnection, of_connection)]
        {
            let mut it = Probed::new(kind);
            it.look(None);
            it.fail(reason, disposition);

            let beside = match disposition {
                Disposition::Transient => "Reconciling=True/ProgressingWithRetry".to_owned(),
                Disposition::NeedsOperator | Disposition::Bug => format!("Stalled=True/{shown}"),
            };
            let refs = match shown {
                "SecretNotFound" | "SecretKeyMissing" => format!(" ResolvedRefs=False/{shown}"),
                _ => String::new(),
            };
            assert_eq!(it.shown(), format!("Ready=False/{shown} {beside}{refs}"), "{kind:?}");
            assert!(it.conditions[0].message.starts_with("Mend it."), "what to do comes first");
        }
    }
}

#[test]
fn a_blip_does_not_unseat_what_worked_and_a_lasting_fault_does() {
    for kind in BOTH {
        let mut it = Probed::ready(kind);
        it.pass(300);
        let mut lasted = 0;
        loop {
            it.fail(Reason::SourceNotReady, Disposition::Transient);
            let Some(again) = it.probe_at else { panic!("not probed again") };
            assert_eq!(again, it.now + RETRY_INTERVAL, "a fault that may pass is looked at sooner");
            if it.conditions[0].status != ConditionStatus::True {
                break;
            }
            assert_eq!(
                it.shown(),
                "Ready=True/ProbeSucceeded Reconciling=True/ProgressingWithRetry"
            );
            lasted += 30;
            it.pass(30);
        }
        assert_eq!(lasted, 600, "the last verdict holds for two intervals");
        assert_eq!(
            it.shown(),
            "Ready=False/ConnectionFailed Reconciling=True/ProgressingWithRetry"
        );

        it.look(Some(Ok(())));
        assert_eq!(it.shown(), "Ready=True/ProbeSucceeded");
        assert_eq!(it.probe_at, Some(it.now + SignedDuration::from_mins(5)));
    }
}

#[test]
fn a_blip_that_passed_leaves_the_patience_whole_for_the_next_one() {
    let mut it = Probed::ready(Kind::Source);
    for _ in 0..5 {
        it.pass(300);
        it.fail(Reason::Timeout, Disposition::Transient);
        it.pass(500);
        it.fail(Reason::Timeout, Disposition::Transient);
        assert_eq!(it.conditions[0].status, ConditionStatus::True);
        it.look(Some(Ok(())));
    }
}

#[test]
fn what_a_person_must_mend_unseats_at_once_and_is_looked_at_every_interval() {
    let mut it = Probed::ready(Kind::CustomerIoConnection);
    it.pass(300);

    it.fail(Reason::AuthenticationFailed, Disposition::NeedsOperator);

    assert_eq!(it.shown(), "Ready=False/AuthenticationFailed Stalled=True/AuthenticationFailed");
    assert_eq!(it.probe_at, Some(it.now + SignedDuration::from_mins(5)));
    it.pass(300);
    it.look(Some(Ok(())));
    assert_eq!(it.shown(), "Ready=True/ProbeSucceeded");
}

#[test]
fn an_edited_spec_is_probed_at_once_and_counts_as_seen_from_then_on() {
    for kind in BOTH {
        let mut it = Probed::ready(kind);
        it.generation = 2;
        it.pass(1);
        it.look(None);
        assert_eq!((it.observed, it.probe_at), (Some(1), Some(it.now)));
        assert_eq!(it.shown(), "Ready=True/ProbeSucceeded");

        it.look(Some(Ok(())));
        assert_eq!(it.observed, Some(2));
        assert!(it.conditions.iter().all(|it| it.observed_generation == Some(2)));
    }
}

#[test]
fn a_suspended_resource_is_not_probed_and_keeps_its_verdict() {
    for kind in BOTH {
        let mut it = Probed::ready(kind);
        it.is_suspended = true;
        it.generation = 2;
        it.look(None);
        assert_eq!(it.shown(), "Ready=True/ProbeSucceeded Suspended=True/SuspendedBySpec");
        assert_eq!((it.probe_at, it.observed), (None, Some(2)));

        it.pass(86_400);
        it.is_suspended = false;
        it.generation = 3;
        it.look(None);
        assert_eq!((it.shown().as_str(), it.probe_at), ("Ready=True/ProbeSucceeded", Some(it.now)));
    }
}

#[test]
fn a_new_suspended_resource_is_unknown() {
    let mut it = Probed::new(Kind::Source);
    it.is_suspended = true;

    it.look(None);

    assert_eq!(
        it.shown(),
        "Ready=Unknown/Progressing Reconciling=True/Progressing Suspended=True/SuspendedBySpec"
    );
    assert_eq!((it.observed, it.probe_at), (Some(1), None));
}

#[test]
fn a_clock_that_goes_back_holds_no_probe_off() {
    let mut it = Probed::ready(Kind::Source);

    it.now = at("2020-01-01T00:00:00Z");
    it.look(None);

    assert_eq!(it.probe_at, Some(at("2020-01-01T00:05:00Z")));
}

#[test]
fn looking_again_with_nothing_new_changes_nothing() {
    for outcome in [
        Ok(()),
        Err(problem(Reason::Timeout, Disposition::Transient)),
        Err(problem(Reason::SecretNotFound, Disposition::NeedsOperator)),
    ] {
        let mut it = Probed::new(Kind::CustomerIoConnection);
        it.look(Some(outcome));
        let before = it.conditions.clone();

        for _ in 0..3 {
            it.pass(7);
            it.look(None);
        }

        assert_eq!(it.conditions, before);
    }
}

#[test]
fn a_source_is_probed_as_often_as_it_says_and_named_by_its_block() {
    let mut source: Source = serde_json::from_value(json!({
        "apiVersion": "ciosync.dev/v1alpha1", "kind": "Source",
        "metadata": {"name": "warehouse", "generation": 1},
        "spec": {"sqlite": {"path": "it.db"}, "probeInterval": "90s"},
    }))
    .unwrap();

    let (status, probe_at) = probe::source(&source, at(START), Some(Ok(())));
    assert_eq!(status.source_type.as_deref(), Some("sqlite"));
    assert_eq!(probe_at, Some(at("2026-03-02T10:01:30Z")));
    source.status = Some(status.clone());
    let (again, _) = probe::source(&source, at("2026-03-02T10:01:00Z"), None);
    assert_eq!(again, status);
}

fn connection() -> CustomerIoConnection {
    let key = json!({"secretKeyRef": {"name": "customerio", "key": "api-key"}});
    serde_json::from_value(json!({
        "apiVersion": "ciosync.dev/v1alpha1", "kind": "CustomerIoConnection",
        "metadata": {"name": "production", "generation": 1},
        "spec": {"siteId": {"value": "s"}, "apiKey": key},
        "status": {"region": "eu", "workspaceId": 7},
    }))
    .unwrap()
}

#[test]
fn a_connection_is_ready_without_its_app_api_and_says_what_is_wrong_with_it() {
    let refused = problem(Reason::AuthenticationFailed, Disposition::NeedsOperator);
    let outcome = Some(Ok(Some(refused)));

    let (status, probe_at) = probe::connection(&connection(), at(START), outcome);

    let ready = status.conditions.iter().find(|it| it.condition_type == "Ready").unwrap();
    assert_eq!(ready.status, ConditionStatus::True);
    assert!(ready.message.contains("It is so."), "{}", ready.message);
    assert!(ready.message.contains("Only what asks the App API is held up"), "{}", ready.message);
    assert!(status.conditions.iter().all(|it| it.condition_type != "Stalled"));
    assert_eq!(probe_at, Some(at("2026-03-02T10:05:00Z")));
}

#[test]
fn a_connection_keeps_what_the_api_said_of_it() {
    let connection = connection();

    let failed = Some(Err(problem(Reason::Timeout, Disposition::Transient)));
    let (status, _) = probe::connection(&connection, at(START), failed);

    assert_eq!((status.region.as_deref(), status.workspace_id), (Some("eu"), Some(7)));
    assert!(status.last_probe_time.is_some());
}
