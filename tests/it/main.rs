//! One test binary: capability tests through public doors, contract suites, laws, architecture.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test, its helpers included, fails by panic"
)]

mod architecture;
mod badinput;
mod capability;
mod chart;
mod cli_data;
mod clients;
mod cluster;
mod crds;
mod customerio;
mod emulator;
mod examples;
mod faults;
mod laws;
mod manifests;
mod plugin;
mod rules;
mod runbook;
mod sources;
mod state;
mod support;
