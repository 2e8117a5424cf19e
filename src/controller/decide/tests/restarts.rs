//! Runs whose process is gone, and statuses that are.

use serde_json::json;

use super::world::{Happening, World, at};
use crate::controller::decide::*;
use crate::model::{Disposition, Reason, RunResult};

/// Returns a Sync with this spec whose first run is under way.
fn started(fields: serde_json::Value) -> World {
    let mut world = World::new(fields);
    world.look();
    world.pass(60);
    world
}

/// Returns the same after that run ended well, with the next under way.
fn in_second_run() -> World {
    let mut world = started(json!({"interval": "15m"}));
    world.end(RunResult::Succeeded);
    world.live(14 * 60);
    world.pass(60);
    world.take_events();
    world
}

#[test]
fn a_run_of_a_process_that_is_gone_is_interrupted_and_started_again_at_once() {
    let mut world = in_second_run();
    let lost = world.running.as_ref().unwrap().id.clone();

    world.crash();
    assert!(needs_recorded(&world.sync, None));
    world.look();

    assert_eq!(world.starts.len(), 3);
    assert_eq!(world.starts[2].trigger, Trigger::Schedule);
    let last = world.status().last_run.as_ref().unwrap();
    assert_eq!((last.id.as_str(), last.result.as_str()), (lost.0.as_str(), "Interrupted"));
    assert_eq!(
        (world.conditions().as_str(), world.take_events()),
        ("Ready=True/Succeeded", vec![])
    );
    assert_eq!(world.status().consecutive_failures, Some(0));
}

#[test]
fn an_interrupted_run_keeps_what_it_was_for() {
    let cases: [(&str, Happening, Trigger); 4] = [
        ("first", |_| {}, Trigger::Initial),
        ("edit", |world| edited(world), Trigger::SpecChange),
        ("request", |world| world.annotate(REQUESTED_AT, "t"), Trigger::Request),
        (
            "full resync",
            |world| {
                world.annotate(REQUESTED_AT, "t");
                world.annotate(FULL_RESYNC_AT, "t");
            },
            Trigger::FullResync,
        ),
    ];
    for (name, cause, trigger) in cases {
        let mut world = started(json!({}));
        if trigger != Trigger::Initial {
            world.end(RunResult::Succeeded);
            cause(&mut world);
            world.look();
        }
        let before = world.starts.last().unwrap().clone();
        assert_eq!(before.trigger, trigger, "{name}");

        world.pass(1);
        world.crash();
        world.look();

        let after = world.starts.last().unwrap();
        assert_ne!(after.run, before.run, "{name}");
        assert_eq!((after.trigger, &after.request), (trigger, &before.request), "{name}");
        assert_eq!(after.full_resync, before.full_resync, "{name}");
        assert_eq!(world.status().current_run.as_ref().unwrap().request, before.request);
    }
}

fn edited(world: &mut World) {
    world.edit(|spec| spec.nulls = crate::mapping::spec::Nulls::Omit);
}

#[test]
fn an_interrupted_approval_is_still_an_approval() {
    let mut world = in_second_run();
    world.end(RunResult::Blocked);
    let id = world.status().blocked.as_ref().unwrap().id.clone();
    world.annotate(APPROVE, &id);
    world.look();

    world.pass(5);
    world.crash();
    world.look();

    let start = world.starts.last().unwrap();
    assert_eq!(
        (start.trigger, start.approve.clone()),
        (Trigger::Approval, Some(crate::model::RunId(id)))
    );
}

#[test]
fn interruptions_spend_no_retries() {
    let mut world = started(json!({"retry": {"limit": 1}}));
    world.fail(Reason::SourceNotReady, Disposition::Transient);
    world.live(60);
    assert_eq!(world.starts.last().unwrap().trigger, Trigger::Retry(1));

    for _ in 0..10 {
        world.pass(7);
        world.crash();
        world.look();
        assert_eq!(world.starts.last().unwrap().trigger, Trigger::Retry(1));
    }

    assert_eq!((world.starts.len(), world.status().consecutive_failures), (12, Some(1)));
}

