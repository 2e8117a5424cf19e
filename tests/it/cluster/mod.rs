//! What only a real API server shows: rights, rules, watches, and the operator on top of it.

mod bad_input;
mod columns;
mod definitions;
mod deletions;
mod faults;
mod ground;
mod memory;
mod replicas;
mod rules;
mod runs;
mod sharing;
mod stops;
mod world;
