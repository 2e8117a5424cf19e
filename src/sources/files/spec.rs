//! The `files` block of a Source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::secret::SecretSource;

/// Files in a folder or in an object store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct FilesSpec {
    /// A folder or a file, or a place in an object store (`s3://`, `gs://`, `az://`). On a laptop a
    /// path counts from the manifest's folder. In the cluster it must lie below the folder that
    /// the operator was started with (`--local-sources`).
    #[schemars(length(min = 1, max = 1000))]
    pub url: String,
    /// Format of the files: csv (with a header line) or parquet.
    pub format: FileFormat,
    /// Credentials of the object store. Default: the identity that the operator runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<SecretSource>,
}

/// Format of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum FileFormat {
    /// Comma-separated values with a header line.
    Csv,
    /// Apache Parquet.
    Parquet,
}
