//! The `googleSheets` block of a Source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::secret::SecretSource;
use crate::sources::spec::WorkloadIdentity;

/// A Google Sheets spreadsheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.credentials) != has(self.workloadIdentity)",
        "message": "set exactly one of credentials and workloadIdentity"
    }])
)]
pub struct GoogleSheetsSpec {
    /// Id of the spreadsheet: the part of its address between `/d/` and `/edit`.
    #[schemars(length(min = 1, max = 255))]
    pub spreadsheet_id: String,
    /// Key of a service account with which the spreadsheet is shared, JSON. Exactly one of
    /// `credentials` and `workloadIdentity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<SecretSource>,
    /// Use the identity that the operator runs as: `{}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload_identity: Option<WorkloadIdentity>,
}
