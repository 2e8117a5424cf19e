//! Runs that are stopped: by a person, by a suspension, by a deletion, by the end of the operator.

use std::time::{Duration, Instant};

use ciosync::emulator::Fault;
use serde_json::{Value, json};

use super::world::{SPEC, World, condition, last_run};

/// So many that a run of small batches has many of them.
const ROWS: i64 = 3_000;

/// Batches of some 20 rows, one after the other.
const SLOWLY: &str = "limits: {itemBytes: 1024, batchBytes: 2048}
  rateLimit: {requestsPerSecond: 1000, burst: 3000, recordsPerSecond: 100000, maxInFlight: 1}";

const BATCHES: &str = "/api/v2/batch";

/// A world in whose workspace each batch takes its time.
async fn slow_world() -> World {
    let world = World::new(&format!(
        "create table people (id text primary key, email text);
         insert into people with recursive n(i) as (select 1 union all select i + 1 from n
            where i < {ROWS}) select 'p' || i, 'p' || i || '@example.com' from n;"
    ))
    .await;
    world.connection("production", SLOWLY).await;
    world.emulator.faults().add(Fault::late(40).path(BATCHES));
    world
}

/// Waits until a run has delivered something.
async fn under_way(world: &World) {
    world.workspace().wait_for(|stats| stats.items_accepted > 0).await;
}

/// Lets the workspace answer at once again, and waits until everybody arrived.
async fn everybody_arrives(world: &World) {
    world.emulator.faults().clear();
    let sync = world.ended("people", "Succeeded").await;
    world.judge(&sync);
    assert_eq!(world.workspace().people_count(), usize::try_from(ROWS).unwrap());
}

fn current_run(sync: &Value) -> &Value {
    &sync["status"]["currentRun"]
}

#[tokio::test]
async fn sigterm_commits_what_is_in_flight_and_the_next_start_goes_on_without_sending_it_again() {
    let world = slow_world().await;
    let setup = world.setup();
    let operator = setup.start().await;
    world.sync("people", SPEC).await;
    under_way(&world).await;

    let asked_at = Instant::now();
    let ended = operator.terminate().await;

    assert_eq!(ended.code(), 0, "{ended}");
    assert!(asked_at.elapsed() < Duration::from_secs(20), "{:?}", asked_at.elapsed());
    let sync = world.the("people").get().await;
    assert_eq!(last_run(&sync)["result"], "Interrupted", "{:#}", sync["status"]);
    assert_eq!(current_run(&sync), &Value::Null);
    world.judge(&sync);
    let delivered = last_run(&sync)["delivered"].as_i64().unwrap();
    assert!(delivered > 0 && delivered < ROWS, "{delivered}");

    let _operator = setup.start().await;
    everybody_arrives(&world).await;
    assert_eq!(world.workspace().stats().items_accepted, u64::try_from(ROWS).unwrap());
}

#[tokio::test]
async fn sigterm_in_the_middle_of_a_run_gives_the_lease_back_too() {
    let world = slow_world().await;
    let operator = world.setup().elected("only").start().await;
    world.sync("people", SPEC).await;
    under_way(&world).await;

    let asked_at = Instant::now();
    let ended = operator.terminate().await;

    assert_eq!(ended.code(), 0, "{ended}");
    assert!(asked_at.elapsed() < Duration::from_secs(20), "{:?}", asked_at.elapsed());
    let lease = world.cluster.object("Lease", &world.namespace, "ciosync").get().await;
    assert!(lease["spec"]["holderIdentity"].is_null(), "{lease:#}");
    let sync = world.the("people").get().await;
    assert_eq!(last_run(&sync)["result"], "Interrupted", "{:#}", sync["status"]);
    let accepted = world.workspace().stats().items_accepted;
    assert_eq!(
        last_run(&sync)["delivered"],
        json!(accepted),
        "all that was accepted is remembered"
    );
}

#[tokio::test]
async fn a_changed_spec_stops_the_run_and_the_next_one_goes_by_it() {
    let mut world = slow_world().await;
    let _operator = world.operator().await;
    world.sql("alter table people add column plan text default 'free'").await;
    world.sync("people", SPEC).await;
    under_way(&world).await;

    world.sync("people", &SPEC.replace("{from: email}", "{from: email}, {from: plan}")).await;
    let is_stopped = |sync: &Value| last_run(sync)["result"] == "Interrupted";
    let sync = world.the("people").wait("the run to stop", is_stopped).await;
    world.judge(&sync);
    assert!(last_run(&sync)["delivered"].as_i64().unwrap() < ROWS);

    everybody_arrives_with(&world, "plan").await;
}

/// As [`everybody_arrives`], and everybody has this attribute.
async fn everybody_arrives_with(world: &World, attribute: &str) {
    everybody_arrives(world).await;
    let people = world.workspace().people();
    assert!(people.iter().all(|person| person.attributes[attribute] == "free"));
}

