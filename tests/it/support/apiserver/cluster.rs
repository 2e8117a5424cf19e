//! A cluster from the view of a test: namespaces, manifests, objects, and what it refuses.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::Status;
use kube::{Client, Config};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use super::object::{Object, api, tree, wait_all};
use super::server::Server;

static SHARED: OnceCell<Result<Arc<Server>, String>> = OnceCell::const_new();
static NAMES_GIVEN: AtomicU32 = AtomicU32::new(0);

/// Returns the cluster that the tests of this process share, with our CRDs, starting it when this
/// is the first call. A test keeps to namespaces of its own, from [`Cluster::namespace`].
///
/// # Panics
/// When no API server is found or it doesn't start, in every test that asks: they never skip.
pub async fn cluster() -> Cluster {
    let server = SHARED
        .get_or_init(|| async {
            let server = started().await?;
            Cluster::of(Arc::clone(&server)).await.install_crds().await;
            Ok(server)
        })
        .await;
    match server {
        Ok(server) => Cluster::of(Arc::clone(server)).await,
        Err(reason) => panic!("{reason}"),
    }
}

async fn started() -> Result<Arc<Server>, String> {
    spawn_blocking(Server::start).await.unwrap().map(Arc::new)
}

/// A cluster and a connection to it as its admin.
#[derive(Clone)]
pub struct Cluster {
    pub(super) server: Arc<Server>,
    client: Client,
}

impl Cluster {
    /// Starts a cluster of the test's own, with our CRDs, for tests that stop it or change what all
    /// share. Takes seconds and 400 MB: prefer [`cluster`].
    pub async fn private() -> Self {
        let cluster = Self::private_without_crds().await;
        cluster.install_crds().await;
        cluster
    }

    /// Starts a cluster of the test's own that has never heard of us.
    pub async fn private_without_crds() -> Self {
        match started().await {
            Ok(server) => Self::of(server).await,
            Err(reason) => panic!("{reason}"),
        }
    }

    /// A client belongs to the runtime of one test, so each test gets its own.
    async fn of(server: Arc<Server>) -> Self {
        let client = client(&server.place.kubeconfig).await;
        Self { server, client }
    }

