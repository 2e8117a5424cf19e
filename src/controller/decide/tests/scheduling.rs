//! When runs start by themselves.

use jiff::SignedDuration;
use serde_json::json;

use super::world::{World, at};
use crate::controller::decide::Trigger;
use crate::model::{Disposition, Reason, RunResult};

/// Returns a Sync with an interval of 15 minutes whose first run ended well a minute after START.
fn every_quarter() -> World {
    let mut world = World::new(json!({"interval": "15m"}));
    world.look();
    world.pass(60);
    world.end(RunResult::Succeeded);
    world.take_events();
    world
}

/// Returns a Sync at full hours that ran well at 11:00 and looks at 11:01.
fn hourly(fields: serde_json::Value) -> World {
    let mut all = json!({"schedule": "0 * * * *"});
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    let mut world = World::new(all);
    world.look();
    world.now = at("2026-03-02T11:00:00Z");
    world.look();
    world.pass(60);
    world.end(RunResult::Succeeded);
    world.take_events();
    world
}

#[test]
fn a_new_sync_with_an_interval_runs_at_once_and_progresses_until_that_run_ends() {
    let mut world = World::new(json!({"interval": "15m"}));

    world.look();
    assert_eq!(world.starts[0].trigger, Trigger::Initial);
    assert_eq!(world.conditions(), "Ready=Unknown/Progressing Reconciling=True/Progressing");

    world.pass(60);
    world.end(RunResult::Succeeded);
    assert_eq!(world.conditions(), "Ready=True/Succeeded");
    // From start to start.
    assert_eq!(world.next(), "2026-03-02T10:15:00Z");
}

#[test]
fn a_new_sync_without_a_schedule_runs_at_once_and_then_waits_for_good() {
    let mut world = World::new(json!({}));

    world.look();
    assert_eq!(world.starts[0].trigger, Trigger::Initial);
    world.end(RunResult::NoChanges);
    world.live(7 * 86_400);

    assert_eq!(world.starts.len(), 1);
    assert_eq!((world.conditions().as_str(), world.next()), ("Ready=True/NoChanges", "-"));
}

#[test]
fn a_new_sync_with_a_schedule_waits_for_its_first_slot() {
    let mut world = World::new(json!({"schedule": "0 * * * *"}));

    world.look();
    assert!(world.starts.is_empty());
    assert_eq!(world.conditions(), "Ready=True/Scheduled");
    assert_eq!(world.next(), "2026-03-02T11:00:00Z");

    world.live(3600);
    assert_eq!(world.starts[0].trigger, Trigger::Schedule);
    assert_eq!(world.starts[0].slot, Some(at("2026-03-02T11:00:00Z")));
    assert_eq!(world.conditions(), "Ready=True/Scheduled");
}

#[test]
fn a_routine_run_shows_as_the_current_run_and_nowhere_else() {
    let mut world = every_quarter();

    world.live(14 * 60);

    assert_eq!(world.starts.len(), 2);
    assert!(world.status().current_run.is_some());
    assert_eq!(world.conditions(), "Ready=True/Succeeded");
}

#[test]
fn of_many_missed_slots_only_the_most_recent_is_made_up_for() {
    let mut world = hourly(json!({}));

    world.now = at("2026-03-02T15:20:00Z");
    world.look();

    assert_eq!(world.starts.len(), 2);
    assert_eq!(world.starts[1].slot, Some(at("2026-03-02T15:00:00Z")));
    assert_eq!(world.status().missed_schedules, Some(3));
    assert_eq!(world.take_events(), ["MissedSchedule"]);
    assert_eq!(world.next(), "2026-03-02T16:00:00Z");
}

#[test]
fn a_missed_slot_past_its_deadline_is_counted_and_not_made_up_for() {
    let mut world = hourly(json!({"startingDeadline": "10m"}));

    world.now = at("2026-03-02T15:20:00Z");
    world.look();
    assert_eq!(world.starts.len(), 1);
    assert_eq!(world.status().missed_schedules, Some(4));
    assert_eq!(world.take_events(), ["MissedSchedule"]);
    assert_eq!(world.next(), "2026-03-02T16:00:00Z");

    world.now = at("2026-03-02T16:09:00Z");
    world.look();
    assert_eq!(world.starts[1].slot, Some(at("2026-03-02T16:00:00Z")));
}

#[test]
fn after_a_night_asleep_an_interval_runs_once() {
    let mut world = every_quarter();

    world.pass(8 * 3600);
    world.look();
    world.pass(60);
    world.end(RunResult::Succeeded);

    assert_eq!(world.starts.len(), 2);
    // 18:01 is 32 quarters after 10:01; the first was due at 10:15.
    assert_eq!(world.status().missed_schedules, Some(31));
    assert_eq!(world.next(), "2026-03-02T18:16:00Z");
}

