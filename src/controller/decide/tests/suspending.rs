//! Syncs that are held back: by their spec, their Source or their connection.

use serde_json::json;

use super::world::{World, at, problem};
use crate::controller::decide::*;
use crate::model::{Disposition, Reason, RunResult};

const ALL: [(SuspendedBy, &str); 3] = [
    (SuspendedBy::Spec, "SuspendedBySpec"),
    (SuspendedBy::Connection, "SuspendedByConnection"),
    (SuspendedBy::Source, "SuspendedBySource"),
];

/// Returns a Sync whose first run ended well at 10:01.
fn settled(fields: serde_json::Value) -> World {
    let mut world = World::new(fields);
    world.look();
    world.now = at("2026-03-02T10:01:00Z");
    if world.running.is_some() {
        world.end(RunResult::Succeeded);
    }
    world.take_events();
    world.starts.clear();
    world
}

#[test]
fn whoever_suspends_is_named_and_ready_is_left_alone() {
    for (by, reason) in ALL {
        let mut world = settled(json!({"interval": "15m"}));

        world.suspended = Some(by);
        world.look();
        world.live(86_400);

        let conditions = format!("Ready=True/Succeeded Suspended=True/{reason}");
        assert_eq!((world.conditions(), world.starts.len()), (conditions, 0));
        assert_eq!(world.take_events(), ["Suspended"]);
        assert_eq!(world.next(), "-");
        assert_eq!(world.status().missed_schedules.unwrap_or(0), 0);
    }
}

#[test]
fn resuming_starts_from_now_and_makes_up_for_nothing() {
    for (fields, next) in [
        (json!({"interval": "15m"}), "2026-03-03T09:22:00Z"),
        (json!({"schedule": "0 * * * *"}), "2026-03-03T10:00:00Z"),
        (json!({"schedule": "0 9 * * *", "timeZone": "Europe/Berlin"}), "2026-03-04T08:00:00Z"),
        (json!({}), "-"),
    ] {
        let mut world = settled(fields.clone());
        world.suspended = Some(SuspendedBy::Spec);
        world.look();

        world.now = at("2026-03-03T09:07:00Z");
        world.suspended = None;
        world.look();

        assert_eq!((world.next(), world.starts.len()), (next, 0), "{fields}");
        assert_eq!(world.take_events(), ["Suspended", "Resumed"], "{fields}");
        assert_eq!(world.condition("Suspended"), None, "{fields}");
    }
}

#[test]
fn a_slot_that_was_due_when_the_sync_was_suspended_is_dropped() {
    let mut world = settled(json!({"interval": "15m"}));
    world.references = References::Unproven;
    world.live(20 * 60);
    assert_eq!(world.next(), "2026-03-02T10:15:00Z");

    world.suspended = Some(SuspendedBy::Source);
    world.look();
    world.references = References::Usable;
    world.suspended = None;
    world.look();

    assert_eq!((world.starts.len(), world.next()), (0, "2026-03-02T10:36:00Z"));
}

#[test]
fn a_running_sync_stops_at_its_next_batch_and_counts_as_cancelled() {
    for (by, _) in ALL {
        let mut world = settled(json!({"interval": "15m"}));
        world.live(14 * 60);

        world.suspended = Some(by);
        world.look();
        assert_eq!(world.running.as_ref().unwrap().cancelled, Some(CancelCause::Suspended));
        world.end(RunResult::Interrupted);

        assert_eq!(world.status().last_run.as_ref().unwrap().result, "Cancelled");
        assert_eq!(world.condition("Ready").unwrap().reason, "Succeeded");
        world.suspended = None;
        world.look();
        assert_eq!(world.starts.len(), 1, "what was cancelled is not started again");
    }
}

