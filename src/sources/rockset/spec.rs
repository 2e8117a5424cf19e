//! The `rockset` block of a Source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::secret::SecretSource;

/// A server that speaks Rockset's query API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct RocksetSpec {
    /// Address of the API server. Example: `https://api.euc1a1.rockset.com`.
    #[schemars(length(min = 1, max = 500))]
    pub api_server: String,
    /// API key with the right to query.
    pub api_key: SecretSource,
}
