//! What Syncs of one connection share: its people's attributes, and its pace.

use std::time::Duration;

use ciosync::emulator::Fault;
use serde_json::{Value, json};

use super::world::{World, condition, last_run};

/// How often figures are looked at.
const POLL: Duration = Duration::from_millis(20);

const PEOPLE: &str = "create table people (id text primary key, email text, plan text);
    insert into people values ('1', 'ann@example.com', 'pro');";

const SPEC: &str = "behavior: updateOrCreate
  model: {table: people, primaryKey: [id]}
  identifiers: {id: id}";

async fn with_one_that_owns_plan() -> World {
    let world = World::new(PEOPLE).await;
    world.sync("customers", &format!("{SPEC}\n  mappings: [{{from: plan}}]")).await;
    world
}

const TRIALS: &str = "mappings: [{from: email}, {constant: trial, to: plan}]";

/// Applies the younger Sync, and waits until it is held back.
async fn held_back(world: &World) -> Value {
    world.ended("customers", "Succeeded").await;
    world.sync("trials", &format!("{SPEC}\n  {TRIALS}")).await;
    let is_held = |sync: &Value| condition(sync, "Ready")["reason"] == "AttributeConflict";
    let held = world.the("trials").wait("AttributeConflict", is_held).await;
    world.judge(&held);
    held
}

#[tokio::test]
async fn the_younger_of_two_that_write_one_attribute_waits_until_the_older_lets_go() {
    let world = with_one_that_owns_plan().await;
    let _operator = world.operator().await;
    let held = held_back(&world).await;

    let message = condition(&held, "Ready")["message"].as_str().unwrap();
    for word in
        ["`plan`", "/customers", "spec.mappings[1].to", "spec.mappings[0].from", "sharedAttributes"]
    {
        assert!(message.contains(word), "{word}: {message}");
    }
    assert_eq!(condition(&held, "Stalled")["status"], "True");
    assert!(last_run(&held).is_null(), "{:#}", held["status"]);
    let older = world.the("customers").get().await;
    assert_eq!(condition(&older, "Ready")["status"], "True");
    let attributes = world.workspace().attributes("1").unwrap();
    assert_eq!(attributes, json!({"id": "1", "plan": "pro"}));

    world.sync("customers", &format!("{SPEC}\n  mappings: [{{from: email, to: mail}}]")).await;

    let sync = world.ended("trials", "Succeeded").await;
    world.judge(&sync);
    assert_eq!(world.workspace().attributes("1").unwrap()["plan"], "trial");
}

#[tokio::test]
async fn who_is_held_back_runs_once_the_attribute_is_shared() {
    let world = with_one_that_owns_plan().await;
    let _operator = world.operator().await;
    held_back(&world).await;

    world.sync("trials", &format!("{SPEC}\n  {TRIALS}\n  sharedAttributes: [plan]")).await;

    let sync = world.ended("trials", "Succeeded").await;
    world.judge(&sync);
}

#[tokio::test]
async fn who_is_held_back_runs_once_the_older_is_gone() {
    let world = with_one_that_owns_plan().await;
    let _operator = world.operator().await;
    held_back(&world).await;

    world.the("customers").delete().await;

    let sync = world.ended("trials", "Succeeded").await;
    world.judge(&sync);
}

#[tokio::test]
async fn a_connection_says_until_when_it_was_told_to_go_slower_and_then_no_more() {
    let world = with_one_that_owns_plan().await;
    world.emulator.faults().add(Fault::throttle(Some(1)).times(1).path("/api/v2/batch"));
    let operator = world.operator().await;
    let connection = world.cluster.object("CustomerIoConnection", &world.namespace, "production");
    let series = |value: u8| {
        format!(
            "ciosync_connection_throttled{{namespace=\"{}\",name=\"production\"}} {value}",
            world.namespace
        )
    };

    let is_slow = |connection: &Value| connection["status"]["throttledUntil"].is_string();
    let slow = connection.wait("throttledUntil", is_slow).await;
    let figures = operator.probe("metrics").await.unwrap().1;
    world.judge(&slow);
    assert_eq!(condition(&slow, "Ready")["status"], "True");
    assert!(figures.contains(&series(1)), "{figures}");
    world.ended("customers", "Succeeded").await;

    let is_over = |connection: &Value| connection["status"]["throttledUntil"].is_null();
    connection.wait("the end of throttledUntil", is_over).await;
    while !operator.probe("metrics").await.unwrap().1.contains(&series(0)) {
        tokio::time::sleep(POLL).await; // sleep: figures don't announce that they change.
    }
}
