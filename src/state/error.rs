//! Why the state store could not do what was asked.

use crate::model::{Disposition, Reason, SyncId};

/// What went wrong with the state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The store can't be opened, reached, read or written.
    #[error("the state store {location} {problem}")]
    Unavailable {
        /// Where it is, without credentials.
        location: String,
        /// What failed, in words that follow the location (`can't be opened: …`).
        problem: String,
        /// What the person should do next, where that is more than to try again.
        hint: Option<String>,
    },
    /// The store was written by a newer binary, or belongs to another installation.
    #[error("the state store {location} {problem}")]
    Refused {
        /// Where it is, without credentials.
        location: String,
        /// Why, in words that follow the location.
        problem: String,
        /// What the person should do next.
        hint: String,
    },
    /// The store as a whole is damaged, not only what it holds of one Sync.
    #[error("the state store {location} {problem}")]
    Corrupt {
        /// Where it is, without credentials.
        location: String,
        /// What is wrong, in words that follow the location.
        problem: String,
    },
    /// Another process runs this Sync now.
    #[error("{sync} is running elsewhere: {holder}")]
    Locked {
        /// The Sync.
        sync: SyncId,
        /// Who holds the lock, for a person.
        holder: String,
    },
    /// This process's lock lapsed, and another may have taken over; nothing was written.
    #[error("the run lock of {sync} was lost: it was not renewed in time, or taken over")]
    LockLost {
        /// The Sync.
        sync: SyncId,
    },
    /// What is stored is damaged: a checksum, an order or a count is wrong.
    #[error("the state of {sync} is damaged: {problem}")]
    Damaged {
        /// The Sync.
        sync: SyncId,
        /// What is wrong, without row values.
        problem: String,
    },
    /// An exported state can't be written, or is not what an export wrote.
    #[error("the exported state {problem}")]
    Export {
        /// What is wrong, in words that follow (`is cut off`); without row values.
        problem: String,
    },
    /// Our own invariant broke.
    #[error("internal error in the state store: {0}")]
    Internal(String),
}

impl StateError {
    /// Returns what the error means for what comes next.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unavailable { .. } | Self::Locked { .. } | Self::LockLost { .. } => {
                Disposition::Transient
            }
            Self::Refused { .. }
            | Self::Damaged { .. }
            | Self::Corrupt { .. }
            | Self::Export { .. } => Disposition::NeedsOperator,
            Self::Internal(_) => Disposition::Bug,
        }
    }

    /// Returns the reason that names the error in conditions and output.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unavailable { .. } | Self::Locked { .. } | Self::LockLost { .. } => {
                Reason::StateUnavailable
            }
            Self::Refused { .. } => Reason::StateMismatch,
            Self::Damaged { .. } | Self::Corrupt { .. } => Reason::StateLost,
            Self::Export { .. } => Reason::RunFailed,
            Self::Internal(_) => Reason::Internal,
        }
    }

    /// Returns what the person should do next, where that is more than to try again.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { hint, .. } => Some(hint.clone()),
            Self::Damaged { sync, .. } => Some(format!(
                "bring a backup back with `ciosync state import {sync}`, or forget what was \
                 remembered with `ciosync state reset {sync}`"
            )),
            Self::Corrupt { .. } => Some(
                "put a backup of the store in its place, or bring each Sync's state back into a \
                 new one with `ciosync state import`"
                    .to_owned(),
            ),
            Self::Unavailable { hint, .. } => hint.clone(),
            Self::Export { .. } => {
                Some("export it again; a file that is refused changes nothing".to_owned())
            }
            Self::Locked { .. } => Some(
                "let it end, or end it; a lock that nobody keeps is free after 15 s".to_owned(),
            ),
            Self::LockLost { .. } | Self::Internal(_) => None,
        }
    }
}
