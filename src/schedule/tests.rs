//! Slots by example, and the laws that hold over every change of the clocks.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

fn cron(text: &str, zone: &str) -> Schedule {
    Schedule::parse(Some(text), zone, None).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn slots(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let mut slot = at(after);
    (0..count)
        .map(|_| {
            slot = schedule.next_due(slot).unwrap();
            slot.to_string()
        })
        .collect()
}

#[test]
fn a_slot_is_in_the_schedules_time_zone() {
    let schedule = cron("30 6 * * MON-FRI", "Europe/Berlin");

    // A Friday in winter, then the Monday.
    assert_eq!(
        slots(&schedule, "2026-01-09T00:00:00Z", 2),
        ["2026-01-09T05:30:00Z", "2026-01-12T05:30:00Z"]
    );
}

#[test]
fn a_skipped_time_runs_at_the_next_valid_instant() {
    // On 2026-03-29 Berlin's clocks go from 02:00 to 03:00, at 01:00Z.
    let schedule = cron("30 2 * * *", "Europe/Berlin");

    assert_eq!(
        slots(&schedule, "2026-03-28T02:00:00Z", 3),
        ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]
    );
}

#[test]
fn all_times_that_a_change_skips_run_once_together() {
    let schedule = cron("*/15 2,3 * * *", "Europe/Berlin");

    assert_eq!(
        slots(&schedule, "2026-03-28T23:00:00Z", 2),
        ["2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"]
    );
}

