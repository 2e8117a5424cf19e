//! One object of a cluster by kind, namespace and name: read it, change it, await what it says.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use kube::ResourceExt;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};

use super::cluster::{Cluster, Refusal};
use super::conformance;

/// Past it an awaited state never comes.
pub const LIMIT: Duration = Duration::from_secs(60);
/// The kinds that tests speak of by kind alone, with their group and version.
const GROUPS: [(&str, &[&str]); 8] = [
    ("ciosync.dev/v1alpha1", &["Sync", "Source", "CustomerIoConnection"]),
    ("v1", &["Secret", "ConfigMap", "Namespace", "ServiceAccount", "Pod"]),
    ("events.k8s.io/v1", &["Event"]),
    ("coordination.k8s.io/v1", &["Lease"]),
    ("batch/v1", &["Job"]),
    ("apps/v1", &["Deployment"]),
    ("apiextensions.k8s.io/v1", &["CustomResourceDefinition"]),
    ("rbac.authorization.k8s.io/v1", &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]),
];
/// The kinds that have no namespace.
const CLUSTER_WIDE: [&str; 7] = [
    "Namespace",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
];

/// Returns the door to a kind's objects. A kind outside of the tables needs its `api_version`.
///
/// # Panics
/// When the kind is in no table and no `api_version` is given.
pub fn api(
    cluster: &Cluster,
    api_version: Option<&str>,
    kind: &str,
    namespace: &str,
) -> Api<DynamicObject> {
    let api_version = api_version.unwrap_or_else(|| {
        let known = GROUPS.iter().find(|(_, kinds)| kinds.contains(&kind));
        known.unwrap_or_else(|| panic!("add the kind {kind} to the table of groups")).0
    });
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    if CLUSTER_WIDE.contains(&kind) {
        Api::all_with(cluster.client(), &resource)
    } else {
        Api::namespaced_with(cluster.client(), namespace, &resource)
    }
}

/// An object of a cluster, which may or may not exist.
pub struct Object {
    api: Api<DynamicObject>,
    words: String,
    name: String,
    /// Where kstatus is asked of what is seen, after our own rules; only where an operator writes
    /// the status.
    judge: Option<Cluster>,
    /// How long something is awaited.
    limit: Duration,
}

impl Object {
    pub(super) fn new(cluster: &Cluster, kind: &str, namespace: &str, name: &str) -> Self {
        let words = format!("{kind} {namespace}/{name}");
        let api = api(cluster, None, kind, namespace);
        Self { api, words, name: name.to_owned(), judge: None, limit: LIMIT }
    }

    /// Has what takes its time awaited for so long, and not for a minute.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Has every status that is seen judged.
    #[must_use]
    pub fn judged_by(self, cluster: &Cluster) -> Self {
        Self { judge: Some(cluster.clone()), ..self }
    }

    /// Returns the object as it is now, or nothing.
    pub async fn find(&self) -> Option<Value> {
        let found = self.api.get_opt(&self.name).await;
        let found = found.unwrap_or_else(|err| panic!("{}: {err}", self.words)).map(tree);
        if self.judge.is_some()
            && let Some(found) = &found
        {
            conformance::judge(None, found);
        }
        found
    }

    /// Returns the object, which must exist.
    pub async fn get(&self) -> Value {
        self.find().await.unwrap_or_else(|| panic!("{} doesn't exist", self.words))
    }

    /// Lays a merge patch over the object and returns the new one, or what the API server refuses.
    pub async fn patch(&self, patch: Value) -> Result<Value, Refusal> {
        let patched = self.api.patch(&self.name, &params(), &Patch::Merge(patch)).await;
        patched.map(tree).map_err(Refusal::from)
    }

    /// The same for the object's status, which users of a cluster can't write.
    pub async fn patch_status(&self, status: Value) -> Result<Value, Refusal> {
        let patch = Patch::Merge(json!({ "status": status }));
        self.api.patch_status(&self.name, &params(), &patch).await.map(tree).map_err(Refusal::from)
    }