#[test]
fn a_slot_that_falls_into_a_run_is_skipped_and_counted() {
    let mut world = hourly(json!({}));
    world.now = at("2026-03-02T12:00:00Z");
    world.look();

    world.now = at("2026-03-02T13:00:00Z");
    world.look();
    assert_eq!((world.starts.len(), world.status().missed_schedules), (2, Some(1)));
    world.now = at("2026-03-02T14:30:00Z");
    world.end(RunResult::Succeeded);

    assert_eq!((world.starts.len(), world.status().missed_schedules), (2, Some(2)));
    assert_eq!(world.next(), "2026-03-02T15:00:00Z");
}

#[test]
fn editing_the_schedule_starts_from_now() {
    let mut world = hourly(json!({}));

    world.now = at("2026-03-02T11:50:00Z");
    world.edit(|spec| spec.schedule = Some("30 * * * *".to_owned()));
    world.look();
    assert_eq!((world.starts.len(), world.next()), (1, "2026-03-02T12:30:00Z"));

    world.edit(|spec| {
        spec.schedule = None;
        spec.interval = Some("20m".parse().unwrap());
    });
    world.look();
    assert_eq!((world.starts.len(), world.next()), (1, "2026-03-02T12:10:00Z"));
}

#[test]
fn a_spec_change_waits_for_the_next_slot_where_there_is_one() {
    let mut world = every_quarter();

    world.edit(|spec| spec.history_limit = 7);
    world.look();

    assert_eq!(world.starts.len(), 1);
    assert_eq!(world.status().observed_generation, Some(2));
}

#[test]
fn a_spec_change_runs_at_once_without_a_schedule() {
    let mut world = World::new(json!({}));
    world.look();
    world.end(RunResult::Succeeded);

    world.pass(5);
    world.edit(|spec| spec.nulls = crate::mapping::spec::Nulls::Omit);
    world.look();

    assert_eq!(world.starts[1].trigger, Trigger::SpecChange);
    assert_eq!(world.conditions(), "Ready=True/Succeeded Reconciling=True/Progressing");
}

#[test]
fn a_spec_change_runs_at_once_after_a_failure() {
    let mut world = hourly(json!({}));
    world.now = at("2026-03-02T12:00:00Z");
    world.look();
    world.fail(Reason::InvalidQuery, Disposition::NeedsOperator);
    assert_eq!(world.conditions(), "Ready=False/InvalidQuery Stalled=True/InvalidQuery");

    world.pass(60);
    world.edit(|spec| spec.nulls = crate::mapping::spec::Nulls::Omit);
    world.look();

    assert_eq!(world.starts[2].trigger, Trigger::SpecChange);
    assert_eq!(world.conditions(), "Ready=Unknown/Progressing Reconciling=True/Progressing");
    assert_eq!(world.next(), "2026-03-02T13:00:00Z");
    world.end(RunResult::Succeeded);
    assert_eq!(world.conditions(), "Ready=True/Succeeded");
}

#[test]
fn a_spec_change_stops_the_run_with_the_old_spec_and_starts_with_the_new_one() {
    let mut world = every_quarter();
    world.live(14 * 60);

    world.edit(|spec| spec.history_limit = 7);
    world.look();
    assert_eq!(world.running.as_ref().unwrap().cancelled, None);

    world.edit(|spec| spec.nulls = crate::mapping::spec::Nulls::Omit);
    world.look();
    assert!(world.running.as_ref().unwrap().cancelled.is_some());
    world.end(RunResult::Interrupted);

    assert_eq!(world.starts.len(), 3);
    assert_eq!(world.status().last_run.as_ref().unwrap().result, "Interrupted");
}

#[test]
fn a_clock_that_goes_back_a_little_runs_no_slot_twice() {
    let mut world = hourly(json!({}));

    world.now = at("2026-03-02T10:58:00Z");
    world.look();
    assert_eq!(world.next(), "2026-03-02T12:00:00Z");
    world.live(30 * 60);

    assert_eq!(world.starts.len(), 1);
}

#[test]
fn a_clock_that_was_months_ahead_holds_no_sync_off() {
    let mut cron = hourly(json!({}));
    cron.now = at("2026-05-02T12:00:00Z");
    cron.look();
    cron.end(RunResult::Succeeded);
    let mut interval = every_quarter();
    interval.now = at("2026-05-02T12:00:00Z");
    interval.look();
    interval.end(RunResult::Succeeded);

    for world in [&mut cron, &mut interval] {
        world.now = at("2026-03-02T12:10:00Z");
        world.look();
        world.live(3600);
        assert_eq!(world.starts.len(), 3);
    }
}

#[test]
fn looking_again_is_never_far_off() {
    let mut world = every_quarter();

    let decision = world.look();

    let ahead = decision.look_again.unwrap().duration_since(world.now);
    assert_eq!(ahead, SignedDuration::from_mins(5));
    world.pass(13 * 60 + 30);
    let decision = world.look();
    assert_eq!(decision.look_again, Some(at("2026-03-02T10:15:00Z")));
}

#[test]
fn one_id_is_one_decision() {
    let world = World::new(json!({"interval": "15m"}));

    let once = crate::controller::decide::decide(&world.view());
    let again = crate::controller::decide::decide(&world.view());

    assert_eq!(once, again);
}
