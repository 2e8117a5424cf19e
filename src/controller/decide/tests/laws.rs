//! What holds after any sequence of events. [`World::look`] and [`World::end`] judge each decision
//! besides: the rules of conditions, no two runs at once, deciding again changes nothing.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::story::{Asked, Event, Story, any_event, of_time_and_runs, result};
use super::world::World;
use crate::controller::decide::*;
use crate::model::RunResult;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_each_request_is_answered_once_and_a_mended_sync_is_well(
        events in prop::collection::vec((any_event(), any::<bool>()), 1..60),
    ) {
        let mut story = Story::new(json!({"interval": "30m", "retry": {"limit": 2}}));
        for (event, is_seen) in events {
            story.happens(event);
            if is_seen {
                story.happens(Event::Look);
            }
        }

        story.mend();

        let world = &mut story.world;
        for (token, answers) in &story.answers {
            prop_assert_eq!(*answers, 1, "{} was answered by several runs", token);
        }
        let open = world.requests.iter().find(|it| {
            // One whose run was superseded by a newer one is never acted on.
            !it.is_handled && it.kind != RequestKind::FullResync
        });
        prop_assert_eq!(open, None, "never handled");
        let annotations = world.sync.metadata.annotations.clone().unwrap_or_default();
        let status = world.status();
        for (name, echo) in [
            (REQUESTED_AT, &status.last_handled_reconcile_at),
            (APPROVE, &status.last_handled_approval),
            (RESET_STATE, &status.last_handled_reset),
            (CANCEL, &status.last_handled_cancel),
        ] {
            let asked = annotations.get(name);
            prop_assert!(asked.is_none() || asked == echo.as_ref(), "{} is not echoed", name);
        }

        story.happens(Event::Ask(Asked::Run));
        story.happens(Event::Look);
        story.mend();
        prop_assert_eq!(story.world.conditions(), "Ready=True/Succeeded");
        let status = story.world.status();
        prop_assert_eq!((&status.blocked, status.consecutive_failures), (&None, Some(0)));
        prop_assert_eq!((&status.next_retry_time, &status.current_run), (&None, &None));
    }

    #[test]
    fn every_slot_is_run_or_counted_as_missed(
        events in prop::collection::vec((of_time_and_runs(), any::<bool>()), 1..60),
        deadline in prop::sample::select(vec![None, Some("3m"), Some("10m"), Some("2h")]),
    ) {
        let mut fields = json!({"schedule": "0 * * * *"});
        if let Some(deadline) = deadline {
            fields["startingDeadline"] = json!(deadline);
        }
        let mut story = Story::new(fields);
        let made_at = story.world.now;
        for (event, is_seen) in events {
            story.happens(event);
            if is_seen {
                story.happens(Event::Look);
            }
            let world = &story.world;
            let hours_since = |at: Timestamp| world.now.duration_since(at).as_hours();
            let passed = hours_since(made_at);
            let next: Timestamp = world.next().parse().unwrap();
            let waiting = if next <= world.now { 1 + hours_since(next) } else { 0 };
            let missed = world.status().missed_schedules.unwrap_or(0);
            let served = i64::try_from(story.slots_served.len()).unwrap();
            prop_assert_eq!(passed, served + missed + waiting,
                "{} slots: {} run, {} missed, {} wait", passed, served, missed, waiting);
        }
    }

    #[test]
    fn no_slot_runs_twice_however_the_clock_is_corrected(
        steps in prop::collection::vec(-7000i64..9000, 1..80),
    ) {
        let mut world = World::new(json!({"schedule": "0 * * * *"}));
        let mut latest = world.now;
        world.look();
        for seconds in steps {
            // Further back than a day, and slots are counted anew.
            let day_before = latest - SignedDuration::from_hours(23);
            world.now = (world.now + SignedDuration::from_secs(seconds)).max(day_before);
            latest = latest.max(world.now);
            world.look();
            if world.running.is_some() {
                world.end(RunResult::NoChanges);
            }
        }

        let slots: Vec<Timestamp> = world.starts.iter().filter_map(|start| start.slot).collect();
        let each: BTreeSet<Timestamp> = slots.iter().copied().collect();
        prop_assert_eq!(each.len(), slots.len(), "{:?}", slots);
    }

    #[test]
    fn a_deleted_sync_goes_within_the_hour_and_removes_nothing_that_no_one_approved(
        before in prop::collection::vec(any_event(), 0..20),
        rows in prop::sample::select(vec![None, Some(0), Some(20), Some(21), Some(5000)]),
        after in prop::collection::vec((0i64..900, result(), 0u8..12), 1..40),
    ) {
        let mut story = Story::new(json!({
            "behavior": "mirror", "onRemove": "delete", "interval": "30m",
            "deletionPolicy": "Delete", "guards": {"maxRemoved": 20},
        }));
        for event in before {
            story.happens(event);
        }
        let world = &mut story.world;
        world.look();
        world.sync.metadata.annotations = None;
        let deleted_at = Timestamp::from_second(world.now.as_second()).unwrap();
        let written = serde_json::from_value(json!(deleted_at.to_string())).unwrap();
        world.sync.metadata.deletion_timestamp = Some(written);
        world.deletion = Some(DeletionView { snapshot_rows: rows, ..DeletionView::default() });
        let starts = world.starts.len();
        let mut is_approved = false;

        for (seconds, result, what) in after {
            if world.sync.metadata.finalizers.is_none() {
                break;
            }
            world.look();
            match what {
                0 => is_approved = true,
                1 => world.crash(),
                2 => world.suspended = Some(SuspendedBy::Connection),
                3 => world.suspended = None,
                4 => world.is_stopping = true,
                5 => world.is_stopping = false,
                _ => {}
            }
            if is_approved {
                world.annotate(APPROVE, "cleanup");
            }
            world.pass(seconds);
            if world.running.is_some() {
                world.end(result);
            }
            prop_assert!(world.cleanups.is_empty() || is_approved || rows.unwrap() <= 20);
        }

        world.now = world.now.max(deleted_at + SignedDuration::from_hours(1));
        world.look();
        prop_assert_eq!(&world.sync.metadata.finalizers, &None);
        prop_assert_eq!(world.starts.len(), starts, "a deleted Sync ran");
    }
}