    /// Sets one annotation of the object, which must exist.
    pub async fn annotate(&self, key: &str, value: &str) -> Value {
        self.patch(json!({"metadata": {"annotations": {key: value}}})).await.unwrap()
    }

    /// Asks for the object's deletion; finalizers may delay it. A missing object is fine.
    pub async fn delete(&self) {
        match self.api.delete(&self.name, &DeleteParams::default()).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(err) => panic!("{}: {err}", self.words),
        }
    }

    /// Waits until the object exists and `is_so`, and returns it.
    ///
    /// # Panics
    /// After a minute, or what [`within`](Self::within) says, showing `what` was awaited and the
    /// object as last seen.
    pub async fn wait(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let seen = self.watch(what, |seen| seen.filter(|object| is_so(object)).cloned()).await;
        if let Some(cluster) = &self.judge {
            let said = cluster.kstatus(&seen).await;
            let expected = conformance::expected_kstatus(&seen);
            assert!(said.starts_with(expected), "{said}, not {expected}\nin {:#}", seen["status"]);
        }
        seen
    }

    /// Waits until the object doesn't exist.
    pub async fn gone(&self) {
        self.watch("to be gone", |seen| seen.is_none().then_some(())).await;
    }

    async fn watch<T>(&self, what: &str, mut answer: impl FnMut(Option<&Value>) -> Option<T>) -> T {
        let mut last = None;
        let look = async {
            // An API server that is away for a while is awaited too.
            let seen = watcher::watch_object(self.api.clone(), &self.name);
            let mut seen = pin!(seen.default_backoff());
            loop {
                let Some(Ok(object)) = seen.next().await else { continue };
                let object = object.map(tree);
                if let (Some(_), Some(object)) = (&self.judge, &object) {
                    conformance::judge(last.as_ref(), object);
                }
                last = object;
                if let Some(answer) = answer(last.as_ref()) {
                    return answer;
                }
            }
        };
        let limit = self.limit;
        if let Ok(answer) = tokio::time::timeout(limit, look).await {
            return answer;
        }
        let last = last.map(|object| serde_yaml::to_string(&object).unwrap());
        let last = last.as_deref().unwrap_or("missing");
        panic!("{} was awaited {what}; after {limit:?} it is\n{last}", self.words);
    }
}

/// Waits until the objects of a kind in a namespace are as they should, and returns them by name.
///
/// # Panics
/// After a minute, showing `what` was awaited and the objects as last seen.
pub async fn wait_all(
    api: Api<DynamicObject>,
    what: &str,
    are_so: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    let mut seen = BTreeMap::new();
    let look = async {
        let mut changes = pin!(watcher(api, watcher::Config::default()).default_backoff());
        loop {
            // An API server that is away for a while is awaited too.
            let Some(Ok(change)) = changes.next().await else { continue };
            let is_whole = !matches!(change, Event::Init | Event::InitApply(_));
            match change {
                Event::Init => seen.clear(),
                Event::InitDone => {}
                Event::InitApply(object) | Event::Apply(object) => {
                    seen.insert(object.name_any(), tree(object));
                }
                Event::Delete(object) => drop(seen.remove(&object.name_any())),
            }
            let all: Vec<Value> = seen.values().cloned().collect();
            if is_whole && are_so(&all) {
                return all;
            }
        }
    };
    if let Ok(all) = tokio::time::timeout(LIMIT, look).await {
        return all;
    }
    panic!("awaited {what}; after {LIMIT:?} there is\n{}", serde_yaml::to_string(&seen).unwrap());
}

/// Who a test is to the API server when it edits.
pub fn params() -> PatchParams {
    PatchParams { field_manager: Some("a-test".to_owned()), ..PatchParams::default() }
}

pub fn tree(object: DynamicObject) -> Value {
    serde_json::to_value(object).expect("what was read from JSON is JSON")
}
