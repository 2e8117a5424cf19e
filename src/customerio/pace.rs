//! How fast requests may go: two token buckets that slow down together when Customer.io asks for
//! it. Arithmetic only; the waiting is done by the limiter.
//!
//! A library's bucket has a fixed rate and refuses what is larger than itself. This one lets a
//! batch of more records than the bucket holds go when the bucket is full, and pays the debt off
//! before the next.

use std::time::{Duration, Instant};

use super::spec::RateLimitSpec;

/// Part of the configured rate that comes back with every second after a 429.
const RECOVERY_PER_SECOND: f64 = 0.05;

/// Smallest part of the configured rate to which 429s can bring a connection.
const SHARE_MIN: f64 = 1.0 / 128.0;

/// Tokens that come back over time. Below zero it is in debt.
struct Bucket {
    per_second: f64,
    capacity: f64,
    level: f64,
}

impl Bucket {
    fn full(per_second: u32, capacity: u32) -> Self {
        let capacity = f64::from(capacity.max(1));
        Self { per_second: f64::from(per_second.max(1)), capacity, level: capacity }
    }

    /// Returns how many tokens are missing for `cost`; zero where it may go.
    fn missing(&self, cost: f64) -> f64 {
        (cost.min(self.capacity) - self.level).max(0.0)
    }

    fn fill(&mut self, full_rate_seconds: f64) {
        self.level = (self.level + self.per_second * full_rate_seconds).min(self.capacity);
    }

    /// Forgets what was saved up, and keeps a debt.
    fn drain(&mut self) {
        self.level = self.level.min(0.0);
    }
}

/// When to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) until: Instant,
    /// Whether Customer.io had asked to slow down, so that it is not only the configured rate.
    pub(super) throttled: bool,
}

/// The pace of one connection.
pub(super) struct Pace {
    requests: Bucket,
    records: Bucket,
    /// Part of the configured rates in use: above 0, at most 1.
    share: f64,
    /// Up to when the buckets are filled. Lies ahead while the connection is paused.
    filled_until: Instant,
    slowed_at: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rate: &RateLimitSpec, now: Instant) -> Self {
        Self {
            requests: Bucket::full(rate.requests_per_second, rate.burst),
            // One second's worth may go at once.
            records: Bucket::full(rate.records_per_second, rate.records_per_second),
            share: 1.0,
            filled_until: now,
            slowed_at: None,
        }
    }

    /// Takes the tokens of one request with `records` records, or says when to ask again.
    pub(super) fn try_take(&mut self, records: u32, now: Instant) -> Result<(), Wait> {
        self.advance(now);
        if self.filled_until > now {
            return Err(Wait { until: self.filled_until, throttled: true });
        }
        let cost = f64::from(records);
        let seconds = (self.requests.missing(1.0) / self.requests.per_second)
            .max(self.records.missing(cost) / self.records.per_second)
            / self.share;
        if seconds > 0.0 {
            // Whole microseconds, rounded up, so that a wait always gets somewhere.
            let pause = Duration::from_secs_f64(seconds) + Duration::from_micros(1);
            return Err(Wait { until: now + pause, throttled: self.share < 1.0 });
        }
        self.requests.level -= 1.0;
        self.records.level -= cost;
        Ok(())
    }

    /// Halves the rate because a request that left at `sent_at` was answered with 429. Returns
    /// whether it did.
    ///
    /// Requests that left before the last halving tell nothing new: the 429s of all that were in
    /// flight together count as one.
    pub(super) fn slow_down(&mut self, sent_at: Instant, now: Instant) -> bool {
        self.advance(now);
        if self.slowed_at.is_some_and(|slowed_at| sent_at < slowed_at) {
            return false;
        }
        self.share = (self.share / 2.0).max(SHARE_MIN);
        self.slowed_at = Some(now);
        self.requests.drain();
        self.records.drain();
        true
    }

    /// Lets nothing go for `pause` from now on.
    pub(super) fn pause(&mut self, pause: Duration, now: Instant) {
        self.advance(now);
        self.requests.drain();
        self.records.drain();
        self.filled_until = self.filled_until.max(now + pause);
    }

    /// Returns when the configured rate is reached again; `None` where it is in use.
    pub(super) fn full_speed_at(&mut self, now: Instant) -> Option<Instant> {
        self.advance(now);
        let recovery = Duration::from_secs_f64((1.0 - self.share) / RECOVERY_PER_SECOND);
        let at = self.filled_until.max(now) + recovery;
        (at > now).then_some(at)
    }

    /// Fills the buckets up to `now`, while the rate grows back.
    fn advance(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled_until).as_secs_f64();
        let growing = elapsed.min((1.0 - self.share) / RECOVERY_PER_SECOND);
        let grown = growing * RECOVERY_PER_SECOND;
        let full_rate_seconds = growing * (self.share + grown / 2.0) + (elapsed - growing);
        self.requests.fill(full_rate_seconds);
        self.records.fill(full_rate_seconds);
        self.share = (self.share + grown).min(1.0);
        // Rounding must not leave the rate a hair below the configured one for ever.
        if 1.0 - self.share < 1e-9 {
            self.share = 1.0;
        }
        self.filled_until = self.filled_until.max(now);
    }
}

#[cfg(test)]
mod tests;
