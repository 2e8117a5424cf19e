//! Why a source could not be read.

use std::fmt;

use crate::model::{Disposition, Reason};

/// What went wrong at a source. The text holds no row value: where the warehouse's own message
/// may quote data, it is in [`SourceError::vendor_text`] and shown only when a person asks.
///
/// `Debug` leaves the warehouse's own words out: they must not reach a log.
#[derive(thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// Which kind of fault.
    pub kind: SourceErrorKind,
    /// What is wrong, in our words: host, table, column, position, the warehouse's code.
    pub message: String,
    /// What the person should do next.
    pub hint: Option<String>,
    /// The warehouse's own words, which may quote row values.
    pub vendor_text: Option<String>,
}

impl fmt::Debug for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("hint", &self.hint)
            .finish_non_exhaustive()
    }
}

/// The kinds of fault at a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// Not reachable, or the connection broke.
    Unreachable,
    /// Reached, but it can't serve now (starting, too many connections, recovery conflict).
    Unavailable,
    /// The read took longer than the source's own time limit.
    StatementTimeout,
    /// The credentials were refused.
    AuthenticationFailed,
    /// The user may not read this.
    PermissionDenied,
    /// The query was refused, or names what doesn't exist.
    InvalidQuery,
    /// The columns don't fit: missing, doubled, of a type that can't be used.
    SchemaDrift,
    /// The source's own settings are wrong (a certificate, a path, a URL).
    InvalidSpec,
    /// The disk for temporary files is full or can't be written.
    SpillFailed,
    /// Something that should not be possible.
    Internal,
}

impl SourceError {
    /// Returns an error of `kind` that says `message`.
    pub fn new(kind: SourceErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, vendor_text: None }
    }

    /// Adds what the person should do next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the warehouse's own words.
    #[must_use]
    pub fn with_vendor_text(mut self, text: impl Into<String>) -> Self {
        self.vendor_text = Some(text.into());
        self
    }

    /// Returns what the error means for what comes next.
    pub fn disposition(&self) -> Disposition {
        match self.kind {
            SourceErrorKind::Unreachable
            | SourceErrorKind::Unavailable
            | SourceErrorKind::StatementTimeout
            | SourceErrorKind::SpillFailed => Disposition::Transient,
            SourceErrorKind::AuthenticationFailed
            | SourceErrorKind::PermissionDenied
            | SourceErrorKind::InvalidQuery
            | SourceErrorKind::SchemaDrift
            | SourceErrorKind::InvalidSpec => Disposition::NeedsOperator,
            SourceErrorKind::Internal => Disposition::Bug,
        }
    }

    /// Returns the reason that names the error in conditions and output.
    pub fn reason(&self) -> Reason {
        match self.kind {
            SourceErrorKind::Unreachable | SourceErrorKind::Unavailable => Reason::SourceNotReady,
            SourceErrorKind::StatementTimeout => Reason::Timeout,
            SourceErrorKind::AuthenticationFailed => Reason::AuthenticationFailed,
            SourceErrorKind::PermissionDenied => Reason::PermissionDenied,
            SourceErrorKind::InvalidQuery => Reason::InvalidQuery,
            SourceErrorKind::SchemaDrift => Reason::SchemaDrift,
            SourceErrorKind::InvalidSpec => Reason::InvalidSpec,
            SourceErrorKind::SpillFailed => Reason::RunFailed,
            SourceErrorKind::Internal => Reason::Internal,
        }
    }
}
