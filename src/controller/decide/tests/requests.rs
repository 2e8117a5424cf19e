//! What people ask for by annotation.

use serde_json::json;

use super::world::{World, at, problem};
use crate::controller::decide::*;
use crate::model::{Disposition, Reason, RunResult};

/// Returns a Sync at every full hour that ran well as a new one.
fn settled(fields: serde_json::Value) -> World {
    let mut world = World::new(fields);
    world.look();
    world.pass(60);
    world.end(RunResult::Succeeded);
    world.take_events();
    world.starts.clear();
    world
}

pub(super) fn hourly() -> World {
    settled(json!({"interval": "1h"}))
}

/// Returns what the status echoes: run, full resync, approval, reset, cancel.
pub(super) fn echoes(world: &World) -> [Option<&str>; 5] {
    let status = world.status();
    [
        &status.last_handled_reconcile_at,
        &status.last_handled_full_resync_at,
        &status.last_handled_approval,
        &status.last_handled_reset,
        &status.last_handled_cancel,
    ]
    .map(Option::as_deref)
}

#[test]
fn each_new_token_runs_once_and_is_echoed_where_its_run_starts() {
    let mut world = hourly();

    for token in ["one", "two", "three"] {
        world.pass(10);
        world.annotate(REQUESTED_AT, token);
        let decision = world.look();
        let start = world.starts.last().unwrap();
        assert_eq!((start.trigger, start.request.as_deref()), (Trigger::Request, Some(token)));
        assert!(!start.full_resync);
        assert_eq!(decision.status.last_handled_reconcile_at.as_deref(), Some(token));
        assert_eq!(world.status().current_run.as_ref().unwrap().request.as_deref(), Some(token));
        world.pass(5);
        world.end(RunResult::NoChanges);
        assert_eq!(world.status().last_run.as_ref().unwrap().request.as_deref(), Some(token));
        world.live(600);
    }

    assert_eq!(world.starts.len(), 3);
}

#[test]
fn a_request_is_written_down_before_and_settled_after_its_run_starts() {
    let mut world = hourly();
    world.annotate(REQUESTED_AT, "now");

    let decision = world.look();

    let remembered = |step: &Step, is_handled: bool| {
        matches!(step, Step::Remember(it) if it.kind == RequestKind::Run
            && it.token == "now" && it.is_handled == is_handled)
    };
    assert!(matches!(&decision.before[..], [step] if remembered(step, false)));
    assert!(matches!(&decision.after[..], [Step::Start(_), step] if remembered(step, true)));
}

#[test]
fn a_new_sync_acts_on_a_run_request_and_ignores_all_others() {
    let mut world = World::new(json!({"schedule": "0 * * * *"}));
    world.annotate(REQUESTED_AT, "old");
    for name in [FULL_RESYNC_AT, APPROVE, RESET_STATE, CANCEL] {
        world.annotate(name, "old");
    }

    world.look();

    assert_eq!(world.starts.len(), 1);
    assert_eq!((world.starts[0].trigger, world.starts[0].full_resync), (Trigger::Request, false));
    assert_eq!(echoes(&world), [Some("old"); 5]);
    assert!(world.resets.is_empty());
    assert!(world.requests.iter().all(|request| request.is_handled));
}

#[test]
fn a_recreated_sync_acts_on_nothing_that_its_predecessor_was_asked() {
    let all = [
        RequestKind::Run,
        RequestKind::FullResync,
        RequestKind::Approve,
        RequestKind::Reset,
        RequestKind::Cancel,
    ];
    for kind in all {
        for (seen_at, is_its_own) in
            [("2026-03-02T09:59:59Z", false), ("2026-03-02T10:00:00Z", true)]
        {
            let mut world = World::new(json!({"schedule": "0 * * * *"}));
            world.look();
            let token = "t".to_owned();
            let seen_at = at(seen_at);
            world.requests = vec![StoredRequest { kind, token, is_handled: false, seen_at }];

            world.pass(10);
            world.look();

            let has_acted = !world.starts.is_empty() || echoes(&world) != [None; 5];
            // What goes with a run waits for one.
            let waits = kind == RequestKind::FullResync;
            assert_eq!(has_acted, is_its_own && !waits, "{kind:?} of {seen_at}");
        }
    }
}

