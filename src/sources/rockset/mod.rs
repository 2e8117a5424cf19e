//! Rockset, and what speaks its API.

pub mod spec;
