//! When a failed request is repeated: arithmetic only, the waiting is done elsewhere.

use std::time::Duration;

use jiff::Timestamp;

use super::clock::parse_http_date;

/// Longest pause that a server may ask for. What asks for more is most likely a date in another
/// unit; after an hour it is asked again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// How long to wait between the attempts of one request: exponential, with full jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Longest pause after the first failure; it doubles with each further one.
    pub backoff_base: Duration,
    /// Longest pause after any failure.
    pub backoff_max: Duration,
    /// For how long the question for the account, or one to the App API, is repeated, counted from
    /// its first attempt. The first comes before any work is done and the others mostly after it,
    /// so an address that leads nowhere need not use up the run's time; batches are repeated until
    /// that is over.
    pub account_max: Duration,
}

impl Default for RetryPolicy {
    /// 200 ms is what the vendor's Node client starts from, 30 s what its command line ends at. A
    /// minute outlasts a restarted proxy, and is still about what a person waits for.
    fn default() -> Self {
        Self {
            backoff_base: Duration::from_millis(200),
            backoff_max: Duration::from_secs(30),
            account_max: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// Returns how long to wait after failure number `failures` (1 is the first).
    ///
    /// `chance` is a random number from 0 to 1; all of the pause is left to it, so that many
    /// waiters spread out. A server's `Retry-After` is never undercut.
    pub fn delay(&self, failures: u32, chance: f64, retry_after: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let longest =
            self.backoff_base.saturating_mul(2u32.saturating_pow(doublings)).min(self.backoff_max);
        longest.mul_f64(chance.clamp(0.0, 1.0)).max(retry_after.unwrap_or_default())
    }
}

/// Returns whether a request that was answered with this status is repeated.
///
/// Source: the statuses that the vendor's clients repeat (408, 429, 500, 502, 503, 504, 522, 524),
/// every other fault of a server, and 425, which asks for it.
pub fn is_retried(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// Reads `Retry-After`, in seconds or as a date; `None` where it is neither. At most one hour.
pub fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let pause = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(RETRY_AFTER_MAX, Duration::from_secs)
    } else {
        // A date in the past asks for no pause at all.
        Duration::try_from(parse_http_date(text)?.duration_since(now)).unwrap_or_default()
    };
    Some(pause.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        backoff_base: Duration::from_millis(200),
        backoff_max: Duration::from_secs(30),
        account_max: Duration::from_secs(60),
    };

    #[test]
    fn the_longest_pause_doubles_up_to_its_limit() {
        let longest = [1, 2, 3, 8, 9, 1_000].map(|failures| POLICY.delay(failures, 1.0, None));

        assert_eq!(longest.map(|pause| pause.as_millis()), [200, 400, 800, 25_600, 30_000, 30_000]);
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();

        for (text, seconds) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("86400", Some(3600)),
            ("99999999999999999999999", Some(3600)),
            ("", None),
            ("soon", None),
            ("-1", None),
        ] {
            let pause = parse_retry_after(text, now);
            assert_eq!(pause, seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn only_what_may_pass_by_itself_is_repeated() {
        for status in [408, 425, 429, 500, 502, 503, 504, 522, 524] {
            assert!(is_retried(status), "{status}");
        }
        for status in [200, 207, 301, 400, 401, 403, 404, 413, 422] {
            assert!(!is_retried(status), "{status}");
        }
    }

    proptest! {
        #[test]
        fn a_pause_is_never_below_what_the_server_asked_for_nor_beyond_both_limits(
            failures: u32, chance in 0.0..=1.0f64, seconds in proptest::option::of(0u64..4_000),
        ) {
            let asked = seconds.map(Duration::from_secs);

            let pause = POLICY.delay(failures, chance, asked);

            prop_assert!(pause >= asked.unwrap_or_default());
            prop_assert!(pause <= POLICY.backoff_max.max(asked.unwrap_or_default()));
        }
    }
}