#[test]
fn a_repeated_time_runs_once() {
    // On 2026-10-25 Berlin's clocks go from 03:00 back to 02:00, at 01:00Z.
    let schedule = cron("30 2 * * *", "Europe/Berlin");

    assert_eq!(
        slots(&schedule, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
}

#[test]
fn a_whole_skipped_day_runs_at_its_end() {
    // Samoa had no 30 December 2011.
    let schedule = cron("0 12 30 12 *", "Pacific/Apia");

    assert_eq!(slots(&schedule, "2011-12-01T00:00:00Z", 1), ["2011-12-30T10:00:00Z"]);
}

#[test]
fn words_stand_for_fields() {
    assert_eq!(slots(&cron("@hourly", "UTC"), "2026-01-01T00:30:00Z", 1), ["2026-01-01T01:00:00Z"]);
    assert_eq!(slots(&cron("@weekly", "UTC"), "2026-01-01T00:30:00Z", 1), ["2026-01-04T00:00:00Z"]);
}

#[test]
fn what_is_no_schedule_is_refused_with_a_way_out() {
    let refusal = |text: &str, zone: &str| {
        let error = Schedule::parse(Some(text), zone, None).unwrap_err();
        format!("{error}: {}", error.hint())
    };

    insta::assert_snapshot!(
        [
            refusal("TZ=Europe/Berlin 0 6 * * *", "UTC"),
            refusal("0 0 6 * * *", "UTC"),
            refusal("0 25 * * *", "UTC"),
            refusal("@every 15m", "UTC"),
            refusal("0 0 30 2 *", "UTC"),
            refusal("@noon", "UTC"),
            refusal("0 6 * * *", "Europe/Brelin"),
        ]
        .join("\n"),
        @r#"
        the schedule holds a time zone: write the zone in the field timeZone, such as Europe/Berlin
        a schedule has five fields, this has 6: there is no field for seconds: write minute hour day-of-month month day-of-week
        `25` is not a valid hour: write 0-23, `*`, a range `a-b`, a step `*/n`, or a list of these
        `@every` is an interval, not a schedule: write `interval: 15m` instead of `schedule: "@every 15m"`
        `0 0 30 2 *` never comes: check day and month
        `@noon` is not a schedule: the words are @hourly, @daily, @weekly, @monthly and @yearly
        `Europe/Brelin` is not a time zone: write an IANA name such as Europe/Berlin, America/New_York or UTC
        "#
    );
}

#[test]
fn an_interval_counts_from_start_to_start() {
    let schedule = Schedule::parse(None, "UTC", Some(Duration::from_secs(900))).unwrap();

    assert_eq!(slots(&schedule, "2026-01-01T00:00:07Z", 1), ["2026-01-01T00:15:07Z"]);
}

#[test]
fn missed_slots_are_counted_and_the_latest_is_known() {
    let quarter_hours = cron("*/15 * * * *", "UTC");
    let every_hour = Schedule::parse(None, "UTC", Some(Duration::from_secs(3600))).unwrap();

    let missed = quarter_hours.missed(at("2026-01-01T00:00:00Z"), at("2026-01-01T01:00:00Z"));
    let none = quarter_hours.missed(at("2026-01-01T00:01:00Z"), at("2026-01-01T00:14:00Z"));
    let by_interval = every_hour.missed(at("2026-01-01T00:10:00Z"), at("2026-01-01T03:00:00Z"));

    assert_eq!(missed, Missed { count: 4, latest: Some(at("2026-01-01T01:00:00Z")) });
    assert_eq!(none, Missed::default());
    assert_eq!(by_interval, Missed { count: 2, latest: Some(at("2026-01-01T02:10:00Z")) });
}

#[test]
fn a_long_sleep_is_counted_up_to_a_limit_and_its_latest_slot_is_exact() {
    let minutes = cron("* * * * *", "UTC");

    let missed = minutes.missed(at("2024-01-01T00:00:00Z"), at("2026-01-01T00:00:30Z"));

    assert_eq!(
        missed,
        Missed { count: MISSED_COUNT_MAX, latest: Some(at("2026-01-01T00:00:00Z")) }
    );
}

#[test]
fn jitter_is_the_same_for_one_sync_and_at_most_five_percent() {
    let jittered = |uid: &str| {
        let schedule = Schedule::parse(None, "UTC", Some(Duration::from_secs(1000))).unwrap();
        let due = schedule.with_jitter(uid).next_due(at("2026-01-01T00:00:00Z")).unwrap();
        due.duration_since(at("2026-01-01T00:00:00Z")).as_secs()
    };

    let lengths: Vec<i64> = (0..200).map(|number| jittered(&format!("uid-{number}"))).collect();

    assert!(lengths.iter().all(|length| (950..=1050).contains(length)));
    assert!(lengths.iter().any(|length| *length < 970));
    assert!(lengths.iter().any(|length| *length > 1030));
    assert_eq!(jittered("a"), jittered("a"));
}

/// Zones with changes of an hour, of half an hour, in the south, and none.
const ZONES: [&str; 5] =
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"];

proptest! {
    #[test]
    fn each_reading_of_the_wall_clock_runs_at_most_once_and_slots_go_forward(
        zone in prop::sample::select(&ZONES[..]),
        day in 0i64..1500,
        minute in 0i64..60,
        step in prop::sample::select(&[1, 7, 15, 30, 60][..]),
    ) {
        let fields = if step == 60 {
            format!("{minute} * * * *")
        } else {
            format!("*/{step} * * * *")
        };
        let schedule = cron(&fields, zone);
        let time_zone = TimeZone::get(zone).unwrap();
        let start = Timestamp::from_second(1_750_000_000 + day * 86_400).unwrap();
        let mut slot = start;
        let mut readings = std::collections::HashSet::new();
        for _ in 0..60 {
            let next = schedule.next_due(slot).unwrap();
            prop_assert!(next > slot);
            prop_assert!(readings.insert(time_zone.to_datetime(next)), "{next} repeats a reading");
            slot = next;
        }
    }

    #[test]
    fn a_daily_slot_runs_once_on_every_day(
        zone in prop::sample::select(&ZONES[..]),
        day in 0i64..1500,
        hour in 0i64..24,
        minute in 0i64..60,
    ) {
        let schedule = cron(&format!("{minute} {hour} * * *"), zone);
        let time_zone = TimeZone::get(zone).unwrap();
        let start = Timestamp::from_second(1_750_000_000 + day * 86_400).unwrap();
        let first = schedule.next_due(start).unwrap();
        let second = schedule.next_due(first).unwrap();
        let days = time_zone.to_datetime(second).date() - time_zone.to_datetime(first).date();
        prop_assert_eq!(days.get_days(), 1);
    }

    #[test]
    fn a_slot_before_and_one_after_lie_on_either_side_of_any_instant(
        zone in prop::sample::select(&ZONES[..]),
        seconds in 0i64..130_000_000,
    ) {
        let schedule = cron("13 */2 * * *", zone);
        let now = Timestamp::from_second(1_750_000_000 + seconds).unwrap();
        let after = now.checked_sub(SignedDuration::from_hours(5)).unwrap();
        let next = schedule.next_due(now).unwrap();
        let missed = schedule.missed(after, now);
        let latest = missed.latest.unwrap();
        prop_assert!(latest <= now && now < next);
        prop_assert_eq!(schedule.next_due(latest).unwrap(), next);
    }
}

#[test]
fn a_date_that_comes_once_in_many_years_is_found() {
    let next = |text: &str, after: &str| {
        let due = cron(text, "UTC").next_due(after.parse().unwrap());
        due.map(|slot| slot.to_string())
    };

    let rare = "51 0 * 4 4#5";
    assert_eq!(next(rare, "2027-05-01T00:00:00Z").as_deref(), Some("2032-04-29T00:51:00Z"));
    let leap_days = "0 0 29 2 *";
    assert_eq!(next(leap_days, "2096-03-01T00:00:00Z").as_deref(), Some("2104-02-29T00:00:00Z"));
}
