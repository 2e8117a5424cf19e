//! The resource `CustomerIoConnection`: a workspace and its credentials.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::condition::{Condition, conditions_schema};
use crate::api::reference::AllowedNamespaces;
use crate::customerio::spec::{
    RateLimitSpec, Region, SiteIdSource, SizeLimitsSpec, UpdateTimestamps,
};
use crate::model::secret::SecretSource;

/// A Customer.io workspace: its credentials, and how fast it may be written to.
#[expect(
    clippy::duplicated_attributes,
    reason = "each printcolumn has a type of its own, and many have the same"
)]
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "ciosync.dev",
    version = "v1alpha1",
    kind = "CustomerIoConnection",
    plural = "customerioconnections",
    shortname = "cioconn",
    category = "ciosync",
    namespaced,
    status = "CustomerIoConnectionStatus",
    derive = "PartialEq",
    doc = "A CustomerIoConnection is a Customer.io workspace that Syncs deliver to: its credentials, and how fast it may be written to.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Region", type_ = "string", json_path = ".status.region"),
    printcolumn(name = "Workspace", type_ = "integer", json_path = ".status.workspaceId"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Rate",
        type_ = "integer",
        json_path = ".spec.rateLimit.requestsPerSecond",
        priority = "1"
    ),
    printcolumn(
        name = "Throttled",
        type_ = "string",
        json_path = ".status.throttledUntil",
        priority = "1"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = "1"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct CustomerIoConnectionSpec {
    /// Site ID of the workspace's Track API credentials: a key of a Secret, or the value itself.
    pub site_id: SiteIdSource,
    /// API key of the workspace's Track API credentials.
    pub api_key: SecretSource,
    /// App API key, for segments by name, collections, the audit of late failures, and `verify`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_api_key: Option<SecretSource>,
    /// Region of the account: us or eu. Default: asked from the API; if given and different, the
    /// connection is not ready (RegionMismatch).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Number of the workspace, as a pin: if the key belongs to another, the connection is not
    /// ready (WorkspaceMismatch).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub workspace_id: Option<i64>,
    /// How fast all Syncs of this connection together may go. Default: 150 requests a second,
    /// bursts of 600, 20000 records a second, 32 requests in flight.
    #[serde(default)]
    pub rate_limit: RateLimitSpec,
    /// Largest sizes that the account accepts; support can raise them. Default: 32000 bytes an
    /// item, 475000 bytes a batch.
    #[serde(default)]
    pub limits: SizeLimitsSpec,
    /// Whether updates of people carry the time of sending, so that Customer.io keeps their order:
    /// SendTime or Omit. Default: SendTime.
    #[serde(default)]
    pub update_timestamps: UpdateTimestamps,
    /// Base address of another server that speaks the Track API: a proxy, or the emulator.
    /// Default: Customer.io's own, by region. Example: `http://127.0.0.1:8080`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), regex(pattern = r"^https?://[^\s/?#@]+[^\s?#]*$"))]
    pub endpoint: Option<String>,
    /// From which namespaces Syncs may use this connection. Default: `{from: Same}`.
    #[serde(default)]
    pub allowed_namespaces: AllowedNamespaces,
    /// Stops every Sync that delivers here. Default: false.
    #[serde(default)]
    pub suspend: bool,
}

/// What the operator knows about a connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct CustomerIoConnectionStatus {
    /// Generation that was last looked at; -1 before the first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling, Stalled, ResolvedRefs and Suspended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// Region that the API named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub region: Option<String>,
    /// Workspace that the key belongs to, as the API named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<i64>,
    /// When the workspace was last probed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_probe_time: Option<Time>,
    /// Until when Customer.io asked us to slow down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled_until: Option<Time>,
}
