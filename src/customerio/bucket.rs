//! A token bucket that is told the time, and in which things may cost more at times.
//!
//! The counting is governor's. Its rate can't change, so a slower connection pays more cells for
//! the same thing; and it takes no more cells at once than fit in, so what costs more is paid in
//! parts.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// A clock that stands where it was set, so that time stays an argument.
struct Told(Cell<Instant>);

impl Clock for Told {
    type Instant = Instant;

    fn now(&self) -> Instant {
        self.0.get()
    }
}

/// Cells that come back over time.
pub(super) struct Bucket {
    quota: Quota,
    limiter: RateLimiter<NotKeyed, InMemoryState, Told, NoOpMiddleware<Instant>>,
}

impl Bucket {
    /// Returns a bucket in which all `capacity` cells are there, and `per_second` come back.
    pub(super) fn full(per_second: NonZeroU32, capacity: NonZeroU32, now: Instant) -> Self {
        // Rounded up, so that never more than allowed come back.
        let period = Duration::from_nanos(1_000_000_000u64.div_ceil(per_second.get().into()));
        let quota = Quota::with_period(period)
            .expect("a rounded up period has at least one nanosecond")
            .allow_burst(capacity);
        Self { quota, limiter: RateLimiter::direct_with_clock(quota, Told(Cell::new(now))) }
    }

    /// Takes all cells away; from `at` on they come back.
    pub(super) fn empty(&mut self, at: Instant) {
        self.limiter = RateLimiter::direct_with_clock(self.quota, Told(Cell::new(at)));
        self.take(self.quota.burst_size(), at).expect("a new bucket is full");
    }

    /// Takes what is left to pay, and lowers `left` by it; says when to go on where cells are
    /// missing.
    ///
    /// `left` is in cells at the full rate, and `share` (above 0, at most 1) the part of it that
    /// is in use: at half the rate everything costs twice as much.
    pub(super) fn draw(&self, left: &mut f64, share: f64, now: Instant) -> Result<(), Instant> {
        while *left > 0.0 {
            let price = (*left / share).ceil();
            let part = price.min(f64::from(self.quota.burst_size().get()));
            // A part lies between 1 and the capacity, which is such a number.
            self.take(NonZeroU32::new(part as u32).unwrap_or(NonZeroU32::MIN), now)?;
            *left = if part < price { *left - part * share } else { 0.0 };
        }
        Ok(())
    }

    /// Takes `cells`, no more than the capacity, or says when they will be there.
    fn take(&self, cells: NonZeroU32, now: Instant) -> Result<(), Instant> {
        self.limiter.clock().0.set(now);
        self.limiter
            .check_n(cells.min(self.quota.burst_size()))
            .expect("no more cells are asked for than fit in")
            .map_err(|not_until| not_until.earliest_possible())
    }
}
