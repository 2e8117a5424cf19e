//! `kubectl ciosync` in front of a real API server, as a person with rights on Syncs and no others.
//! The operator is played: what it would write into the status is written by the test.

mod asking;
mod refused;
mod waiting;

use serde_json::{Value, json};

use crate::support::apiserver::account::Account;
use crate::support::apiserver::object::Object;
use crate::support::apiserver::{Cluster, cluster};
use crate::support::cli::{Ciosync, Output, Workdir};

/// What the documentation asks for.
const VERBS: [&str; 4] = ["get", "list", "watch", "patch"];

/// A person, the namespace that they may work in, and the Sync `customers` there.
struct World {
    cluster: Cluster,
    namespace: String,
    person: Account,
    dir: Workdir,
}

impl World {
    async fn new() -> Self {
        let world = Self::without_sync().await;
        let sync = json!({
            "apiVersion": "ciosync.dev/v1alpha1", "kind": "Sync",
            "metadata": {"name": "customers"},
            "spec": {
                "sourceRef": {"name": "warehouse"}, "connectionRef": {"name": "production"},
                "model": {"sql": "select 1", "primaryKey": ["user_id"]},
                "entity": "person", "behavior": "updateOrCreate",
                "identifiers": {"id": "user_id"},
            },
        });
        world.cluster.create(&world.namespace, &sync).await.unwrap();
        world
    }

    async fn without_sync() -> Self {
        let cluster = cluster().await;
        let namespace = cluster.namespace().await;
        let person = cluster.service_account(&namespace, "ann").await;
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "ann"},
            "rules": [{"apiGroups": ["ciosync.dev"], "resources": ["syncs"], "verbs": VERBS}],
        });
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "ann"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "ann",
            },
            "subjects": [{"kind": "ServiceAccount", "name": "ann", "namespace": namespace}],
        });
        cluster.apply(&namespace, &role.to_string()).await.unwrap();
        cluster.apply(&namespace, &binding.to_string()).await.unwrap();
        Self { cluster, namespace, person, dir: Workdir::new() }
    }

    /// The plugin as the person types it; the namespace is that of the context.
    fn plugin<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Ciosync {
        Ciosync::new(self.dir.path())
            .args(["kubectl"])
            .args(args)
            .env("KUBECONFIG", &self.person.kubeconfig().display().to_string())
    }

    async fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        self.plugin(args).run().await
    }

    fn object(&self) -> Object {
        self.cluster.object("Sync", &self.namespace, "customers")
    }

    async fn sync(&self) -> Value {
        self.object().get().await
    }

    async fn annotation(&self, name: &str) -> Value {
        self.sync().await["metadata"]["annotations"][format!("ciosync.dev/{name}")].clone()
    }

    /// Says what the operator would.
    async fn status(&self, status: Value) {
        self.object().patch_status(status).await.unwrap();
    }
}

/// A run as the operator reports it.
fn run(id: &str, request: &str, result: &str) -> Value {
    json!({
        "id": id, "trigger": "request", "request": request, "result": result,
        "startedAt": "2026-11-24T11:45:00Z", "finishedAt": "2026-11-24T11:45:31Z",
        "rowsRead": 1200, "added": 7, "changed": 0, "removed": 0, "unchanged": 1193,
        "refreshed": 0, "kept": 0, "delivered": 7, "invalid": 0, "rejected": 0, "retried": 0,
        "requests": 1,
    })
}
