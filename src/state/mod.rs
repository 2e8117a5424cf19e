//! What must survive a restart: what was accepted, what was refused, what ran.
//!
//! Two stores, SQLite and PostgreSQL, hold the same tables and pass one contract suite
//! (`tests/it/state/`). Accepted rows live in sorted, compressed segments; what a run adds goes
//! to a journal first, one row for each answered request, and is folded in later.

pub mod error;
pub mod lock;
pub mod store;

pub use crate::model::entry::{Entry, EntryBuf, EntryFlags};
pub use error::StateError;
pub use store::StateStore;
