//! From resources and secrets to a pipeline that is ready to run: parsed once, never checked again.
//!
//! What a resource refers to is read here, its secrets through [`SecretReader`]; everything below
//! holds values that are valid.

pub mod connection;
pub mod error;
mod record;
mod secrets;
pub mod source;
pub mod sync;

pub use connection::{client, connection};
pub use error::ResolveError;
pub use secrets::SecretReader;
pub use source::source;
pub use sync::{cleanup, pipeline};
