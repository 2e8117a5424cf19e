//! When a failed run is tried again.

use jiff::{SignedDuration, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use crate::api::sync::RetrySpec;
use crate::controller::decide::decision::Trigger;
use crate::controller::decide::draft::{length, plus, second_after};
use crate::model::RunId;

/// How much of a pause the jitter may take away, in percent.
const JITTER_PERCENT: u64 = 20;

/// How long a cleanup that failed waits: its own deadline is an hour.
const CLEAN_UP_PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Returns which try a run was: 0 for one that is no retry.
pub(super) fn tries(trigger: Trigger) -> u32 {
    let Trigger::Retry(number) = trigger else { return 0 };
    number
}

/// Returns whether a failed run is tried again before its next slot. `failures` counts the runs
/// that failed since one ended well, this one included.
///
/// What a person set going (a spec, a request, an approval) has a budget of its own; slots share
/// one, so that a Sync which fails at each of them is not tried ever more often.
pub(super) fn is_left(retry: &RetrySpec, trigger: Trigger, failures: u32) -> bool {
    match trigger {
        Trigger::Retry(number) => number < retry.limit,
        Trigger::Schedule => failures <= retry.limit,
        Trigger::Initial
        | Trigger::SpecChange
        | Trigger::ReferenceChange
        | Trigger::Request
        | Trigger::FullResync
        | Trigger::Approval => retry.limit > 0,
        Trigger::CleanUp => true,
    }
}

/// Returns when a run that failed is tried again: after `minBackoff`, doubled with each try, at most
/// `maxBackoff`, less up to a fifth that a hash of the run's id says.
pub(super) fn at(
    retry: &RetrySpec,
    trigger: Trigger,
    run: &RunId,
    failed_at: Timestamp,
) -> Timestamp {
    if trigger == Trigger::CleanUp {
        return second_after(plus(failed_at, CLEAN_UP_PAUSE));
    }
    let shortest = length(retry.min_backoff);
    let doubled = 2_i32.saturating_pow(tries(trigger));
    let pause = shortest.checked_mul(doubled).unwrap_or(SignedDuration::MAX);
    let pause = pause.min(length(retry.max_backoff));
    let percent = i32::try_from(xxh3_64(run.0.as_bytes()) % (JITTER_PERCENT + 1)).unwrap_or(0);
    let jitter = (pause / 100).saturating_mul(percent);
    second_after(plus(failed_at, (pause - jitter).max(shortest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(trigger: Trigger, run: &str) -> i64 {
        let failed_at = Timestamp::UNIX_EPOCH;
        let again = at(&RetrySpec::default(), trigger, &RunId(run.to_owned()), failed_at);
        again.duration_since(failed_at).as_secs()
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_never_fall_below_the_shortest() {
        for run in ["a", "b", "c", "d"] {
            assert_eq!(pause(Trigger::Schedule, run), 30);
            assert!((48..=60).contains(&pause(Trigger::Retry(1), run)));
            assert!((96..=120).contains(&pause(Trigger::Retry(2), run)));
            assert!((1440..=1800).contains(&pause(Trigger::Retry(90), run)));
        }
        let pauses: Vec<i64> =
            (0..20).map(|run| pause(Trigger::Retry(90), &run.to_string())).collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "no jitter: {pauses:?}");
    }

    #[test]
    fn what_a_person_set_going_has_a_budget_of_its_own() {
        let retry = RetrySpec { limit: 2, ..RetrySpec::default() };

        assert!(is_left(&retry, Trigger::Schedule, 2));
        assert!(!is_left(&retry, Trigger::Schedule, 3));
        assert!(is_left(&retry, Trigger::SpecChange, 9));
        assert!(is_left(&retry, Trigger::Retry(1), 9));
        assert!(!is_left(&retry, Trigger::Retry(2), 3));
    }
}
