//! The brake of one connection, shared by all its Syncs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::context::Traffic;
use super::line::{Line, Place, Prices};
use super::pace::{Bill, Pace};
use super::spec::RateLimitSpec;

/// Limits requests a second, records a second and requests in flight.
///
/// Runs share the pace evenly by what their requests take of it, so one that has little to send
/// waits for a request or two of others, however many those have queued; requests of one run go in
/// the order in which they were asked for. Share it in an `Arc`: every client of one workspace has
/// to use the same one.
pub struct Limiter {
    pace: Mutex<Pace>,
    line: Mutex<Line>,
    slots: Semaphore,
}

/// Leave for one request. The place in flight is free again when this is dropped.
pub struct Permit<'a> {
    _slot: SemaphorePermit<'a>,
    /// When leave was given.
    pub granted_at: Instant,
    /// How long it was waited for; zero where Customer.io had not asked to slow down.
    pub throttled: Duration,
}

impl Limiter {
    /// Returns a limiter with full buckets.
    pub fn new(rate: &RateLimitSpec) -> Self {
        let max_in_flight = usize::try_from(rate.max_in_flight.max(1)).unwrap_or(1);
        Self {
            pace: Mutex::new(Pace::new(rate, Instant::now())),
            line: Mutex::new(Line::new(Prices::of(rate))),
            slots: Semaphore::new(max_in_flight),
        }
    }

    /// Waits until a request of a run, with `records` records, may go.
    ///
    /// A batch of more records than go in a second waits until the last of them may. Dropping the
    /// future gives up the place in the queue; what it drew from the buckets by then is lost.
    pub async fn acquire(&self, run: &Traffic, records: usize) -> Permit<'_> {
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        let mut bill = Bill::of(records);
        let asked_at = Instant::now();
        let mut throttled = self.pace().full_speed_at(asked_at).is_some();
        let _turn = self.turn(run, records).await;
        let slot = self.slots.acquire().await.expect("the semaphore is never closed");
        loop {
            let now = Instant::now();
            let paid = self.pace().pay(&mut bill, now);
            match paid {
                Ok(()) => {
                    let waited = if throttled { now - asked_at } else { Duration::ZERO };
                    return Permit { _slot: slot, granted_at: now, throttled: waited };
                }
                Err(wait) => {
                    throttled |= wait.throttled;
                    tokio::time::sleep_until(wait.until.into()).await;
                }
            }
        }
    }

    /// Halves the rate of the connection because a request that left at `sent_at` was answered
    /// with 429, and returns `true`; unless that request left before the last halving. The rate
    /// grows back by 5 % of the configured one a second.
    pub fn slow_down(&self, sent_at: Instant) -> bool {
        self.pace().slow_down(sent_at, Instant::now())
    }

    /// Lets no request of the connection go for `pause`, as a `Retry-After` asks.
    pub fn pause(&self, pause: Duration) {
        self.pace().pause(pause, Instant::now());
    }

    /// Returns until when the connection goes slower than configured because Customer.io asked
    /// for it; `None` where it doesn't.
    pub fn throttled_until(&self) -> Option<Timestamp> {
        let now = Instant::now();
        let at = self.pace().full_speed_at(now)?;
        Timestamp::now().checked_add(at - now).ok()
    }

    /// Waits for the turn of a request.
    async fn turn(&self, run: &Traffic, records: u32) -> Turn<'_> {
        let (place, told) = self.line().join(run.sender(), records);
        let turn = Turn { limiter: self, place };
        if let Some(told) = told {
            // The line keeps the other end until it tells.
            told.await.expect("nobody is forgotten in the line");
        }
        turn
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // As below.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // Nobody who holds it calls anything that panics half way.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line, and the turn once it has come. Dropped, it is the next one's.
struct Turn<'a> {
    limiter: &'a Limiter,
    place: Place,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.limiter.line().leave(self.place);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn limiter(max_in_flight: u32) -> Arc<Limiter> {
        Arc::new(Limiter::new(&RateLimitSpec {
            requests_per_second: 1_000,
            burst: 3_000,
            records_per_second: 1_000_000,
            max_in_flight,
        }))
    }

    #[tokio::test]
    async fn leave_is_given_to_a_run_in_the_order_in_which_it_was_asked_for() {
        let limiter = limiter(1);
        let run = Arc::new(Traffic::default());
        let first = limiter.acquire(&run, 1).await;
        let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
        let waiting: Vec<_> = (0..8)
            .map(|number| {
                let (limiter, run) = (Arc::clone(&limiter), Arc::clone(&run));
                let sender = sender.clone();
                tokio::spawn(async move {
                    let _permit = limiter.acquire(&run, 1).await;
                    sender.send(number).unwrap();
                })
            })
            .collect();
        tokio::task::yield_now().await;

        drop(first);
        for task in waiting {
            task.await.unwrap();
        }

        drop(sender);
        let mut seen = Vec::new();
        while let Some(number) = order.recv().await {
            seen.push(number);
        }
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[tokio::test]
    async fn a_run_with_one_request_does_not_stand_behind_all_of_another() {
        let limiter = limiter(1);
        let (bulk, small) = (Arc::new(Traffic::default()), Traffic::default());
        let first = limiter.acquire(&bulk, 1_000).await;
        let served = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let waiting: Vec<_> = (0..32)
            .map(|_| {
                let (limiter, bulk) = (Arc::clone(&limiter), Arc::clone(&bulk));
                let served = Arc::clone(&served);
                tokio::spawn(async move {
                    let _permit = limiter.acquire(&bulk, 1_000).await;
                    served.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                })
            })
            .collect();
        tokio::task::yield_now().await;

        let (permit, ()) = tokio::join!(limiter.acquire(&small, 1), async { drop(first) });

        // One had its turn already, and waited for a place in flight.
        let before = served.load(std::sync::atomic::Ordering::SeqCst);
        assert!(before <= 2, "{before} requests of the other went first");
        drop(permit);
        for task in waiting {
            task.await.unwrap();
        }
    }

    #[tokio::test]
    async fn one_who_gives_up_holds_nobody_up() {
        let limiter = limiter(1);
        let run = Traffic::default();
        let first = limiter.acquire(&run, 1).await;
        let give_up = Duration::from_millis(1);
        for _ in 0..2 {
            assert!(tokio::time::timeout(give_up, limiter.acquire(&run, 1)).await.is_err());
        }
        let (one, other) = (limiter.acquire(&run, 1), limiter.acquire(&run, 1));
        let both = async { tokio::join!(one, other) };
        assert!(tokio::time::timeout(give_up, both).await.is_err());

        drop(first);
        let second = limiter.acquire(&run, 1).await;

        assert_eq!(second.throttled, Duration::ZERO);
    }

    #[tokio::test]
    async fn a_pause_holds_for_everybody_and_shows_in_the_status() {
        let limiter = limiter(4);
        assert_eq!(limiter.throttled_until(), None);
        let pause = Duration::from_millis(50);
        let paused_at = Instant::now();
        limiter.pause(pause);
        assert!(limiter.throttled_until().is_some());

        let run = Traffic::default();
        let (one, other) = tokio::join!(limiter.acquire(&run, 1), limiter.acquire(&run, 1));

        for permit in [one, other] {
            assert!(permit.granted_at - paused_at >= pause);
            assert!(permit.throttled > Duration::ZERO);
        }
        assert_eq!(limiter.throttled_until(), None);
    }
}
