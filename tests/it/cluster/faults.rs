//! The API server goes away for a while, the definitions are missing, a right is missing.

use serde_json::Value;

use super::world::{World, last_run};
use crate::support::apiserver::Cluster;

const PEOPLE: &str = "create table people (id text primary key, email text);
    insert into people values ('1', 'ann@example.com');";

const SPEC: &str = "behavior: updateOrCreate
  model: {table: people, primaryKey: [id]}
  identifiers: {id: id}
  mappings: [{from: email}]
  interval: 2s";

#[tokio::test]
async fn the_operator_goes_on_after_the_api_server_was_gone() {
    let mut world = World::of(Cluster::private().await, PEOPLE).await;
    let mut operator = world.operator().await;
    world.sync("people", SPEC).await;
    world.ended("people", "Succeeded").await;

    world.cluster.stop().await;
    operator.wait_for_log("the watch broke").await;
    world.sql("insert into people values ('2', 'bob@example.com')").await;
    world.cluster.start().await;

    let is_caught_up = |sync: &Value| sync["status"]["snapshotRows"] == 2;
    let sync = world.the("people").wait("the new row", is_caught_up).await;
    world.judge(&sync);
    assert_eq!(world.workspace().people_count(), 2);
    assert!(last_run(&sync)["result"] != "Failed");
    assert_eq!(operator.terminate().await.code(), 0);
}

#[tokio::test]
async fn missing_definitions_are_waited_for_and_named() {
    let cluster = Cluster::private_without_crds().await;
    let namespace = cluster.namespace().await;
    let account = cluster.service_account(&namespace, "operator").await;
    cluster.grant(&account, super::world::rights()).await;
    let setup = crate::support::apiserver::operator::OperatorSetup::new(&account);
    let mut operator = setup.start_unready();

    let log = operator.wait_for_log("the definition").await;
    assert!(log.contains("syncs.ciosync.dev is missing"), "{log}");
    let (status, text) = operator.probe("readyz").await.unwrap();
    assert_eq!(status, 503);
    assert!(text.contains("apply what `ciosync crds` prints"), "{text}");
    assert_eq!(operator.probe("livez").await.unwrap().0, 200);

    // Older ones would drop, in silence, what they don't know.
    for (_, text) in ciosync::api::crds::crds() {
        let older =
            text.replace("ciosync.dev/schema-version: '1'", "ciosync.dev/schema-version: '0'");
        assert_ne!(older, text);
        cluster.apply("", &older).await.unwrap();
    }
    let log = operator.wait_for_log("is of schema version 0").await;
    assert!(
        log.contains("older than this operator's 1: apply what `ciosync crds` prints"),
        "{log}"
    );
    let (status, text) = operator.probe("readyz").await.unwrap();
    assert_eq!(status, 503);
    assert!(text.contains("is of schema version 0"), "{text}");

    cluster.install_crds().await;
    operator.ready().await;
    assert_eq!(operator.terminate().await.code(), 0);
}

#[tokio::test]
async fn a_missing_right_is_named_in_the_log() {
    let world = World::new(PEOPLE).await;
    let mut rules = super::world::rights();
    rules[0]["resources"] = serde_json::json!(["syncs", "sources"]);
    let stranger = world.cluster.service_account(&world.namespace, "stranger").await;
    world.cluster.grant(&stranger, rules).await;
    let setup = crate::support::apiserver::operator::OperatorSetup::new(&stranger);
    let flag = format!("--watch-namespaces={}", world.namespace);
    let mut operator = setup.flags([flag]).start_unready();

    let log = operator.wait_for_log("the watch broke").await;

    assert!(log.contains("customerioconnections"), "{log}");
    assert!(log.contains("cannot list resource"), "{log}");
    let (status, text) = operator.probe("readyz").await.unwrap();
    assert_eq!(status, 503);
    assert!(text.contains("[-] customerioconnections: the watch is broken"), "{text}");
    assert!(text.contains("[+] sources ok"), "{text}");
}
