//! Cron in a time zone.
//!
//! The fields are matched against the wall clock, as if it were one long day without changes; each
//! match is then put on the time line. A wall-clock time that daylight saving skips runs at the
//! next valid instant, one that it repeats runs once, the first time.

use cronexpr::Crontab;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::schedule::error::ScheduleError;
use crate::schedule::{MISSED_COUNT_MAX, Missed};

/// Names, what they may hold, and the position of the five fields.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of month", "1-31"),
    ("month", "1-12 or JAN-DEC"),
    ("day of week", "0-7 (0 and 7 are Sunday) or SUN-SAT"),
];

/// The usual words, and what they stand for.
const WORDS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// How far back the latest missed slot is looked for, in steps from near to far: seconds.
const LOOK_BACK_SECONDS: [i64; 5] = [3600, 86_400, 32 * 86_400, 367 * 86_400, 1462 * 86_400];

/// How far one search of the library goes, a day less than its four years, and how many are made.
const SEARCH_STEP: SignedDuration = SignedDuration::from_hours(24 * 1_460);
const SEARCHES: usize = 11;

/// A cron expression in a time zone.
#[derive(Clone, Debug)]
pub struct Cron {
    /// Matches on UTC, which stands here for a wall clock without changes.
    wall_clock: Crontab,
    time_zone: TimeZone,
}

impl Cron {
    /// Reads five fields, or a word such as `@hourly`, in an IANA time zone.
    ///
    /// # Errors
    /// Which field is wrong, or that the date never comes.
    pub fn parse(text: &str, time_zone_name: &str) -> Result<Self, ScheduleError> {
        let time_zone = time_zone(time_zone_name)?;
        let expression = expression(text)?;
        let fields: Vec<&str> = expression.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(ScheduleError::FieldCount { count: fields.len() });
        }
        for (position, (field, (name, range))) in fields.iter().zip(FIELDS).enumerate() {
            let mut alone = ["*"; 5];
            if let Some(place) = alone.get_mut(position) {
                *place = field;
            }
            if on_wall_clock(&alone).is_none() {
                return Err(ScheduleError::Field { field: name, range, text: (*field).into() });
            }
        }
        let never = || ScheduleError::Never { text: text.into() };
        let wall_clock = on_wall_clock(&fields).ok_or_else(never)?;
        let cron = Self { wall_clock, time_zone };
        // Any instant will do: the calendar of forty years has every date on every day of the week.
        cron.next_after(Timestamp::UNIX_EPOCH).ok_or_else(never)?;
        Ok(cron)
    }

    /// Returns the first slot strictly after an instant, within forty years: a fifth Thursday in April
    /// may be six years off, a leap day on a Sunday forty.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        // Slots before the wall clock's reading of `after` lie at or before it: both ways of
        // putting a reading on the time line keep the order.
        let mut reading = self.time_zone.to_datetime(after);
        loop {
            reading = self.next_reading(reading)?;
            let slot = self.instant_of(reading)?;
            if slot > after {
                return Some(slot);
            }
        }
    }

    /// Returns the slots after one instant and not after another.
    pub(super) fn missed(&self, after: Timestamp, until: Timestamp) -> Missed {
        let mut count = 0;
        let mut slot = after;
        while count < MISSED_COUNT_MAX {
            match self.next_after(slot) {
                Some(next) if next <= until => slot = next,
                _ => break,
            }
            count += 1;
        }
        Missed { count, latest: (count > 0).then(|| self.latest(slot, until)) }
    }

    /// Returns the last slot not after `until`, given one that is not.
    fn latest(&self, known: Timestamp, until: Timestamp) -> Timestamp {
        for seconds in LOOK_BACK_SECONDS {
            let from = Timestamp::from_second(until.as_second() - seconds).unwrap_or(known);
            let mut latest = None;
            let mut slot = from.max(known);
            while let Some(next) = self.next_after(slot).filter(|next| *next <= until) {
                latest = Some(next);
                slot = next;
            }
            match latest {
                Some(latest) => return latest,
                None if from <= known => break,
                None => {}
            }
        }
        known
    }

    /// Returns the next reading of the wall clock that the fields match.
    fn next_reading(&self, after: DateTime) -> Option<DateTime> {
        let mut instant = TimeZone::UTC.to_timestamp(after).ok()?;
        for _ in 0..SEARCHES {
            if let Ok(next) = self.wall_clock.find_next(cronexpr::MakeTimestamp(instant)) {
                return Some(next.datetime());
            }
            instant = instant.checked_add(SEARCH_STEP).ok()?;
        }
        None
    }

    /// Returns the instant at which the wall clock first shows a reading or a later one.
    fn instant_of(&self, reading: DateTime) -> Option<Timestamp> {
        let offset = match self.time_zone.to_ambiguous_timestamp(reading).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, .. } => before,
            AmbiguousOffset::Gap { after, .. } => {
                // With the later offset a skipped reading lies before the change, so the change is
                // the next one from there.
                let earlier = after.to_timestamp(reading).ok()?;
                return self.time_zone.following(earlier).next().map(|change| change.timestamp());
            }
        };
        offset.to_timestamp(reading).ok()
    }
}

/// Returns a time zone by its IANA name.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name).map_err(|_| ScheduleError::UnknownZone { name: name.into() })
}

/// Returns the five fields that a text stands for.
fn expression(text: &str) -> Result<&str, ScheduleError> {
    let text = text.trim();
    if text.contains("TZ=") {
        return Err(ScheduleError::ZoneInside);
    }
    if text.starts_with("@every") {
        return Err(ScheduleError::Every);
    }
    if !text.starts_with('@') {
        return Ok(text);
    }
    WORDS
        .iter()
        .find_map(|(word, fields)| (*word == text).then_some(*fields))
        .ok_or_else(|| ScheduleError::UnknownWord { word: text.into() })
}

fn on_wall_clock(fields: &[&str]) -> Option<Crontab> {
    cronexpr::parse_crontab(&format!("{} UTC", fields.join(" "))).ok()
}
