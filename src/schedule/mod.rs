//! When a Sync is due: intervals and cron with time zones. Pure; time is an argument.
//!
//! A slot is an instant at which a run is due. What is due is always worked out from the last
//! start or slot and the clock, never from a queue.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

pub mod cron;
pub mod error;

pub use cron::Cron;
pub use error::ScheduleError;

#[cfg(test)]
mod tests;

/// Shortest interval: below it a Sync would do nothing but start.
pub const INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Most slots that are counted as missed; beyond it the number says nothing new.
pub const MISSED_COUNT_MAX: u64 = 10_000;

/// How far the jitter moves an interval, in thousandths of it, either way.
const JITTER_PERMILLE: i64 = 50;

/// When a Sync runs by itself.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// Never by itself: on a change of its spec and on request.
    OnRequest,
    /// So long after the start of the last run.
    Interval(Interval),
    /// At wall-clock times.
    Cron(Cron),
}

/// A time from start to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// At least [`INTERVAL_MIN`], jitter included.
    length: SignedDuration,
}

/// Slots that passed without a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// How many, counted up to [`MISSED_COUNT_MAX`].
    pub count: u64,
    /// The most recent of them.
    pub latest: Option<Timestamp>,
}

impl Schedule {
    /// Reads a schedule as a Sync writes it: at most one of a cron expression (in an IANA time
    /// zone) and an interval.
    ///
    /// # Errors
    /// What is wrong with the expression, the zone or the interval.
    pub fn parse(
        cron: Option<&str>,
        time_zone: &str,
        interval: Option<Duration>,
    ) -> Result<Self, ScheduleError> {
        match (cron, interval) {
            (Some(_), Some(_)) => Err(ScheduleError::Both),
            (Some(text), None) => Cron::parse(text, time_zone).map(Self::Cron),
            (None, Some(length)) => {
                cron::time_zone(time_zone)?;
                Interval::new(length).map(Self::Interval)
            }
            (None, None) => {
                cron::time_zone(time_zone)?;
                Ok(Self::OnRequest)
            }
        }
    }

    /// Returns the schedule with the jitter of one Sync: an interval differs by up to 5 % either
    /// way, always the same for one uid, so that Syncs of one interval spread out. Cron slots stay
    /// where they are.
    #[must_use]
    pub fn with_jitter(self, uid: &str) -> Self {
        match self {
            Self::Interval(interval) => Self::Interval(interval.with_jitter(uid)),
            other => other,
        }
    }

    /// Returns the first slot strictly after an instant: for an interval the start of the last run,
    /// for cron the last slot or the clock. `None` if there is none, or none in the next forty years.
    pub fn next_due(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::OnRequest => None,
            Self::Interval(interval) => after.checked_add(interval.length).ok(),
            Self::Cron(cron) => cron.next_after(after),
        }
    }

    /// Returns the slots that lie after one instant and not after another.
    pub fn missed(&self, after: Timestamp, until: Timestamp) -> Missed {
        match self {
            Self::OnRequest => Missed::default(),
            Self::Interval(interval) => interval.missed(after, until),
            Self::Cron(cron) => cron.missed(after, until),
        }
    }
}

impl Interval {
    /// Returns an interval of so long.
    ///
    /// # Errors
    /// If it is shorter than a second or longer than a calendar holds.
    pub fn new(length: Duration) -> Result<Self, ScheduleError> {
        if length < INTERVAL_MIN {
            return Err(ScheduleError::IntervalTooShort);
        }
        let length =
            SignedDuration::try_from(length).map_err(|_| ScheduleError::IntervalTooLong)?;
        Ok(Self { length })
    }

    /// Returns the time from start to start.
    pub fn length(self) -> SignedDuration {
        self.length
    }

    fn with_jitter(self, uid: &str) -> Self {
        let spread = 2 * JITTER_PERMILLE + 1;
        let hash = i64::try_from(xxh3_64(uid.as_bytes()) % spread.unsigned_abs()).unwrap_or(0);
        let thousandths = i128::from(1000 + hash - JITTER_PERMILLE);
        let nanoseconds = self.length.as_nanos() * thousandths / 1000;
        let jittered = SignedDuration::from_nanos_i128(nanoseconds);
        Self { length: jittered.max(SignedDuration::from_secs(1)) }
    }

    fn missed(self, after: Timestamp, until: Timestamp) -> Missed {
        let passed = until.duration_since(after).as_nanos();
        let count = passed.max(0) / self.length.as_nanos();
        let latest = self.length.as_nanos().saturating_mul(count);
        Missed {
            count: u64::try_from(count).unwrap_or(u64::MAX).min(MISSED_COUNT_MAX),
            latest: (count > 0)
                .then(|| after.checked_add(SignedDuration::from_nanos_i128(latest)).ok())
                .flatten(),
        }
    }
}

/// Returns the first slot of a schedule strictly after an instant.
pub fn next_due(schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    schedule.next_due(after)
}

/// Returns whether a name is an IANA time zone that we know.
pub fn is_time_zone(name: &str) -> bool {
    cron::time_zone(name).is_ok()
}
