//! What a Sync waits for: others that it depends on, and those above it that are suspended.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::world::{SPEC, World, condition, last_run};

const PEOPLE: &str = "create table people (id text primary key, email text);
    insert into people values ('1', 'ann@example.com');";

/// A Sync looks again by itself only after half a minute.
const BY_A_NUDGE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_sync_follows_the_ones_it_depends_on_without_being_asked() {
    let mut world = World::new(PEOPLE).await;
    let _operator = world.operator().await;
    world.sync("second", &format!("{SPEC}\n  interval: 1h\n  sharedAttributes: [email]\n  dependsOn: [{{name: first}}]")).await;
    let is_invalid = |sync: &Value| condition(sync, "Ready")["reason"] == "InvalidSpec";
    world.the("second").wait("InvalidSpec", is_invalid).await;
    world.sql("alter table people rename to persons").await;

    let began_at = Instant::now();
    world.sync("first", &format!("{SPEC}\n  interval: 1h\n  retry: {{limit: 0}}")).await;
    let failed = world.ended("first", "Failed").await;
    world.judge(&failed);
    assert!(last_run(&world.the("second").get().await).is_null(), "it runs after the first alone");
    world.sql("alter table persons rename to people").await;
    world.the("first").annotate("ciosync.dev/requestedAt", "again").await;

    let first = world.ended("first", "Succeeded").await;
    world.judge(&first);
    let second = world.ended("second", "Succeeded").await;
    world.judge(&second);
    assert!(last_run(&second)["startedAt"].as_str() >= last_run(&first)["finishedAt"].as_str());
    assert!(began_at.elapsed() < BY_A_NUDGE, "{:?}", began_at.elapsed());
}

#[tokio::test]
async fn what_is_above_a_sync_suspends_and_resumes_it() {
    let world = World::new(PEOPLE).await;
    let _operator = world.operator().await;
    world.sync("people", &format!("{SPEC}\n  interval: 1s")).await;
    world.ended("people", "NoChanges").await;

    for (kind, name, reason) in [
        ("CustomerIoConnection", "production", "SuspendedByConnection"),
        ("Source", "warehouse", "SuspendedBySource"),
    ] {
        let above = world.cluster.object(kind, &world.namespace, name);
        above.patch(json!({"spec": {"suspend": true}})).await.unwrap();
        let is_held = |sync: &Value| condition(sync, "Suspended")["reason"] == reason;
        let sync = world.the("people").wait(reason, is_held).await;
        assert_eq!(condition(&sync, "Ready")["status"], "True", "{:#}", sync["status"]);
        world.judge(&sync);
        world.judge(&above.get().await);

        above.patch(json!({"spec": {"suspend": false}})).await.unwrap();
        let run = last_run(&sync)["id"].clone();
        let goes_on =
            |sync: &Value| condition(sync, "Suspended").is_null() && last_run(sync)["id"] != run;
        world.the("people").wait("to go on", goes_on).await;
    }
}
