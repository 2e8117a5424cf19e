//! The `postgres` block of a Source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::duration::GoDuration;
use crate::model::secret::SecretSource;
use crate::sources::spec::{TlsSpec, default_statement_timeout};

/// A PostgreSQL database: a url, or host, database and user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.url) ? !(has(self.host) || has(self.port) || has(self.database) || has(self.user) || has(self.password)) : has(self.host) && has(self.database) && has(self.user)",
        "message": "say where the database is by url alone, or by host, database and user"
    }])
)]
pub struct PostgresSpec {
    /// A whole connection URL in a Secret, `postgres://user:password@host:port/database`. Instead
    /// of host, port, database, user and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<SecretSource>,
    /// Host name or address of the server. Example: `db.internal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub host: Option<String>,
    /// Port of the server. Default: 5432.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: Option<u16>,
    /// Name of the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub database: Option<String>,
    /// User to log in as; needs `connect`, `usage` and `select` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub user: Option<String>,
    /// Password of the user. Not needed where a client certificate is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
    /// How the connection is secured. Default: verify-full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSpec>,
    /// How long one statement may take before the server ends it. Default: 15m.
    #[serde(default = "default_statement_timeout")]
    pub statement_timeout: GoDuration,
}
