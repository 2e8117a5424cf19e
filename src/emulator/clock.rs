//! The time, in the one unit Customer.io speaks: unix seconds.

use jiff::Timestamp;

/// Returns the current time in unix seconds.
pub(crate) fn now_seconds() -> i64 {
    Timestamp::now().as_second()
}

/// Returns the current time in unix milliseconds, for the time half of a ULID.
pub(crate) fn now_millis() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default()
}
