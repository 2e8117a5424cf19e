//! Decisions by example and by law, on a Sync in a small world with a clock.

mod approvals;
mod deletion;
mod dependencies;
mod endings;
mod probes;
mod references;
mod requests;
mod restarts;
mod scheduling;
mod suspending;
mod world;
