//! What only a real API server shows: rights, rules, watches, and the operator on top of it.

mod app_key;
mod bad_input;
mod columns;
mod definitions;
mod deletions;
mod faults;
mod from_nothing;
mod ground;
mod memory;
mod minutes;
mod outages;
mod relay;
mod replicas;
mod rights;
mod rules;
mod runs;
mod scale;
mod secrets;
mod sharing;
mod stops;
mod told;
mod waits;
mod world;
