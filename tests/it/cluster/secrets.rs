//! Secrets are read by name when they are needed; with the chart's watch a rotated one acts at once,
//! and however many there are, the operator holds none of them.

use serde_json::{Value, json};

use super::world::{SPEC, World, condition, last_run};

const PEOPLE: &str = "create table people (id text primary key, email text);
    insert into people values ('1', 'ann@example.com');";

/// Secrets of others, with the label, and the size of each.
const OTHERS: usize = 60;
const OTHERS_BYTES: usize = 700 << 10;

/// A world whose operator has the rights that the chart gives with `secrets.watch=true`.
async fn watching() -> World {
    let mut world = World::new(PEOPLE).await;
    let watched = format!("watchNamespaces={{{}}}", world.namespace);
    let values = [watched.as_str(), "secrets.watch=true"];
    world.account = world.cluster.operator_account(&world.namespace, &values).await;
    world
}

#[tokio::test]
async fn a_rotated_secret_that_is_watched_is_tried_at_once() {
    let world = watching().await;
    let _operator = world.setup().flags(["--watch-secrets"]).start().await;
    world.sync("people", SPEC).await;
    world.ended("people", "Succeeded").await;
    // Not labelled yet: the probe doesn't hear of it, the run fails.
    world.secret("a-wrong-key").await;
    world.the("people").annotate("ciosync.dev/requestedAt", "fails").await;
    let is_stalled = |sync: &Value| condition(sync, "Ready")["reason"] == "AuthenticationFailed";
    let sync = world.the("people").wait("AuthenticationFailed", is_stalled).await;
    world.judge(&sync);

    let rotated_at = std::time::Instant::now();
    world.relabel_secret(json!({"api-key": "emulator-api-key"})).await;

    let is_tried = |sync: &Value| last_run(sync)["trigger"] == "referenceChange";
    let sync = world.the("people").wait("a run with the new key", is_tried).await;
    assert_eq!(condition(&sync, "Ready")["status"], "True", "{:#}", sync["status"]);
    world.judge(&sync);
    assert!(rotated_at.elapsed().as_secs() < 20, "{:?}", rotated_at.elapsed());
}

#[tokio::test]
async fn memory_does_not_grow_with_the_secrets_of_a_cluster() {
    let world = watching().await;
    let setup = world.setup().flags(["--watch-secrets"]);
    let operator = setup.start().await;
    let before = operator.memory_max();
    assert_eq!(operator.terminate().await.code(), 0);
    for number in 0..OTHERS {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": format!("other-{number}"), "labels": {"ciosync.dev/watch": "true"}},
            "stringData": {"text": "x".repeat(OTHERS_BYTES)},
        });
        world.cluster.create(&world.namespace, &secret).await.unwrap();
    }

    let operator = setup.start().await;

    let after = operator.memory_max();
    let grown = after.zip(before).map(|(after, before)| after.saturating_sub(before));
    assert!(grown.is_none_or(|bytes| bytes < 15 << 20), "{before:?} became {after:?}");
    let listed = world.cluster.requests(&world.account.user());
    assert!(listed.iter().any(|one| one.resource == "secrets" && one.verb == "watch"));
}
