//! Syncs that wait for others.

use serde_json::{Value, json};

use super::world::{START, World, at, sync};
use crate::api;
use crate::controller::decide::*;
use crate::model::{Disposition, Reason, RunResult};

/// Returns a Sync of this name that depends on these.
fn named(name: &str, depends_on: &[&str]) -> api::Sync {
    let names: Vec<Value> = depends_on.iter().map(|name| json!({"name": name})).collect();
    let mut sync = sync(json!({"dependsOn": names}));
    sync.metadata.name = Some(name.to_owned());
    sync
}

/// Returns a Sync with this status.
fn with(status: Value) -> api::Sync {
    let mut sync = named("accounts", &[]);
    sync.status = Some(serde_json::from_value(status).unwrap());
    sync
}

fn condition(name: &str, reason: &str) -> Value {
    json!({"type": name, "status": "True", "reason": reason, "message": "So.",
           "lastTransitionTime": START, "observedGeneration": 1})
}

fn run(result: &str) -> Value {
    serde_json::to_value(api::sync_status::RunSummary {
        id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
        result: result.to_owned(),
        ..Default::default()
    })
    .unwrap()
}

#[test]
fn how_a_sync_stands_follows_from_its_status() {
    let (past, future) = ("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z");
    let now = at("2026-03-02T10:00:00Z");
    let current = json!({"id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "startedAt": START});
    for (what, status, hold) in [
        ("not looked at", json!({"observedGeneration": -1}), Hold::Wait),
        ("never ran", json!({"nextScheduleTime": future}), Hold::Wait),
        ("running", json!({"currentRun": current, "lastRun": run("Succeeded")}), Hold::Wait),
        ("due", json!({"nextScheduleTime": past, "lastRun": run("Succeeded")}), Hold::Wait),
        ("interrupted", json!({"lastRun": run("Interrupted")}), Hold::Wait),
        ("tried again", json!({"nextRetryTime": future, "lastRun": run("Failed")}), Hold::Wait),
        ("well", json!({"nextScheduleTime": future, "lastRun": run("Succeeded")}), Hold::Go),
        ("unchanged", json!({"lastRun": run("NoChanges")}), Hold::Go),
        ("partial", json!({"lastRun": run("PartiallySucceeded")}), Hold::Go),
        ("failed", json!({"nextScheduleTime": future, "lastRun": run("Failed")}), Hold::Failed),
        ("blocked", json!({"lastRun": run("Blocked")}), Hold::Failed),
        ("cancelled", json!({"lastRun": run("Cancelled")}), Hold::Failed),
        ("skipped", json!({"lastRun": run("Skipped")}), Hold::Failed),
        (
            "stalled and not due",
            json!({"nextScheduleTime": future, "lastRun": run("Failed"),
                   "conditions": [condition("Stalled", "InvalidQuery")]}),
            Hold::Failed,
        ),
        (
            "stalled by its last run, and due again",
            json!({"nextScheduleTime": past, "lastRun": run("Failed"),
                   "conditions": [condition("Stalled", "InvalidQuery")]}),
            Hold::Wait,
        ),
        (
            "blocked, and due again",
            json!({"nextScheduleTime": past, "lastRun": run("Blocked"),
                   "conditions": [condition("Stalled", "GuardTripped")]}),
            Hold::Wait,
        ),
        (
            "due, and can't start",
            json!({"nextScheduleTime": past, "lastRun": run("Succeeded"),
                   "conditions": [condition("Stalled", "RefNotFound")]}),
            Hold::Failed,
        ),
        (
            "suspended by its connection",
            json!({"nextScheduleTime": past, "lastRun": run("Failed"),
                   "conditions": [condition("Suspended", "SuspendedByConnection")]}),
            Hold::Go,
        ),
    ] {
        assert_eq!(dependency::hold(&with(status), now), hold, "{what}");
    }

    let mut suspended = named("accounts", &[]);
    suspended.spec.suspend = true;
    assert_eq!(dependency::hold(&suspended, now), Hold::Go);
}

#[test]
fn unknown_names_and_circles_are_found_with_their_place() {
    let all = [
        named("accounts", &[]),
        named("people", &["accounts"]),
        named("a", &["b"]),
        named("b", &["c"]),
        named("c", &["a"]),
        named("beside-a-circle", &["a"]),
    ];
    let check = |sync: &api::Sync| {
        let find = |name: &str| all.iter().find(|it| it.metadata.name.as_deref() == Some(name));
        standings(sync, find, at(START)).map_err(|problem| (problem.reason, problem.message))
    };
    let message = |name: &str, depends_on: &[&str]| check(&named(name, depends_on)).unwrap_err();

    let fine = check(&all[1]).unwrap();
    assert_eq!(fine, [Standing { name: "accounts".to_owned(), hold: Hold::Wait }]);
    assert!(check(&all[5]).is_ok(), "the circle is the others' fault");
    for (name, depends_on, wrong) in [
        ("people", vec!["accounts", "gone"], "spec.dependsOn[1]: there is no Sync `gone`"),
        ("people", vec!["people"], "spec.dependsOn[0]: the Sync depends on itself"),
        ("a", vec!["b"], "spec.dependsOn[0]: `b` depends on this Sync in turn"),
    ] {
        let (reason, said) = message(name, &depends_on);
        assert_eq!(reason, Reason::InvalidSpec);
        assert!(said.starts_with(wrong), "{said}");
    }
}

/// Returns a Sync at full hours that depends on one, ran well at 11:00 and looks at 11:59.
fn dependent(fields: &Value) -> World {
    let mut all = json!({"schedule": "0 * * * *", "dependsOn": [{"name": "accounts"}]});
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    let mut world = World::new(all);
    holds(&mut world, Hold::Go);
    world.look();
    world.now = at("2026-03-02T11:00:00Z");
    world.look();
    world.pass(60);
    world.end(RunResult::Succeeded);
    world.now = at("2026-03-02T11:59:00Z");
    world.take_events();
    world.starts.clear();
    world
}

fn holds(world: &mut World, hold: Hold) {
    world.dependencies = vec![Standing { name: "accounts".to_owned(), hold }];
}

#[test]
fn a_due_sync_waits_for_what_it_depends_on_and_starts_right_after() {
    let mut world = dependent(&json!({}));
    holds(&mut world, Hold::Wait);
    world.now = at("2026-03-02T12:00:00Z");
    let decision = world.look();
    assert!(decision.look_again.unwrap() <= at("2026-03-02T12:00:30Z"));
    world.live(20 * 60);
    assert_eq!((world.starts.len(), world.next()), (0, "2026-03-02T12:00:00Z"));
    assert_eq!(world.conditions(), "Ready=True/Succeeded");

    holds(&mut world, Hold::Go);
    world.look();

    assert_eq!(world.starts[0].slot, Some(at("2026-03-02T12:00:00Z")));
    assert_eq!(world.starts[0].trigger, Trigger::Schedule);
    assert_eq!(world.status().missed_schedules.unwrap_or(0), 0);
}

#[test]
fn every_one_of_several_has_to_have_ended_well() {
    let of = |holds: &[Hold]| -> Vec<Standing> {
        let named =
            |(index, hold): (usize, &Hold)| Standing { name: index.to_string(), hold: *hold };
        holds.iter().enumerate().map(named).collect()
    };
    for (holds, starts, last) in [
        (vec![Hold::Go, Hold::Go], 1, "Succeeded"),
        (vec![Hold::Go, Hold::Wait], 0, "Succeeded"),
        (vec![Hold::Wait, Hold::Failed], 0, "Skipped"),
        (vec![Hold::Failed, Hold::Go], 0, "Skipped"),
    ] {
        let mut world = dependent(&json!({}));
        world.dependencies = of(&holds);

        world.live(90);

        assert_eq!(world.starts.len(), starts, "{holds:?}");
        assert_eq!(world.status().last_run.as_ref().unwrap().result, last, "{holds:?}");
    }
}

#[test]
fn the_slot_is_skipped_where_one_failed_and_the_next_one_tries_again() {
    let mut world = dependent(&json!({}));
    holds(&mut world, Hold::Failed);

    world.live(90);

    let last = world.status().last_run.clone().unwrap();
    assert_eq!(
        (last.result.as_str(), last.reason.as_deref()),
        ("Skipped", Some("DependencyNotReady"))
    );
    assert_eq!((world.next(), world.status().missed_schedules), ("2026-03-02T13:00:00Z", Some(1)));
    assert_eq!(
        world.conditions(),
        "Ready=False/DependencyNotReady Reconciling=True/ProgressingWithRetry"
    );
    assert!(world.condition("Ready").unwrap().message.contains("accounts did not end well"));

    holds(&mut world, Hold::Go);
    world.live(3600);
    assert_eq!(world.starts[0].slot, Some(at("2026-03-02T13:00:00Z")));
    world.end(RunResult::Succeeded);
    assert_eq!(world.conditions(), "Ready=True/Succeeded");
}

#[test]
fn a_wait_past_the_deadline_skips_the_slot() {
    let mut world = dependent(&json!({"startingDeadline": "10m"}));
    holds(&mut world, Hold::Wait);

    world.live(60 + 10 * 60);
    assert_eq!((world.starts.len(), world.next()), (0, "2026-03-02T12:00:00Z"));
    world.live(1);

    let last = world.status().last_run.clone().unwrap();
    assert_eq!(
        (last.result.as_str(), last.reason.as_deref()),
        ("Skipped", Some("DependencyNotReady"))
    );
    assert_eq!((world.next(), world.status().missed_schedules), ("2026-03-02T13:00:00Z", Some(1)));
    assert!(world.condition("Ready").unwrap().message.contains("accounts did not end in time"));
    holds(&mut world, Hold::Go);
    world.live(600);
    assert!(world.starts.is_empty(), "its deadline is over");
}

#[test]
fn without_a_deadline_the_wait_ends_with_the_next_slot() {
    let mut world = dependent(&json!({}));
    holds(&mut world, Hold::Wait);

    world.live(3600 + 60);

    let status = world.status();
    assert_eq!(status.last_run.as_ref().unwrap().result, "Skipped");
    assert_eq!((world.next(), status.missed_schedules), ("2026-03-02T13:00:00Z", Some(1)));
    holds(&mut world, Hold::Go);
    world.look();
    assert_eq!(world.starts[0].slot, Some(at("2026-03-02T13:00:00Z")));
}

#[test]
fn a_first_run_and_a_run_for_an_edit_wait_and_are_not_skipped_for_good() {
    for fields in [json!({"interval": "1h"}), json!({})] {
        for hold in [Hold::Wait, Hold::Failed] {
            let mut world = World::new(fields.clone());
            holds(&mut world, hold);
            world.look();
            world.live(7200);
            assert_eq!(world.starts.len(), 0, "{fields} {hold:?}");
            assert_eq!(
                world.conditions(),
                "Ready=Unknown/Progressing Reconciling=True/Progressing"
            );

            holds(&mut world, Hold::Go);
            world.look();
            assert_eq!(world.starts[0].trigger, Trigger::Initial, "{fields} {hold:?}");
        }
    }
}

#[test]
fn what_a_person_asks_for_waits_for_nobody() {
    let mut world = dependent(&json!({}));
    holds(&mut world, Hold::Failed);

    world.annotate(REQUESTED_AT, "now");
    world.look();

    assert_eq!(world.starts[0].trigger, Trigger::Request);
}

#[test]
fn a_skipped_slot_gives_up_the_retry_of_the_one_before() {
    let mut world = dependent(&json!({"retry": {"minBackoff": "10m", "maxBackoff": "10m"}}));
    world.live(60);
    world.now = at("2026-03-02T12:55:00Z");
    world.fail(Reason::SourceNotReady, Disposition::Transient);
    assert!(world.status().next_retry_time.is_some());

    holds(&mut world, Hold::Failed);
    world.live(3600);

    assert_eq!(world.status().last_run.as_ref().unwrap().result, "Skipped");
    assert_eq!(world.status().next_retry_time, None);
    assert_eq!(world.starts.len(), 1);
    // Those that depend on it in turn see a failure, and don't wait for ever.
    assert_eq!(dependency::hold(&world.sync, world.now), Hold::Failed);
}

#[test]
fn an_end_that_is_taken_twice_counts_once_where_a_slot_is_skipped_after_it() {
    let mut world = dependent(&json!({}));
    world.live(60);
    holds(&mut world, Hold::Failed);
    let ended = world.ended(RunResult::Failed);
    world.now = at("2026-03-02T13:00:00Z");

    // Ends before the slot, is taken in after it.
    world.end_as(ended);

    let results: Vec<&str> = world.status().history.iter().map(|run| run.result.as_str()).collect();
    assert_eq!(results, ["Skipped", "Failed", "Succeeded"]);
    assert_eq!(world.status().consecutive_failures, Some(1));
}
