//! Rows out of a warehouse, one folder a source.
//!
//! A source gives typed rows in the order of the primary key. It knows nothing of mappings,
//! of Customer.io or of what was sent before.

pub mod error;
pub mod source;

pub use error::SourceError;
pub use source::{Model, ReadRequest, RowStream, Source};
