//! What must survive a restart: what was accepted, what was refused, what ran.
//!
//! Two stores, SQLite and PostgreSQL, hold the same tables and pass one contract suite
//! (`tests/it/state/`). Accepted rows live in sorted, compressed segments; what a run adds goes
//! to a journal first, one row for each answered request, and is folded in later.

pub mod chunk;
mod columns;
pub mod error;
pub mod fold;
mod journal;
pub mod lock;
pub mod open;
mod packer;
mod postgres;
mod process;
mod read_back;
pub mod request;
pub mod schema;
pub mod segment;
pub mod snapshot;
mod sqlite;
pub mod store;
pub mod transfer;

pub use crate::model::{Entry, EntryBuf, EntryFlags};
pub use chunk::EntryChunk;
pub use error::StateError;
pub use fold::fold;
pub use lock::{LockHolder, RunLock};
pub use open::{Access, open, open_existing};
pub use request::{Adoption, RequestKind, StoredRequest};
pub use segment::SegmentWriter;
pub use snapshot::SnapshotReader;
pub use store::StateStore;
