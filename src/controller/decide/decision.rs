//! What is to be done about a Sync.

use std::fmt;

use jiff::Timestamp;

use crate::api::sync_status::SyncStatus;
use crate::controller::decide::request::StoredRequest;
use crate::controller::decide::view::CancelCause;
use crate::model::RunId;

/// What is to be done, and what the status says. Carried out in this order: `before` (where a step
/// fails, nothing that follows is done, and the next look decides anew), the status, `after`, the
/// events.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Steps that must be done before the status may say so.
    pub before: Vec<Step>,
    /// The whole status as it should be now.
    pub status: SyncStatus,
    /// Steps that the status announces. A crash before them is mended by the next look: a run that
    /// the status names and nobody runs counts as interrupted.
    pub after: Vec<Step>,
    /// What happened, for people; only changes.
    pub events: Vec<Notice>,
    /// When time alone may change the answer: after now, and at most five minutes ahead. `None`
    /// where it can't.
    pub look_again: Option<Timestamp>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write a request down in the state store.
    Remember(StoredRequest),
    /// Ask the run in this process to stop at its next batch.
    Cancel {
        /// The run.
        run: RunId,
        /// Why.
        cause: CancelCause,
    },
    /// Forget the snapshot, as request `token` says. Nothing of the Sync runs then.
    Reset {
        /// The request.
        token: String,
    },
    /// Start a run.
    Start(Start),
    /// Add our finalizer to the Sync.
    AddFinalizer,
    /// Do to every remembered row what `onRemove` says; reported by `ended` like any run.
    CleanUp {
        /// The run that does it.
        run: RunId,
    },
    /// Take our finalizer away; the Sync goes.
    RemoveFinalizer,
}

/// A run to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Its id: a ULID of the time of the decision and of what the run is for.
    pub run: RunId,
    /// What starts it.
    pub trigger: Trigger,
    /// Token of the request that it answers.
    pub request: Option<String>,
    /// Whether every current row is sent again.
    pub full_resync: bool,
    /// The blocked run that a person approved.
    pub approve: Option<RunId>,
    /// The slot that it serves.
    pub slot: Option<Timestamp>,
}

/// What starts a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The Sync is new.
    Initial,
    /// A slot of its schedule.
    Schedule,
    /// Its spec changed.
    SpecChange,
    /// Something that it names changed.
    ReferenceChange,
    /// A person asked for it.
    Request,
    /// A person asked for it, and for every row to be sent again.
    FullResync,
    /// A person approved what a guard blocked.
    Approval,
    /// A run failed and is tried again; the number counts the tries from 1 on.
    Retry(u32),
    /// The Sync is being deleted.
    CleanUp,
}

impl Trigger {
    /// Returns the word without numbers, for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Schedule => "schedule",
            Self::SpecChange => "specChange",
            Self::ReferenceChange => "referenceChange",
            Self::Request => "request",
            Self::FullResync => "fullResync",
            Self::Approval => "approval",
            Self::Retry(_) => "retry",
            Self::CleanUp => "cleanup",
        }
    }

    /// Reads what [`Display`](fmt::Display) wrote; `None` for a word of another version.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(number) = text.strip_prefix("retry-") {
            return number.parse().ok().map(Self::Retry);
        }
        [
            Self::Initial,
            Self::Schedule,
            Self::SpecChange,
            Self::ReferenceChange,
            Self::Request,
            Self::FullResync,
            Self::Approval,
            Self::CleanUp,
        ]
        .into_iter()
        .find(|trigger| trigger.as_str() == text)
    }
}

impl fmt::Display for Trigger {
    /// Writes the trigger as it stands in the status; a retry with its number, so that the status
    /// alone says how often a run was tried.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(number) => write!(f, "retry-{number}"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// An event to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub reason: EventReason,
    /// What happened, for people: at most 1 KiB, no row values.
    pub message: String,
}

/// What may happen to a Sync that is worth an event: part of the API, a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventReason {
    /// A run delivered changes.
    RunSucceeded,
    /// A run ended well, with rows invalid or rejected inside the limits.
    RunPartiallySucceeded,
    /// A run failed.
    RunFailed,
    /// A run ended well after others had not.
    RunRecovered,
    /// A guard stopped a run.
    GuardTripped,
    /// A person approved what a guard had stopped.
    Approved,
    /// Slots passed without a run.
    MissedSchedule,
    /// A run used another version of a Secret than the one before.
    SecretRotated,
    /// What was remembered is gone.
    StateLost,
    /// The Sync no longer starts runs, or a request met a suspended Sync.
    Suspended,
    /// The Sync starts runs again.
    Resumed,
    /// A deleted Sync waits for approval before it removes its rows.
    CleanupBlocked,
    /// A deleted Sync left its rows in Customer.io.
    CleanupAbandoned,
}

impl EventReason {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::RunSucceeded,
        Self::RunPartiallySucceeded,
        Self::RunFailed,
        Self::RunRecovered,
        Self::GuardTripped,
        Self::Approved,
        Self::MissedSchedule,
        Self::SecretRotated,
        Self::StateLost,
        Self::Suspended,
        Self::Resumed,
        Self::CleanupBlocked,
        Self::CleanupAbandoned,
    ];

    /// Returns the reason as it stands in the event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunSucceeded => "RunSucceeded",
            Self::RunPartiallySucceeded => "RunPartiallySucceeded",
            Self::RunFailed => "RunFailed",
            Self::RunRecovered => "RunRecovered",
            Self::GuardTripped => "GuardTripped",
            Self::Approved => "Approved",
            Self::MissedSchedule => "MissedSchedule",
            Self::SecretRotated => "SecretRotated",
            Self::StateLost => "StateLost",
            Self::Suspended => "Suspended",
            Self::Resumed => "Resumed",
            Self::CleanupBlocked => "CleanupBlocked",
            Self::CleanupAbandoned => "CleanupAbandoned",
        }
    }

    /// Returns whether a person should look: the event's type is Warning, else Normal.
    pub fn is_warning(self) -> bool {
        match self {
            Self::RunPartiallySucceeded
            | Self::RunFailed
            | Self::GuardTripped
            | Self::MissedSchedule
            | Self::StateLost
            | Self::CleanupBlocked
            | Self::CleanupAbandoned => true,
            Self::RunSucceeded
            | Self::RunRecovered
            | Self::Approved
            | Self::SecretRotated
            | Self::Suspended
            | Self::Resumed => false,
        }
    }
}
