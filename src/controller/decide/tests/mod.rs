//! Decisions by example and by law, on a Sync in a small world with a clock.

mod approvals;
mod deletion;
mod dependencies;
mod endings;
mod laws;
mod probes;
mod references;
mod requests;
mod restarts;
mod scheduling;
mod story;
mod suspending;
mod world;
mod year;
