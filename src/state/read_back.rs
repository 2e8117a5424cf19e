//! What a memo holds of the App API: how far it was read, and what was replaced through it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far the failures were read that Customer.io reports after it accepted a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditMemo {
    /// When the last reading that came to its end began; `None` before the first.
    pub read_until: Option<Timestamp>,
    /// Failures that were counted and that the next reading meets again.
    pub handled: Vec<HandledFailure>,
}

impl AuditMemo {
    /// Failures that are remembered at most.
    pub const HANDLED_MAX: usize = 5_000;
}

/// A late failure that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandledFailure {
    /// Hash of the id of its activity.
    pub id_hash: u64,
    /// When it happened, in unix seconds.
    pub at: i64,
}

/// A collection whose whole content was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectionMemo {
    /// Its name, as the spec has it.
    pub name: String,
    /// Its number in the workspace.
    pub id: u64,
    /// Hash of the content that was accepted; `None` while another one may have been.
    pub content: Option<String>,
}
