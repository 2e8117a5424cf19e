//! Syncs that are being deleted.

use serde_json::{Value, json};

use super::world::{Happening, World, at};
use crate::controller::decide::deletion::has_finalizer;
use crate::controller::decide::*;
use crate::model::{Disposition, Reason, RunId, RunResult};

/// Returns a mirror of every hour that ran well as a new one, with these fields besides.
fn mirror(fields: &Value) -> World {
    let mut all = json!({
        "behavior": "mirror", "onRemove": "delete", "interval": "1h", "deletionPolicy": "Delete",
        "guards": {"maxRemoved": 20},
    });
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    let mut world = World::new(all);
    world.look();
    world.pass(60);
    world.end(RunResult::Succeeded);
    world.take_events();
    world.starts.clear();
    world
}

/// Deletes it while so many rows are remembered.
fn delete(world: &mut World, rows: Option<u64>) {
    world.sync.metadata.deletion_timestamp =
        Some(serde_json::from_value(json!("2026-03-02T10:30:00Z")).unwrap());
    world.now = at("2026-03-02T10:30:00Z");
    world.deletion = Some(DeletionView { snapshot_rows: rows, ..DeletionView::default() });
}

fn deleted(rows: u64) -> World {
    let mut world = mirror(&json!({}));
    delete(&mut world, Some(rows));
    world
}

#[test]
fn the_finalizer_is_there_exactly_where_deleting_does_something() {
    let mut world = mirror(&json!({"deletionPolicy": "Orphan"}));
    assert!(!has_finalizer(&world.sync));

    world.edit(|spec| spec.deletion_policy = crate::api::sync::DeletionPolicy::Delete);
    world.look();
    assert!(has_finalizer(&world.sync));

    world.edit(|spec| spec.deletion_policy = crate::api::sync::DeletionPolicy::Orphan);
    world.look();
    assert!(!has_finalizer(&world.sync));
}

#[test]
fn an_orphaned_sync_stops_its_run_and_goes() {
    let mut world = mirror(&json!({"deletionPolicy": "Orphan"}));
    world.live(3600);
    delete(&mut world, None);

    let decision = world.look();

    assert_eq!(world.running.as_ref().unwrap().cancelled, Some(CancelCause::Deleted));
    assert_eq!((world.next(), decision.look_again, world.cleanups.len()), ("-", None, 0));
    world.end(RunResult::Interrupted);
    assert!(world.running.is_none(), "a deleted Sync runs again");
}

#[test]
fn within_the_guard_every_row_is_removed_and_then_the_sync_goes() {
    for result in [RunResult::Succeeded, RunResult::NoChanges, RunResult::PartiallySucceeded] {
        let mut world = deleted(20);
        world.look();
        assert_eq!(world.cleanups.len(), 1);
        assert_eq!(
            world.status().current_run.as_ref().unwrap().trigger.as_deref(),
            Some("cleanup")
        );
        assert!(has_finalizer(&world.sync));

        world.pass(60);
        world.end(result);

        assert!(!has_finalizer(&world.sync), "{result:?}");
        assert_eq!(world.starts.len(), 0);
    }
}

#[test]
fn a_sync_without_rows_goes_at_once() {
    let mut world = deleted(0);
    world.sync.status.as_mut().unwrap().snapshot_rows = Some(0);

    world.look();

    assert_eq!((world.cleanups.len(), has_finalizer(&world.sync)), (0, false));
    assert_eq!(world.take_events(), Vec::<&str>::new());
}

#[test]
fn rows_that_the_state_store_does_not_know_any_more_stay_and_are_told_of() {
    let mut world = deleted(0);
    assert_eq!(world.status().snapshot_rows, Some(10));

    world.look();

    assert_eq!((world.cleanups.len(), has_finalizer(&world.sync)), (0, false));
    assert_eq!(world.events[0].reason, EventReason::CleanupAbandoned);
    assert!(world.events[0].message.contains("none of 10 rows"), "{}", world.events[0].message);
}

