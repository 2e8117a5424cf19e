//! `kubectl ciosync`: what a person asks of the operator in a cluster.
//!
//! The same binary, called as `kubectl-ciosync` or with the word `kubectl`. The calls are in
//! `controller::requests`; here are the words.

pub mod approve;
pub mod args;
pub mod called;
pub mod run;
pub mod suspend;
pub mod target;
pub mod wait;

pub use called::typed;
pub use target::carry_out;
