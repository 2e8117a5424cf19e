//! What tests of the operator stand on: a namespace of a real cluster, a SQLite warehouse, an emulated
//! workspace, and the operator between them as a ServiceAccount with its own rights and no more.

use base64::Engine as _;
use ciosync::api::Kind;
use ciosync::api::condition::Condition;
use ciosync::controller::decide::conform;
use ciosync::emulator::{Emulator, Options, WorkspaceHandle};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::support::apiserver::account::Account;
use crate::support::apiserver::object::Object;
use crate::support::apiserver::operator::{Operator, OperatorSetup};
use crate::support::apiserver::{Cluster, cluster};
use crate::support::cli::Workdir;

/// The spec of a Sync of people with their e-mail addresses, for [`World::sync`].
pub const SPEC: &str = "behavior: updateOrCreate
  model: {table: people, primaryKey: [id]}
  identifiers: {id: id}
  mappings: [{from: email}]";

/// A namespace with a warehouse and a connection, and no Sync.
pub struct World {
    pub cluster: Cluster,
    pub namespace: String,
    pub account: Account,
    pub emulator: Emulator,
    pub data: Workdir,
    warehouse: SqliteConnection,
}

impl World {
    /// Makes the warehouse with this SQL, a Source and a connection for it, in a namespace of the
    /// cluster that tests share.
    pub async fn new(schema: &str) -> Self {
        Self::of(cluster().await, schema).await
    }

    /// Makes the same in a cluster of the test's own.
    pub async fn of(cluster: Cluster, schema: &str) -> Self {
        let namespace = cluster.namespace().await;
        let account = cluster.service_account(&namespace, "operator").await;
        cluster.grant(&account, rights()).await;
        let data = Workdir::new();
        let options = SqliteConnectOptions::new().filename(data.path().join("warehouse.db"));
        let warehouse = options.create_if_missing(true).connect().await.unwrap();
        let emulator = Emulator::start(Options::default()).await.unwrap();
        let mut world = Self { cluster, namespace, account, emulator, data, warehouse };
        world.sql(schema).await;
        world.secret("emulator-api-key").await;
        world.source("warehouse", "sqlite: {path: warehouse.db}\n  probeInterval: 1s").await;
        world.connection("production", "").await;
        world
    }

    /// Gives the operator more rights than the least.
    pub async fn grant(&self, rule: Value) {
        let mut rules = rights();
        rules.as_array_mut().unwrap().push(rule);
        self.cluster.grant(&self.account, rules).await;
    }

    /// Returns an operator that looks after this namespace alone, not started yet.
    pub fn setup(&self) -> OperatorSetup {
        let data = self.data.path().display();
        OperatorSetup::new(&self.account).flags([
            format!("--watch-namespaces={}", self.namespace),
            format!("--local-sources={data}"),
        ])
    }

    /// Starts the operator, and returns when it is ready.
    pub async fn operator(&self) -> Operator {
        self.setup().start().await
    }

