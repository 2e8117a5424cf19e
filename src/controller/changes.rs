//! When something that Syncs name last changed, so that those that a person had to mend are tried
//! again at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::watch::ObjectKey;

/// An object that Syncs name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    /// A Source.
    Source(ObjectKey),
    /// A connection.
    Connection(ObjectKey),
    /// Whatever this Sync takes its state over from. It is noted when that is gone.
    Adopted(ObjectKey),
}

/// The last change of each, as far as this process saw one.
#[derive(Default)]
pub struct Changes(Mutex<HashMap<Named, Timestamp>>);

impl Changes {
    /// Notes a change now.
    pub fn note(&self, named: Named) {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.insert(named, Timestamp::now());
    }

    /// Returns when one of these last changed.
    pub fn latest(&self, named: &[Named]) -> Option<Timestamp> {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        named.iter().filter_map(|named| changes.get(named).copied()).max()
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, named: &Named) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(named);
    }
}
