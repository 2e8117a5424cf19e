//! What is larger than memory: a bounded external sort and the spool.
//!
//! Both hold byte strings in memory up to a limit and go on in a temporary file, which is gone
//! with the process however it ends. Knows bytes only, nothing else of ours.

pub mod sorter;
pub mod spool;

pub use sorter::{SortedReader, Sorter};
pub use spool::{SpoolReader, SpoolWriter, spool};

/// Why something could not be put aside.
#[derive(Debug, thiserror::Error)]
pub enum SpillError {
    /// The temporary file can't be made, written or read; most often a full disk.
    #[error("temporary file in {directory} failed: {source}")]
    Io {
        /// Where the temporary files go.
        directory: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The other side of the spool is gone.
    #[error("the reader of the spool is gone")]
    Closed,
}