    /// Runs statements in the warehouse.
    pub async fn sql(&mut self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.warehouse).await.unwrap();
    }

    /// Writes the key of the connection.
    pub async fn secret(&self, key: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "customerio"},
            "stringData": {"api-key": key},
        });
        self.cluster.apply(&self.namespace, &secret.to_string()).await.unwrap();
    }

    /// Applies a Source.
    pub async fn source(&self, name: &str, spec: &str) {
        self.apply("Source", name, spec).await;
    }

    /// Applies a connection to the emulator, with these lines besides address and credentials.
    pub async fn connection(&self, name: &str, more: &str) {
        let spec = format!(
            "endpoint: {}\n  siteId: {{value: emulator-site-id}}\n  \
             apiKey: {{secretKeyRef: {{name: customerio, key: api-key}}}}\n  {more}",
            self.emulator.url()
        );
        self.apply("CustomerIoConnection", name, &spec).await;
    }

    /// Applies a Sync of people, from that warehouse to that connection; `spec` is indented by two.
    pub async fn sync(&self, name: &str, spec: &str) {
        let spec = format!(
            "sourceRef: {{name: warehouse}}\n  connectionRef: {{name: production}}\n  \
             entity: person\n  {spec}"
        );
        self.apply("Sync", name, &spec).await;
    }

    /// Applies a resource of ours; `spec` is indented by two.
    pub async fn apply(&self, kind: &str, name: &str, spec: &str) {
        let text = format!(
            "apiVersion: ciosync.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n  {spec}\n"
        );
        let applied = self.cluster.apply(&self.namespace, &text).await;
        applied.unwrap_or_else(|refusal| panic!("{refusal}\nin:\n{text}"));
    }

    /// Returns a handle to a Sync, whose status is judged whenever it is looked at.
    pub fn the(&self, sync: &str) -> Object {
        self.cluster.object("Sync", &self.namespace, sync).judged_by(&self.cluster)
    }

    /// Waits until the last run of a Sync has this result, and returns the Sync.
    pub async fn ended(&self, sync: &str, result: &str) -> Value {
        let what = format!("a run that ended as {result}");
        self.the(sync).wait(&what, |sync| last_run(sync)["result"] == result).await
    }

    /// Changes keys of the connection's Secret, and labels it to be watched.
    pub async fn relabel_secret(&self, data: Value) {
        let patch = json!({
            "metadata": {"labels": {"ciosync.dev/watch": "true"}},
            "data": data.as_object().unwrap().iter().map(|(key, value)| {
                let encoded = value.as_str().map(|text| base64::engine::general_purpose::STANDARD.encode(text));
                (key.clone(), json!(encoded))
            }).collect::<serde_json::Map<_, _>>(),
        });
        let secret = self.cluster.object("Secret", &self.namespace, "customerio");
        secret.patch(patch).await.unwrap();
    }

    /// Fails where the status of a resource breaks a rule of ours.
    pub fn judge(&self, object: &Value) {
        let kind = match object["kind"].as_str().unwrap() {
            "Source" => Kind::Source,
            "CustomerIoConnection" => Kind::CustomerIoConnection,
            _ => Kind::Sync,
        };
        let conditions: Vec<Condition> =
            serde_json::from_value(object["status"]["conditions"].clone()).unwrap();
        let generation = object["metadata"]["generation"].as_i64().unwrap();
        let observed = object["status"]["observedGeneration"].as_i64();
        let complaints = conform(kind, generation, observed, &conditions);
        assert!(complaints.is_empty(), "{complaints:#?}\nin {:#}", object["status"]);
    }

    /// Returns what is in Customer.io.
    pub fn workspace(&self) -> WorkspaceHandle {
        self.emulator.workspace()
    }
}

/// Returns the last run in the status of a Sync.
pub fn last_run(sync: &Value) -> &Value {
    &sync["status"]["lastRun"]
}

/// Returns the condition of a type, or null.
pub fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|one| one["type"] == kind).unwrap_or(&Value::Null)
}

/// The rights of the operator: the least that all of it needs.
pub fn rights() -> Value {
    let ours = ["syncs", "sources", "customerioconnections"];
    let statuses = ["syncs/status", "sources/status", "customerioconnections/status"];
    let definitions =
        ["syncs.ciosync.dev", "sources.ciosync.dev", "customerioconnections.ciosync.dev"];
    json!([
        {"apiGroups": ["ciosync.dev"], "resources": ours, "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["ciosync.dev"], "resources": statuses, "verbs": ["patch"]},
        {"apiGroups": ["ciosync.dev"], "resources": ["syncs"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["secrets", "configmaps", "namespaces"], "verbs": ["get"]},
        {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
         "verbs": ["get", "create", "patch"]},
        {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"],
         "resourceNames": definitions, "verbs": ["get"]},
    ])
}
