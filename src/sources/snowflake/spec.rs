//! The `snowflake` block of a Source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::secret::SecretSource;

/// A Snowflake account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [
        {
            "rule": "[has(self.privateKey), has(self.token), has(self.oauthToken)].filter(x, x).size() == 1",
            "message": "set exactly one of privateKey, token (a programmatic access token) and oauthToken"
        },
        {
            "rule": "!has(self.privateKey) || has(self.user)",
            "message": "privateKey needs the user that it belongs to"
        },
        {
            "rule": "!has(self.passphrase) || has(self.privateKey)",
            "message": "passphrase is for privateKey only"
        }
    ])
)]
pub struct SnowflakeSpec {
    /// Account identifier, `ORGANISATION-ACCOUNT`.
    #[schemars(length(min = 1, max = 255))]
    pub account: String,
    /// User to log in as. Needed with `privateKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub user: Option<String>,
    /// Role to use, upper case unless it was created in quotes. Default: the user's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub role: Option<String>,
    /// Warehouse that runs the queries, upper case unless created in quotes. Default: the user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub warehouse: Option<String>,
    /// Database for names without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub database: Option<String>,
    /// Schema for names without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub schema: Option<String>,
    /// Private key of a key pair, PEM. Exactly one of `privateKey`, `token` and `oauthToken`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<SecretSource>,
    /// Passphrase of an encrypted `privateKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<SecretSource>,
    /// A programmatic access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
    /// An OAuth access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth_token: Option<SecretSource>,
}
