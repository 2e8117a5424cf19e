//! From nothing to rows in the workspace, as a team begins: the chart, the examples, kubectl.

use std::path::Path;

use ciosync::emulator::{Emulator, Options, Region};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::world::last_run;
use crate::support::apiserver::Cluster;
use crate::support::apiserver::operator::{Operator, OperatorSetup};
use crate::support::postgres;
use crate::support::postgres::{Database, Demand, Role};

const PASSWORD_OF_THE_KEY: &str = "emulator-api-key";

const CUSTOMERS: &str = "create schema marts;
    create table marts.customers (user_id int primary key, email text, plan text, mrr numeric,
        signed_up_at timestamptz, marketing_opt_out boolean);
    insert into marts.customers values
        (1, 'ann@example.com', 'pro', 49.5, '2026-01-01T00:00:00Z', false),
        (2, 'bob@example.com', 'free', 0, '2026-02-01T00:00:00Z', true);";

/// What must never be read anywhere but in Customer.io.
const SECRET_WORDS: [&str; 4] =
    ["ann@example.com", "bob@example.com", "pro\"", PASSWORD_OF_THE_KEY];

struct Place {
    cluster: Cluster,
    namespace: String,
    warehouse: Database,
    role: Role,
    emulator: Emulator,
}

impl Place {
    async fn new() -> Self {
        let cluster = Cluster::private_without_crds().await;
        let namespace = cluster.namespace().await;
        let warehouse = postgres().await.database().await;
        warehouse.execute(CUSTOMERS).await;
        let grants = ["usage on schema marts", "select on table marts.customers"];
        let role = warehouse.role(Demand::Tls, &grants).await;
        let options = Options { region: Region::Eu, ..Options::default() };
        let emulator = Emulator::start(options).await.unwrap();
        Self { cluster, namespace, warehouse, role, emulator }
    }

