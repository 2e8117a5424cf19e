//! Row to record: the mapping as written, compiled against the columns of a query, and applied.
//!
//! Compiling tells all complaints at once; applying a compiled mapping can only refuse a row,
//! never a run. Knows nothing of where rows come from or of how records travel.

pub mod about;
pub mod attribute;
pub mod compile;
pub mod consent;
pub mod convert;
pub mod error;
pub mod mapper;
mod nearest;
pub mod record_spec;
pub mod spec;
mod subject;
pub mod template;

pub use about::{About, Given};
pub use compile::compile;
pub use error::{MappingComplaint, RowError};
pub use mapper::Mapper;
pub use record_spec::RecordSpec;
