//! What the state store remembers of the requests that came as annotations.

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

/// The newest request of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    /// What was asked.
    pub kind: RequestKind,
    /// Tells it from every other request of the kind.
    pub token: String,
    /// Whether it was acted on, or ignored for good.
    pub is_handled: bool,
    /// When it was first seen.
    pub seen_at: Timestamp,
}
