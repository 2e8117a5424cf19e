//! Google BigQuery.

pub mod spec;
