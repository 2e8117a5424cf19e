//! Databricks SQL warehouses.

pub mod spec;
