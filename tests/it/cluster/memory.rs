//! What the operator remembers: it is lost loudly, forgotten on request, and taken over by a Sync of
//! another name.

use serde_json::{Value, json};

use super::world::{SPEC, World, condition, last_run};

const PEOPLE: &str = "create table people (id text primary key, email text);
    insert into people values ('1', 'ann@example.com'), ('2', 'bob@example.com');";

#[tokio::test]
async fn a_lost_state_is_not_sent_again_in_silence_but_only_once_it_was_asked_for() {
    let world = World::new(PEOPLE).await;
    let operator = world.operator().await;
    // So short that one failure pushes the success out.
    world.sync("people", &format!("{SPEC}\n  historyLimit: 1")).await;
    world.ended("people", "Succeeded").await;
    operator.terminate().await.expect_code(0);
    let accepted = world.workspace().stats().items_accepted;

    // Another setup has a folder of its own, and with it an empty state.
    let _operator = world.setup().start().await;
    world.the("people").annotate("ciosync.dev/requestedAt", "again").await;
    let is_lost = |sync: &Value| condition(sync, "Ready")["reason"] == "StateLost";
    let sync = world.the("people").wait("StateLost", is_lost).await;
    world.judge(&sync);
    assert_eq!(condition(&sync, "Stalled")["status"], "True");
    assert_eq!(world.workspace().stats().items_accepted, accepted);
    let is_told = |events: &[Value]| events.iter().any(|event| event["reason"] == "StateLost");
    world.cluster.wait_all("Event", &world.namespace, "an event", is_told).await;

    world.the("people").annotate("ciosync.dev/requestedAt", "once-more").await;
    let is_tried = |sync: &Value| last_run(sync)["request"] == "once-more";
    let sync = world.the("people").wait("another try", is_tried).await;
    assert_eq!(last_run(&sync)["reason"], "StateLost", "{:#}", sync["status"]);
    assert_eq!(world.workspace().stats().items_accepted, accepted);

    // Both in one edit: the run is of the status that the reset left.
    let both =
        json!({"ciosync.dev/resetState": "start-anew", "ciosync.dev/requestedAt": "and-run"});
    world.the("people").patch(json!({"metadata": {"annotations": both}})).await.unwrap();
    let is_done = |sync: &Value| last_run(sync)["request"] == "and-run";
    let sync = world.the("people").wait("the run after the reset", is_done).await;
    assert_eq!(sync["status"]["lastHandledReset"], "start-anew");
    assert_eq!(last_run(&sync)["delivered"], 2);
    world.judge(&sync);
}

#[tokio::test]
async fn to_send_every_row_again_is_a_way_out_of_a_lost_state() {
    let world = World::new(PEOPLE).await;
    let operator = world.operator().await;
    world.sync("people", SPEC).await;
    world.ended("people", "Succeeded").await;
    operator.terminate().await.expect_code(0);

    let _operator = world.setup().start().await;
    let every_row =
        json!({"ciosync.dev/fullResyncAt": "every-row", "ciosync.dev/requestedAt": "every-row"});
    world.the("people").patch(json!({"metadata": {"annotations": every_row}})).await.unwrap();

    let is_done = |sync: &Value| last_run(sync)["request"] == "every-row";
    let sync = world.the("people").wait("the run of every row", is_done).await;
    assert_eq!(last_run(&sync)["result"], "Succeeded", "{:#}", sync["status"]);
    assert_eq!(last_run(&sync)["delivered"], 2);
    world.judge(&sync);
}

#[tokio::test]
async fn a_renamed_sync_goes_on_where_the_old_one_was_once_that_is_gone() {
    let world = World::new(PEOPLE).await;
    let _operator = world.operator().await;
    world.sync("people", SPEC).await;
    world.ended("people", "Succeeded").await;
    let accepted = world.workspace().stats().items_accepted;

    world.sync("customers", &format!("{SPEC}\n  adoptStateFrom: {{name: people}}")).await;
    let is_refused = |sync: &Value| condition(sync, "Ready")["reason"] == "InvalidSpec";
    let sync = world.the("customers").wait("a refusal", is_refused).await;
    let message = condition(&sync, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("still there"), "{message}");
    world.judge(&sync);

    world.the("people").delete().await;
    world.the("people").gone().await;
    let sync = world.ended("customers", "NoChanges").await;
    assert_eq!(sync["status"]["snapshotRows"], 2);
    assert_eq!(world.workspace().stats().items_accepted, accepted);
    world.judge(&sync);
}
