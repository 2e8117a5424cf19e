//! What the probes look at.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long the operator may show no sign of life before it is taken for stuck: a dozen of its
/// beats, which come every few seconds.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is about, in one word.
    pub name: &'static str,
    /// What is missing and what to do; `None` where it holds.
    pub problem: Option<String>,
}

/// When the operator last showed that it is not stuck. Clones share the beat.
#[derive(Clone)]
pub struct Heartbeat {
    started: Instant,
    /// Milliseconds from the start to the last beat.
    last: Arc<AtomicU64>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { started: Instant::now(), last: Arc::default() }
    }
}

impl Heartbeat {
    /// Shows that the operator is not stuck.
    pub fn beat(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Returns for how long there was no beat, where that is too long.
    pub fn stuck_for(&self) -> Option<Duration> {
        self.stuck_at(self.started.elapsed())
    }

    fn stuck_at(&self, now: Duration) -> Option<Duration> {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        Some(now.saturating_sub(last)).filter(|quiet| *quiet > STUCK_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_that_shows_no_life_is_stuck_until_it_does() {
        let heart = Heartbeat::default();
        heart.last.store(5_000, Ordering::Relaxed);

        assert_eq!(heart.stuck_at(Duration::from_secs(65)), None);
        assert_eq!(heart.stuck_at(Duration::from_secs(66)), Some(Duration::from_secs(61)));
        heart.beat();
        assert_eq!(heart.stuck_for(), None);
    }
}
