//! What the operator stands on goes away for a while: its state, the API server, a warehouse.

use serde_json::{Value, json};

use super::relay::Relay;
use super::world::{SPEC, World, condition, last_run};
use crate::support::apiserver::Cluster;
use crate::support::postgres;
use crate::support::postgres::{Demand, Server};

const PEOPLE: &str = "create table people (id text primary key, email text);
    insert into people values ('1', 'ann@example.com');";

fn knows(rows: u64) -> impl Fn(&Value) -> bool {
    move |sync| sync["status"]["snapshotRows"] == json!(rows)
}

#[tokio::test]
async fn the_operator_goes_on_after_its_database_was_stopped_and_started() {
    let mut world = World::new(PEOPLE).await;
    let mut state = Server::private().await;
    let mut operator = world.setup().state(&state.admin_url()).start().await;
    world.sync("people", &format!("{SPEC}\n  interval: 1s\n  retry: {{minBackoff: 1s}}")).await;
    world.ended("people", "NoChanges").await;

    state.stop().await;
    operator.wait_for_log("the state store can't be asked").await;
    let (status, text) = operator.probe("readyz").await.unwrap();
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("[-] state: the state store postgres://127.0.0.1"), "{text}");
    assert!(!text.contains('@'), "credentials are shown: {text}");
    assert_eq!(operator.probe("livez").await.unwrap().0, 200);
    world.sql("insert into people values ('2', 'bob@example.com')").await;
    // A short outage wakes nobody.
    let sync = world.the("people").get().await;
    assert_eq!(condition(&sync, "Ready")["status"], "True", "{:#}", sync["status"]);
    state.start_again().await;

    let sync = world.the("people").wait("the new row", knows(2)).await;
    world.judge(&sync);
    operator.ready().await;
    assert_eq!(world.workspace().people_count(), 2);
    assert_eq!(world.workspace().stats().items_accepted, 2);
    assert_eq!(operator.terminate().await.code(), 0);
}

#[tokio::test]
async fn a_state_that_a_person_must_bring_back_shows_in_every_sync() {
    let world = World::new(PEOPLE).await;
    let state = postgres().await.database().await;
    let _operator = world.setup().state(&state.url()).start().await;
    world.sync("people", SPEC).await;
    world.ended("people", "Succeeded").await;

    state.execute("drop schema ciosync cascade").await;
    world.the("people").annotate("ciosync.dev/requestedAt", "in-vain").await;

    let is_lost = |sync: &Value| condition(sync, "Ready")["reason"] == "StateLost";
    let sync = world.the("people").wait("StateLost", is_lost).await;
    assert_eq!(condition(&sync, "Stalled")["status"], "True");
    // Nobody has seen the request: it waits.
    assert!(sync["status"]["lastHandledReconcileAt"].is_null());
    world.judge(&sync);
}

#[tokio::test]
async fn a_deleted_sync_goes_without_a_state_where_a_person_says_so() {
    let world = World::new(PEOPLE).await;
    let mut state = Server::private().await;
    let mut operator = world.setup().state(&state.admin_url()).start().await;
    let spec = SPEC.replace("updateOrCreate", "mirror\n  onRemove: delete");
    world.sync("people", &format!("{spec}\n  deletionPolicy: Delete")).await;
    world.ended("people", "Succeeded").await;
    state.stop().await;

    world.the("people").delete().await;
    operator.wait_for_log("is being deleted without the state store").await;
    assert!(world.the("people").find().await.is_some(), "its rows are not cleaned up yet");
    world.the("people").annotate("ciosync.dev/skip-cleanup", "true").await;

    world.the("people").gone().await;
}

#[tokio::test]
async fn a_leader_that_lost_the_api_server_ends_and_the_next_start_waits_for_it() {
    let mut world = World::of(Cluster::private().await, PEOPLE).await;
    let setup = world.setup().elected("only").flags(["--lease-duration=3s"]);
    let operator = setup.start().await;
    world.sync("people", &format!("{SPEC}\n  interval: 1s")).await;
    world.ended("people", "NoChanges").await;

    world.cluster.stop().await;
    // Another might lead by now. In a cluster the kubelet starts it again.
    let ended = operator.wait().await;
    assert_eq!(ended.code(), 1, "{ended}");
    let mut operator = setup.start_unready();
    operator.wait_for_log("the operator waits").await;
    assert_eq!(operator.probe("readyz").await.unwrap().0, 503);
    world.sql("insert into people values ('2', 'bob@example.com')").await;
    world.cluster.start().await;

    operator.ready().await;
    let sync = world.the("people").wait("the new row", knows(2)).await;
    world.judge(&sync);
    assert_eq!(world.workspace().stats().items_accepted, 2);
    assert_eq!(operator.terminate().await.code(), 0);
}

#[tokio::test]
async fn a_blip_of_the_network_stops_no_healthy_sync_and_a_long_fault_shows() {
    let world = World::new(PEOPLE).await;
    let warehouse = postgres().await.database().await;
    warehouse.execute(PEOPLE).await;
    let reader = warehouse.role(Demand::Password, &["select on table people"]).await;
    let wire = Relay::to(warehouse.port).await;
    world
        .cluster
        .apply(
            &world.namespace,
            &json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "reader"},
                "stringData": {"password": reader.password},
            })
            .to_string(),
        )
        .await
        .unwrap();
    world.source("remote", &format!(
        "postgres: {{host: 127.0.0.1, port: {}, database: {}, user: {}, tls: {{mode: disable}}, \
         password: {{secretKeyRef: {{name: reader, key: password}}}}}}\n  probeInterval: 4s",
        wire.port, warehouse.name, reader.user
    )).await;
    let _operator = world.operator().await;
    let spec = format!(
        "connectionRef: {{name: production}}\n  sourceRef: {{name: remote}}\n  \
        entity: person\n  interval: 1h\n  {SPEC}"
    );
    world.apply("Sync", "people", &spec).await;
    world.ended("people", "Succeeded").await;
    let source = world.cluster.object("Source", &world.namespace, "remote");

    wire.cut();
    let is_retried = |source: &Value| !condition(source, "Reconciling").is_null();
    let seen = source.wait("a failed probe", is_retried).await;
    assert_eq!(condition(&seen, "Ready")["status"], "True", "{:#}", seen["status"]);
    world.judge(&seen);
    let sync = world.the("people").get().await;
    assert_eq!(condition(&sync, "Ready")["status"], "True", "{:#}", sync["status"]);

    let is_broken = |source: &Value| condition(source, "Ready")["reason"] == "ConnectionFailed";
    world.judge(&source.wait("ConnectionFailed", is_broken).await);
    let is_held = |sync: &Value| condition(sync, "Ready")["reason"] == "SourceNotReady";
    let sync = world.the("people").wait("SourceNotReady", is_held).await;
    assert_eq!(condition(&sync, "Reconciling")["reason"], "ProgressingWithRetry");
    world.judge(&sync);

    wire.mend();
    let is_well = |sync: &Value| condition(sync, "Ready")["status"] == "True";
    let sync = world.the("people").wait("to be Ready again", is_well).await;
    world.judge(&sync);
    assert_eq!(last_run(&sync)["result"], "Succeeded", "nothing had failed: {:#}", sync["status"]);
}
