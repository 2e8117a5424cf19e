//! What is to be done about a Sync now, and what its status says: pure functions of what is known.
//!
//! [`decide()`] takes a [`View`] (the resource as last seen, the clock, what it refers to, the run
//! in this process) and gives a [`Decision`] (the whole status, steps in order, events, when to
//! look again). [`ended()`] does the same when a run has ended. Neither knows a client, a runtime or
//! a clock; what is due is worked out each time, never kept in a queue.

#[expect(clippy::module_inception, reason = "the folder is named after its one verb")]
mod decide;

mod asks;
mod conditions;
pub mod conform;
pub mod decision;
pub mod deletion;
pub mod dependency;
mod draft;
pub mod outage;
mod outcome;
pub mod probe;
mod ready;
pub mod recover;
pub mod references;
pub mod request;
mod retry;
mod slots;
mod start;
mod text;
pub mod view;

#[cfg(test)]
mod tests;

pub use asks::{APPROVE, CANCEL, FULL_RESYNC_AT, REQUESTED_AT, RESET_STATE};
pub use conform::{conform, conform_change};
pub use decide::{decide, ended};
pub use decision::{Decision, EventReason, Notice, Start, Step, Trigger};
pub use deletion::{FINALIZER, SKIP_CLEANUP};
pub use dependency::{hold, standings};
pub use draft::LOOK_AGAIN_MAX;
pub use outage::without_state;
pub use ready::word;
pub use recover::needs_recorded;
pub use references::{Found, references};
pub use request::{RequestKind, StoredRequest};
pub use text::MESSAGE_LENGTH_MAX;
pub use view::{
    BlockedBy, CancelCause, DeletionView, Ended, Hold, Problem, References, Running, Standing,
    SuspendedBy, View,
};