    /// Applies `examples/postgres` as it stands, but for the addresses of this machine.
    async fn apply_example(&self) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/postgres/sync.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        for document in serde_yaml::Deserializer::from_str(&text) {
            let mut object = Value::deserialize(document).unwrap();
            match object["kind"].as_str().unwrap() {
                "Source" => {
                    let postgres = &mut object["spec"]["postgres"];
                    postgres["host"] = json!("localhost");
                    postgres["port"] = json!(self.warehouse.port);
                    postgres["database"] = json!(self.warehouse.name);
                    postgres["user"] = json!(self.role.user);
                    postgres["tls"] =
                        json!({"ca": {"secretKeyRef": {"name": "warehouse", "key": "ca"}}});
                }
                "CustomerIoConnection" => object["spec"]["endpoint"] = json!(self.emulator.url()),
                _ => {}
            }
            self.cluster.apply(&self.namespace, &object.to_string()).await.unwrap();
        }
    }

    async fn apply_secrets(&self) {
        let ca = &postgres().await.certificates().ca_pem;
        for (name, data) in [
            ("warehouse", json!({"password": self.role.password, "ca": ca})),
            ("customerio", json!({"site-id": "emulator-site-id", "api-key": PASSWORD_OF_THE_KEY})),
        ] {
            let secret = json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data,
            });
            self.cluster.apply(&self.namespace, &secret.to_string()).await.unwrap();
        }
    }

    async fn kubectl(&self, args: &[&str]) -> String {
        let args = [args, &["-n", &self.namespace]].concat();
        self.cluster
            .kubectl(&args)
            .await
            .unwrap_or_else(|complaint| panic!("{args:?}: {complaint}"))
    }

    /// Returns the cells of a Sync's line, by three spaces or more apart.
    async fn line(&self, sync: &str) -> String {
        let printed = self.kubectl(&["get", "syncs"]).await;
        let mut lines = printed.lines();
        let header: Vec<&str> = lines.next().unwrap().split("   ").map(str::trim).collect();
        let header: Vec<&str> = header.into_iter().filter(|cell| !cell.is_empty()).collect();
        assert_eq!(header.join(","), "NAME,READY,STATUS,LAST SUCCESS,NEXT,SUSPENDED,AGE");
        let line = lines.find(|line| line.starts_with(sync)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Everything that a person or a tool may read of the operator.
    async fn all_that_is_shown(&self, operator: &Operator) -> String {
        let mut shown = self.kubectl(&["get", "ciosync", "-o", "yaml"]).await;
        shown += &self.kubectl(&["get", "events", "-o", "yaml"]).await;
        for path in ["", "metrics", "readyz", "livez", "healthz"] {
            let (status, text) = operator.probe(path).await.unwrap();
            assert_eq!(status, 200, "{path}: {text}");
            shown += &text;
        }
        shown
    }
}

#[tokio::test]
async fn a_team_begins_with_the_chart_the_example_and_kubectl() {
    let place = Place::new().await;
    let (cluster, namespace) = (&place.cluster, &place.namespace);
    let objects = cluster.install_chart(namespace, &[]).await;
    let name = objects.pod()["serviceAccountName"].as_str().unwrap();
    let account = cluster.service_account(namespace, name).await;
    let operator = OperatorSetup::of_chart(&account, &objects).start().await;
    place.apply_secrets().await;
    place.apply_example().await;

    // A Sync with a schedule is Ready while it waits for its first slot.
    place.kubectl(&["wait", "--for=condition=Ready", "sync/customers", "--timeout=60s"]).await;
    let line = place.line("customers").await;
    assert!(line.starts_with("customers True Scheduled 20"), "{line}");
    assert_eq!(place.emulator.workspace().people_count(), 0);

    place.kubectl(&["annotate", "sync/customers", "ciosync.dev/requestedAt=first"]).await;
    let echoed = "--for=jsonpath={.status.lastHandledReconcileAt}=first";
    place.kubectl(&["wait", echoed, "sync/customers", "--timeout=60s"]).await;
    let sync = cluster.object("Sync", namespace, "customers");
    let is_done = |sync: &Value| last_run(sync)["request"] == "first";
    let seen = sync.wait("the request's run", is_done).await;
    assert_eq!(last_run(&seen)["result"], "Succeeded", "{:#}", seen["status"]);
    let workspace = place.emulator.workspace();
    assert_eq!(workspace.attributes("1").unwrap()["plan"], "pro");
    assert_eq!(workspace.attributes("2").unwrap()["unsubscribed"], true);
    assert!(place.line("customers").await.starts_with("customers True Succeeded "));

    place.warehouse.execute("update marts.customers set plan = 'team' where user_id = 2").await;
    sync.patch(json!({"spec": {"schedule": null, "interval": "2s"}})).await.unwrap();
    let is_changed = |sync: &Value| last_run(sync)["changed"] == 1;
    let seen = sync.wait("the slot's run", is_changed).await;
    assert_eq!(last_run(&seen)["trigger"], "schedule");
    assert_eq!(workspace.attributes("2").unwrap()["plan"], "team");
    assert!(cluster.kstatus(&sync.get().await).await.starts_with("Current"));

    let shown = place.all_that_is_shown(&operator).await;
    assert!(shown.contains(&format!("<tr><td>{namespace}/customers<td class=\"True\">True")));
    for name in shown.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        assert!(name.starts_with("ciosync_"), "{name}");
    }
    let ended = operator.terminate().await.expect_code(0);
    for word in SECRET_WORDS.into_iter().chain([place.role.password.as_str()]) {
        assert!(!shown.contains(word), "{word} is shown in\n{shown}");
        assert!(!ended.stderr().contains(word), "{word} is logged\n{ended}");
    }
    for line in ended.stderr().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}"));
        assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
    }
    let lease = cluster.object("Lease", namespace, "ciosync").get().await;
    assert!(lease["spec"]["holderIdentity"].is_null(), "{lease:#}");
    expect_within_its_rights(cluster, &account.user());
}

/// The operator asked for nothing that the chart doesn't grant, and for Secrets by name alone.
fn expect_within_its_rights(cluster: &Cluster, user: &str) {
    for request in cluster.requests(user) {
        assert_ne!(request.code, Some(403), "{request:?}");
        if request.resource == "secrets" {
            assert_eq!(
                (request.verb.as_str(), request.name.is_empty()),
                ("get", false),
                "{request:?}"
            );
        }
    }
}