#[test]
fn a_stopping_process_starts_nothing_and_the_next_one_does() {
    let mut world = in_second_run();
    world.is_stopping = true;
    world.end(RunResult::Interrupted);
    world.look();
    assert_eq!((world.starts.len(), world.conditions().as_str()), (2, "Ready=True/Succeeded"));

    world.is_stopping = false;
    world.look();
    assert_eq!((world.starts.len(), world.starts[2].trigger), (3, Trigger::Schedule));
}

#[test]
fn an_interrupted_first_run_is_unknown_until_it_goes_on() {
    let mut world = started(json!({"interval": "15m"}));
    world.is_stopping = true;

    world.end(RunResult::Interrupted);
    assert_eq!(world.conditions(), "Ready=Unknown/Interrupted Reconciling=True/Progressing");

    world.is_stopping = false;
    world.look();
    assert_eq!(world.conditions(), "Ready=Unknown/Progressing Reconciling=True/Progressing");
}

#[test]
fn a_run_that_ended_before_its_process_did_is_taken_from_the_state_store() {
    let mut world = in_second_run();
    let ended = world.ended(RunResult::Succeeded);
    world.recorded = vec![ended.report.clone()];

    world.crash();
    world.look();

    assert_eq!(world.starts.len(), 2, "it ran a second time");
    let last = world.status().last_run.as_ref().unwrap();
    assert_eq!((last.id.as_str(), last.result.as_str()), (ended.report.id.0.as_str(), "Succeeded"));
    assert_eq!(world.take_events(), ["RunSucceeded"]);
    assert_eq!(world.next(), "2026-03-02T10:30:00Z");
}

#[test]
fn a_failure_that_was_only_recorded_is_tried_again_by_its_reason() {
    for (reason, is_tried_again) in [
        (Reason::SourceNotReady, true),
        (Reason::Timeout, true),
        (Reason::RateLimited, true),
        (Reason::AuthenticationFailed, false),
        (Reason::InvalidQuery, false),
        (Reason::StateLost, false),
    ] {
        let mut world = in_second_run();
        let mut ended = world.ended(RunResult::Failed);
        ended.report.reason = Some(reason);
        world.recorded = vec![ended.report];

        world.crash();
        world.look();

        assert_eq!(world.status().next_retry_time.is_some(), is_tried_again, "{reason:?}");
    }
}

#[test]
fn a_run_that_was_cancelled_before_its_process_ended_is_not_started_again() {
    let mut cancelled = in_second_run();
    let id = cancelled.running.as_ref().unwrap().id.0.clone();
    cancelled.annotate(CANCEL, &id);
    cancelled.look();
    let mut suspended = in_second_run();
    suspended.suspended = Some(SuspendedBy::Connection);
    suspended.look();

    for world in [&mut cancelled, &mut suspended] {
        world.crash();
        world.look();

        assert_eq!(world.starts.len(), 2);
        assert_eq!(world.status().last_run.as_ref().unwrap().result, "Cancelled");
    }
}

/// The process ends in the middle of its run.
fn killed(world: &mut World) {
    world.crash();
}

/// The process ends in order, and writes how its run ended.
fn stopped(world: &mut World) {
    world.is_stopping = true;
    world.end(RunResult::Interrupted);
    world.crash();
    world.is_stopping = false;
}

/// The cancel was written down, and the process ended before it acted.
fn killed_with_the_cancel_written_down(world: &mut World) {
    let id = world.status().current_run.as_ref().unwrap().id.clone();
    world.annotate(CANCEL, &id);
    world.look_and_die_after(1);
    world.unannotate(CANCEL);
}

#[test]
fn a_run_that_is_cancelled_while_nobody_runs_it_is_not_started_again() {
    for (name, end) in [
        ("killed", killed as Happening),
        ("stopped", stopped),
        ("written down", killed_with_the_cancel_written_down),
    ] {
        for (mut world, ready) in [
            (in_second_run(), "Ready=True/Succeeded"),
            (started(json!({})), "Ready=Unknown/Progressing"),
        ] {
            let (starts, id) = (world.starts.len(), world.running.as_ref().unwrap().id.0.clone());

            end(&mut world);
            if name != "written down" {
                world.annotate(CANCEL, &id);
            }
            world.look();

            let status = world.status();
            assert_eq!(status.last_handled_cancel.as_ref(), Some(&id), "{name}");
            assert_eq!(status.last_run.as_ref().unwrap().result, "Cancelled", "{name}");
            assert_eq!(status.history[0].result, "Cancelled", "{name}");
            assert_eq!(world.conditions(), ready, "{name}");
            world.live(300);
            assert_eq!(world.starts.len(), starts, "{name}");
        }
    }
}

