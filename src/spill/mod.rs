//! What is larger than memory: a bounded external sort and the spool.
//!
//! Both hold byte strings in memory up to a limit and go on in a temporary file, which is gone
//! with the process however it ends. Knows bytes only, nothing else of ours.

pub mod sorter;
pub mod spool;

mod runs;

pub use runs::Record;
pub use sorter::{SortedReader, Sorter};
pub use spool::{SpoolReader, SpoolWriter, spool};

use std::io;
use std::path::Path;

/// Why something could not be put aside.
#[derive(Debug, thiserror::Error)]
pub enum SpillError {
    /// The temporary file can't be made, written or read; most often a full disk.
    #[error("temporary file in {directory} failed: {source}")]
    Io {
        /// Where the temporary files go.
        directory: String,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody will read what is written.
    #[error("the reader of the spool is gone")]
    Closed,
    /// The writer went away before it said that it was done, so what was read is not the whole.
    #[error("the writer of the spool ended before it was finished")]
    Unfinished,
}

impl SpillError {
    fn io(directory: &Path, source: io::Error) -> Self {
        Self::Io { directory: directory.display().to_string(), source }
    }
}
