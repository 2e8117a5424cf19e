//! Syncs that run themselves: from nothing to rows in the workspace, on slots, on request.

use std::time::Duration;

use serde_json::json;

use super::world::{World, condition, last_run};

/// How often figures are looked at.
const POLL: Duration = Duration::from_millis(20);

const PEOPLE: &str = "create table people (id text primary key, email text, plan text);
    insert into people values ('1', 'ann@example.com', 'pro'), ('2', 'bob@example.com', 'free');";

const SPEC: &str = "behavior: updateOrCreate
  model: {table: people, primaryKey: [id]}
  identifiers: {id: id}
  mappings: [{from: email}, {from: plan}]";

#[tokio::test]
async fn a_new_sync_runs_at_once_and_a_changed_row_is_delivered_on_the_next_slot() {
    let mut world = World::new(PEOPLE).await;
    let operator = world.operator().await;

    world.sync("people", &format!("{SPEC}\n  interval: 2s")).await;
    let sync = world.ended("people", "Succeeded").await;

    assert_eq!(last_run(&sync)["delivered"], 2);
    assert_eq!(last_run(&sync)["trigger"], "initial");
    assert_eq!(condition(&sync, "Ready")["status"], "True");
    assert_eq!(condition(&sync, "Ready")["reason"], "Succeeded");
    assert_eq!(sync["status"]["snapshotRows"], 2);
    assert_eq!(world.workspace().attributes("1").unwrap()["plan"], "pro");
    assert_eq!(world.workspace().people_count(), 2);

    world.sql("update people set plan = 'team' where id = '2'").await;
    let is_changed = |sync: &serde_json::Value| last_run(sync)["changed"] == 1;
    let sync = world.the("people").wait("a run with the change", is_changed).await;

    assert_eq!(last_run(&sync)["trigger"], "schedule");
    assert_eq!(world.workspace().attributes("2").unwrap()["plan"], "team");
    let ended = operator.terminate().await;
    assert_eq!(ended.code(), 0, "{ended}");
}

#[tokio::test]
async fn a_request_runs_at_once_and_its_token_is_echoed_and_carried_to_the_end() {
    let mut world = World::new(PEOPLE).await;
    let _operator = world.operator().await;
    world.sync("people", &format!("{SPEC}\n  interval: 1h")).await;
    world.ended("people", "Succeeded").await;
    world.sql("insert into people values ('3', 'eve@example.com', 'free')").await;

    world.the("people").annotate("ciosync.dev/requestedAt", "now-please").await;
    let is_done = |sync: &serde_json::Value| last_run(sync)["request"] == "now-please";
    let sync = world.the("people").wait("the request's run", is_done).await;

    assert_eq!(sync["status"]["lastHandledReconcileAt"], "now-please");
    assert_eq!(last_run(&sync)["trigger"], "request");
    assert_eq!(last_run(&sync)["added"], 1);
    assert_eq!(world.workspace().people_count(), 3);
}

#[tokio::test]
async fn a_run_costs_few_writes_and_an_idle_sync_none() {
    let world = World::new(PEOPLE).await;
    let operator = world.operator().await;
    world.sync("people", &format!("{SPEC}\n  interval: 1h")).await;
    world.ended("people", "Succeeded").await;
    let user = world.account.user();
    let first = world.cluster.writes(&user, "syncs/status");

    for number in 0..3 {
        let token = format!("again-{number}");
        world.the("people").annotate("ciosync.dev/requestedAt", &token).await;
        let is_done = |sync: &serde_json::Value| last_run(sync)["request"] == json!(token);
        world.the("people").wait("the request's run", is_done).await;
    }
    let later = world.cluster.writes(&user, "syncs/status");

    assert!(first <= 4, "{first} writes for the first run");
    assert!(later - first <= 6, "{} writes for three runs", later - first);
    let (_, figures) = operator.probe("metrics").await.unwrap();
    let series =
        format!("ciosync_sync_ready{{namespace=\"{}\",name=\"people\"}} 1", world.namespace);
    assert!(figures.contains(&series), "{figures}");
    world.the("people").delete().await;
    world.the("people").gone().await;
    while operator.probe("metrics").await.unwrap().1.contains("name=\"people\"") {
        tokio::time::sleep(POLL).await; // sleep: figures don't announce that they change.
    }
}
