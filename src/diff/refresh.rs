//! Which rows are due to be sent again by age, worked out from their keys alone.

use std::time::Duration;

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

/// The time from one complete run to the next, in which some rows fall due.
///
/// Each key has its own moment in every period, by its hash, so the rows of a period fall due in
/// even shares and nothing is stored for any of them.
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    period_ms: i64,
    since_ms: i64,
    now_ms: i64,
}

impl Refresh {
    /// Returns what falls due after `since`, when the last complete run made its plan, up to `now`.
    /// `None` where the period is shorter than a millisecond.
    pub fn new(period: Duration, since: Timestamp, now: Timestamp) -> Option<Self> {
        let period_ms = i64::try_from(period.as_millis()).unwrap_or(i64::MAX);
        (period_ms > 0).then(|| Self {
            period_ms,
            since_ms: since.as_millisecond(),
            now_ms: now.as_millisecond(),
        })
    }

    /// Returns whether the row of `key` fell due.
    pub fn is_due(&self, key: &[u8]) -> bool {
        let period = self.period_ms.unsigned_abs();
        let phase = i64::try_from(xxh3_64(key) % period).unwrap_or(0);
        let turn = |at: i64| at.saturating_sub(phase).div_euclid(self.period_ms);
        turn(self.now_ms) > turn(self.since_ms)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const PERIOD: Duration = Duration::from_secs(24 * 3_600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    proptest! {
        #[test]
        fn however_runs_fall_a_row_is_due_once_for_each_of_its_moments(
            key: Vec<u8>, pauses in vec(1i64..100_000, 1..60),
        ) {
            let (mut now, mut due) = (0, 0);
            for pause in &pauses {
                let before = now;
                now += pause;
                let refresh = Refresh::new(PERIOD, at(before), at(now)).unwrap();
                let is_due = refresh.is_due(&key);
                due += i64::from(is_due);
                // A pause of a whole period leaves nothing out.
                prop_assert!(is_due || *pause < 86_400);
            }
            let whole = Refresh::new(PERIOD, at(0), at(now)).unwrap().is_due(&key);
            let periods = now / 86_400;

            // No moment of a day is missed, and none acts twice.
            prop_assert!(due <= periods + 1 && (due > 0) == whole);
            if pauses.iter().all(|pause| *pause <= 86_400) {
                prop_assert!(due >= periods);
            }
        }
    }

    #[test]
    fn the_rows_of_a_period_fall_due_in_even_shares() {
        let keys: Vec<[u8; 4]> = (0..24_000u32).map(u32::to_be_bytes).collect();

        for hour in 0..24 {
            let refresh = Refresh::new(PERIOD, at(hour * 3_600), at((hour + 1) * 3_600)).unwrap();
            let due = keys.iter().filter(|key| refresh.is_due(*key)).count();
            assert!((850..1_150).contains(&due), "{due} of 1,000 in hour {hour}");
        }
    }

    #[test]
    fn a_clock_that_went_back_refreshes_nothing() {
        let refresh = Refresh::new(PERIOD, at(0), at(-3_600)).unwrap();

        assert!((0..1_000u32).all(|key| !refresh.is_due(&key.to_be_bytes())));
    }
}
