//! First runs that don't just send everything: baseline, review, and the emulator inside.

use serde_json::json;

use super::Laptop;

const TABLE: &str = "
create table people (id integer primary key, plan text);
insert into people values (1, 'gold'), (2, 'tin'), (3, 'tin');";

fn spec(initial_run: &str) -> String {
    format!(
        "model: {{table: people, primaryKey: [id]}}\nbehavior: mirror\nonRemove: delete\n\
         identifiers: {{id: id}}\nmappings: [{{from: plan}}]\ninitialRun: {initial_run}"
    )
}

#[tokio::test]
async fn a_baseline_adopts_every_row_and_sends_nothing_until_one_changes() {
    let mut laptop = Laptop::with_sync(TABLE, &spec("baseline")).await;
    for id in ["1", "2", "3", "4"] {
        laptop.identify_elsewhere(id, json!({"plan": "there before"})).await;
    }

    let first = laptop.run().await;
    assert_eq!(first.code(0).counts(), "unchanged 3");
    assert_eq!((first.requests, first.arrived), (1, 0));
    laptop.run().await.did_nothing();

    laptop
        .sql("update people set plan = 'silver' where id = 2; delete from people where id = 3")
        .await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "changed 1, removed 1, unchanged 1, delivered 2");
    assert_eq!(
        laptop.people(),
        json!({
            "1": {"id": "1", "plan": "there before"},
            "2": {"id": "2", "plan": "silver"},
            "4": {"id": "4", "plan": "there before"},
        })
    );
}

#[tokio::test]
async fn a_review_waits_for_a_person_and_then_sends_what_was_approved() {
    let laptop = Laptop::with_sync(TABLE, &spec("review")).await;

    let plan = laptop.plan().await;
    let blocked = laptop.run().await;
    let again = laptop.run().await;
    let id = blocked.code(4).only()["id"].as_str().unwrap();
    assert_eq!(plan.code(4).counts(), "added 3");
    assert!(again.code(4).only()["hint"].as_str().unwrap().contains(id), "{}", again.output);
    assert_eq!(laptop.workspace().people_count(), 0);

    let approved = laptop.run_with(&["--approve", id]).await;

    assert_eq!(approved.code(0).counts(), "added 3, delivered 3");
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn an_approval_outlives_a_run_that_fails() {
    let laptop = Laptop::with_sync(TABLE, &spec("review")).await;
    let blocked = laptop.run().await;
    let id = blocked.code(4).only()["id"].as_str().unwrap();
    let fault = ciosync::emulator::Fault::fail(401, ciosync::emulator::Body::Json).path("/api/v2");
    laptop.emulator.faults().add(fault);
    laptop.run_with(&["--approve", id]).await.code(1);

    laptop.emulator.faults().clear();

    assert_eq!(laptop.run().await.code(0).counts(), "added 3, delivered 3");
}

#[tokio::test]
async fn a_run_into_the_embedded_emulator_leaves_the_real_workspace_and_its_state_alone() {
    let laptop = Laptop::with_sync(TABLE, &spec("backfill")).await;

    for _ in 0..2 {
        let tried = laptop.run_with(&["--emulator"]).await;
        assert_eq!(tried.code(0).counts(), "added 3, delivered 3");
        assert_eq!(tried.requests, 0);
    }
    let real = laptop.run().await;

    assert_eq!(real.code(0).counts(), "added 3, delivered 3");
    let refused = laptop.run_with(&["--emulator", "--state", "sqlite:.ciosync/state.db"]).await;
    refused.code(1);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn another_workspace_behind_the_same_manifests_stops_the_run() {
    let mut laptop = Laptop::with_sync(TABLE, &spec("backfill")).await;
    laptop.run().await.code(0);

    let other = Laptop::with_sync(TABLE, &spec("backfill")).await;
    laptop.emulator = other.emulator;
    laptop.connection("");
    let (run, plan) = (laptop.run().await, laptop.plan().await);

    assert_eq!((run.code(1).reason(), run.arrived), ("StateMismatch", 0));
    assert_eq!(plan.code(1).reason(), "StateMismatch");
}
