//! What an error means for what comes next, and the reason that names it.

use serde::{Deserialize, Serialize};

/// What an error means: from it follow requeue, condition, exit code and log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Will pass by itself: a network fault, throttling, a lock held elsewhere.
    Transient,
    /// A person must act: a wrong spec, a refused credential, a tripped guard.
    NeedsOperator,
    /// Our own invariant broke.
    Bug,
}

/// Why a run failed or a resource is not ready: part of the API, a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// A run failed for a cause with no reason of its own.
    RunFailed,
    /// The source can't be reached or answered with a fault of its own.
    SourceNotReady,
    /// Customer.io can't be reached or answered with a fault of its own.
    ConnectionNotReady,
    /// A Sync named in `dependsOn` failed or did not end in time.
    DependencyNotReady,
    /// A reference names an object that doesn't exist.
    RefNotFound,
    /// A reference to another namespace is not allowed there.
    RefNotPermitted,
    /// A Secret doesn't exist.
    SecretNotFound,
    /// A Secret lacks the key.
    SecretKeyMissing,
    /// The spec can't be run as written.
    InvalidSpec,
    /// The warehouse refused the query.
    InvalidQuery,
    /// The schedule can't be read.
    InvalidSchedule,
    /// The time zone is unknown.
    InvalidTimeZone,
    /// The query's columns don't fit the spec or what was remembered.
    SchemaDrift,
    /// Credentials were refused.
    AuthenticationFailed,
    /// The user may not read what the query names.
    PermissionDenied,
    /// Customer.io kept throttling until the run's time was over.
    RateLimited,
    /// A guard stopped the run before it sent anything.
    GuardTripped,
    /// More rows were rejected than `maxRejected` allows.
    TooManyRejected,
    /// Another Sync writes the same attribute.
    AttributeConflict,
    /// Removals can't be shown to be safe.
    RemovalUnsafe,
    /// The segment doesn't exist.
    SegmentNotFound,
    /// The account is in another region than the spec says.
    RegionMismatch,
    /// The key belongs to another workspace than the spec says.
    WorkspaceMismatch,
    /// The run's time was over.
    Timeout,
    /// The state store can't be reached or is locked.
    StateUnavailable,
    /// What was remembered is gone, older than it should be, or damaged.
    StateLost,
    /// What was remembered belongs to another identity or workspace.
    StateMismatch,
    /// Our own invariant broke.
    Internal,
}

impl Reason {
    /// Returns the reason as it stands in conditions, output and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunFailed => "RunFailed",
            Self::SourceNotReady => "SourceNotReady",
            Self::ConnectionNotReady => "ConnectionNotReady",
            Self::DependencyNotReady => "DependencyNotReady",
            Self::RefNotFound => "RefNotFound",
            Self::RefNotPermitted => "RefNotPermitted",
            Self::SecretNotFound => "SecretNotFound",
            Self::SecretKeyMissing => "SecretKeyMissing",
            Self::InvalidSpec => "InvalidSpec",
            Self::InvalidQuery => "InvalidQuery",
            Self::InvalidSchedule => "InvalidSchedule",
            Self::InvalidTimeZone => "InvalidTimeZone",
            Self::SchemaDrift => "SchemaDrift",
            Self::AuthenticationFailed => "AuthenticationFailed",
            Self::PermissionDenied => "PermissionDenied",
            Self::RateLimited => "RateLimited",
            Self::GuardTripped => "GuardTripped",
            Self::TooManyRejected => "TooManyRejected",
            Self::AttributeConflict => "AttributeConflict",
            Self::RemovalUnsafe => "RemovalUnsafe",
            Self::SegmentNotFound => "SegmentNotFound",
            Self::RegionMismatch => "RegionMismatch",
            Self::WorkspaceMismatch => "WorkspaceMismatch",
            Self::Timeout => "Timeout",
            Self::StateUnavailable => "StateUnavailable",
            Self::StateLost => "StateLost",
            Self::StateMismatch => "StateMismatch",
            Self::Internal => "Internal",
        }
    }
}
