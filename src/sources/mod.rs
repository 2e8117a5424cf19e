//! Rows out of a warehouse, one folder a source.
//!
//! A source gives typed rows in the order of the primary key. It knows nothing of mappings,
//! of Customer.io or of what was sent before.

pub mod bigquery;
pub mod config;
pub mod databricks;
pub mod error;
pub mod files;
pub mod google_sheets;
pub mod postgres;
pub mod redshift;
pub mod rockset;
pub mod snowflake;
pub mod source;
pub mod spec;
pub mod sqlite;

mod batches;
mod columns;
mod sql;

pub use config::SourceConfig;
pub use error::SourceError;
pub use source::{Model, ReadRequest, RowStream, Source, Window};