#[test]
fn a_new_suspended_sync_runs_first_when_it_is_resumed() {
    for (fields, conditions) in [
        (json!({"interval": "15m"}), "Ready=Unknown/Progressing Suspended=True/SuspendedBySpec"),
        (json!({}), "Ready=Unknown/Progressing Suspended=True/SuspendedBySpec"),
        (json!({"schedule": "0 * * * *"}), "Ready=True/Scheduled Suspended=True/SuspendedBySpec"),
    ] {
        let mut world = World::new(fields.clone());
        world.suspended = Some(SuspendedBy::Spec);
        world.look();
        world.live(600);
        assert_eq!((world.conditions().as_str(), world.starts.len()), (conditions, 0), "{fields}");

        world.suspended = None;
        world.look();

        let is_cron = fields.get("schedule").is_some();
        assert_eq!(world.starts.len(), usize::from(!is_cron), "{fields}");
        assert!(world.starts.iter().all(|start| start.trigger == Trigger::Initial));
    }
}

#[test]
fn an_edit_while_suspended_runs_on_resuming_only_without_a_schedule() {
    for (fields, starts) in [(json!({}), 1), (json!({"interval": "15m"}), 0)] {
        let mut world = settled(fields.clone());
        world.suspended = Some(SuspendedBy::Spec);
        world.look();
        world.edit(|spec| spec.nulls = crate::mapping::spec::Nulls::Omit);
        world.look();
        assert_eq!((world.starts.len(), world.status().observed_generation), (0, Some(2)));

        world.pass(60);
        world.suspended = None;
        world.look();

        assert_eq!(world.starts.len(), starts, "{fields}");
    }
}

#[test]
fn resuming_by_an_edit_does_not_start_what_failed_before() {
    let mut world = settled(json!({"interval": "1h"}));
    world.live(3600);
    world.fail(Reason::InvalidQuery, Disposition::NeedsOperator);
    world.suspended = Some(SuspendedBy::Spec);
    world.edit(|spec| spec.suspend = true);
    world.look();
    world.starts.clear();

    world.edit(|spec| spec.suspend = false);
    world.suspended = None;
    world.look();

    assert_eq!(world.starts.len(), 0);
    assert_eq!(world.conditions(), "Ready=False/InvalidQuery Stalled=True/InvalidQuery");
}

#[test]
fn a_failed_sync_that_is_suspended_is_false_and_neither_stalled_nor_reconciling() {
    let mut world = settled(json!({"interval": "1h", "retry": {"limit": 0}}));
    world.live(3600);
    world.fail(Reason::SourceNotReady, Disposition::Transient);
    assert_eq!(
        world.conditions(),
        "Ready=False/SourceNotReady Reconciling=True/ProgressingWithRetry"
    );

    world.suspended = Some(SuspendedBy::Connection);
    world.look();

    assert_eq!(
        world.conditions(),
        "Ready=False/SourceNotReady Suspended=True/SuspendedByConnection"
    );
}

#[test]
fn a_retry_waits_while_suspended() {
    let mut world = settled(json!({}));
    world.annotate(REQUESTED_AT, "now");
    world.look();
    world.fail(Reason::SourceNotReady, Disposition::Transient);

    world.suspended = Some(SuspendedBy::Spec);
    world.look();
    world.live(3600);
    assert_eq!(world.starts.len(), 1);

    world.suspended = None;
    world.look();
    assert_eq!(world.starts[1].trigger, Trigger::Retry(1));
}

#[test]
fn an_invalid_sync_is_told_so_while_suspended() {
    let mut world = settled(json!({"interval": "1h"}));
    world.spec_problem = Some(problem(Reason::InvalidSpec, Disposition::NeedsOperator));
    world.suspended = Some(SuspendedBy::Spec);

    world.look();

    assert_eq!(
        world.conditions(),
        "Ready=False/InvalidSpec Stalled=True/InvalidSpec Suspended=True/SuspendedBySpec"
    );
}

#[test]
fn changing_who_suspends_is_no_news() {
    let mut world = settled(json!({"interval": "1h"}));
    world.suspended = Some(SuspendedBy::Spec);
    world.look();
    let since = world.condition("Suspended").unwrap().last_transition_time.clone();

    world.pass(600);
    world.suspended = Some(SuspendedBy::Source);
    world.look();

    assert_eq!(world.condition("Suspended").unwrap().last_transition_time, since);
    assert_eq!(world.take_events(), ["Suspended"]);
}
