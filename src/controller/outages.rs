//! Since when the state store can't be asked, by Sync: without it nothing can be decided about one,
//! and its status must not go on to say that all is well.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::watch::ObjectKey;

/// The Syncs about which nothing could be decided when they were last looked at.
#[derive(Default)]
pub struct Outages(Mutex<HashMap<ObjectKey, Timestamp>>);

impl Outages {
    /// Notes that the store can't be asked about a Sync; returns since when.
    pub fn note(&self, sync: &ObjectKey, now: Timestamp) -> Timestamp {
        let mut outages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *outages.entry(sync.clone()).or_insert(now)
    }

    /// Notes that it can, or that the Sync is gone.
    pub fn end(&self, sync: &ObjectKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(sync);
    }
}
