//! What the end of a run leaves in the status, and the tries that follow a failure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::world::{World, at};
use crate::controller::decide::*;
use crate::model::{Disposition, Reason, RunResult};

/// Returns a Sync of every hour in its first run, a minute after it started.
fn first_run(fields: &Value) -> World {
    let mut all = json!({"interval": "1h"});
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    let mut world = World::new(all);
    world.look();
    world.pass(60);
    world
}

/// Returns the same in its second run; the first ended well.
fn second_run(fields: &Value) -> World {
    let mut world = first_run(fields);
    world.end(RunResult::Succeeded);
    world.now = at(world.next());
    world.look();
    world.pass(60);
    world.take_events();
    world.starts.clear();
    world
}

#[test]
fn each_result_leaves_its_own_conditions_and_times() {
    let retried = "Ready=True/Succeeded Reconciling=True/ProgressingWithRetry";
    for (result, conditions, events, succeeded, failures) in [
        (RunResult::Succeeded, "Ready=True/Succeeded", vec!["RunSucceeded"], true, 0),
        (RunResult::NoChanges, "Ready=True/NoChanges", vec![], true, 0),
        (
            RunResult::PartiallySucceeded,
            "Ready=True/PartiallySucceeded",
            vec!["RunPartiallySucceeded"],
            true,
            0,
        ),
        (
            RunResult::Blocked,
            "Ready=False/GuardTripped Stalled=True/GuardTripped",
            vec!["GuardTripped"],
            false,
            0,
        ),
        (RunResult::Failed, retried, vec!["RunFailed"], false, 1),
        (RunResult::Cancelled, "Ready=True/Succeeded", vec![], false, 0),
    ] {
        let mut world = second_run(&json!({}));
        if result == RunResult::Failed {
            world.fail(Reason::SourceNotReady, Disposition::Transient);
        } else {
            world.end(result);
        }

        let mut events_seen = world.take_events();
        events_seen.retain(|event| result != RunResult::NoChanges || *event != "RunSucceeded");
        assert_eq!((world.conditions().as_str(), events_seen), (conditions, events), "{result:?}");
        let status = world.status();
        let ended_at =
            serde_json::to_value(&status.last_run.as_ref().unwrap().finished_at).unwrap();
        let is_newest = serde_json::to_value(&status.last_successful_time).unwrap() == ended_at;
        assert_eq!(is_newest, succeeded, "{result:?}");
        assert_eq!(status.consecutive_failures, Some(failures), "{result:?}");
        assert_eq!(status.last_failure_time.is_some(), failures > 0, "{result:?}");
        assert_eq!(status.last_run.as_ref().unwrap().result, result.as_str());
        assert_eq!((&status.current_run, status.history.len()), (&None, 2), "{result:?}");
    }
}

#[test]
fn the_history_is_newest_first_and_no_longer_than_it_may_be() {
    for limit in [0, 1, 3] {
        let mut world = first_run(&json!({"historyLimit": limit}));
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.insert(0, world.running.as_ref().unwrap().id.0.clone());
            world.end(RunResult::Succeeded);
            world.live(3600);
        }

        let kept: Vec<&String> = world.status().history.iter().map(|run| &run.id).collect();
        assert_eq!(kept, ids.iter().take(limit).collect::<Vec<_>>());
        assert_eq!(world.status().last_run.as_ref().unwrap().id, ids[0]);
    }
}

#[test]
fn a_passing_fault_is_tried_again_as_often_as_the_budget_says() {
    for limit in [0, 1, 3] {
        let mut world = second_run(&json!({"interval": "24h", "retry": {"limit": limit}}));
        for number in 1..=limit {
            world.fail(Reason::SourceNotReady, Disposition::Transient);
            assert_eq!(
                world.conditions(),
                "Ready=True/Succeeded Reconciling=True/ProgressingWithRetry"
            );
            assert!(world.status().next_retry_time.is_some());
            world.live(1800);
            assert_eq!(world.starts.last().unwrap().trigger, Trigger::Retry(number));
        }

        world.fail(Reason::SourceNotReady, Disposition::Transient);

        // The budget is spent, and a slot lies ahead.
        assert_eq!(
            world.conditions(),
            "Ready=False/SourceNotReady Reconciling=True/ProgressingWithRetry"
        );
        assert_eq!(world.status().next_retry_time, None);
        let starts = world.starts.len();
        world.live(3600);
        assert_eq!(world.starts.len(), starts, "tried once too often with a limit of {limit}");
    }
}

#[test]
fn a_spent_budget_without_a_slot_ahead_stalls() {
    let mut world = World::new(json!({"retry": {"limit": 1}}));
    world.look();
    world.fail(Reason::Timeout, Disposition::Transient);
    assert_eq!(
        world.conditions(),
        "Ready=Unknown/Progressing Reconciling=True/ProgressingWithRetry"
    );
    world.live(60);

    world.fail(Reason::Timeout, Disposition::Transient);

    assert_eq!(world.conditions(), "Ready=False/Timeout Stalled=True/Timeout");
    world.live(86_400);
    assert_eq!(world.starts.len(), 2);
}

