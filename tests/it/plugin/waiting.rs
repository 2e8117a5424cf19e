//! `run --wait`: it ends when the run does, as the run did.

use serde_json::{Value, json};

use super::{World, run};
use crate::support::cli::Running;

/// Starts `run --wait` and returns when the request is on the Sync, with its token.
async fn asked(world: &World, args: &[&str]) -> (Running, String) {
    let words = [&["run", "customers", "--wait"], args].concat();
    let running = world.plugin(words).spawn();
    let is_asked =
        |sync: &Value| !sync["metadata"]["annotations"]["ciosync.dev/requestedAt"].is_null();
    let sync = world.object().wait("to be asked to run", is_asked).await;
    let token = sync["metadata"]["annotations"]["ciosync.dev/requestedAt"].clone();
    (running, token.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn it_ends_with_the_run_that_was_asked_for_and_not_with_another() {
    let world = World::new().await;
    let (mut running, token) = asked(&world, &[]).await;

    // A run by the schedule ends meanwhile.
    world.status(json!({"lastRun": run("R1", "another", "Failed")})).await;
    world
        .status(json!({
            "lastHandledReconcileAt": token,
            "currentRun": {
                "id": "R2", "request": token, "phase": "Delivering", "rowsRead": 1200,
                "delivered": 3, "total": 7,
            },
        }))
        .await;
    running.wait_for_stderr("run R2: Delivering, 1,200 rows read, 3 of 7 delivered").await;
    world.status(json!({"currentRun": null, "lastRun": run("R2", &token, "Succeeded")})).await;

    let output = running.wait().await.expect_code(0);
    assert!(output.stdout().contains("R2    request   Succeeded"), "{output}");
    assert!(!output.stdout().contains("R1"), "{output}");
}

#[tokio::test]
async fn its_exit_is_that_of_the_run() {
    for (result, code) in [("PartiallySucceeded", 3), ("Blocked", 4), ("Cancelled", 1)] {
        let world = World::new().await;
        let (running, token) = asked(&world, &["-o", "json"]).await;
        world
            .status(json!({
                "lastHandledReconcileAt": token, "lastRun": run("R1", &token, result),
            }))
            .await;

        let output = running.wait().await.expect_code(code);
        assert_eq!(output.json()["result"], result);
    }
}

#[tokio::test]
async fn what_the_run_failed_of_is_told() {
    let world = World::new().await;
    let (running, token) = asked(&world, &[]).await;
    let mut failed = run("R1", &token, "Failed");
    failed["reason"] = json!("InvalidQuery");
    world
        .status(json!({
            "lastHandledReconcileAt": token, "lastRun": failed,
            "conditions": [{
                "type": "Ready", "status": "False", "reason": "InvalidQuery",
                "message": "Mend the query: the column emial does not exist.",
                "lastTransitionTime": "2026-11-24T11:45:31Z",
            }],
        }))
        .await;

    let output = running.wait().await.expect_code(1);
    assert!(
        output.stderr().contains("Mend the query: the column emial does not exist."),
        "{output}"
    );
}

#[tokio::test]
async fn an_interrupted_run_is_waited_for_until_it_ran_again() {
    let world = World::new().await;
    let (mut running, token) = asked(&world, &[]).await;

    world
        .status(json!({
            "lastHandledReconcileAt": token, "lastRun": run("R1", &token, "Interrupted"),
        }))
        .await;
    running.wait_for_stderr("interrupted; the operator starts it again").await;
    world.status(json!({"lastRun": run("R2", &token, "NoChanges")})).await;

    let output = running.wait().await.expect_code(0);
    assert!(output.stdout().contains("R2    request   NoChanges"), "{output}");
}

#[tokio::test]
async fn a_request_that_starts_no_run_is_not_waited_for() {
    let world = World::new().await;
    let (running, token) = asked(&world, &[]).await;

    world.status(json!({"lastHandledReconcileAt": token})).await;

    let output = running.wait().await.expect_code(1);
    assert!(output.stderr().contains("has seen the request and started no run"), "{output}");
}

#[tokio::test]
async fn it_does_not_wait_for_ever() {
    let world = World::new().await;

    let args = ["run", "customers", "--wait", "--timeout", "300ms"];
    let output = world.run(args).await.expect_code(1);
    assert!(output.stderr().contains("the run has not ended within 300ms"), "{output}");
    assert!(!world.annotation("requestedAt").await.is_null(), "the request stands");

    let useless = world.run(["run", "customers", "--timeout", "5m"]).await.expect_code(2);
    assert!(useless.stderr().contains("--wait"), "{useless}");
}

#[tokio::test]
async fn the_end_of_the_waiting_is_not_the_end_of_the_run() {
    let world = World::new().await;
    let (mut running, token) = asked(&world, &[]).await;
    let current = json!({"id": "R1", "request": token, "phase": "Reading"});
    world.status(json!({"lastHandledReconcileAt": token, "currentRun": current})).await;
    running.wait_for_stderr("run R1: Reading").await;

    running.interrupt().await;

    let output = running.wait().await.expect_code(130);
    assert!(output.stderr().contains("the run goes on"), "{output}");
    assert_eq!(world.annotation("cancel").await, Value::Null);
}

#[tokio::test]
async fn a_sync_that_is_deleted_meanwhile_is_not_waited_for() {
    let world = World::new().await;
    let (running, _) = asked(&world, &[]).await;

    world.object().delete().await;

    let output = running.wait().await.expect_code(1);
    assert!(output.stderr().contains("there is no Sync"), "{output}");
}