#[test]
fn a_token_that_was_done_with_for_a_predecessor_is_new() {
    let mut world = World::new(json!({"schedule": "0 * * * *"}));
    let (kind, token, seen_at) = (RequestKind::Run, "t".to_owned(), at("2026-03-01T10:00:00Z"));
    world.requests = vec![StoredRequest { kind, token, is_handled: true, seen_at }];
    world.annotate(REQUESTED_AT, "t");

    world.look();

    assert_eq!(world.starts[0].request.as_deref(), Some("t"));
}

#[test]
fn a_request_is_remembered_where_our_clock_is_behind_the_clusters() {
    let mut world = World::new(json!({"interval": "1h"}));
    world.pass(-30);
    world.look();
    world.annotate(REQUESTED_AT, "t");
    world.look();
    world.unannotate(REQUESTED_AT);
    world.pass(10);
    world.end(RunResult::Succeeded);

    assert_eq!(world.starts[1].request.as_deref(), Some("t"));
}

#[test]
fn a_request_during_a_run_is_kept_and_starts_one_more() {
    let mut world = hourly();
    world.pass(3600);
    world.look();
    world.annotate(REQUESTED_AT, "later");
    world.look();
    assert_eq!((world.starts.len(), echoes(&world)[0]), (1, None));

    // A GitOps tool takes the annotation away again.
    world.unannotate(REQUESTED_AT);
    world.look();
    world.pass(60);
    world.end(RunResult::Succeeded);

    assert_eq!(world.starts.len(), 2);
    assert_eq!(world.starts[1].request.as_deref(), Some("later"));
    assert_eq!(echoes(&world)[0], Some("later"));
    world.end(RunResult::Succeeded);
    world.live(600);
    assert_eq!(world.starts.len(), 2);
}

#[test]
fn a_request_waits_for_what_the_sync_lacks() {
    let needs_operator = problem(Reason::InvalidSpec, Disposition::NeedsOperator);
    let lacks: [fn(&mut World, Option<Problem>); 3] = [
        |world, problem| world.spec_problem = problem,
        |world, problem| {
            world.references = problem.map_or(References::Usable, References::Broken);
        },
        |world, problem| world.is_stopping = problem.is_some(),
    ];
    for lack in lacks {
        let mut world = hourly();
        lack(&mut world, Some(needs_operator.clone()));
        world.annotate(REQUESTED_AT, "now");
        world.look();
        world.unannotate(REQUESTED_AT);
        world.live(60);
        assert_eq!((world.starts.len(), echoes(&world)[0]), (0, None));

        lack(&mut world, None);
        world.look();

        assert_eq!(world.starts[0].request.as_deref(), Some("now"));
        assert_eq!(echoes(&world)[0], Some("now"));
    }
}

#[test]
fn full_resync_acts_only_with_the_token_of_a_run() {
    // The tokens of fullResyncAt and requestedAt, whether a run starts, and whether it is full.
    for (full, run, is_started, is_full) in
        [("a", Some("a"), true, true), ("a", Some("b"), true, false), ("a", None, false, false)]
    {
        let mut world = hourly();
        world.annotate(FULL_RESYNC_AT, full);
        if let Some(run) = run {
            world.annotate(REQUESTED_AT, run);
        }

        world.look();

        let start = world.starts.first();
        assert_eq!(start.is_some(), is_started, "{full} {run:?}");
        assert_eq!(start.is_some_and(|start| start.full_resync), is_full, "{full} {run:?}");
        let trigger = if is_full { Trigger::FullResync } else { Trigger::Request };
        assert!(start.is_none_or(|start| start.trigger == trigger));
        assert_eq!(echoes(&world)[1].is_some(), is_full);
    }
}

#[test]
fn full_resync_that_comes_after_its_run_started_is_ignored_and_before_it_waits() {
    let mut world = hourly();
    world.annotate(REQUESTED_AT, "t");
    world.look();
    world.annotate(FULL_RESYNC_AT, "t");
    world.look();
    assert_eq!((world.starts.len(), echoes(&world)[1]), (1, Some("t")));
    world.end(RunResult::Succeeded);

    world.annotate(FULL_RESYNC_AT, "u");
    world.look();
    assert_eq!((world.starts.len(), echoes(&world)[1]), (1, Some("t")));
    world.annotate(REQUESTED_AT, "u");
    world.look();
    assert_eq!((world.starts.len(), world.starts[1].full_resync), (2, true));
    assert_eq!(echoes(&world)[1], Some("u"));
}

