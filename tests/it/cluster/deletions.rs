//! What becomes of a Sync's rows when the Sync is deleted: nothing, or what it says, within limits.

use ciosync::emulator::Fault;
use serde_json::{Value, json};

use super::world::{World, condition};

/// More than a percent of a handful, so that guards mean something.
const ROWS: usize = 40;

const SPEC: &str = "behavior: mirror
  onRemove: delete
  model: {table: people, primaryKey: [id]}
  identifiers: {id: id}
  mappings: [{from: email}]";

async fn world() -> World {
    World::new(&format!(
        "create table people (id text primary key, email text);
         insert into people with recursive n(i) as (select 1 union all select i + 1 from n
            where i < {ROWS}) select 'p' || i, 'p' || i || '@example.com' from n;"
    ))
    .await
}

async fn told(world: &World, reason: &str) {
    let is_told = |events: &[Value]| events.iter().any(|event| event["reason"] == reason);
    world.cluster.wait_all("Event", &world.namespace, reason, is_told).await;
}

#[tokio::test]
async fn an_orphan_leaves_its_rows_and_goes_on_where_it_was_when_it_comes_back() {
    let world = world().await;
    let _operator = world.operator().await;
    world.sync("people", SPEC).await;
    let sync = world.ended("people", "Succeeded").await;
    assert!(sync["metadata"]["finalizers"].is_null());
    let accepted = world.workspace().stats().items_accepted;

    world.the("people").delete().await;
    world.the("people").gone().await;
    assert_eq!(world.workspace().people_count(), ROWS);

    world.sync("people", SPEC).await;
    let sync = world.ended("people", "NoChanges").await;
    world.judge(&sync);
    assert_eq!(world.workspace().stats().items_accepted, accepted);
}

#[tokio::test]
async fn a_clean_up_above_its_guard_waits_for_leave_and_then_removes_every_row() {
    let world = world().await;
    let _operator = world.operator().await;
    world.sync("people", &format!("{SPEC}\n  deletionPolicy: Delete")).await;
    world.ended("people", "Succeeded").await;

    world.the("people").delete().await;
    told(&world, "CleanupBlocked").await;
    let blocked = world.the("people").get().await;
    assert_eq!(condition(&blocked, "Ready")["reason"], "GuardTripped", "{:#}", blocked["status"]);
    assert_eq!(world.workspace().people_count(), ROWS);

    world.the("people").annotate("ciosync.dev/approve", "cleanup").await;
    world.the("people").gone().await;

    assert_eq!(world.workspace().people_count(), 0);
}

#[tokio::test]
async fn a_clean_up_needs_neither_the_source_nor_the_statement_that_its_sync_had() {
    let world = world().await;
    let _operator = world.operator().await;
    let queries = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "queries"},
        "data": {"people": "select id, email from people"},
    });
    world.cluster.apply(&world.namespace, &queries.to_string()).await.unwrap();
    let from = "{sqlFrom: {configMapKeyRef: {name: queries, key: people}}, primaryKey: [id]}";
    let spec = SPEC.replace("{table: people, primaryKey: [id]}", from);
    let unguarded = "deletionPolicy: Delete\n  guards: {maxRemoved: \"100%\"}";
    world.sync("people", &format!("{spec}\n  {unguarded}")).await;
    world.ended("people", "Succeeded").await;

    for (kind, name) in [("Source", "warehouse"), ("ConfigMap", "queries")] {
        let object = world.cluster.object(kind, &world.namespace, name);
        object.delete().await;
        object.gone().await;
    }
    world.the("people").delete().await;

    world.the("people").gone().await;
    assert_eq!(world.workspace().people_count(), 0);
}

#[tokio::test]
async fn rows_of_a_first_run_that_its_deletion_stopped_are_removed_too() {
    let mut world = world().await;
    world.sql("insert into people with recursive n(i) as (select 1 union all select i + 1 from n where i < 400)
        select 'q' || i, 'q' || i || '@example.com' from n;").await;
    let slowly = "limits: {itemBytes: 1024, batchBytes: 2048}
  rateLimit: {requestsPerSecond: 1000, burst: 3000, recordsPerSecond: 100000, maxInFlight: 1}";
    world.connection("production", slowly).await;
    world.emulator.faults().add(Fault::late(600).path("/api/v2/batch"));
    let _operator = world.operator().await;
    let unguarded = "deletionPolicy: Delete\n  guards: {maxRemoved: \"100%\"}";
    world.sync("people", &format!("{SPEC}\n  {unguarded}")).await;
    world.workspace().wait_for(|stats| stats.items_accepted > 0).await;

    world.the("people").delete().await;

    world.the("people").gone().await;
    let accepted = world.workspace().stats().items_accepted;
    assert!(accepted < 2 * 400, "{accepted}: the first run was not stopped");
    assert_eq!(world.workspace().people_count(), 0);
}

#[tokio::test]
async fn a_clean_up_without_its_connection_is_given_up_and_told_of() {
    let world = world().await;
    let _operator = world.operator().await;
    world.sync("people", &format!("{SPEC}\n  deletionPolicy: Delete")).await;
    world.ended("people", "Succeeded").await;

    let connection = world.cluster.object("CustomerIoConnection", &world.namespace, "production");
    connection.delete().await;
    connection.gone().await;
    world.the("people").delete().await;

    world.the("people").gone().await;
    told(&world, "CleanupAbandoned").await;
    assert_eq!(world.workspace().people_count(), ROWS);
}

#[tokio::test]
async fn the_escape_annotation_lets_a_sync_go_at_once() {
    let world = world().await;
    let _operator = world.operator().await;
    world.sync("people", &format!("{SPEC}\n  deletionPolicy: Delete")).await;
    world.ended("people", "Succeeded").await;
    world.the("people").delete().await;
    told(&world, "CleanupBlocked").await;

    world.the("people").annotate("ciosync.dev/skip-cleanup", "true").await;

    world.the("people").gone().await;
    assert_eq!(world.workspace().people_count(), ROWS);
}

#[tokio::test]
async fn a_namespace_that_ends_is_not_held_up_by_clean_ups() {
    let world = world().await;
    world.cluster.needs_controllers();
    // The operator lives elsewhere, or its own account would go first.
    let home = world.cluster.namespace().await;
    let account = world.cluster.service_account(&home, "operator").await;
    let mut world = world;
    world.account = account;
    world.grant(json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]})).await;
    let _operator = world.operator().await;
    world.sync("people", &format!("{SPEC}\n  deletionPolicy: Delete")).await;
    world.ended("people", "Succeeded").await;

    let namespace = world.cluster.object("Namespace", "", &world.namespace);
    namespace.delete().await;

    namespace.gone().await;
    assert_eq!(world.workspace().people_count(), ROWS);
}
