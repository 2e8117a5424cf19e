//! The status of a Sync: what the last runs did, and what comes next.
//!
//! Words out of closed sets are strings here, so that an older operator can still read what a
//! newer one wrote.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::condition::{Condition, conditions_schema};

/// What the operator knows about a Sync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct SyncStatus {
    /// Generation that was last looked at; -1 before the first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling, Stalled, ResolvedRefs, Fresh and Suspended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// Hash of the schedule that `nextScheduleTime` was worked out from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub schedule_hash: Option<String>,
    /// Slot of the last run that the schedule started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_schedule_time: Option<Time>,
    /// When the next run is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub next_schedule_time: Option<String>,
    /// When the last run that ended well did so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_time: Option<Time>,
    /// When the last run that failed did so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure_time: Option<Time>,
    /// Slots that passed without a run since the Sync was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_schedules: Option<i64>,
    /// Runs that failed since the last one that ended well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_failures: Option<i32>,
    /// When a failed run is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_retry_time: Option<Time>,
    /// The run in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_run: Option<CurrentRun>,
    /// The last run that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<RunSummary>,
    /// The guard that blocks, until a run ends well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
    /// Runs that ended, newest first; at most `spec.historyLimit`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), extend("x-kubernetes-list-type" = "atomic"))]
    pub history: Vec<RunSummary>,
    /// Rows that Customer.io accepted and that are remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_rows: Option<i64>,
    /// Rejected rows that are no longer tried by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked_rows: Option<i64>,
    /// Version of each Secret that the last run used, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "maxProperties" = 16,
        "additionalProperties" = {"type": "string", "maxLength": 64}
    ))]
    pub observed_secret_versions: BTreeMap<String, String>,
    /// Last token of `ciosync.dev/requestedAt` that was handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
    /// Last token of `ciosync.dev/fullResyncAt` that was handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_full_resync_at: Option<String>,
    /// Last id of `ciosync.dev/approve` that was handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_approval: Option<String>,
    /// Last token of `ciosync.dev/resetState` that was handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reset: Option<String>,
    /// Last run id of `ciosync.dev/cancel` that was handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_cancel: Option<String>,
}

/// The run in progress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct CurrentRun {
    /// Id of the run.
    #[schemars(length(max = 64))]
    pub id: String,
    /// What started it. Example: `schedule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub trigger: Option<String>,
    /// Token of the request that started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub request: Option<String>,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// What it is doing. Example: `Reading`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub phase: Option<String>,
    /// Rows read so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_read: Option<i64>,
    /// Changes delivered so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<i64>,
    /// Changes to deliver, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

/// A run that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct RunSummary {
    /// Id of the run.
    #[schemars(length(max = 64))]
    pub id: String,
    /// What started it. Example: `schedule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub trigger: Option<String>,
    /// Token of the request that started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub request: Option<String>,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How it ended: Succeeded, NoChanges, PartiallySucceeded, Blocked, Failed, Cancelled,
    /// Interrupted or Skipped.
    #[schemars(length(max = 64))]
    pub result: String,
    /// Why, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// Rows read.
    #[serde(default)]
    pub rows_read: i64,
    /// Rows that were new.
    #[serde(default)]
    pub added: i64,
    /// Rows that differed from what was delivered.
    #[serde(default)]
    pub changed: i64,
    /// Rows that left the source.
    #[serde(default)]
    pub removed: i64,
    /// Rows that were as delivered.
    #[serde(default)]
    pub unchanged: i64,
    /// Unchanged rows that were sent again because of `refresh`.
    #[serde(default)]
    pub refreshed: i64,
    /// Rows that left the source and stay in Customer.io because something else holds them.
    #[serde(default)]
    pub kept: i64,
    /// Changes that Customer.io accepted.
    #[serde(default)]
    pub delivered: i64,
    /// Rows that were refused before sending.
    #[serde(default)]
    pub invalid: i64,
    /// Rows that Customer.io refused.
    #[serde(default)]
    pub rejected: i64,
    /// Rejected rows of earlier runs that were tried again.
    #[serde(default)]
    pub retried: i64,
    /// Requests sent.
    #[serde(default)]
    pub requests: i64,
}

/// A guard that blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Blocked {
    /// Id to approve: the first run that this guard blocked.
    #[schemars(length(max = 64))]
    pub id: String,
    /// Since when it blocks.
    pub since: Time,
    /// Which guard. Example: `maxRemoved`.
    #[schemars(length(max = 64))]
    pub guard: String,
    /// What the last plan would have done.
    #[serde(default)]
    pub counts: BlockedCounts,
}

/// What a blocked plan would have done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(inline)]
pub struct BlockedCounts {
    /// Rows read.
    pub rows_read: i64,
    /// Rows to add.
    pub added: i64,
    /// Rows to change.
    pub changed: i64,
    /// Rows to remove.
    pub removed: i64,
    /// Rows refused before sending.
    pub invalid: i64,
    /// Rows that Customer.io refused.
    pub rejected: i64,
}
