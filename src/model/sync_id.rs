//! The name under which a Sync's state is kept.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A Sync's namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SyncId {
    /// The namespace; `default` where a manifest names none.
    pub namespace: String,
    /// The name, unique in its namespace.
    pub name: String,
}

impl SyncId {
    /// Returns the id of Sync `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for SyncId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
