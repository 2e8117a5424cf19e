//! What a run brings along to every request: its end, its leave to send, its clock, its counters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::clock::SendClock;
use super::line::SenderId;

/// What bounds and accompanies the requests of one run.
#[derive(Clone, Copy)]
pub struct SendContext<'a> {
    /// When the run's time is over: no request starts afterwards. One in flight is finished.
    pub deadline: Instant,
    /// Ends waiting and retrying; a request in flight is finished.
    pub cancel: &'a CancellationToken,
    /// Asked right before every request: whether the run may still send, that is, holds its lock.
    pub may_send: &'a (dyn Fn() -> bool + Send + Sync),
    /// Stamps the updates of this Sync.
    pub clock: &'a SendClock,
    /// Counts what the run asks of Customer.io.
    pub traffic: &'a Traffic,
}

/// Counters of one run, filled while it sends. The limiter knows the run by them: runs share a
/// connection's pace evenly.
#[derive(Debug)]
pub struct Traffic {
    sender: SenderId,
    requests: AtomicU64,
    retries: AtomicU64,
    sent_bytes: AtomicU64,
    throttled_ms: AtomicU64,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            sender: SenderId::random(),
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            throttled_ms: AtomicU64::new(0),
        }
    }
}

impl Traffic {
    pub(super) fn sender(&self) -> SenderId {
        self.sender
    }

    /// Returns how many requests were made, retries included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Returns how many requests were made again after a failure.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Returns the size of all bodies sent, retries included, in bytes of JSON.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    /// Returns how long requests waited because Customer.io asked to slow down, summed up over
    /// requests that waited side by side.
    pub fn throttled(&self) -> Duration {
        Duration::from_millis(self.throttled_ms.load(Ordering::Relaxed))
    }

    pub(super) fn count_request(&self, size_bytes: usize, is_retry: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.retries.fetch_add(u64::from(is_retry), Ordering::Relaxed);
        self.sent_bytes.fetch_add(size_bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn count_throttled(&self, waited: Duration) {
        let millis = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        self.throttled_ms.fetch_add(millis, Ordering::Relaxed);
    }
}
