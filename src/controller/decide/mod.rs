//! What is to be done about a Sync now, and what its status says: pure functions of what is known.
//!
//! [`decide()`] takes a [`View`] (the resource as last seen, the clock, what it refers to, the run
//! in this process) and gives a [`Decision`] (the whole status, steps in order, events, when to
//! look again). [`ended()`] does the same when a run has ended. Neither knows a client, a runtime or
//! a clock; what is due is worked out each time, never kept in a queue.

pub mod decision;
pub mod request;
pub mod view;

pub use decision::{Decision, EventReason, Notice, Start, Step, Trigger};
pub use request::{RequestKind, StoredRequest};
pub use view::{
    BlockedBy, CancelCause, DeletionView, Ended, Hold, Problem, References, Running, Standing,
    SuspendedBy, View,
};
