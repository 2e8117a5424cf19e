//! Runs that end before their end: interrupted, killed, out of time. What was accepted is
//! remembered, and the next run goes on.

use ciosync::emulator::{Body, Fault};

use super::Laptop;

const ROWS: u64 = 100;

/// Small batches, one at a time, so that a run is long enough to be in its middle.
const SLOW: &str = "limits: {itemBytes: 1000, batchBytes: 2000}\nrateLimit: {maxInFlight: 1}";

fn spec(more: &str) -> String {
    format!(
        "model: {{table: people, primaryKey: [id]}}\nbehavior: mirror\nonRemove: delete\n\
         identifiers: {{id: id}}\nmappings: [{{from: plan}}]\n{more}"
    )
}

async fn laptop() -> Laptop {
    let table = format!(
        "create table people (id integer primary key, plan text);
         insert into people with recursive n(id) as (select 1 union all select id + 1 from n
             where id < {ROWS}) select id, 'tin' from n;"
    );
    let laptop = Laptop::with_sync(&table, &spec("")).await;
    laptop.connection(SLOW);
    laptop
}

#[tokio::test]
async fn ctrl_c_commits_what_is_in_flight_and_the_next_run_sends_the_rest() {
    let laptop = laptop().await;
    // The look at the account, one batch, and a second one that takes its time.
    laptop.emulator.faults().add(Fault::late(1_500).at(3));

    let running = laptop.start();
    laptop.workspace().wait_for(|stats| stats.requests_started == 3).await;
    running.interrupt().await;
    let output = running.wait().await.expect_code(130);

    let report = &output.json()[0];
    let arrived = laptop.workspace().stats().items_accepted;
    assert_eq!(report["result"], "Interrupted", "{output}");
    assert_eq!(report["delivered"], arrived, "{output}");
    assert_eq!(laptop.workspace().stats().requests_started, 3);

    let next = laptop.run().await;
    assert_eq!(next.code(0).arrived, ROWS - arrived);
    assert_eq!(laptop.workspace().people_count() as u64, ROWS);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn ctrl_c_ends_a_throttled_run_while_it_waits_for_its_turn() {
    let laptop = laptop().await;
    laptop.connection(
        &SLOW.replace("maxInFlight: 1", "maxInFlight: 1, requestsPerSecond: 1, burst: 1"),
    );

    let running = laptop.start();
    laptop.workspace().wait_for(|stats| stats.batches == 1).await;
    running.interrupt().await;
    let output = running.wait().await.expect_code(130);

    let arrived = laptop.workspace().stats().items_accepted;
    assert_eq!(output.json()[0]["delivered"], arrived, "{output}");
    assert!(arrived < ROWS);
    laptop.connection("");
    assert_eq!(laptop.run().await.code(0).arrived, ROWS - arrived);
}

#[tokio::test]
async fn ctrl_c_skips_the_syncs_that_were_still_to_come() {
    let laptop = laptop().await;
    laptop.sync("second", &spec("dependsOn: [{name: people}]"));
    laptop.emulator.faults().add(Fault::late(1_000).at(2));

    let running = laptop.start();
    laptop.workspace().wait_for(|stats| stats.requests_started == 2).await;
    running.interrupt().await;
    let output = running.wait().await.expect_code(130);

    assert_eq!(output.json()[1]["skipped"]["result"], "Skipped", "{output}");
}

#[tokio::test]
async fn a_killed_run_is_gone_on_with_at_once_and_repeats_at_most_what_was_in_flight() {
    let laptop = laptop().await;
    laptop.emulator.faults().add(Fault::hang().after_acceptance().at(4));

    let running = laptop.start();
    laptop.workspace().wait_for(|stats| stats.requests_started == 4).await;
    let people_before = laptop.workspace().people_count() as u64;
    assert!(running.kill().await.was_killed());

    let next = laptop.run().await;

    let repeated = people_before + next.code(0).arrived - ROWS;
    let batch = people_before.div_ceil(3);
    assert!(repeated <= batch + 1, "{repeated} of {batch}");
    assert_eq!(laptop.workspace().people_count() as u64, ROWS);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_failed_delivery_leaves_what_was_accepted_and_the_next_run_goes_on() {
    let laptop = laptop().await;
    laptop.emulator.faults().add(Fault::fail(401, Body::Json).at(4));

    let failed = laptop.run().await;
    assert_eq!((failed.code(1).result(), failed.reason()), ("Failed", "AuthenticationFailed"));
    assert!(failed.arrived > 0 && failed.arrived < ROWS);

    let next = laptop.run().await;
    assert_eq!(next.code(0).arrived, ROWS - failed.arrived);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn an_interrupted_first_run_is_still_the_first_and_removes_nobody() {
    let mut laptop = laptop().await;
    laptop.emulator.faults().add(Fault::fail(401, Body::Json).at(4));
    laptop.run().await.code(1);
    let arrived = laptop.workspace().people_count();

    laptop.sql("delete from people where id = 1").await;
    let second = laptop.run().await;
    assert_eq!(second.code(0).only()["removed"], 0);
    assert!(arrived > 0 && laptop.workspace().person("1").is_some());

    let third = laptop.run().await;
    assert_eq!(third.code(0).counts(), format!("removed 1, unchanged {}, delivered 1", ROWS - 1));
}

#[tokio::test]
async fn a_run_ends_at_its_timeout_whatever_it_waits_for() {
    let mut laptop = laptop().await;
    laptop.sync("people", &spec("timeout: 1s"));
    laptop.emulator.faults().add(Fault::fail(503, Body::Html).path("/api/v2"));
    let unanswered = laptop.run().await;
    assert_eq!((unanswered.code(1).result(), unanswered.arrived), ("Failed", 0));

    laptop.emulator.faults().clear();
    laptop.sql("create view endless as with recursive n(id) as (select 1 union all select id + 1 from n) select id, 'x' as plan from n").await;
    laptop.sync("people", &spec("timeout: 1s").replace("table: people", "table: endless"));
    let endless = laptop.run().await;
    assert_eq!((endless.code(1).reason(), endless.arrived), ("Timeout", 0));

    laptop.sync("people", &spec(""));
    assert_eq!(laptop.run().await.code(0).arrived, ROWS);
}
