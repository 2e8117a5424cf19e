//! What was asked of a Sync, as the state store remembers it.

pub use crate::state::{RequestKind, StoredRequest};
