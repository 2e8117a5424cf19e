//! What can be wrong with a mapping, and with a row under a mapping.

use crate::model::{Rejection, ValueKind};

/// Something in a spec that does not fit the columns of its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingComplaint {
    /// Where in the Sync's spec, as a field path (`mappings[2].from`).
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl MappingComplaint {
    /// Returns a complaint about the field at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), hint: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Why a row makes no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowError {
    /// The row is data that can't be sent; the run goes on.
    Invalid(Rejection),
    /// The key is of another kind than before: no two keys can be compared, the run must stop.
    KeyKind {
        /// The column of the key.
        column: String,
        /// What the key held until now.
        expected: &'static str,
        /// What this row holds.
        found: ValueKind,
    },
}
