//! What a Sync's Source and connection mean for it.

use serde_json::{Value, json};

use super::world::{START, World, at, problem};
use crate::api::{CustomerIoConnection, Source};
use crate::controller::decide::*;
use crate::model::{Disposition, Reason, RunResult};

/// How a resource stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    Missing,
    Forbidden,
    NotLookedAt,
    Unknown,
    Ready,
    Retrying,
    Stalled,
}

use Stands::{Forbidden, Missing, NotLookedAt, Ready, Retrying, Stalled, Unknown};

fn conditions(stands: Stands) -> Vec<Value> {
    let one = |name: &str, status: &str, reason: &str| {
        json!({"type": name, "status": status, "reason": reason, "message": "Look at the host.",
               "lastTransitionTime": START, "observedGeneration": 1})
    };
    match stands {
        Missing | Forbidden | NotLookedAt => vec![],
        Unknown => vec![one("Ready", "Unknown", "Progressing")],
        Ready => vec![one("Ready", "True", "ProbeSucceeded")],
        Retrying => vec![
            one("Ready", "False", "ConnectionFailed"),
            one("Reconciling", "True", "ProgressingWithRetry"),
        ],
        Stalled => vec![
            one("Ready", "False", "AuthenticationFailed"),
            one("Stalled", "True", "AuthenticationFailed"),
        ],
    }
}

fn found<'a, K>(stands: Stands, resource: &'a K) -> Found<'a, K> {
    match stands {
        Missing => Found::Missing,
        Forbidden => Found::Forbidden,
        NotLookedAt | Unknown | Ready | Retrying | Stalled => Found::Here(resource),
    }
}

fn judged(source: Stands, connection: Stands) -> References {
    let with = |mut resource: Value, stands: Stands| {
        resource["apiVersion"] = json!("ciosync.dev/v1alpha1");
        resource["metadata"] = json!({"name": "it"});
        if stands != NotLookedAt {
            resource["status"] = json!({"conditions": conditions(stands)});
        }
        resource
    };
    let warehouse = json!({"kind": "Source", "spec": {"sqlite": {"path": "it.db"}}});
    let warehouse: Source = serde_json::from_value(with(warehouse, source)).unwrap();
    let key = json!({"secretKeyRef": {"name": "customerio", "key": "api-key"}});
    let production = json!({
        "kind": "CustomerIoConnection", "spec": {"siteId": {"value": "s"}, "apiKey": key},
    });
    let production: CustomerIoConnection =
        serde_json::from_value(with(production, connection)).unwrap();
    let sync = World::new(json!({})).sync;
    references(&sync.spec, found(source, &warehouse), found(connection, &production))
}

#[test]
fn what_does_not_pass_by_itself_is_named_first_and_of_equals_the_source() {
    let broken = |source, connection| match judged(source, connection) {
        References::Broken(problem) => Some((problem.reason, problem.disposition)),
        References::Usable | References::Unproven => None,
    };
    let (operator, transient) = (Disposition::NeedsOperator, Disposition::Transient);
    for (source, connection, reason, disposition) in [
        (Missing, Ready, Reason::RefNotFound, operator),
        (Forbidden, Ready, Reason::RefNotPermitted, operator),
        (Stalled, Ready, Reason::SourceNotReady, operator),
        (Retrying, Ready, Reason::SourceNotReady, transient),
        (Ready, Missing, Reason::RefNotFound, operator),
        (Ready, Forbidden, Reason::RefNotPermitted, operator),
        (Ready, Stalled, Reason::ConnectionNotReady, operator),
        (Ready, Retrying, Reason::ConnectionNotReady, transient),
        (Retrying, Stalled, Reason::ConnectionNotReady, operator),
        (Stalled, Retrying, Reason::SourceNotReady, operator),
        (Unknown, Retrying, Reason::ConnectionNotReady, transient),
        (Retrying, Unknown, Reason::SourceNotReady, transient),
        (Stalled, Missing, Reason::SourceNotReady, operator),
        (NotLookedAt, Missing, Reason::RefNotFound, operator),
    ] {
        let said = broken(source, connection);
        assert_eq!(said, Some((reason, disposition)), "{source:?} {connection:?}");
    }

    assert_eq!(judged(Ready, Ready), References::Usable);
    for (source, connection) in
        [(NotLookedAt, Ready), (Unknown, Ready), (Ready, NotLookedAt), (Ready, Unknown)]
    {
        assert_eq!(judged(source, connection), References::Unproven, "{source:?} {connection:?}");
    }
}

