//! The resource `Source`: a warehouse to read from.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::condition::{Condition, conditions_schema};
use crate::api::reference::AllowedNamespaces;
use crate::model::duration::GoDuration;
use crate::sources::bigquery::spec::BigquerySpec;
use crate::sources::databricks::spec::DatabricksSpec;
use crate::sources::files::spec::FilesSpec;
use crate::sources::google_sheets::spec::GoogleSheetsSpec;
use crate::sources::postgres::spec::PostgresSpec;
use crate::sources::redshift::spec::RedshiftSpec;
use crate::sources::rockset::spec::RocksetSpec;
use crate::sources::snowflake::spec::SnowflakeSpec;
use crate::sources::sqlite::spec::SqliteSpec;

/// A warehouse, database, spreadsheet or folder that Syncs read from: exactly one of the blocks
/// postgres, redshift, bigquery, snowflake, databricks, googleSheets, rockset, sqlite and files.
#[expect(
    clippy::duplicated_attributes,
    reason = "each printcolumn has a type of its own, and many have the same"
)]
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "ciosync.dev",
    version = "v1alpha1",
    kind = "Source",
    plural = "sources",
    shortname = "ciosrc",
    category = "ciosync",
    namespaced,
    status = "SourceStatus",
    derive = "PartialEq",
    doc = "A Source is a warehouse, database, spreadsheet or folder that Syncs read from.",
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
    printcolumn(name = "Type", type_ = "string", json_path = ".status.type"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Last-Probe",
        type_ = "date",
        json_path = ".status.lastProbeTime",
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
#[x_kube(validation = Rule::new("[has(self.postgres), has(self.redshift), has(self.bigquery), has(self.snowflake), has(self.databricks), has(self.googleSheets), has(self.rockset), has(self.sqlite), has(self.files)].filter(x, x).size() == 1").message("a Source has exactly one of the blocks postgres, redshift, bigquery, snowflake, databricks, googleSheets, rockset, sqlite and files"))]
pub struct SourceSpec {
    /// A PostgreSQL database: a url, or host, database and user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres: Option<PostgresSpec>,
    /// An Amazon Redshift database, provisioned or serverless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redshift: Option<RedshiftSpec>,
    /// A Google BigQuery project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bigquery: Option<BigquerySpec>,
    /// A Snowflake account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snowflake: Option<SnowflakeSpec>,
    /// A Databricks SQL warehouse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub databricks: Option<DatabricksSpec>,
    /// A Google Sheets spreadsheet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub google_sheets: Option<GoogleSheetsSpec>,
    /// A server that speaks Rockset's query API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rockset: Option<RocksetSpec>,
    /// A SQLite database file, for laptops, demos and tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqlite: Option<SqliteSpec>,
    /// CSV or Parquet files in a folder or in an object store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<FilesSpec>,
    /// From which namespaces Syncs may use this Source. Default: `{from: Same}`.
    #[serde(default)]
    pub allowed_namespaces: AllowedNamespaces,
    /// How often the operator proves that the source can be queried. Default: 5m.
    #[serde(default = "default_probe_interval")]
    pub probe_interval: GoDuration,
    /// Stops the probes and every Sync that reads this Source. Default: false.
    #[serde(default)]
    pub suspend: bool,
}

impl SourceSpec {
    /// Returns the name of the block that is set, as the resource writes it.
    pub fn block(&self) -> Option<&'static str> {
        [
            ("postgres", self.postgres.is_some()),
            ("redshift", self.redshift.is_some()),
            ("bigquery", self.bigquery.is_some()),
            ("snowflake", self.snowflake.is_some()),
            ("databricks", self.databricks.is_some()),
            ("googleSheets", self.google_sheets.is_some()),
            ("rockset", self.rockset.is_some()),
            ("sqlite", self.sqlite.is_some()),
            ("files", self.files.is_some()),
        ]
        .into_iter()
        .find_map(|(name, set)| set.then_some(name))
    }
}

fn default_probe_interval() -> GoDuration {
    GoDuration::from_mins(5)
}

/// What the operator knows about a Source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct SourceStatus {
    /// Generation that was last looked at; -1 before the first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling, Stalled, ResolvedRefs and Suspended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// Which kind of source it is. Example: `postgres`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub source_type: Option<String>,
    /// When the source was last probed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_probe_time: Option<Time>,
}
