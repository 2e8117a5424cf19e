//! One object at a time from what is known of it to what is to be done, and doing it.
//!
//! Nothing here waits for a run: runs are the supervisor's, and their ends come back as reasons to
//! look again. An error is logged and the object is tried again with growing pauses.

mod connection;
mod ownership;
mod references;
mod source;
mod spec;
mod steps;
mod sync;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kube::runtime::controller::Action;
use tracing::warn;

use super::error::ControllerError;
use super::watch::ObjectKey;

pub use connection::reconcile as connection;
pub use source::reconcile as source;
pub use sync::reconcile as sync;

/// Pause after the first failure of an object; it doubles with each that follows.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// Longest pause between tries.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Longest pause without a look at all: clocks are set and machines sleep.
const LOOK_MAX: Duration = Duration::from_secs(300);

/// Shortest pause before the next look, so that no mistake of the clock can make it spin.
const LOOK_MIN: Duration = Duration::from_millis(100);

/// How often each object of one kind has failed in a row.
#[derive(Default)]
pub struct Attempts(Mutex<HashMap<ObjectKey, u32>>);

impl Attempts {
    /// Forgets an object that is gone.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Says when an object is looked at next, and takes note of a failure or its end.
    pub(super) fn next(
        &self,
        key: &ObjectKey,
        outcome: Result<Option<Timestamp>, ControllerError>,
    ) -> Result<Action, Infallible> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match outcome {
            Ok(at) => {
                failures.remove(key);
                Action::requeue(at.map_or(LOOK_MAX, until))
            }
            Err(error) => {
                let count = failures.entry(key.clone()).or_default();
                *count = count.saturating_add(1);
                let pause = PAUSE_MIN.saturating_mul(1 << (*count - 1).min(6)).min(PAUSE_MAX);
                let (namespace, name) = key;
                warn!(namespace, name, %error, attempts = *count, "reconciling failed; it is tried again");
                // Spread, so that what failed together is not tried together.
                Action::requeue(pause.mul_f64(0.75 + fastrand::f64() / 2.0))
            }
        })
    }
}

/// Returns the time until an instant, within the bounds of a pause.
fn until(at: Timestamp) -> Duration {
    let pause = at.duration_since(Timestamp::now());
    Duration::try_from(pause).unwrap_or(LOOK_MIN).clamp(LOOK_MIN, LOOK_MAX)
}
