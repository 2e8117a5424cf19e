//! Guards that stopped a run: approving them, and what else takes them away.

use super::requests::{echoes, hourly};
use super::world::World;
use crate::controller::decide::*;
use crate::model::RunResult;

/// Returns a Sync that a guard has blocked, and the id that is approved.
fn blocked() -> (World, String) {
    let mut world = hourly();
    world.pass(3600);
    world.look();
    world.end(RunResult::Blocked);
    world.take_events();
    let id = world.status().blocked.as_ref().unwrap().id.clone();
    world.starts.clear();
    (world, id)
}

#[test]
fn a_suspended_sync_ignores_runs_and_approvals_and_says_so() {
    let (mut world, id) = blocked();
    world.suspended = Some(SuspendedBy::Spec);
    world.look();
    world.take_events();

    world.annotate(REQUESTED_AT, "now");
    world.annotate(FULL_RESYNC_AT, "now");
    world.annotate(APPROVE, &id);
    world.look();
    assert_eq!(echoes(&world)[..3], [Some("now"), Some("now"), Some(id.as_str())]);
    assert_eq!(world.take_events(), ["Suspended"]);

    world.suspended = None;
    world.look();
    world.live(600);
    assert!(world.starts.is_empty());
}

#[test]
fn approving_the_blocked_run_starts_one_that_may_pass() {
    let (mut world, id) = blocked();

    world.annotate(APPROVE, &id);
    world.look();

    let start = &world.starts[0];
    assert_eq!(start.trigger, Trigger::Approval);
    assert_eq!(start.approve.as_ref().map(|run| run.0.as_str()), Some(id.as_str()));
    assert_eq!(world.take_events(), ["Approved"]);
    assert_eq!(echoes(&world)[2], Some(id.as_str()));
    world.end(RunResult::Succeeded);
    assert_eq!((world.conditions().as_str(), world.starts.len()), ("Ready=True/Succeeded", 1));
    assert_eq!(world.take_events(), ["RunRecovered"]);
    assert_eq!(world.status().blocked, None);
}

#[test]
fn the_first_blocked_run_stays_what_is_approved_while_the_guard_blocks() {
    let (mut world, id) = blocked();
    let since = world.status().blocked.as_ref().unwrap().since.clone();

    world.live(3600);
    world.pass(60);
    world.end(RunResult::Blocked);

    let blocked = world.status().blocked.as_ref().unwrap();
    assert_eq!((blocked.id.as_str(), &blocked.since), (id.as_str(), &since));
    assert!(world.take_events().is_empty(), "one block is told of once");
}

#[test]
fn approving_anything_else_is_ignored_for_good() {
    let (mut world, id) = blocked();
    world.annotate(APPROVE, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    world.look();
    assert_eq!((world.starts.len(), echoes(&world)[2]), (0, Some("01ARZ3NDEKTSV4RRFFQ69G5FAV")));

    world.annotate(APPROVE, &id);
    world.look();
    assert_eq!(world.starts[0].trigger, Trigger::Approval);
}

#[test]
fn reset_waits_for_the_run_and_forgets_numbers_and_block() {
    let (mut world, _) = blocked();
    world.annotate(REQUESTED_AT, "r");
    world.look();
    world.annotate(RESET_STATE, "forget");
    world.look();
    assert!(world.resets.is_empty(), "a reset during a run");

    world.end(RunResult::Blocked);
    assert_eq!(
        (world.resets.as_slice(), echoes(&world)[3]),
        (&["forget".to_owned()][..], Some("forget"))
    );
    assert_eq!((world.status().snapshot_rows, &world.status().blocked), (Some(0), &None));
    world.live(7200);
    assert_eq!(world.resets.len(), 1);
}

#[test]
fn in_one_edit_the_order_is_cancel_reset_approve_run() {
    let (mut world, id) = blocked();
    world.annotate(REQUESTED_AT, "before");
    world.look();
    let running = world.running.as_ref().unwrap().id.0.clone();

    world.annotate(CANCEL, &running);
    world.annotate(RESET_STATE, "forget");
    world.annotate(APPROVE, &id);
    world.annotate(REQUESTED_AT, "after");
    world.look();
    assert_eq!(world.running.as_ref().unwrap().cancelled, Some(CancelCause::Requested));
    world.end(RunResult::Interrupted);

    // The reset took the block away, and with it what could be approved.
    assert_eq!(world.resets.len(), 1);
    assert_eq!((world.starts.len(), world.starts[1].trigger), (2, Trigger::Request));
    let all = [Some("after"), None, Some(id.as_str()), Some("forget"), Some(running.as_str())];
    assert_eq!(echoes(&world), all);
}

#[test]
fn approve_and_run_in_one_edit_are_two_runs() {
    let (mut world, id) = blocked();
    world.annotate(APPROVE, &id);
    world.annotate(REQUESTED_AT, "now");

    world.look();
    world.end(RunResult::Succeeded);

    let triggers: Vec<Trigger> = world.starts.iter().map(|start| start.trigger).collect();
    assert_eq!(triggers, [Trigger::Approval, Trigger::Request]);
}
