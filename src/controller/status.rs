//! Statuses onto the API server: server-side apply of the status alone, and only where it differs
//! in what is ours.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::{ControllerError, bounded, is_not_found};
use super::watch::{Kind, ObjectKey, key_of};
use crate::api::condition::Condition;
use crate::api::connection::CustomerIoConnectionStatus;
use crate::api::source::SourceStatus;
use crate::api::sync_status::SyncStatus;
use crate::api::{CustomerIoConnection, Source, Sync};

/// Who owns what we write, as managed fields name it.
pub(super) const FIELD_MANAGER: &str = "ciosync";

/// The conditions that are ours. Others may stand beside them and are nobody's business here.
const CONDITIONS: [&str; 6] =
    ["Ready", "Reconciling", "Stalled", "ResolvedRefs", "Fresh", "Suspended"];

/// A kind with a status of ours.
pub trait HasStatus: Kind + Serialize {
    /// Its status.
    type Status: Clone + PartialEq + Serialize + DeserializeOwned + Send + std::marker::Sync;

    /// The kind, as resources write it.
    const KIND: &'static str;

    /// Returns the status as last seen.
    fn status(&self) -> Option<&Self::Status>;

    /// Returns the conditions of a status.
    fn conditions(status: &mut Self::Status) -> &mut Vec<Condition>;
}

impl HasStatus for Sync {
    type Status = SyncStatus;
    const KIND: &'static str = "Sync";

    fn status(&self) -> Option<&SyncStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &mut SyncStatus) -> &mut Vec<Condition> {
        &mut status.conditions
    }
}

impl HasStatus for Source {
    type Status = SourceStatus;
    const KIND: &'static str = "Source";

    fn status(&self) -> Option<&SourceStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &mut SourceStatus) -> &mut Vec<Condition> {
        &mut status.conditions
    }
}

impl HasStatus for CustomerIoConnection {
    type Status = CustomerIoConnectionStatus;
    const KIND: &'static str = "CustomerIoConnection";

    fn status(&self) -> Option<&CustomerIoConnectionStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &mut CustomerIoConnectionStatus) -> &mut Vec<Condition> {
        &mut status.conditions
    }
}

/// Writes statuses, and remembers what the API server answered: the watch brings it some moments
/// later, and until then what it holds is old.
pub struct Statuses<K> {
    client: Client,
    written: Mutex<HashMap<ObjectKey, Arc<K>>>,
}

impl<K: HasStatus> Statuses<K> {
    /// Returns a writer that has written nothing yet.
    pub fn new(client: Client) -> Self {
        Self { client, written: Mutex::default() }
    }

    /// Returns the newest that is known of an object: as the watch brought it, or as our last
    /// write returned it.
    pub fn newest(&self, seen: Arc<K>) -> Arc<K> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key_of(seen.as_ref());
        let Some(ours) = written.get(&key) else { return seen };
        if is_newer(ours.as_ref(), seen.as_ref()) {
            return Arc::clone(ours);
        }
        written.remove(&key);
        seen
    }

    /// Takes note of an object as a write of ours returned it.
    pub fn returned(&self, object: &Arc<K>) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.insert(key_of(object.as_ref()), Arc::clone(object));
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, key: &ObjectKey) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Writes the status of `object` where it differs from what it has, and returns the object as
    /// it is now; unchanged where it is gone or was made anew meanwhile.
    ///
    /// # Errors
    /// Where the API server refuses it or doesn't answer.
    pub async fn write(
        &self,
        object: &Arc<K>,
        status: &K::Status,
    ) -> Result<Arc<K>, ControllerError> {
        if is_same::<K>(object.status(), status) {
            return Ok(Arc::clone(object));
        }
        let (namespace, name) = key_of(object.as_ref());
        let api: Api<K> = Api::namespaced(self.client.clone(), &namespace);
        let body = json!({
            "apiVersion": format!("{}/{}", crate::api::GROUP, crate::api::VERSION),
            "kind": K::KIND,
            // With the UID the server refuses to write onto another object of the same name.
            "metadata": { "name": name, "uid": object.uid() },
            "status": status,
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let request =
            bounded(async { api.patch_status(&name, &params, &Patch::Apply(&body)).await });
        match request.await {
            Ok(written) => {
                let written = Arc::new(written);
                self.returned(&written);
                Ok(written)
            }
            Err(error) if is_not_found(&error) || is_another(&error) => Ok(Arc::clone(object)),
            Err(error) => {
                let what = format!("the status of {} {namespace}/{name} can't be written", K::KIND);
                Err(ControllerError::api(what, &error))
            }
        }
    }
}

/// Returns whether the object was made anew under its name.
/// Source: the API server answers a UID that doesn't match with 409 and names it a precondition.
fn is_another(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409 && status.message.contains("UID"))
}

/// Returns whether `object` is the same object as `than`, as it was later.
pub(super) fn is_newer<K: Kind>(object: &K, than: &K) -> bool {
    object.uid() == than.uid() && version(object) > version(than)
}

/// Versions of one object grow; they are compared as numbers.
/// Source: Kubernetes, "Resource versions", comparable since 1.35 and numbers of etcd before.
fn version<K: Kind>(object: &K) -> u128 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// Compares what is ours in two statuses, as they look once they were written.
fn is_same<K: HasStatus>(current: Option<&K::Status>, wanted: &K::Status) -> bool {
    let Some(current) = current else { return false };
    let mut current = current.clone();
    let conditions = K::conditions(&mut current);
    conditions.retain(|condition| CONDITIONS.contains(&condition.condition_type.as_str()));
    let Some(mut wanted) = as_written::<K>(wanted) else { return false };
    for status in [&mut current, &mut wanted] {
        K::conditions(status).sort_by(|a, b| a.condition_type.cmp(&b.condition_type));
    }
    current == wanted
}

/// Times lose their fractions when they are written.
fn as_written<K: HasStatus>(status: &K::Status) -> Option<K::Status> {
    let value: Value = serde_json::to_value(status).ok()?;
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(condition_type: &str, reason: &str) -> Condition {
        serde_json::from_value(json!({
            "type": condition_type, "status": "True", "reason": reason, "message": "",
            "lastTransitionTime": "2026-11-24T05:00:00Z",
        }))
        .unwrap()
    }

    fn status(conditions: &[Condition]) -> SyncStatus {
        SyncStatus { conditions: conditions.to_vec(), ..SyncStatus::default() }
    }

    #[test]
    fn a_condition_of_somebody_else_is_no_reason_to_write() {
        let ready = condition("Ready", "Succeeded");
        let ours = status(&[ready.clone(), condition("Suspended", "SuspendedBySpec")]);
        let theirs = condition("PolicyChecked", "Fine");
        let seen = status(&[theirs, condition("Suspended", "SuspendedBySpec"), ready]);

        assert!(is_same::<Sync>(Some(&seen), &ours));
        assert!(!is_same::<Sync>(Some(&seen), &status(&[condition("Ready", "Scheduled")])));
        assert!(!is_same::<Sync>(None, &ours));
    }

    #[test]
    fn fractions_of_seconds_are_no_reason_to_write() {
        let precise = "2026-11-24T05:00:00.123456789Z".parse().unwrap();
        let wanted = SyncStatus {
            last_successful_time: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
                precise,
            )),
            ..SyncStatus::default()
        };
        let seen: SyncStatus =
            serde_json::from_value(serde_json::to_value(&wanted).unwrap()).unwrap();

        assert!(is_same::<Sync>(Some(&seen), &wanted));
    }
}
