//! Why resources don't make a pipeline.

use crate::customerio::DeliveryError;
use crate::model::secret::SecretKeyRef;
use crate::model::{Disposition, Reason};
use crate::sources::SourceError;

/// What is missing or wrong. Found before anything is contacted.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A Secret doesn't exist where it was looked for.
    #[error("there is no Secret `{}` in namespace `{namespace}`", reference.name)]
    SecretNotFound {
        /// The namespace of the object that names it.
        namespace: String,
        /// What was named.
        reference: SecretKeyRef,
        /// Where else it may be given.
        hint: String,
    },
    /// A Secret has no such key.
    #[error("Secret `{}` in namespace `{namespace}` has no key `{}`", reference.name, reference.key)]
    SecretKeyMissing {
        /// The namespace of the object that names it.
        namespace: String,
        /// What was named.
        reference: SecretKeyRef,
        /// Where else it may be given.
        hint: String,
    },
    /// The operator may not read a Secret.
    #[error("Secret `{}` in namespace `{namespace}` may not be read", reference.name)]
    SecretForbidden {
        /// The namespace of the object that names it.
        namespace: String,
        /// What was named.
        reference: SecretKeyRef,
        /// What to grant.
        hint: String,
    },
    /// Something could not be read just now.
    #[error("{what} can't be read: {problem}")]
    Unread {
        /// What, with its kind and namespace.
        what: String,
        /// What the network or the server said; nothing of what was to be read.
        problem: String,
    },
    /// A Secret's value can't be used.
    #[error("{reference} {problem}")]
    SecretUnusable {
        /// What was named.
        reference: SecretKeyRef,
        /// What is wrong, without the value.
        problem: String,
    },
    /// The source's settings can't be used.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The connection's settings can't be used.
    #[error("{0}")]
    Connection(#[from] DeliveryError),
    /// A field of a spec can't be used.
    #[error("{path}: {message}")]
    InvalidSpec {
        /// Which field.
        path: String,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl ResolveError {
    /// Returns what the error means for what comes next.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unread { .. } => Disposition::Transient,
            Self::SecretNotFound { .. }
            | Self::SecretKeyMissing { .. }
            | Self::SecretForbidden { .. }
            | Self::SecretUnusable { .. }
            | Self::InvalidSpec { .. } => Disposition::NeedsOperator,
            Self::Source(error) => error.disposition(),
            Self::Connection(error) => error.disposition(),
        }
    }

    /// Returns the reason that names the error in conditions and output.
    pub fn reason(&self) -> Reason {
        match self {
            Self::SecretNotFound { .. } | Self::SecretForbidden { .. } => Reason::SecretNotFound,
            Self::SecretKeyMissing { .. } => Reason::SecretKeyMissing,
            Self::SecretUnusable { .. } | Self::InvalidSpec { .. } => Reason::InvalidSpec,
            Self::Unread { .. } => Reason::RunFailed,
            Self::Source(error) => error.reason(),
            Self::Connection(error) => error.reason(),
        }
    }

    /// Returns what the person should do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::SecretNotFound { hint, .. }
            | Self::SecretKeyMissing { hint, .. }
            | Self::SecretForbidden { hint, .. } => Some(hint.clone()),
            Self::SecretUnusable { .. } | Self::Unread { .. } => None,
            Self::Source(error) => error.hint.clone(),
            Self::Connection(error) => error.hint(),
            Self::InvalidSpec { hint, .. } => hint.clone(),
        }
    }
}
