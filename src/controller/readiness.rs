//! Whether the watches hold: a right that is missing would otherwise leave the operator idle and
//! silent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is known of the watch of one kind, which may be one for each namespace.
#[derive(Clone)]
pub struct Watched {
    kind: &'static str,
    broken: Arc<Mutex<BTreeMap<usize, String>>>,
}

impl Watched {
    /// Returns the watch of a kind, not broken so far.
    pub fn new(kind: &'static str) -> Self {
        Self { kind, broken: Arc::default() }
    }

    /// Returns the kind's name.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Notes that a part of the watch works; `true` where it did not before.
    pub fn works(&self, place: usize) -> bool {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).remove(&place).is_some()
    }

    /// Notes that a part of the watch broke; `true` where that is news.
    pub fn broken(&self, place: usize, problem: &str) -> bool {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.insert(place, problem.to_owned()).as_deref() != Some(problem)
    }

    /// Returns what is wrong with a part of the watch, if anything is.
    pub fn problem(&self) -> Option<String> {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.values().next().cloned()
    }
}