    /// Returns a client with the admin's rights.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Returns the path of the admin's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.server.place.kubeconfig
    }

    /// Returns the API server's address.
    pub fn url(&self) -> &str {
        &self.server.place.url
    }

    /// Fails the test where nobody ends namespaces, makes Pods of Jobs, and collects owned objects.
    pub fn needs_controllers(&self) {
        let has = self.server.place.has_controllers;
        assert!(
            has,
            "this test needs kube-controller-manager, which KUBEBUILDER_ASSETS doesn't have"
        );
    }

    /// Applies the CRDs of `crds/` and returns when the API server serves them.
    pub async fn install_crds(&self) {
        for (_, text) in ciosync::api::crds::crds() {
            let crd = self.apply("", &text).await.unwrap().remove(0);
            let name = crd["metadata"]["name"].as_str().unwrap();
            let is_served = |crd: &Value| has_condition(crd, "Established", "True");
            self.object("CustomResourceDefinition", "", name).wait("to be served", is_served).await;
        }
    }

    /// Makes a namespace that no other test has, and returns its name.
    pub async fn namespace(&self) -> String {
        let number = NAMES_GIVEN.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{number}");
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.create("", &namespace).await.unwrap();
        name
    }

    /// Applies each document of a manifest, server-side and as one field manager, to the namespace
    /// unless it names its own. Returns the objects, or what the API server says to the first that it
    /// refuses.
    pub async fn apply(&self, namespace: &str, yaml: &str) -> Result<Vec<Value>, Refusal> {
        let params = PatchParams::apply("a-test").force();
        let mut applied = Vec::new();
        for document in serde_yaml::Deserializer::from_str(yaml) {
            let object = Value::deserialize(document).unwrap();
            if object.is_null() {
                continue;
            }
            let name = object["metadata"]["name"].as_str().expect("a manifest names its object");
            let patched =
                self.api_of(&object, namespace).patch(name, &params, &Patch::Apply(&object)).await;
            applied.push(tree(patched.map_err(Refusal::from)?));
        }
        Ok(applied)
    }

    /// Creates one object, as `kubectl create` does; one that exists is refused.
    pub async fn create(&self, namespace: &str, object: &Value) -> Result<Value, Refusal> {
        let body = serde_json::from_value(object.clone()).unwrap();
        let created = self.api_of(object, namespace).create(&PostParams::default(), &body).await;
        created.map(tree).map_err(Refusal::from)
    }

    /// Replaces one object, as an edit of its whole text does.
    pub async fn replace(&self, namespace: &str, object: &Value) -> Result<Value, Refusal> {
        let body = serde_json::from_value(object.clone()).unwrap();
        let name = object["metadata"]["name"].as_str().unwrap();
        let replaced =
            self.api_of(object, namespace).replace(name, &PostParams::default(), &body).await;
        replaced.map(tree).map_err(Refusal::from)
    }

    fn api_of(&self, object: &Value, namespace: &str) -> kube::Api<kube::api::DynamicObject> {
        let word = |field: &str| object[field].as_str().unwrap_or_else(|| panic!("no {field}"));
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or(namespace);
        api(self, Some(word("apiVersion")), word("kind"), namespace)
    }

    /// Returns a handle to an object, which may or may not exist; kinds without a namespace ignore
    /// `namespace`.
    pub fn object(&self, kind: &str, namespace: &str, name: &str) -> Object {
        Object::new(self, kind, namespace, name)
    }

    /// Returns all objects of a kind in a namespace, by name.
    pub async fn list(&self, kind: &str, namespace: &str) -> Vec<Value> {
        let list = api(self, None, kind, namespace).list(&ListParams::default()).await.unwrap();
        list.items.into_iter().map(tree).collect()
    }

    /// Waits until the objects of a kind in a namespace are as they should, and returns them.
    pub async fn wait_all(
        &self,
        kind: &str,
        namespace: &str,
        what: &str,
        are_so: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        wait_all(api(self, None, kind, namespace), what, are_so).await
    }

    /// Returns the events about objects of a namespace, as `reason: note`.
    pub async fn events(&self, namespace: &str) -> Vec<String> {
        let events = self.list("Event", namespace).await;
        let word =
            |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .map(|event| format!("{}: {}", word(event, "reason"), word(event, "note")))
            .collect()
    }

    /// Stops a private cluster's kube-apiserver where it stands (SIGSTOP): callers hang.
    pub async fn pause(&self) {
        self.command("pause").await;
    }

    /// Lets it go on.
    pub async fn resume(&self) {
        self.command("resume").await;
    }

    /// Kills a private cluster's kube-apiserver: callers are refused. etcd keeps the data.
    pub async fn stop(&self) {
        self.command("stop").await;
    }

    /// Starts it on the same port with the same data, and returns when it is ready.
    pub async fn start(&self) {
        self.command("start").await;
    }

    async fn command(&self, word: &'static str) {
        if let Some(Ok(shared)) = SHARED.get() {
            assert!(
                !Arc::ptr_eq(shared, &self.server),
                "all tests share this cluster: {word} a private one"
            );
        }
        let server = Arc::clone(&self.server);
        spawn_blocking(move || server.command(word)).await.unwrap();
    }
}

/// Returns a client that is what a kubeconfig says.
pub(super) async fn client(kubeconfig: &Path) -> Client {
    // Fails when another test was first, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    Client::try_from(config).unwrap()
}

/// Returns whether the object has a condition of this type and status.
pub fn has_condition(object: &Value, kind: &str, status: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|one| one["type"] == kind && one["status"] == status)
}

/// What the API server said when it refused.
#[derive(Debug)]
pub struct Refusal(Box<Status>);

impl Refusal {
    /// Returns the HTTP status code.
    pub fn code(&self) -> u16 {
        self.0.code
    }

    /// Returns each cause as field and message; no field where the API server names none.
    pub fn causes(&self) -> Vec<(String, String)> {
        let details = self.0.details.iter().flat_map(|details| &details.causes);
        details.map(|cause| (cause.field.clone(), cause.message.clone())).collect()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl From<kube::Error> for Refusal {
    fn from(err: kube::Error) -> Self {
        match err {
            kube::Error::Api(status) => Self(status),
            other => panic!("the API server did not answer: {other}"),
        }
    }
}