#[tokio::test]
async fn a_killed_operator_loses_nobody_and_sends_again_only_what_was_in_flight() {
    let world = slow_world().await;
    let setup = world.setup();
    let operator = setup.start().await;
    world.sync("people", SPEC).await;
    under_way(&world).await;
    operator.kill().await;

    let _operator = setup.start().await;
    everybody_arrives(&world).await;

    let sent_twice = world.workspace().stats().items_accepted - u64::try_from(ROWS).unwrap();
    assert!(sent_twice <= 25, "{sent_twice} rows were sent twice, and one batch was on its way");
}

#[tokio::test]
async fn a_cancelled_run_stops_at_its_next_batch_and_leaves_ready_as_it_was() {
    let world = slow_world().await;
    let _operator = world.operator().await;
    world.sync("people", &format!("{SPEC}\n  interval: 1h")).await;
    under_way(&world).await;
    let running = world.the("people").wait("a run", |sync| !current_run(sync).is_null()).await;
    let ready = condition(&running, "Ready").clone();

    let run = current_run(&running)["id"].as_str().unwrap().to_owned();
    world.the("people").annotate("ciosync.dev/cancel", &run).await;
    let sync = world.ended("people", "Cancelled").await;

    assert_eq!(sync["status"]["lastHandledCancel"], json!(run));
    assert_eq!(condition(&sync, "Ready")["status"], ready["status"]);
    world.judge(&sync);
    assert!(last_run(&sync)["delivered"].as_i64().unwrap() < ROWS);
}

#[tokio::test]
async fn a_suspended_sync_stops_shows_it_and_goes_on_when_it_is_resumed() {
    let world = slow_world().await;
    let _operator = world.operator().await;
    world.sync("people", &format!("{SPEC}\n  interval: 1s")).await;
    under_way(&world).await;

    world.the("people").patch(json!({"spec": {"suspend": true}})).await.unwrap();
    let is_suspended = |sync: &Value| {
        condition(sync, "Suspended")["reason"] == "SuspendedBySpec" && current_run(sync).is_null()
    };
    let sync = world.the("people").wait("to be suspended", is_suspended).await;
    world.judge(&sync);
    assert_eq!(last_run(&sync)["result"], "Cancelled");
    let accepted = world.workspace().stats().items_accepted;

    told(&world, "Suspended").await;

    world.the("people").annotate("ciosync.dev/requestedAt", "in-vain").await;
    let is_echoed = |sync: &Value| sync["status"]["lastHandledReconcileAt"] == "in-vain";
    world.the("people").wait("an echo", is_echoed).await;
    assert_eq!(world.workspace().stats().items_accepted, accepted);

    world.the("people").patch(json!({"spec": {"suspend": false}})).await.unwrap();
    everybody_arrives(&world).await;
    told(&world, "Resumed").await;
}

/// Waits for an event.
async fn told(world: &World, reason: &str) {
    let is_told = |events: &[Value]| events.iter().any(|event| event["reason"] == reason);
    world.cluster.wait_all("Event", &world.namespace, reason, is_told).await;
}

#[tokio::test]
async fn a_sync_that_is_deleted_in_the_middle_of_its_run_sends_nothing_more() {
    let world = slow_world().await;
    let mut operator = world.operator().await;
    world.sync("people", SPEC).await;
    under_way(&world).await;

    world.the("people").delete().await;
    world.the("people").gone().await;
    operator.wait_for_log("run ended").await;

    let accepted = world.workspace().stats().items_accepted;
    assert!(accepted < u64::try_from(ROWS).unwrap());
    world.sync("people", SPEC).await;
    everybody_arrives(&world).await;
}

#[tokio::test]
async fn an_operator_whose_sync_was_deleted_in_the_middle_of_its_run_still_ends_at_once() {
    let world = slow_world().await;
    let mut operator = world.operator().await;
    world.sync("people", SPEC).await;
    under_way(&world).await;
    world.the("people").delete().await;
    operator.wait_for_log("run ended").await;

    let asked_at = Instant::now();
    let ended = operator.terminate().await;

    assert_eq!(ended.code(), 0, "{ended}");
    assert!(asked_at.elapsed() < Duration::from_secs(10), "{:?}", asked_at.elapsed());
    assert!(!ended.stderr().contains("did not end in time"), "{ended}");
}

#[tokio::test]
async fn a_sync_that_is_made_anew_while_its_old_run_lets_go_has_a_first_run_of_its_own() {
    let world = slow_world().await;
    let _operator = world.operator().await;
    world.sync("people", SPEC).await;
    under_way(&world).await;
    // The old run waits for an answer while the new Sync is looked at.
    world.emulator.faults().clear();
    let held = Fault::late(2_000).path(BATCHES);
    world.emulator.faults().add(held);
    let old = world.the("people").get().await["metadata"]["uid"].clone();

    world.the("people").delete().await;
    world.sync("people", SPEC).await;

    let sync = world.the("people").wait("its run", |sync| !current_run(sync).is_null()).await;
    assert_ne!(sync["metadata"]["uid"], old);
    everybody_arrives(&world).await;
}
