//! The `sqlite` block of a Source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A SQLite database file. For laptops, demos and tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct SqliteSpec {
    /// Path of the database file. On a laptop it counts from the manifest's folder. In the cluster
    /// it must lie below the folder that the operator was started with (`--local-sources`).
    #[schemars(length(min = 1, max = 1000))]
    pub path: String,
}
