//! An allowance of requests per second.

use std::time::{Duration, Instant};

/// A bucket of requests that may pass now, filled at a steady rate.
#[derive(Debug, Default)]
pub(crate) struct RateGate {
    filled: Option<(f64, Instant)>,
}

impl RateGate {
    /// Lets a request pass, or returns how long until the next may.
    pub(crate) fn admit(
        &mut self,
        per_second: f64,
        burst: f64,
        now: Instant,
    ) -> Result<(), Duration> {
        let (tokens, since) = self.filled.unwrap_or((burst, now));
        let elapsed = now.saturating_duration_since(since).as_secs_f64();
        let tokens = (tokens + elapsed * per_second).min(burst);
        if tokens >= 1.0 {
            self.filled = Some((tokens - 1.0, now));
            return Ok(());
        }
        self.filled = Some((tokens, now));
        let wait_seconds = ((1.0 - tokens) / per_second).clamp(0.0, 3_600.0);
        Err(Duration::from_secs_f64(if wait_seconds.is_nan() { 3_600.0 } else { wait_seconds }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_passes_then_the_rate_holds() {
        let mut gate = RateGate::default();
        let start = Instant::now();

        let passed = (0..1_000)
            .filter(|millisecond| {
                gate.admit(100.0, 10.0, start + Duration::from_millis(*millisecond)).is_ok()
            })
            .count();

        assert!((108..=110).contains(&passed), "{passed} of 10 + 100 passed");
    }
}
