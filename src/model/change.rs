//! What differs between the source and what was accepted, and what is asked of Customer.io.

use serde::{Deserialize, Serialize};

/// How a row differs from what was last accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// In the source only.
    Added,
    /// In both, and what would be sent differs.
    Changed,
    /// In both and equal, but due to be sent again (full resync, refresh).
    Refreshed,
    /// Remembered only: the row left the source.
    Removed,
}

/// What one operation asks of Customer.io. Part of a record's fingerprint, so an edited
/// `behavior` is a change; the numbers are stored and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OperationKind {
    /// Create or update a person.
    PersonIdentify,
    /// Update a person who exists, never create one.
    PersonUpdate,
    /// Delete a person.
    PersonDelete,
    /// Delete a person and block the identifier.
    PersonSuppress,
    /// Free a blocked identifier.
    PersonUnsuppress,
    /// Null the mapped attributes of a person who exists.
    PersonClear,
}

impl OperationKind {
    const ALL: [Self; 6] = [
        Self::PersonIdentify,
        Self::PersonUpdate,
        Self::PersonDelete,
        Self::PersonSuppress,
        Self::PersonUnsuppress,
        Self::PersonClear,
    ];

    /// Returns the number that stands for the operation on disk and in fingerprints.
    pub fn code(self) -> u8 {
        match self {
            Self::PersonIdentify => 1,
            Self::PersonUpdate => 2,
            Self::PersonDelete => 3,
            Self::PersonSuppress => 4,
            Self::PersonUnsuppress => 5,
            Self::PersonClear => 6,
        }
    }

    /// Returns the operation of that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Returns the operation's name for messages and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PersonIdentify => "identify",
            Self::PersonUpdate => "update",
            Self::PersonDelete => "delete",
            Self::PersonSuppress => "suppress",
            Self::PersonUnsuppress => "unsuppress",
            Self::PersonClear => "clear",
        }
    }
}
