//! What a run did, in numbers and one result.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::disposition::Reason;
use super::sync_id::SyncId;

/// The name of one run: a ULID, so ids sort by time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RunResult {
    /// Everything was accepted.
    Succeeded,
    /// Nothing differed.
    NoChanges,
    /// Some rows were invalid or rejected, inside the limits.
    PartiallySucceeded,
    /// A guard stopped the run before it sent anything.
    Blocked,
    /// An error ended the run.
    Failed,
    /// A person ended the run.
    Cancelled,
    /// The process was asked to stop; the next run goes on.
    Interrupted,
    /// The run did not start: suspended, or something it depends on failed.
    Skipped,
}

impl RunResult {
    /// All results.
    pub const ALL: [Self; 8] = [
        Self::Succeeded,
        Self::NoChanges,
        Self::PartiallySucceeded,
        Self::Blocked,
        Self::Failed,
        Self::Cancelled,
        Self::Interrupted,
        Self::Skipped,
    ];

    /// Returns the result as it stands in status and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::NoChanges => "NoChanges",
            Self::PartiallySucceeded => "PartiallySucceeded",
            Self::Blocked => "Blocked",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Interrupted => "Interrupted",
            Self::Skipped => "Skipped",
        }
    }

    /// Returns whether the run ended well: its source was read to the end and its changes went out.
    pub fn ended_well(self) -> bool {
        matches!(self, Self::Succeeded | Self::NoChanges | Self::PartiallySucceeded)
    }
}

/// A run's numbers, in rows unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunCounts {
    /// Read from the source.
    pub rows_read: u64,
    /// In the source and not in the snapshot.
    pub added: u64,
    /// In both, and different.
    pub changed: u64,
    /// In the snapshot and no longer in the source.
    pub removed: u64,
    /// In both, and equal.
    pub unchanged: u64,
    /// Equal, and sent again all the same.
    pub refreshed: u64,
    /// Removed rows whose person another row or Sync still holds: forgotten, nothing sent.
    pub kept: u64,
    /// No longer in the source, and not removed yet: they wait for `removeAfter`.
    pub missing: u64,
    /// Accepted by Customer.io.
    pub delivered: u64,
    /// Refused by us.
    pub invalid: u64,
    /// Refused by Customer.io, those that wait for a retry included.
    pub rejected: u64,
    /// Rejected before and sent again in this run.
    pub retried: u64,
    /// Requests sent, retries included.
    pub requests: u64,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// The run.
    pub id: RunId,
    /// Its Sync.
    pub sync: SyncId,
    /// What started it, as the status says it (`schedule`); `None` where a person did by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// The token of the request that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How it ended.
    pub result: RunResult,
    /// Why, where it did not end well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What to know about it, for a person, without row values.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Its numbers.
    #[serde(flatten)]
    pub counts: RunCounts,
}
