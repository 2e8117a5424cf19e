//! Spans of time as kubectl writes them, and how long something took.

use std::time::Duration;

use jiff::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// Returns how long ago `then` was (`4m`, `26h`, `31d`); `0s` for what lies ahead.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    human(u64::try_from(now.duration_since(then).as_secs()).unwrap_or(0))
}

/// Returns how long something took: tenths of a second below ten, then as ages are written.
pub fn took(started: Timestamp, finished: Timestamp) -> String {
    let duration = Duration::try_from(finished.duration_since(started)).unwrap_or_default();
    if duration < Duration::from_secs(10) {
        return format!("{:.1}s", duration.as_secs_f64());
    }
    human(duration.as_secs())
}

/// Returns an instant to the second: `2026-11-23T18:45:00Z`.
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Two units near their borders, one elsewhere.
/// Source: `HumanDuration` of k8s.io/apimachinery/pkg/util/duration.
fn human(seconds: u64) -> String {
    let two = |large: u64, large_name: char, small: u64, small_name: char| {
        let (count, rest) = (seconds / large, seconds % large / small);
        match rest {
            0 => format!("{count}{large_name}"),
            rest => format!("{count}{large_name}{rest}{small_name}"),
        }
    };
    match seconds {
        _ if seconds < 2 * MINUTE => format!("{seconds}s"),
        _ if seconds < 10 * MINUTE => two(MINUTE, 'm', 1, 's'),
        _ if seconds < 3 * HOUR => format!("{}m", seconds / MINUTE),
        _ if seconds < 8 * HOUR => two(HOUR, 'h', MINUTE, 'm'),
        _ if seconds < 2 * DAY => format!("{}h", seconds / HOUR),
        _ if seconds < 8 * DAY => two(DAY, 'd', HOUR, 'h'),
        _ if seconds < 2 * YEAR => format!("{}d", seconds / DAY),
        _ if seconds < 8 * YEAR => two(YEAR, 'y', DAY, 'd'),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_written_as_kubectl_writes_them() {
        // The cases of apimachinery's own test, and two of the other side of the borders.
        for (seconds, text) in [
            (1, "1s"),
            (70, "70s"),
            (190, "3m10s"),
            (4 * MINUTE, "4m"),
            (70 * MINUTE, "70m"),
            (47 * HOUR, "47h"),
            (49 * HOUR, "2d1h"),
            (8 * DAY + 2 * HOUR, "8d"),
            (367 * DAY, "367d"),
            (4 * YEAR + 367 * DAY, "5y2d"),
            (8 * YEAR + 2 * HOUR, "8y"),
            (5 * HOUR + 30 * MINUTE + 59, "5h30m"),
        ] {
            assert_eq!(human(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn what_lies_ahead_is_not_old() {
        let now = Timestamp::from_second(1_000).unwrap();

        assert_eq!(age(Timestamp::from_second(2_000).unwrap(), now), "0s");
        assert_eq!(age(Timestamp::from_second(940).unwrap(), now), "60s");
    }

    #[test]
    fn short_runs_are_told_in_tenths() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();

        assert_eq!(took(at(0), at(532)), "0.5s");
        assert_eq!(took(at(0), at(42_900)), "42s");
        assert_eq!(took(at(500), at(0)), "0.0s");
        assert_eq!(instant(at(1_763_923_500_123)), "2025-11-23T18:45:00Z");
    }
}
