//! Weeks and years of schedules, over each change of the clock: exactly the right slots.
//!
//! What is right is found by walking along the time line and looking at a wall clock, which no code
//! under test does.

use std::collections::BTreeSet;

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::world::{World, at};
use crate::controller::decide::*;
use crate::model::RunResult;

/// Every zone's clock changes, and every slot here lies, on one of these.
const QUARTER: SignedDuration = SignedDuration::from_mins(15);

/// Returns when a wall clock shows, or jumps over, a reading that matches, for the first time.
fn by_the_wall_clock(
    zone: &str,
    matches: Matches,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Timestamp> {
    let zone = TimeZone::get(zone).unwrap();
    let mut latest = zone.to_datetime(from);
    let mut slots = Vec::new();
    let mut now = from;
    while now < until {
        now += QUARTER;
        let reading = zone.to_datetime(now);
        let mut is_slot = false;
        while latest < reading {
            latest += QUARTER;
            is_slot |= matches(latest);
        }
        if is_slot {
            slots.push(now);
        }
    }
    slots
}

/// Lets a Sync with this schedule live, each of its runs taking 40 seconds, and returns the slots
/// that ran, each of which started within a second. It is looked at when it asked to be, or, to be
/// quick, at its slots alone.
fn ran(
    cron: &str,
    zone: &str,
    from: Timestamp,
    until: Timestamp,
    is_quick: bool,
) -> Vec<Timestamp> {
    let mut world = World::new(json!({"schedule": cron, "timeZone": zone}));
    world.now = from;
    world.look();
    loop {
        let again = if is_quick { Some(at(world.next())) } else { world.look_again };
        world.now = again.unwrap();
        if world.now > until {
            break;
        }
        world.look();
        if world.running.is_some() {
            let late = world.now.duration_since(world.starts.last().unwrap().slot.unwrap());
            assert!(late < SignedDuration::from_secs(1), "{late} late");
            world.pass(40);
            world.end(RunResult::NoChanges);
        }
    }
    assert_eq!(world.status().missed_schedules.unwrap_or(0), 0, "{cron} in {zone}");
    assert!(world.starts.iter().all(|start| start.trigger == Trigger::Schedule));
    world.starts.iter().filter_map(|start| start.slot).collect()
}

/// Returns whether a reading of the wall clock is one at which the schedule runs.
type Matches = fn(DateTime) -> bool;

#[test]
fn a_year_of_slots_is_run_each_once_and_no_other() {
    let (from, until) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let at_half_past_two: Matches = |at| (at.hour(), at.minute()) == (2, 30);
    let in_sunday_nights: Matches =
        |at| (1..=3).contains(&at.hour()) && at.date().weekday() == Weekday::Sunday;
    let cases = [
        ("30 2 * * *", "Europe/Berlin", at_half_past_two),
        ("30 2 * * *", "America/New_York", at_half_past_two),
        ("*/15 1-3 * * SUN", "Antarctica/Troll", in_sunday_nights),
        ("*/15 1-3 * * SUN", "Africa/Casablanca", in_sunday_nights),
        ("0 0 * * *", "America/Santiago", |at| (at.hour(), at.minute()) == (0, 0)),
        ("0 1,2 29-31 * *", "Australia/Lord_Howe", |at| {
            [1, 2].contains(&at.hour()) && at.minute() == 0 && at.day() >= 29
        }),
        ("45 23 * 3,4,9-11 *", "Asia/Kolkata", |at| {
            (at.hour(), at.minute()) == (23, 45) && [3, 4, 9, 10, 11].contains(&at.month())
        }),
    ];
    for (cron, zone, matches) in cases {
        let right = by_the_wall_clock(zone, matches, from, until);
        assert!(right.len() > 40, "{cron} in {zone}");

        assert_eq!(ran(cron, zone, from, until, true), right, "{cron} in {zone}");
    }
}

#[test]
fn the_weeks_of_both_changes_are_lived_through_slot_by_slot() {
    for (zone, change, is_quick) in [
        ("Europe/Berlin", "2026-03-29T01:00:00Z", false),
        ("Europe/Berlin", "2026-10-25T01:00:00Z", true),
        ("America/New_York", "2026-03-08T07:00:00Z", true),
        ("America/New_York", "2026-11-01T06:00:00Z", true),
        ("Australia/Lord_Howe", "2026-10-03T15:30:00Z", true),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00Z", true),
        ("America/Santiago", "2026-09-06T04:00:00Z", true),
        ("America/Santiago", "2026-04-05T03:00:00Z", true),
    ] {
        let (time_zone, change) = (TimeZone::get(zone).unwrap(), at(change));
        let before = time_zone.to_offset(change - SignedDuration::from_secs(1));
        assert_ne!(before, time_zone.to_offset(change), "no change in {zone} at {change}");
        let from = change - SignedDuration::from_hours(84);
        let until = from + SignedDuration::from_hours(168);

        let slots = ran("30 * * * *", zone, from, until, is_quick);

        let is_half_past = |at: DateTime| at.minute() == 30;
        assert_eq!(slots, by_the_wall_clock(zone, is_half_past, from, until), "{zone}");
    }
}

#[test]
fn a_week_of_an_interval_is_spaced_by_the_jitter_of_its_uid_whatever_the_clock_does() {
    let mut lengths = BTreeSet::new();
    for uid in ["u-1", "u-2", "u-3", "u-4", "u-5"] {
        let mut world = World::new(json!({"interval": "1h", "timeZone": "Europe/Berlin"}));
        world.sync.metadata.uid = Some(uid.to_owned());
        world.schedule = world.schedule.map(|schedule| schedule.with_jitter(uid));
        world.now = at("2026-03-26T00:00:00Z");
        let mut started_at = vec![world.now];
        world.look();
        while world.now < at("2026-04-02T00:00:00Z") {
            world.pass(300);
            world.end(RunResult::Succeeded);
            world.now = at(world.next());
            world.look();
            started_at.push(world.now);
        }

        let pauses: BTreeSet<i64> =
            started_at.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect();
        assert_eq!(pauses.len(), 1, "from start to start, always the same: {pauses:?}");
        let length = *pauses.first().unwrap();
        assert!((3420..=3780).contains(&length), "{length} is more than 5 % off");
        lengths.insert(length);
        assert_eq!(world.status().missed_schedules.unwrap_or(0), 0);
    }
    assert!(lengths.len() > 2, "no spread: {lengths:?}");
}