#[test]
fn a_request_is_handled_once_wherever_the_process_ends() {
    for steps in 0..6 {
        let mut world = started(json!({"interval": "1h"}));
        world.end(RunResult::Succeeded);
        world.annotate(REQUESTED_AT, "t");
        world.annotate(RESET_STATE, "t");
        world.annotate(CANCEL, "t");

        world.look_and_die_after(steps);
        world.pass(1);
        world.crash();
        world.look();
        world.end(RunResult::Succeeded);
        world.live(1200);

        let status = world.status();
        assert_eq!(status.last_handled_reconcile_at.as_deref(), Some("t"), "after {steps} steps");
        assert_eq!(status.last_handled_reset.as_deref(), Some("t"), "after {steps} steps");
        assert_eq!(status.last_handled_cancel.as_deref(), Some("t"), "after {steps} steps");
        assert!(world.requests.iter().all(|request| request.is_handled), "after {steps} steps");
        let ended = status.history.iter().filter(|run| run.request.as_deref() == Some("t"));
        let ended_well = ended.filter(|run| run.result == "Succeeded").count();
        assert_eq!(ended_well, 1, "after {steps} steps: {:?}", world.starts);
    }
}

#[test]
fn a_lost_status_is_written_anew_from_the_recorded_runs() {
    let mut world = in_second_run();
    let ended = world.ended(RunResult::Succeeded);
    world.end_as(ended.clone());
    world.pass(60);
    world.recorded = vec![ended.report.clone()];
    let next = world.next().to_owned();

    world.sync.status = None;
    assert!(needs_recorded(&world.sync, None));
    world.look();

    assert_eq!((world.starts.len(), world.next()), (2, next.as_str()));
    assert_eq!(world.conditions(), "Ready=True/Succeeded");
    assert_eq!(world.status().last_run.as_ref().unwrap().id, ended.report.id.0);
    assert_eq!(world.status().history.len(), 1);
    assert!(world.status().last_successful_time.is_some());
}

#[test]
fn a_lost_status_repeats_no_request_and_echoes_it_again() {
    let mut world = in_second_run();
    world.annotate(REQUESTED_AT, "t");
    world.end(RunResult::Succeeded);
    let ended = world.ended(RunResult::Succeeded);
    world.end_as(ended.clone());
    world.recorded = vec![ended.report];
    let starts = world.starts.len();

    world.pass(1);
    world.sync.status = None;
    world.look();
    world.live(60);

    assert_eq!(world.starts.len(), starts);
    assert_eq!(world.status().last_handled_reconcile_at.as_deref(), Some("t"));
}

#[test]
fn a_recreated_sync_starts_as_a_new_one() {
    let mut old = in_second_run();
    let report = old.ended(RunResult::Succeeded).report;
    old.end(RunResult::Succeeded);
    let mut world = World::new(json!({"interval": "15m"}));
    world.now = at("2026-03-02T12:00:00Z");
    let made_at = serde_json::from_value(json!("2026-03-02T12:00:00Z")).unwrap();
    world.sync.metadata.creation_timestamp = Some(made_at);
    world.recorded = vec![report];

    world.look();

    assert_eq!(world.starts[0].trigger, Trigger::Initial);
    assert!(world.status().last_run.is_none());
}

#[test]
fn what_is_due_survives_a_restart() {
    let mut world = started(json!({"schedule": "0 * * * *"}));
    world.is_stopping = true;
    world.now = at("2026-03-02T11:00:30Z");
    world.look();
    assert!(world.starts.is_empty());

    world.is_stopping = false;
    world.now = at("2026-03-02T11:04:00Z");
    world.look();

    assert_eq!(world.starts[0].slot, Some(at("2026-03-02T11:00:00Z")));
    assert_eq!(world.status().missed_schedules.unwrap_or(0), 0);
}