#[test]
fn pauses_grow_from_the_shortest_to_the_longest() {
    let retry = json!({"limit": 9, "minBackoff": "10s", "maxBackoff": "60s"});
    let mut world = second_run(&json!({"interval": "24h", "retry": retry}));
    for (shortest, longest) in [(10, 10), (16, 21), (32, 41), (48, 61), (48, 61)] {
        world.fail(Reason::SourceNotReady, Disposition::Transient);
        let again = world.status().next_retry_time.as_ref().unwrap().0;
        let pause = again.duration_since(world.now).as_secs();
        assert!((shortest..=longest).contains(&pause), "{pause} is not {shortest} to {longest}");

        world.now = again - jiff::SignedDuration::from_secs(1);
        world.look();
        assert!(world.running.is_none(), "tried too early");
        world.now = again;
        world.look();
        assert!(world.running.is_some(), "not tried when due");
    }
}

#[test]
fn a_sync_that_fails_at_every_slot_is_not_tried_ever_more_often() {
    let mut world = second_run(&json!({"retry": {"limit": 2}}));
    for _ in 0..3 {
        world.fail(Reason::SourceNotReady, Disposition::Transient);
        world.live(600);
    }
    let starts = world.starts.len();

    for slot in 1..=4 {
        world.live(3600);
        assert_eq!(world.starts.len(), starts + slot);
        world.fail(Reason::SourceNotReady, Disposition::Transient);
        assert_eq!(world.status().next_retry_time, None);
    }
}

#[test]
fn what_a_person_must_mend_stalls_and_is_tried_at_the_slots_only() {
    for (reason, shown) in [
        (Reason::InvalidQuery, "InvalidQuery"),
        (Reason::PermissionDenied, "InvalidQuery"),
        (Reason::SchemaDrift, "SchemaDrift"),
        (Reason::AuthenticationFailed, "AuthenticationFailed"),
        (Reason::WorkspaceMismatch, "ConnectionNotReady"),
        (Reason::StateLost, "StateLost"),
        (Reason::TooManyRejected, "TooManyRejected"),
        (Reason::AttributeConflict, "AttributeConflict"),
        (Reason::SecretNotFound, "SecretNotFound"),
    ] {
        let mut world = second_run(&json!({}));
        world.fail(reason, Disposition::NeedsOperator);
        world.live(1800);
        let refs = match shown {
            "SecretNotFound" => " ResolvedRefs=False/SecretNotFound",
            _ => "",
        };
        assert_eq!(world.conditions(), format!("Ready=False/{shown} Stalled=True/{shown}{refs}"));
        assert_eq!((world.starts.len(), &world.status().next_retry_time), (0, &None));

        world.live(1800);
        assert_eq!(world.starts.len(), 1, "a stalled Sync is tried at its slot");
        world.end(RunResult::NoChanges);
        assert_eq!(world.conditions(), "Ready=True/NoChanges");
    }
}

#[test]
fn a_stalled_sync_is_tried_at_once_when_something_it_names_changes() {
    for result in [RunResult::Failed, RunResult::Blocked] {
        let mut world = second_run(&json!({}));
        world.named_changed_at = Some(at("2026-03-02T10:30:00Z"));
        match result {
            RunResult::Failed => world.fail(Reason::InvalidQuery, Disposition::NeedsOperator),
            _ => world.end(result),
        };
        world.live(60);
        assert_eq!(world.starts.len(), 0, "that was before the run");

        world.named_changed_at = Some(world.now);
        world.look();
        assert_eq!(world.starts[0].trigger, Trigger::ReferenceChange);

        world.pass(1);
        world.fail(Reason::InvalidQuery, Disposition::NeedsOperator);
        world.live(60);
        assert_eq!(world.starts.len(), 1, "one change is one try");
    }
}

#[test]
fn a_healthy_sync_does_not_run_because_something_it_names_changes() {
    let mut world = second_run(&json!({}));
    world.end(RunResult::Succeeded);

    world.named_changed_at = Some(world.now);
    world.look();

    assert!(world.starts.is_empty());
}

#[test]
fn failures_are_told_once_per_cause_and_when_nothing_is_tried_any_more() {
    let mut world = second_run(&json!({"interval": "24h", "retry": {"limit": 2}}));
    let mut told = Vec::new();
    for reason in [Reason::SourceNotReady, Reason::SourceNotReady, Reason::Timeout] {
        world.fail(reason, Disposition::Transient);
        told.push(world.take_events());
        world.live(1800);
    }

    assert_eq!(told, [vec!["RunFailed"], vec![], vec!["RunFailed"]]);
    world.live(86_400);
    world.end(RunResult::Succeeded);
    assert_eq!(world.take_events(), ["RunRecovered"]);
    assert_eq!(world.conditions(), "Ready=True/Succeeded");
}

#[test]
fn partial_success_is_told_once_and_lost_state_by_its_name() {
    let mut world = second_run(&json!({}));
    world.end(RunResult::PartiallySucceeded);
    world.live(3600);
    world.end(RunResult::PartiallySucceeded);
    assert_eq!(world.take_events(), ["RunPartiallySucceeded"]);

    world.live(3600);
    world.fail(Reason::StateLost, Disposition::NeedsOperator);
    assert_eq!(world.take_events(), ["StateLost"]);
}

