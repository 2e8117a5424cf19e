//! Where secrets come from: files and the environment on a laptop, the API server in a cluster.

use async_trait::async_trait;

use super::error::ResolveError;
use crate::model::secret::{Secret, SecretKeyRef, SecretSource};

/// Reads secrets by name.
#[async_trait]
pub trait SecretReader: Send + Sync {
    /// Returns the value of a key of a Secret in `namespace`.
    ///
    /// # Errors
    /// Where the Secret or its key is missing, or the value is no text.
    async fn read(&self, namespace: &str, reference: &SecretKeyRef)
    -> Result<Secret, ResolveError>;
}

/// Reads a secret that a resource may name; `None` where it names none.
///
/// # Errors
/// As [`SecretReader::read`].
pub async fn read_optional(
    secrets: &dyn SecretReader,
    namespace: &str,
    source: Option<&SecretSource>,
) -> Result<Option<Secret>, ResolveError> {
    match source {
        Some(source) => secrets.read(namespace, &source.secret_key_ref).await.map(Some),
        None => Ok(None),
    }
}