#[test]
fn events_are_never_sent_again() {
    let mut world = settled(json!({
        "entity": "event", "behavior": "append", "interval": "1h",
        "event": {"name": {"constant": "seen"}, "timestamp": "at"},
    }));
    world.annotate(FULL_RESYNC_AT, "t");
    world.annotate(REQUESTED_AT, "t");

    world.look();

    assert_eq!((world.starts[0].trigger, world.starts[0].full_resync), (Trigger::Request, false));
    assert_eq!(echoes(&world)[..2], [Some("t"), Some("t")]);
}

#[test]
fn a_failed_full_resync_is_tried_again_as_one() {
    let mut world = hourly();
    world.annotate(FULL_RESYNC_AT, "t");
    world.annotate(REQUESTED_AT, "t");
    world.look();

    world.fail(Reason::SourceNotReady, Disposition::Transient);
    world.live(120);

    assert_eq!((world.starts[1].trigger, world.starts[1].full_resync), (Trigger::Retry(1), true));
    assert_eq!(world.starts[1].request.as_deref(), Some("t"));
}

#[test]
fn a_reset_is_done_while_suspended_too() {
    let mut world = hourly();
    world.suspended = Some(SuspendedBy::Spec);
    world.annotate(RESET_STATE, "forget");

    world.look();

    assert_eq!((world.resets.len(), echoes(&world)[3]), (1, Some("forget")));
}

#[test]
fn cancel_stops_the_run_it_names_and_leaves_ready_alone() {
    let mut world = hourly();
    world.pass(3600);
    world.look();
    let id = world.running.as_ref().unwrap().id.0.clone();

    world.annotate(CANCEL, &id);
    world.look();
    assert_eq!(world.running.as_ref().unwrap().cancelled, Some(CancelCause::Requested));
    world.end(RunResult::Interrupted);

    assert_eq!(world.status().last_run.as_ref().unwrap().result, "Cancelled");
    assert_eq!((world.starts.len(), echoes(&world)[4]), (1, Some(id.as_str())));
    assert_eq!(
        (world.conditions().as_str(), world.take_events()),
        ("Ready=True/Succeeded", vec![])
    );
    world.live(600);
    assert_eq!(world.starts.len(), 1);
}

#[test]
fn cancelling_a_run_that_is_none_or_another_is_echoed_and_does_nothing() {
    let mut world = hourly();
    world.annotate(CANCEL, "none");
    world.look();
    assert_eq!(echoes(&world)[4], Some("none"));

    world.pass(3600);
    world.look();
    world.annotate(CANCEL, "another");
    world.look();
    assert_eq!(
        (echoes(&world)[4], world.running.as_ref().unwrap().cancelled),
        (Some("another"), None)
    );
}

#[test]
fn a_cancelled_first_run_leaves_the_sync_unknown_until_it_is_asked_to_run() {
    let mut world = World::new(json!({}));
    world.look();
    let id = world.running.as_ref().unwrap().id.0.clone();
    world.annotate(CANCEL, &id);
    world.look();
    world.end(RunResult::Interrupted);
    world.live(600);
    assert_eq!((world.starts.len(), world.conditions().as_str()), (1, "Ready=Unknown/Progressing"));

    world.annotate(REQUESTED_AT, "now");
    world.look();
    world.end(RunResult::Succeeded);
    assert_eq!(world.conditions(), "Ready=True/Succeeded");
}

#[test]
fn a_long_token_is_cut_to_what_the_status_can_echo_and_an_empty_one_is_none() {
    let mut world = hourly();
    world.annotate(REQUESTED_AT, "");
    world.look();
    assert!(world.starts.is_empty());

    world.annotate(REQUESTED_AT, &"ä".repeat(1000));
    world.look();
    world.end(RunResult::Succeeded);
    world.live(600);

    assert_eq!((world.starts.len(), echoes(&world)[0]), (1, Some("ä".repeat(256).as_str())));
}
