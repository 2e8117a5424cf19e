//! What only a real API server shows: rights, rules, watches, and the operator on top of it.

mod bad_input;
mod deletions;
mod faults;
mod ground;
mod memory;
mod replicas;
mod runs;
mod stops;
mod world;
