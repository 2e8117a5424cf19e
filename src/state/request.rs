//! What people asked of a Sync by annotation, as the store remembers it: a GitOps tool may take
//! the annotation away again before anybody acted on it.

use jiff::Timestamp;

/// What can be asked of a Sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestKind {
    /// Run now.
    Run,
    /// Send every current row again.
    FullResync,
    /// Let a run pass the guard that blocks.
    Approve,
    /// Forget what is remembered.
    Reset,
    /// Stop a run.
    Cancel,
}

impl RequestKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Run, Self::FullResync, Self::Approve, Self::Reset, Self::Cancel];

    /// Returns the word under which the kind is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::FullResync => "fullResync",
            Self::Approve => "approve",
            Self::Reset => "reset",
            Self::Cancel => "cancel",
        }
    }
}

/// The newest request of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    /// What was asked for.
    pub kind: RequestKind,
    /// What tells it from others of its kind: the annotation's value.
    pub token: String,
    /// Whether it was acted on, or is to be ignored.
    pub is_handled: bool,
    /// When it was first seen.
    pub seen_at: Timestamp,
}

/// What came of taking over another Sync's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// All that was remembered under the old name is now remembered under the new one.
    Adopted,
    /// Nothing is remembered under the old name (any more): nothing changed.
    NothingKnown,
    /// The new name has remembered rows of its own: nothing changed.
    Refused,
}