#[test]
fn a_run_under_way_stops_before_the_cleanup_begins() {
    let mut world = mirror(&json!({}));
    world.live(3600);
    delete(&mut world, Some(3));
    world.now = at("2026-03-02T11:01:00Z");
    world.look();
    assert_eq!(world.running.as_ref().unwrap().cancelled, Some(CancelCause::Deleted));
    assert_eq!(world.cleanups.len(), 0);

    world.end(RunResult::Interrupted);

    assert_eq!((world.cleanups.len(), world.starts.len()), (1, 1));
}

#[test]
fn above_the_guard_nothing_is_removed_until_a_person_approves() {
    for (limit, rows, is_held) in [
        (json!(20), 20, false),
        (json!(20), 21, true),
        (json!("5%"), 10, false),
        (json!("5%"), 11, true),
        (json!("100%"), 9999, false),
    ] {
        let mut world = mirror(&json!({"guards": {"maxRemoved": limit}}));
        delete(&mut world, Some(rows));
        world.look();
        assert_eq!(world.cleanups.is_empty(), is_held, "{limit} {rows}");
        if !is_held {
            continue;
        }
        assert_eq!(world.conditions(), "Ready=False/GuardTripped Stalled=True/GuardTripped");
        let blocked = world.status().blocked.clone().unwrap();
        assert_eq!((blocked.id.as_str(), blocked.guard.as_str()), ("cleanup", "maxRemoved"));
        world.live(600);
        assert_eq!((world.take_events(), world.cleanups.len()), (vec!["CleanupBlocked"], 0));

        world.annotate(APPROVE, "cleanup");
        world.look();

        assert_eq!((world.cleanups.len(), world.take_events()), (1, vec!["Approved"]));
        assert_eq!(world.status().last_handled_approval.as_deref(), Some("cleanup"));
        world.end(RunResult::Succeeded);
        assert!(!has_finalizer(&world.sync));
    }
}

#[test]
fn an_approval_from_before_the_deletion_does_not_count_and_a_new_one_does() {
    let mut world = mirror(&json!({}));
    world.annotate(APPROVE, "cleanup");
    world.look();
    delete(&mut world, Some(1000));
    world.look();
    world.live(60);
    assert_eq!(world.cleanups.len(), 0);

    world.unannotate(APPROVE);
    world.look();
    world.annotate(APPROVE, "cleanup");
    world.look();
    assert_eq!(world.cleanups.len(), 1);
}

#[test]
fn an_approval_of_something_else_lets_no_cleanup_pass() {
    let mut world = deleted(1000);
    world.annotate(APPROVE, "01ARZ3NDEKTSV4RRFFQ69G5FAV");

    world.look();

    assert_eq!((world.cleanups.len(), has_finalizer(&world.sync)), (0, true));
}

#[test]
fn after_an_hour_the_sync_goes_and_its_rows_stay() {
    let mut world = deleted(1000);
    world.look();
    world.live(3599);
    assert!(has_finalizer(&world.sync));
    world.take_events();

    world.live(1);

    assert_eq!((has_finalizer(&world.sync), world.cleanups.len()), (false, 0));
    assert_eq!(world.take_events()[0], "CleanupAbandoned");
}

#[test]
fn what_makes_a_cleanup_pointless_lets_the_sync_go_at_once() {
    let causes: [(&str, Happening); 3] = [
        ("the annotation", |world| world.annotate(SKIP_CLEANUP, "true")),
        ("its namespace", |world| {
            world.deletion.as_mut().unwrap().is_namespace_terminating = true;
        }),
        ("the key is gone", |world| {
            world.deletion.as_mut().unwrap().connection_gone = Some("the key is gone".to_owned());
        }),
    ];
    for (said, cause) in causes {
        for is_running in [false, true] {
            let mut world = deleted(if is_running { 3 } else { 1000 });
            world.look();
            assert_eq!(world.running.is_some(), is_running);
            world.events.clear();

            cause(&mut world);
            world.look();

            assert!(!has_finalizer(&world.sync), "{said}");
            assert_eq!(world.events[0].reason, EventReason::CleanupAbandoned, "{said}");
            assert!(world.events[0].message.contains(said), "{}", world.events[0].message);
            let cancelled = world.running.as_ref().map(|running| running.cancelled);
            assert_eq!(cancelled, is_running.then_some(Some(CancelCause::Deleted)), "{said}");
        }
    }
    let mut world = deleted(1000);
    world.annotate(SKIP_CLEANUP, "false");
    world.look();
    assert!(has_finalizer(&world.sync));
}

