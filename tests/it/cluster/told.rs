//! What people are told: events on transitions, each with its own words.

use serde_json::Value;

use super::world::{World, condition, last_run};

const ROWS: &str = "create table people (id text primary key, email text);
    insert into people with recursive n(i) as (select 1 union all select i + 1 from n
        where i < 40) select 'p' || i, 'p' || i || '@example.com' from n;";

const MIRROR: &str = "behavior: mirror
  onRemove: delete
  model: {table: people, primaryKey: [id]}
  identifiers: {id: id}
  mappings: [{from: email}]";

async fn asked(world: &World, token: &str) -> Value {
    world.the("people").annotate("ciosync.dev/requestedAt", token).await;
    let is_done = |sync: &Value| last_run(sync)["request"] == token;
    world.the("people").wait(token, is_done).await
}

/// Returns the notes of all events of a reason, once there are so many.
async fn notes(world: &World, reason: &str, count: usize) -> Vec<String> {
    let of = |events: &[Value]| -> Vec<String> {
        let meant = events.iter().filter(|event| event["reason"] == reason);
        meant.map(|event| event["note"].as_str().unwrap().to_owned()).collect()
    };
    let events =
        world.cluster.wait_all("Event", &world.namespace, reason, |it| of(it).len() >= count);
    of(&events.await)
}

#[tokio::test]
async fn a_guard_that_trips_is_told_once_and_passes_with_approval() {
    let mut world = World::new(ROWS).await;
    let _operator = world.operator().await;
    world.sync("people", MIRROR).await;
    world.ended("people", "Succeeded").await;
    world.sql("delete from people where id > 'p2'").await;
    let left = 40 - world.workspace().people_count();
    assert_eq!(left, 0);

    let blocked = asked(&world, "first").await;
    assert_eq!(last_run(&blocked)["result"], "Blocked", "{:#}", blocked["status"]);
    assert_eq!(condition(&blocked, "Ready")["reason"], "GuardTripped");
    world.judge(&blocked);
    asked(&world, "second").await;
    assert_eq!(notes(&world, "GuardTripped", 1).await.len(), 1);
    let id = blocked["status"]["blocked"]["id"].as_str().unwrap();

    world.the("people").annotate("ciosync.dev/approve", id).await;

    let sync = world.ended("people", "Succeeded").await;
    assert_eq!(sync["status"]["lastHandledApproval"], id);
    assert!(sync["status"]["blocked"].is_null(), "{:#}", sync["status"]);
    world.judge(&sync);
    notes(&world, "Approved", 1).await;
    notes(&world, "RunRecovered", 1).await;
    assert!(world.workspace().people_count() < 40);
}

#[tokio::test]
async fn two_failures_are_told_in_their_own_words() {
    let mut world = World::new(ROWS).await;
    let _operator = world.operator().await;
    world
        .sync("people", &MIRROR.replace("{table: people", "{sql: \"select id, email from people\""))
        .await;
    world.ended("people", "Succeeded").await;
    notes(&world, "RunSucceeded", 1).await;

    world.sql("alter table people rename to persons").await;
    let failed = asked(&world, "first").await;
    assert_eq!(last_run(&failed)["result"], "Failed", "{:#}", failed["status"]);
    world.judge(&failed);
    notes(&world, "RunFailed", 1).await;
    world
        .sql("alter table persons rename to people; alter table people rename email to mail")
        .await;
    let failed = asked(&world, "second").await;
    assert_eq!(last_run(&failed)["result"], "Failed", "{:#}", failed["status"]);

    world.sql("alter table people rename mail to email").await;
    let sync = asked(&world, "third").await;
    world.judge(&sync);
    notes(&world, "RunRecovered", 1).await;
    let told = notes(&world, "RunFailed", 1).await;
    assert!(told.iter().all(|note| !note.contains("@example.com")), "{told:?}");
}

#[tokio::test]
async fn an_old_token_in_git_asks_for_nothing_but_a_run() {
    let world = World::new(ROWS).await;
    let _operator = world.operator().await;
    let text = format!(
        "apiVersion: ciosync.dev/v1alpha1\nkind: Sync\nmetadata:\n  name: people\n  annotations: \
         {{ciosync.dev/resetState: old, ciosync.dev/approve: old, ciosync.dev/requestedAt: old}}\n\
         spec:\n  sourceRef: {{name: warehouse}}\n  connectionRef: {{name: production}}\n  \
         entity: person\n  schedule: \"0 0 1 1 *\"\n  {MIRROR}"
    );
    world.cluster.apply(&world.namespace, &text).await.unwrap();

    let is_done = |sync: &Value| last_run(sync)["request"] == "old";
    let sync = world.the("people").wait("the request's run", is_done).await;

    assert_eq!(sync["status"]["lastHandledReset"], "old");
    assert_eq!(sync["status"]["lastHandledApproval"], "old");
    assert_eq!(sync["status"]["snapshotRows"], 40);
    assert_eq!(last_run(&sync)["result"], "Succeeded");
    world.judge(&sync);
    let events = world.cluster.events(&world.namespace).await;
    assert!(!events.iter().any(|event| event.starts_with("Approved")), "{events:?}");
}
