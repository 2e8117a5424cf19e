//! What a Sync reads and what several source blocks share, as written in a resource.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::duration::GoDuration;
use crate::model::secret::SecretSource;

/// What a Sync reads: exactly one of sql, table, range and sqlFrom, and the key of its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "[has(self.sql), has(self.table), has(self.range), has(self.sqlFrom)].filter(x, x).size() == 1",
        "message": "a model is exactly one of sql, table, range and sqlFrom"
    }])
)]
pub struct ModelSpec {
    /// One SQL statement that selects the rows, in the warehouse's own dialect. No final
    /// `order by` is needed: the source adds its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100_000))]
    pub sql: Option<String>,
    /// A table or view, read as a whole: `schema.table`. For a `files` source the name of a file
    /// below its url, such as `customers.csv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub table: Option<String>,
    /// A range of a spreadsheet in A1 notation, headers in its first row. Only with a
    /// `googleSheets` source. Example: `Customers!A:F`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub range: Option<String>,
    /// Where the SQL statement is kept, if not in the Sync itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql_from: Option<SqlFrom>,
    /// Columns that identify a row, 1 to 8. No two rows may have the same key. Immutable.
    #[schemars(length(min = 1, max = 8), inner(length(min = 1, max = 255)))]
    pub primary_key: Vec<String>,
    /// Reads only rows that changed since the last run. Not with `behavior: mirror`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<CursorSpec>,
}

/// SQL that is kept outside of the Sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct SqlFrom {
    /// Which key of which ConfigMap holds the statement.
    pub config_map_key_ref: ConfigMapKeyRef,
}

/// One entry of a ConfigMap in the Sync's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct ConfigMapKeyRef {
    /// Name of the ConfigMap, in the namespace of this object.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key within the ConfigMap's data.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// Reads only rows whose column lies in a moving window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct CursorSpec {
    /// Column with the time of load or update (not of the event), which never goes back.
    #[schemars(length(min = 1, max = 255))]
    pub column: String,
    /// How far behind the last value each run looks again, for rows that arrive late.
    /// Default: 0s. Example: `1h`.
    #[serde(default)]
    pub lookback: GoDuration,
}

/// How a connection to a database is secured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.clientCert) == has(self.clientKey)",
        "message": "clientCert and clientKey belong together: set both or none"
    }])
)]
pub struct TlsSpec {
    /// How far the server is trusted: disable, prefer, require, verify-ca or verify-full (the
    /// certificate is checked, and that it names the host). Default: verify-full.
    #[serde(default)]
    pub mode: TlsMode,
    /// Certificates of the authorities to trust, PEM. Default: the usual public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<SecretSource>,
    /// Certificate that proves who we are, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cert: Option<SecretSource>,
    /// Private key of `clientCert`, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key: Option<SecretSource>,
}

/// How far a database server is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS if the server offers it.
    Prefer,
    /// TLS, whoever the server is.
    Require,
    /// TLS, and the certificate comes from a trusted authority.
    VerifyCa,
    /// TLS, and the certificate is trusted and names the host.
    #[default]
    VerifyFull,
}

/// The identity that the operator itself runs as. Works only in the namespaces that the operator
/// was started with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct WorkloadIdentity {}

/// Returns how long a statement may take unless the Source says otherwise: 15 minutes.
pub(crate) fn default_statement_timeout() -> GoDuration {
    GoDuration::from_mins(15)
}