#[test]
fn a_cleanup_that_fails_is_tried_again_until_its_deadline() {
    let mut world = deleted(3);
    world.look();
    for tries in 1..10 {
        assert_eq!(world.cleanups.len(), tries);
        world.pass(5);
        world.fail(Reason::ConnectionNotReady, Disposition::Transient);
        assert_eq!(world.cleanups.len(), tries, "without a pause");
        world.live(60);
    }

    world.now = at("2026-03-02T11:30:00Z");
    world.fail(Reason::ConnectionNotReady, Disposition::Transient);

    assert!(!has_finalizer(&world.sync));
    assert!(world.take_events().contains(&"CleanupAbandoned"));
}

#[test]
fn an_interrupted_cleanup_goes_on_without_another_approval() {
    let mut world = deleted(1000);
    world.look();
    world.annotate(APPROVE, "cleanup");
    world.look();
    world.unannotate(APPROVE);

    world.pass(10);
    world.crash();
    world.look();

    assert_eq!(world.cleanups.len(), 2);
    world.end(RunResult::Succeeded);
    assert!(!has_finalizer(&world.sync));
}

#[test]
fn nothing_is_removed_while_the_connection_is_suspended_or_the_state_is_unknown() {
    let holds: [fn(&mut World, bool); 3] = [
        |world, is_held| world.suspended = is_held.then_some(SuspendedBy::Connection),
        |world, is_held| world.is_stopping = is_held,
        |world, is_held| {
            world.deletion.as_mut().unwrap().snapshot_rows = (!is_held).then_some(3);
        },
    ];
    for hold in holds {
        let mut world = deleted(3);
        hold(&mut world, true);
        let decision = world.look();
        assert_eq!((world.cleanups.len(), has_finalizer(&world.sync)), (0, true));
        assert_eq!(decision.look_again, Some(at("2026-03-02T10:30:30Z")));

        hold(&mut world, false);
        world.look();
        assert_eq!(world.cleanups.len(), 1);
    }
}

#[test]
fn a_suspended_sync_is_cleaned_up_all_the_same() {
    let mut world = deleted(3);
    world.suspended = Some(SuspendedBy::Spec);

    world.look();

    assert_eq!(world.cleanups.len(), 1);
    world.pass(10);
    world.crash();
    world.look();

    assert_eq!(world.cleanups.len(), 2, "it goes on after a crash");
    world.end(RunResult::Succeeded);
    assert!(!has_finalizer(&world.sync));
}

#[test]
fn a_deleted_sync_starts_no_run_and_answers_no_request() {
    let mut world = deleted(1000);
    world.annotate(REQUESTED_AT, "now");
    world.annotate(RESET_STATE, "now");

    world.look();
    world.live(3000);

    assert_eq!((world.starts.len(), world.resets.len()), (0, 0));
}

#[test]
fn a_deleted_sync_without_a_status_goes_like_any_other() {
    for rows in [0, 3, 1000] {
        let mut world = deleted(rows);
        world.sync.status = None;

        world.look();

        assert_eq!(
            (world.cleanups.len(), has_finalizer(&world.sync)),
            (usize::from(rows == 3), rows > 0)
        );
        assert!(world.condition("Ready").is_some());
    }
}

#[test]
fn the_finalizer_of_somebody_else_does_not_hold_us() {
    let mut world = deleted(1000);
    world.look();
    world.sync.metadata.finalizers = Some(vec!["other.dev/hold".to_owned()]);

    let decision = world.look();

    assert_eq!((decision.look_again, &decision.after[..]), (None, &[][..]));
    let known = world.cleanups.iter().collect::<Vec<&RunId>>();
    assert!(known.is_empty());
}
