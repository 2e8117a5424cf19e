//! The `redshift` block of a Source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::duration::GoDuration;
use crate::model::secret::SecretSource;
use crate::sources::spec::{TlsSpec, default_statement_timeout};

/// An Amazon Redshift database, provisioned or serverless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [
        {
            "rule": "has(self.password) != has(self.iam)",
            "message": "set exactly one of password and iam"
        },
        {
            "rule": "has(self.password) == has(self.user)",
            "message": "user and password belong together; with iam the user is iam.dbUser"
        }
    ])
)]
pub struct RedshiftSpec {
    /// Host name of the cluster's or workgroup's endpoint.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// Port of the endpoint. Default: 5439.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: Option<u16>,
    /// Name of the database.
    #[schemars(length(min = 1, max = 255))]
    pub database: String,
    /// User to log in as, with `password`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub user: Option<String>,
    /// Password of the user. Exactly one of `password` and `iam`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
    /// Temporary credentials from AWS for the identity that the operator runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iam: Option<RedshiftIam>,
    /// How the connection is secured. Default: verify-full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSpec>,
    /// How long one statement may take before the server ends it. Default: 15m.
    #[serde(default = "default_statement_timeout")]
    pub statement_timeout: GoDuration,
}

/// For which cluster or workgroup AWS gives credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.clusterIdentifier) != has(self.workgroup)",
        "message": "set exactly one of clusterIdentifier (provisioned) and workgroup (serverless)"
    }])
)]
pub struct RedshiftIam {
    /// Identifier of a provisioned cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub cluster_identifier: Option<String>,
    /// Name of a serverless workgroup.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub workgroup: Option<String>,
    /// AWS region. Example: `eu-central-1`.
    #[schemars(length(min = 1, max = 64))]
    pub region: String,
    /// Database user to become. Default: the one that AWS derives from the identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub db_user: Option<String>,
}
