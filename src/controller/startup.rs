//! What must hold before anything is reconciled: definitions that are there and new enough, and a
//! state store of this installation.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client, CustomResourceExt as _, ResourceExt as _};

use super::error::{ControllerError, bounded, describe, is_not_found};
use super::options::ControllerOptions;
use crate::api::crds::{SCHEMA_VERSION, SCHEMA_VERSION_ANNOTATION};
use crate::api::{CustomerIoConnection, Source, Sync};
use crate::state::{self, Access, StateStore};

/// The namespace whose UID tells one cluster from another: it is there from the first moment on
/// and can't be deleted.
const FIRST_NAMESPACE: &str = "kube-system";

/// Looks whether the three definitions are there and at least as new as this binary: an older one
/// would drop what it doesn't know out of statuses, silently.
///
/// # Errors
/// What is missing and what to do, for `/readyz` and the log.
pub async fn check_definitions(client: &Client) -> Result<(), String> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for name in [Sync::crd_name(), Source::crd_name(), CustomerIoConnection::crd_name()] {
        let definition = match bounded(api.get_metadata(name)).await {
            Ok(definition) => definition,
            Err(error) if is_not_found(&error) => {
                return Err(format!(
                    "the definition {name} is missing: apply what `ciosync crds` prints"
                ));
            }
            Err(error) => {
                return Err(format!("the definition {name} can't be read: {}", describe(&error)));
            }
        };
        let found = definition.annotations().get(SCHEMA_VERSION_ANNOTATION);
        if number(found.map(String::as_str)) < number(Some(SCHEMA_VERSION)) {
            return Err(format!(
                "the definition {name} is of schema version {}, older than this operator's \
                 {SCHEMA_VERSION}: apply what `ciosync crds` prints",
                found.map_or("0", String::as_str)
            ));
        }
    }
    Ok(())
}

fn number(version: Option<&str>) -> u32 {
    version.and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// Opens the state store as this cluster's.
///
/// # Errors
/// Where the cluster can't be told from others, the store can't be opened, or it is not there and
/// has to be.
pub async fn open_state(
    client: &Client,
    options: &ControllerOptions,
) -> Result<Arc<dyn StateStore>, ControllerError> {
    let owner = installation(client).await?;
    if options.require_existing_state {
        let opened = state::open_existing(&options.state, Some(&owner), Access::Write).await?;
        return opened.ok_or_else(|| ControllerError::NoState(shown(&options.state)));
    }
    Ok(state::open(&options.state, &owner).await?)
}

/// Returns what tells this cluster from others.
async fn installation(client: &Client) -> Result<String, ControllerError> {
    let api: Api<Namespace> = Api::all(client.clone());
    let namespace = bounded(api.get(FIRST_NAMESPACE)).await.map_err(|error| {
        let what =
            format!("namespace {FIRST_NAMESPACE}, whose UID names this cluster, can't be read");
        ControllerError::api(what, &error)
    })?;
    namespace.uid().ok_or(ControllerError::Internal("a namespace has no UID"))
}

/// The URL of a database may hold a password: only a file's is shown.
fn shown(url: &str) -> String {
    if url.starts_with("sqlite:") { url.to_owned() } else { "that database".to_owned() }
}
