//! The `databricks` block of a Source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::secret::SecretSource;

/// A Databricks SQL warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.oauth) != has(self.token)",
        "message": "set exactly one of oauth and token"
    }])
)]
pub struct DatabricksSpec {
    /// Host name of the workspace. Example: `dbc-a1b2345c-d6e7.cloud.databricks.com`.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// Id of the SQL warehouse that runs the queries.
    #[schemars(length(min = 1, max = 255))]
    pub warehouse_id: String,
    /// Catalog for names without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub catalog: Option<String>,
    /// Schema for names without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub schema: Option<String>,
    /// A service principal. Exactly one of `oauth` and `token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth: Option<DatabricksOauth>,
    /// A personal access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
}

/// A service principal's OAuth credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct DatabricksOauth {
    /// Client id (application id) of the service principal.
    #[schemars(length(min = 1, max = 255))]
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretSource,
}
