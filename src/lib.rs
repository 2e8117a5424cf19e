//! Declarative reverse ETL from a data warehouse into Customer.io.
//!
//! One library behind one binary: the command line today, the Kubernetes operator with it.
//! `ARCHITECTURE.md` draws the rooms and who may know whom; `tests/it/architecture.rs` holds it.

pub mod api;
pub mod cli;
pub mod controller;
pub mod customerio;
pub mod diff;
pub mod emulator;
pub mod engine;
pub mod manifest;
pub mod mapping;
pub mod metrics;
pub mod model;
pub mod resolve;
pub mod schedule;
pub mod sources;
pub mod spill;
pub mod state;
pub mod telemetry;
pub mod web;