#[test]
fn the_problem_names_the_resource_and_carries_its_own_words() {
    let References::Broken(problem) = judged(Stalled, Ready) else { panic!("usable") };
    assert_eq!(problem.message, "Look at the host (AuthenticationFailed)");
    assert_eq!(problem.hint.as_deref(), Some("see to Source `warehouse`"));

    let References::Broken(problem) = judged(Ready, Missing) else { panic!("usable") };
    assert_eq!(problem.message, "there is no CustomerIoConnection `production`");
}

#[test]
fn a_new_sync_waits_until_both_were_probed() {
    let mut world = World::new(json!({"interval": "1h"}));
    world.references = References::Unproven;
    world.look();
    world.live(600);
    assert_eq!(world.starts.len(), 0);
    assert_eq!(world.conditions(), "Ready=Unknown/Progressing Reconciling=True/Progressing");

    world.references = References::Usable;
    world.look();

    assert_eq!(world.starts[0].trigger, Trigger::Initial);
}

/// Returns a Sync of every hour whose first run ended well.
fn hourly() -> World {
    let mut world = World::new(json!({"interval": "1h"}));
    world.look();
    world.end(RunResult::Succeeded);
    world.starts.clear();
    world.take_events();
    world
}

#[test]
fn a_healthy_sync_whose_probe_says_nothing_stays_ready_and_waits() {
    let mut world = hourly();
    world.references = References::Unproven;

    world.live(3700);
    assert_eq!((world.starts.len(), world.conditions().as_str()), (0, "Ready=True/Succeeded"));

    world.references = References::Usable;
    world.look();
    assert_eq!(world.starts[0].trigger, Trigger::Schedule);
}

#[test]
fn each_reason_to_be_held_back_has_its_conditions_and_goes_with_its_cause() {
    let (operator, transient) = (Disposition::NeedsOperator, Disposition::Transient);
    for (reason, disposition, conditions) in [
        (
            Reason::RefNotFound,
            operator,
            "Ready=False/RefNotFound Stalled=True/RefNotFound ResolvedRefs=False/RefNotFound",
        ),
        (
            Reason::RefNotPermitted,
            operator,
            "Ready=False/RefNotPermitted Stalled=True/RefNotPermitted \
             ResolvedRefs=False/RefNotPermitted",
        ),
        (
            Reason::SourceNotReady,
            operator,
            "Ready=False/SourceNotReady Stalled=True/SourceNotReady",
        ),
        (
            Reason::ConnectionNotReady,
            transient,
            "Ready=False/ConnectionNotReady Reconciling=True/ProgressingWithRetry",
        ),
    ] {
        for fields in [json!({"interval": "1h"}), json!({}), json!({"schedule": "0 * * * *"})] {
            let mut world = World::new(fields.clone());
            world.look();
            if world.running.is_some() {
                world.end(RunResult::Succeeded);
            }
            let healthy = world.conditions();

            world.references = References::Broken(problem(reason, disposition));
            world.look();
            assert_eq!(world.conditions(), conditions, "{fields}");
            world.references = References::Usable;
            world.look();

            assert_eq!(world.conditions(), healthy, "{fields}");
        }
    }
}

#[test]
fn a_run_that_fails_at_once_is_tried_once_for_each_change() {
    for (changed_at, decided_at, is_tried_again) in [
        ("2026-03-02T10:00:00.3Z", "2026-03-02T10:00:00.6Z", false),
        ("2026-03-02T10:00:00.6Z", "2026-03-02T10:00:00.3Z", true),
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00.001Z", false),
        ("2026-03-02T10:00:01Z", "2026-03-02T10:00:00.9Z", true),
    ] {
        let mut world = World::new(json!({}));
        world.now = at(decided_at);
        world.look();
        world.named_changed_at = Some(at(changed_at));
        world.now = at("2026-03-02T10:00:01.1Z");
        world.fail(Reason::InvalidQuery, Disposition::NeedsOperator);
        world.look();

        let tries = world.starts.iter().filter(|it| it.trigger == Trigger::ReferenceChange).count();
        assert_eq!(tries, usize::from(is_tried_again), "{changed_at} {decided_at}");
        if is_tried_again {
            world.fail(Reason::InvalidQuery, Disposition::NeedsOperator);
            world.live(60);
            assert_eq!(world.starts.len(), 2, "{changed_at} {decided_at}");
        }
    }
}

