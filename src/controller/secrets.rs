//! Secrets and ConfigMaps of the cluster, read by name when a run or a probe needs them.
//!
//! A reader lives as long as one run is prepared or one probe goes on, and asks for each Secret
//! once; nothing of it is kept afterwards but the versions that it saw.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{ConfigMap, Secret as ClusterSecret};
use kube::{Api, Client, ResourceExt as _};

use super::error::{bounded, describe, is_forbidden, is_not_found};
use crate::model::secret::{Secret, SecretKeyRef};
use crate::resolve::{ResolveError, SecretReader};
use crate::sources::spec::ConfigMapKeyRef;

/// Reads Secrets for one run or one probe.
pub struct ClusterSecrets {
    client: Client,
    /// By namespace and name: what was read, for the other keys of the same Secret.
    read: tokio::sync::Mutex<BTreeMap<(String, String), ClusterSecret>>,
    versions: Mutex<BTreeMap<(String, String), String>>,
}

impl ClusterSecrets {
    /// Returns a reader that has read nothing yet.
    pub fn new(client: Client) -> Self {
        Self { client, read: tokio::sync::Mutex::default(), versions: Mutex::default() }
    }

    /// Returns the version of each Secret that was read, by its name, and with its namespace where
    /// that is not `own`.
    pub fn versions(&self, own: &str) -> BTreeMap<String, String> {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let named = versions.iter().map(|((namespace, name), version)| {
            let label = if namespace == own { name.clone() } else { format!("{namespace}/{name}") };
            (label, version.clone())
        });
        named.collect()
    }

    async fn secret(
        &self,
        namespace: &str,
        reference: &SecretKeyRef,
    ) -> Result<ClusterSecret, ResolveError> {
        let id = (namespace.to_owned(), reference.name.clone());
        let mut read = self.read.lock().await;
        if let Some(secret) = read.get(&id) {
            return Ok(secret.clone());
        }
        let api: Api<ClusterSecret> = Api::namespaced(self.client.clone(), namespace);
        let secret = bounded(api.get(&reference.name))
            .await
            .map_err(|error| unread(namespace, reference, &error))?;
        let version = secret.resource_version().unwrap_or_default();
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), version);
        read.insert(id, secret.clone());
        Ok(secret)
    }
}

#[async_trait]
impl SecretReader for ClusterSecrets {
    async fn read(
        &self,
        namespace: &str,
        reference: &SecretKeyRef,
    ) -> Result<Secret, ResolveError> {
        let secret = self.secret(namespace, reference).await?;
        let bytes = secret.data.as_ref().and_then(|data| data.get(&reference.key));
        let Some(bytes) = bytes else {
            let mut keys: Vec<&str> =
                secret.data.iter().flatten().map(|(key, _)| key.as_str()).take(6).collect();
            keys.sort_unstable();
            let hint = match keys.as_slice() {
                [] => "the Secret holds no keys: add the one that is named".to_owned(),
                keys => format!("it has {}: name one of them, or add the key", keys.join(", ")),
            };
            return Err(ResolveError::SecretKeyMissing {
                namespace: namespace.to_owned(),
                reference: reference.clone(),
                hint,
            });
        };
        let text = std::str::from_utf8(&bytes.0).map_err(|_| ResolveError::SecretUnusable {
            reference: reference.clone(),
            problem: "is no text".to_owned(),
        })?;
        Ok(Secret::new(text.to_owned()))
    }
}

fn unread(namespace: &str, reference: &SecretKeyRef, error: &kube::Error) -> ResolveError {
    let namespace = namespace.to_owned();
    let reference = reference.clone();
    if is_not_found(error) {
        let hint =
            format!("create it: kubectl -n {namespace} create secret generic {}", reference.name);
        return ResolveError::SecretNotFound { namespace, reference, hint };
    }
    if is_forbidden(error) {
        let hint = "grant the operator's service account `get` on secrets in that namespace";
        return ResolveError::SecretForbidden { namespace, reference, hint: hint.to_owned() };
    }
    ResolveError::Unread {
        what: format!("Secret `{}` in namespace `{namespace}`", reference.name),
        problem: describe(error),
    }
}

/// Returns the SQL that a model keeps in a ConfigMap.
///
/// # Errors
/// Where the ConfigMap or its key is missing, or can't be read.
pub async fn sql_from(
    client: &Client,
    namespace: &str,
    reference: &ConfigMapKeyRef,
) -> Result<String, ResolveError> {
    let path = "spec.model.sqlFrom.configMapKeyRef";
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let map = match bounded(api.get(&reference.name)).await {
        Ok(map) => map,
        Err(error) if is_not_found(&error) || is_forbidden(&error) => {
            let message = match is_forbidden(&error) {
                true => describe(&error),
                false => format!("there is no ConfigMap `{}` in `{namespace}`", reference.name),
            };
            return Err(ResolveError::InvalidSpec {
                path: format!("{path}.name"),
                message,
                hint: Some("create it with the statement, or write `sql` in the Sync".to_owned()),
            });
        }
        Err(error) => {
            let what = format!("ConfigMap `{}` in namespace `{namespace}`", reference.name);
            return Err(ResolveError::Unread { what, problem: describe(&error) });
        }
    };
    map.data.as_ref().and_then(|data| data.get(&reference.key)).cloned().ok_or_else(|| {
        ResolveError::InvalidSpec {
            path: format!("{path}.key"),
            message: format!("ConfigMap `{}` has no key `{}`", reference.name, reference.key),
            hint: None,
        }
    })
}