#[test]
fn another_version_of_a_secret_is_told_and_kept() {
    let mut world = second_run(&json!({}));
    for (version, events) in [
        ("1", vec!["RunSucceeded"]),
        ("1", vec!["RunSucceeded"]),
        ("2", vec!["SecretRotated", "RunSucceeded"]),
    ] {
        let versions = BTreeMap::from([("customerio".to_owned(), version.to_owned())]);
        let ended = world.ended(RunResult::Succeeded);
        world.end_as(Ended { secret_versions: versions.clone(), ..ended });

        assert_eq!(world.take_events(), events, "{version}");
        assert_eq!(world.status().observed_secret_versions, versions);
        world.live(3600);
    }
}

#[test]
fn numbers_that_could_not_be_read_stay_what_they_were() {
    let mut world = second_run(&json!({}));
    let ended = world.ended(RunResult::Succeeded);
    world.end_as(Ended { snapshot_rows: Some(7), parked_rows: Some(2), ..ended });
    world.live(3600);
    let ended = world.ended(RunResult::Succeeded);
    world.end_as(Ended { snapshot_rows: None, parked_rows: None, ..ended });

    assert_eq!((world.status().snapshot_rows, world.status().parked_rows), (Some(7), Some(2)));
}

#[test]
fn a_block_goes_when_the_numbers_are_fine_again() {
    let mut world = second_run(&json!({}));
    world.end(RunResult::Blocked);
    let message = world.condition("Ready").unwrap().message.clone();
    let id = world.status().blocked.as_ref().unwrap().id.clone();
    assert!(message.contains(&format!("ciosync.dev/approve: {id}")), "{message}");

    world.live(3600);
    world.end(RunResult::NoChanges);

    assert_eq!(
        (&world.status().blocked, world.conditions().as_str()),
        (&None, "Ready=True/NoChanges")
    );
    assert_eq!(world.take_events(), ["GuardTripped", "RunRecovered"]);
}

#[test]
fn freshness_is_counted_from_the_last_run_that_ended_well() {
    let mut world = second_run(&json!({"freshness": "90m"}));
    world.end(RunResult::Succeeded);
    assert_eq!(world.condition("Fresh").unwrap().reason, "WithinFreshness");
    let since = world.condition("Fresh").unwrap().last_transition_time.clone();

    world.live(3600);
    world.fail(Reason::InvalidQuery, Disposition::NeedsOperator);
    world.live(29 * 60);
    assert_eq!(world.condition("Fresh").unwrap().last_transition_time, since);
    world.live(60);
    assert_eq!(world.condition("Fresh").unwrap().reason, "Overdue");

    world.live(3600);
    world.end(RunResult::NoChanges);
    assert_eq!(world.condition("Fresh").unwrap().reason, "WithinFreshness");
}

#[test]
fn a_sync_that_never_ended_well_is_overdue_by_its_age() {
    let mut world = World::new(json!({"freshness": "1h"}));
    world.look();
    world.fail(Reason::InvalidQuery, Disposition::NeedsOperator);
    assert_eq!(world.condition("Fresh").unwrap().reason, "WithinFreshness");

    world.live(3600);
    assert_eq!(world.condition("Fresh").unwrap().reason, "Overdue");
    assert_eq!(world.condition("Ready").unwrap().reason, "InvalidQuery");
}

#[test]
fn a_run_that_ends_well_before_it_stops_for_an_edit_is_followed_by_one_with_the_edit() {
    for (fields, ends, is_run) in [
        (json!({}), RunResult::Succeeded, true),
        (json!({}), RunResult::Failed, true),
        (json!({"interval": "1h"}), RunResult::Succeeded, false),
        (json!({"interval": "1h"}), RunResult::Failed, true),
    ] {
        let mut world = World::new(fields.clone());
        world.look();
        world.pass(60);
        world.edit(|spec| spec.nulls = crate::mapping::spec::Nulls::Omit);
        world.look();
        assert_eq!(world.running.as_ref().unwrap().cancelled, Some(CancelCause::SpecChanged));

        match ends {
            RunResult::Failed => world.fail(Reason::InvalidQuery, Disposition::NeedsOperator),
            _ => world.end(ends),
        };

        assert_eq!(world.starts.len(), if is_run { 2 } else { 1 }, "{fields} {ends:?}");
        let running = world.running.as_ref().map(|running| running.spec.nulls);
        assert_eq!(running, is_run.then_some(crate::mapping::spec::Nulls::Omit));
    }
}

#[test]
fn what_a_run_that_ended_well_has_to_tell_stands_in_ready() {
    let mut world = second_run(&json!({}));
    let mut ended = world.ended(RunResult::Succeeded);
    ended.report.message = "late failures were not read to the end".to_owned();

    world.end_as(ended);

    let ready = world.condition("Ready").unwrap();
    assert!(ready.message.ends_with("Late failures were not read to the end."), "{ready:?}");
}
