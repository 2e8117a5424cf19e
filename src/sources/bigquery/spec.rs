//! The `bigquery` block of a Source.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::secret::SecretSource;
use crate::sources::spec::WorkloadIdentity;

/// A Google BigQuery project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.credentials) != has(self.workloadIdentity)",
        "message": "set exactly one of credentials and workloadIdentity"
    }])
)]
pub struct BigquerySpec {
    /// Project that runs and pays for the queries.
    #[schemars(length(min = 1, max = 63))]
    pub project: String,
    /// Location of the datasets, such as `EU` or `europe-west3`. Needed outside of US and EU.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub location: Option<String>,
    /// Key of a service account, JSON. Exactly one of `credentials` and `workloadIdentity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<SecretSource>,
    /// Use the identity that the operator runs as: `{}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload_identity: Option<WorkloadIdentity>,
    /// A query that would bill more bytes fails without charge. Default: the project's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub maximum_bytes_billed: Option<i64>,
    /// Labels of the query jobs, for the bill. At most 32.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "maxProperties" = 32,
        "additionalProperties" = {"type": "string", "maxLength": 63}
    ))]
    pub labels: BTreeMap<String, String>,
}
