//! How fast requests may go: two token buckets that slow down together when Customer.io asks for
//! it. Arithmetic only; the waiting is done by the limiter.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use super::bucket::Bucket;
use super::spec::RateLimitSpec;

/// Part of the configured rate that comes back with every second after a 429.
const RECOVERY_PER_SECOND: f64 = 0.05;

/// Smallest part of the configured rate to which 429s can bring a connection.
const SHARE_MIN: f64 = 1.0 / 128.0;

/// Cells of one request. Prices are whole cells, so at 95 % of the rate a request of one cell
/// would cost two; of this many, rounding costs less than a hundredth.
const REQUEST_CELLS: u32 = 128;

/// When to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) until: Instant,
    /// Whether Customer.io had asked to slow down, so that it is not only the configured rate.
    pub(super) throttled: bool,
}

/// What one request still has to draw from the buckets, in cells at the configured rate.
pub(super) struct Bill {
    records: f64,
    request: f64,
}

impl Bill {
    /// Returns the bill of a request with that many records.
    pub(super) fn of(records: u32) -> Self {
        Self { records: f64::from(records), request: f64::from(REQUEST_CELLS) }
    }
}

/// The pace of one connection.
pub(super) struct Pace {
    requests: Bucket,
    records: Bucket,
    /// Part of the configured rates in use at `recovers_from`: above 0, at most 1.
    share: f64,
    /// From when the share grows back. Lies ahead while the connection is paused.
    recovers_from: Instant,
    slowed_at: Option<Instant>,
}

impl Pace {
    /// Returns a pace with full buckets.
    pub(super) fn new(rate: &RateLimitSpec, now: Instant) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let in_cells =
            |requests| at_least_one(requests).saturating_mul(at_least_one(REQUEST_CELLS));
        let records_per_second = at_least_one(rate.records_per_second);
        Self {
            requests: Bucket::full(in_cells(rate.requests_per_second), in_cells(rate.burst), now),
            // One second's worth may go at once.
            records: Bucket::full(records_per_second, records_per_second, now),
            share: 1.0,
            recovers_from: now,
            slowed_at: None,
        }
    }

    /// Draws what is left of a request's bill, or says when to go on drawing.
    pub(super) fn pay(&self, bill: &mut Bill, now: Instant) -> Result<(), Wait> {
        if now < self.recovers_from {
            return Err(Wait { until: self.recovers_from, throttled: true });
        }
        let share = self.share(now);
        self.records
            .draw(&mut bill.records, share, now)
            .and_then(|()| self.requests.draw(&mut bill.request, share, now))
            .map_err(|until| Wait { until, throttled: share < 1.0 })
    }

    /// Halves the rate because a request that left at `sent_at` was answered with 429. Returns
    /// whether it did.
    ///
    /// Requests that left before the last halving tell nothing new: the 429s of all that were in
    /// flight together count as one.
    pub(super) fn slow_down(&mut self, sent_at: Instant, now: Instant) -> bool {
        if self.slowed_at.is_some_and(|slowed_at| sent_at < slowed_at) {
            return false;
        }
        self.slowed_at = Some(now);
        self.go_on((self.share(now) / 2.0).max(SHARE_MIN), now);
        true
    }

    /// Lets nothing go for `pause` from now on.
    pub(super) fn pause(&mut self, pause: Duration, now: Instant) {
        self.go_on(self.share(now), now + pause);
    }

    /// Returns when the configured rate is reached again; `None` where it is in use.
    pub(super) fn full_speed_at(&self, now: Instant) -> Option<Instant> {
        let recovery = Duration::from_secs_f64((1.0 - self.share) / RECOVERY_PER_SECOND);
        let at = self.recovers_from + recovery;
        (at > now).then_some(at)
    }

    /// Returns the part of the configured rates in use.
    fn share(&self, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(self.recovers_from).as_secs_f64();
        (self.share + elapsed * RECOVERY_PER_SECOND).min(1.0)
    }

    /// Goes on at that part of the rates from `from` on, or from the end of a pause beyond it.
    /// Nothing that was saved up before may go then.
    fn go_on(&mut self, share: f64, from: Instant) {
        self.share = share;
        self.recovers_from = self.recovers_from.max(from);
        self.requests.empty(self.recovers_from);
        self.records.empty(self.recovers_from);
    }
}

#[cfg(test)]
mod tests;