#[test]
fn a_run_under_way_is_not_stopped_because_a_probe_fails() {
    let mut world = hourly();
    world.live(3600);

    world.references =
        References::Broken(problem(Reason::ConnectionNotReady, Disposition::Transient));
    world.look();

    assert_eq!(world.running.as_ref().unwrap().cancelled, None);
    world.end(RunResult::Succeeded);
    assert_eq!(
        world.conditions(),
        "Ready=False/ConnectionNotReady Reconciling=True/ProgressingWithRetry"
    );
}

#[test]
fn a_slot_that_passed_while_held_back_is_made_up_for_inside_its_deadline() {
    for (deadline, starts, missed) in [("2h", 1, 1), ("10m", 0, 2)] {
        let mut world = World::new(json!({"schedule": "0 * * * *", "startingDeadline": deadline}));
        world.look();
        world.references =
            References::Broken(problem(Reason::RefNotFound, Disposition::NeedsOperator));
        world.now = at("2026-03-02T12:30:00Z");
        world.look();
        assert_eq!(world.starts.len(), 0);

        world.references = References::Usable;
        world.look();

        assert_eq!(world.starts.len(), starts, "{deadline}");
        assert_eq!(world.status().missed_schedules, Some(missed), "{deadline}");
    }
}

#[test]
fn an_edit_that_does_not_fit_yet_runs_when_its_source_does() {
    let mut world = World::new(json!({}));
    world.look();
    world.end(RunResult::Succeeded);
    world.spec_problem = Some(problem(Reason::InvalidSpec, Disposition::NeedsOperator));
    world.edit(|spec| spec.nulls = crate::mapping::spec::Nulls::Omit);
    world.look();
    world.live(600);
    assert_eq!(world.starts.len(), 1);

    world.spec_problem = None;
    world.look();

    assert_eq!(world.starts[1].trigger, Trigger::SpecChange);
}

#[test]
fn an_invalid_spec_stalls_whatever_else_is_wrong_and_goes_on_when_mended() {
    for reason in [Reason::InvalidSpec, Reason::InvalidSchedule, Reason::InvalidTimeZone] {
        let mut world = hourly();
        world.references =
            References::Broken(problem(Reason::RefNotFound, Disposition::NeedsOperator));
        world.spec_problem = Some(problem(reason, Disposition::NeedsOperator));
        world.edit(|spec| spec.time_zone = "Nowhere".to_owned());
        world.look();
        let name = reason.as_str();
        assert_eq!(world.conditions(), format!("Ready=False/{name} Stalled=True/{name}"));
        assert_eq!(world.status().observed_generation, Some(2));
        world.live(7200);
        assert_eq!(world.starts.len(), 0);

        world.references = References::Usable;
        world.spec_problem = None;
        world.edit(|spec| spec.time_zone = "UTC".to_owned());
        world.look();

        assert_eq!(world.starts.len(), 1, "the slot that passed is made up for");
        world.end(RunResult::Succeeded);
        assert_eq!(world.conditions(), "Ready=True/Succeeded");
    }
}

#[test]
fn a_statement_that_a_config_map_lacks_is_looked_up_again_now_and_then() {
    let query = json!({"configMapKeyRef": {"name": "queries", "key": "people"}});
    for (model, reason, tries) in [
        (json!({"sqlFrom": query, "primaryKey": ["id"]}), Reason::InvalidSpec, 2),
        (json!({"sqlFrom": query, "primaryKey": ["id"]}), Reason::InvalidQuery, 2),
        (json!({"sqlFrom": query, "primaryKey": ["id"]}), Reason::AuthenticationFailed, 1),
        (json!({"sql": "select", "primaryKey": ["id"]}), Reason::InvalidQuery, 1),
    ] {
        let mut world = World::new(json!({"model": model, "retry": {"maxBackoff": "10m"}}));
        world.look();
        world.fail(reason, Disposition::NeedsOperator);
        world.live(599);
        assert_eq!(world.starts.len(), 1, "{reason:?}");

        world.live(1);

        assert_eq!(world.starts.len(), tries, "{model} {reason:?}");
        if tries > 1 {
            world.end(RunResult::Succeeded);
            world.live(3600);
            assert_eq!(world.starts.len(), tries, "it is well");
        }
    }
}
