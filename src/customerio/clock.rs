//! The clock that stamps updates, and how far it is from Customer.io's.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// First and last second that has ten digits, the width of a stamp: 2001-09-09 to 2286-11-20.
const STAMP_SECONDS_MIN: i64 = 1_000_000_000;
const STAMP_SECONDS_MAX: i64 = 9_999_999_999;

/// Difference of the clocks from which a person should know: the answer's `Date` counts whole
/// seconds, and the way there and back takes some too.
pub const SKEW_WARNED_FROM: Duration = Duration::from_secs(5);

/// The wall clock of one Sync's updates. It never goes back: Customer.io is reported to drop an
/// update that is older than the profile's last edit, with a 200.
pub struct SendClock {
    last: AtomicI64,
}

impl SendClock {
    /// Returns a clock that never shows less than `floor`.
    pub fn not_before(floor: Timestamp) -> Self {
        Self { last: AtomicI64::new(floor.as_second()) }
    }

    /// Returns the Unix second for updates sent at `now`: never less than one returned before,
    /// and always of ten digits.
    pub fn second(&self, now: Timestamp) -> i64 {
        let now = now.as_second();
        let before = self.last.fetch_max(now, Ordering::Relaxed);
        before.max(now).clamp(STAMP_SECONDS_MIN, STAMP_SECONDS_MAX)
    }
}

impl Default for SendClock {
    fn default() -> Self {
        Self::not_before(Timestamp::UNIX_EPOCH)
    }
}

/// Returns how far the server's clock is ahead of ours (negative: behind), given the `Date` of an
/// answer and when by our clock the request left and the answer came. Zero where the date lies
/// between the two.
pub fn skew(date: Timestamp, sent: Timestamp, received: Timestamp) -> SignedDuration {
    // The date has no fraction: a request and its answer within one second still enclose it.
    let sent = Timestamp::from_second(sent.as_second()).unwrap_or(sent);
    if date < sent {
        date.duration_since(sent)
    } else if date > received {
        date.duration_since(received)
    } else {
        SignedDuration::ZERO
    }
}

/// Reads a date as HTTP writes it (`Sun, 06 Nov 1994 08:49:37 GMT`); `None` where it is none.
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_clock_of_a_sync_never_goes_back() {
        let clock = SendClock::not_before(at(1_772_013_600));

        let seconds =
            [1_772_013_598, 1_772_013_605, 1_772_013_601].map(|now| clock.second(at(now)));

        assert_eq!(seconds, [1_772_013_600, 1_772_013_605, 1_772_013_605]);
    }

    #[test]
    fn a_stamp_has_ten_digits_even_by_a_clock_that_was_never_set() {
        assert_eq!(SendClock::default().second(at(86_400)), STAMP_SECONDS_MIN);
        assert_eq!(SendClock::default().second(Timestamp::MAX), STAMP_SECONDS_MAX);
    }

    #[test]
    fn a_date_between_request_and_answer_is_no_skew() {
        let date = parse_http_date("Wed, 27 May 2026 20:02:42 GMT").unwrap();
        let half = SignedDuration::from_millis(500);

        assert_eq!(skew(date, date + half, date + half), SignedDuration::ZERO);
        assert_eq!(skew(date, at(date.as_second() + 9), at(date.as_second() + 10)).as_secs(), -9);
        assert_eq!(skew(date, at(date.as_second() - 9), at(date.as_second() - 7)).as_secs(), 7);
    }
}
