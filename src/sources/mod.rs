//! Rows out of a warehouse, one folder a source.
//!
//! A source gives typed rows in the order of the primary key. It knows nothing of mappings,
//! of Customer.io or of what was sent before.

pub mod config;
pub mod error;
pub mod files;
pub mod postgres;
pub mod source;
pub mod sqlite;

mod batches;
mod columns;
mod sql;

pub use config::SourceConfig;
pub use error::SourceError;
pub use source::{Model, ReadRequest, RowStream, Source};
