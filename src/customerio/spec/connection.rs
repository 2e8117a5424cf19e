//! What a resource says about a workspace: credentials, region, pace and sizes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::secret::SecretKeyRef;

/// The site id: a value, or a key of a Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.value) != has(self.secretKeyRef)",
        "message": "set exactly one of value and secretKeyRef"
    }])
)]
pub struct SiteIdSource {
    /// The site id itself: it names the workspace and is no secret by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub value: Option<String>,
    /// Which key of which Secret holds the site id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
}

/// Region of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Region {
    /// United States.
    Us,
    /// European Union.
    Eu,
}

/// How fast a connection may go, shared by all its Syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(inline)]
pub struct RateLimitSpec {
    /// Requests a second on average. Customer.io allows 1,000 to all callers of a workspace
    /// together.
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: u32,
    /// Requests that may go out at once after a pause.
    #[schemars(range(min = 1, max = 3000))]
    pub burst: u32,
    /// Records a second: the brake that spares Customer.io's queues, and with them the
    /// transactional messages, since one request carries up to a thousand records.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub records_per_second: u32,
    /// Requests that may wait for an answer at the same time.
    #[schemars(range(min = 1, max = 256))]
    pub max_in_flight: u32,
}

impl Default for RateLimitSpec {
    fn default() -> Self {
        Self { requests_per_second: 150, burst: 600, records_per_second: 20_000, max_in_flight: 32 }
    }
}

/// Largest sizes that the account accepts. Support can raise them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "self.itemBytes + 100 <= self.batchBytes",
        "message": "a batch must hold at least one item: batchBytes is too small for itemBytes"
    }])
)]
pub struct SizeLimitsSpec {
    /// Largest record in bytes of JSON.
    #[schemars(range(min = 1000, max = 10_000_000))]
    pub item_bytes: u32,
    /// Largest request in bytes of JSON.
    #[schemars(range(min = 2000, max = 100_000_000))]
    pub batch_bytes: u32,
}

impl Default for SizeLimitsSpec {
    fn default() -> Self {
        Self { item_bytes: 32_000, batch_bytes: 475_000 }
    }
}

/// Whether updates of people carry the time of sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum UpdateTimestamps {
    /// Each update carries the second in which it is sent, so that Customer.io keeps their order.
    #[default]
    SendTime,
    /// Updates carry no time.
    Omit,
}
