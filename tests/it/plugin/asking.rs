//! What each command writes onto the Sync, and under which name.

use std::process::Command;

use serde_json::{Value, json};

use super::{World, run};

#[tokio::test]
async fn run_asks_with_a_token_that_is_new_each_time() {
    let world = World::new().await;

    let first = world.run(["run", "customers"]).await.expect_code(0);
    let token = world.annotation("requestedAt").await;
    assert!(first.stdout().contains(token.as_str().unwrap()), "{first}");
    assert_eq!(world.annotation("fullResyncAt").await, Value::Null);

    world.run(["run", "customers", "--full-resync"]).await.expect_code(0);
    let again = world.annotation("requestedAt").await;
    assert_ne!(again, token);
    assert_eq!(world.annotation("fullResyncAt").await, again);
}

#[tokio::test]
async fn suspend_notes_who_and_resume_takes_both_away() {
    let world = World::new().await;

    world.run(["suspend", "customers"]).await.expect_code(0);
    let by = world.annotation("suspendedBy").await;
    assert!(by.as_str().unwrap().starts_with(&format!("{} at 20", world.person.user())), "{by}");
    assert_eq!(world.sync().await["spec"]["suspend"], true);

    let again = world.run(["suspend", "customers"]).await.expect_code(0);
    assert!(
        again.stdout().contains(&format!("is suspended by {}", world.person.user())),
        "{again}"
    );
    assert_eq!(world.annotation("suspendedBy").await, by, "the first one counts");

    world.run(["resume", "customers"]).await.expect_code(0);
    assert_eq!(world.sync().await["spec"]["suspend"], false);
    assert_eq!(world.annotation("suspendedBy").await, Value::Null);

    let idle = world.run(["resume", "customers"]).await.expect_code(0);
    assert!(idle.stdout().contains("is not suspended"), "{idle}");
}

#[tokio::test]
async fn approve_shows_the_guard_and_writes_its_id() {
    let world = World::new().await;
    world
        .status(json!({"blocked": {
            "id": "R1", "since": "2026-11-24T10:00:00Z", "guard": "maxRemoved",
            "counts": {
                "rowsRead": 1200, "added": 3, "changed": 0, "removed": 64000, "invalid": 0,
                "rejected": 0,
            },
        }}))
        .await;

    // Nobody is there to answer.
    let unasked = world.run(["approve", "customers"]).await.expect_code(2);
    assert!(unasked.stderr().contains("add --yes"), "{unasked}");
    let other = world.run(["approve", "customers", "--yes", "--id", "R0"]).await.expect_code(1);
    assert!(other.stderr().contains("is not blocked by R0, but by R1"), "{other}");
    assert_eq!(world.annotation("approve").await, Value::Null);

    world.run(["suspend", "customers"]).await.expect_code(0);
    let suspended = world.run(["approve", "customers", "--yes"]).await.expect_code(1);
    assert!(suspended.stderr().contains("an approval would be ignored"), "{suspended}");
    assert_eq!(world.annotation("approve").await, Value::Null);
    world.run(["resume", "customers"]).await.expect_code(0);

    let approved = world.run(["approve", "customers", "--yes"]).await.expect_code(0);
    assert!(approved.stderr().contains("is blocked by maxRemoved since"), "{approved}");
    assert!(approved.stderr().contains("removed     64,000"), "{approved}");
    assert_eq!(world.annotation("approve").await, "R1");
}

#[tokio::test]
async fn cancel_names_the_run_in_progress() {
    let world = World::new().await;
    world.status(json!({"currentRun": {"id": "R7", "phase": "Reading"}})).await;

    world.run(["cancel", "customers"]).await.expect_code(0);

    assert_eq!(world.annotation("cancel").await, "R7");
}

#[tokio::test]
async fn history_prints_the_runs_newest_first() {
    let world = World::new().await;
    let none = world.run(["history", "customers"]).await.expect_code(0);
    assert!(none.stderr().contains("no run of"), "{none}");
    assert_eq!(none.stdout(), "");

    let mut blocked = run("R2", "b", "Blocked");
    blocked["reason"] = json!("GuardTripped");
    world.status(json!({"history": [blocked, run("R1", "a", "Succeeded")]})).await;

    let table = world.run(["history", "customers"]).await.expect_code(0);
    insta::assert_snapshot!(table.stdout(), @"
    RUN   TRIGGER   RESULT      STARTED                TOOK   ROWS    ADDED   CHANGED   REMOVED   DELIVERED   INVALID   REJECTED   REASON
    R2    request   Blocked     2026-11-24T11:45:00Z   31s    1,200   7       0         0         7           0         0          GuardTripped
    R1    request   Succeeded   2026-11-24T11:45:00Z   31s    1,200   7       0         0         7           0         0
    ");
    let listed = world.run(["history", "customers", "-o", "json"]).await.expect_code(0).json();
    assert_eq!(listed[0]["id"], "R2");
    assert_eq!(listed[1]["result"], "Succeeded");
}

#[tokio::test]
async fn edits_are_noted_under_a_name_of_their_own_and_are_of_nothing_else() {
    let world = World::new().await;
    world.run(["run", "customers"]).await.expect_code(0);
    world.run(["suspend", "customers"]).await.expect_code(0);

    let sync = world.sync().await;
    let managers = sync["metadata"]["managedFields"].as_array().unwrap();
    let ours = managers.iter().find(|one| one["manager"] == "kubectl-ciosync").unwrap();
    let names = |value: &Value| -> Vec<String> {
        let fields = value.as_object().unwrap().keys();
        fields.filter(|name| *name != ".").cloned().collect()
    };
    assert_eq!(
        names(&ours["fieldsV1"]["f:metadata"]["f:annotations"]),
        ["f:ciosync.dev/requestedAt", "f:ciosync.dev/suspendedBy"]
    );
    assert_eq!(names(&ours["fieldsV1"]["f:spec"]), ["f:suspend"]);
    assert_eq!(names(&ours["fieldsV1"]), ["f:metadata", "f:spec"]);
}

#[tokio::test]
async fn kubectl_finds_it_as_a_plugin_with_its_own_words() {
    let world = World::new().await;
    let plugin = world.dir.path().join("kubectl-ciosync");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ciosync"), plugin).unwrap();

    let kubectl = |args: &[&str]| {
        let output = Command::new(world.cluster.programs().join("kubectl"))
            .args(args)
            .env("KUBECONFIG", world.person.kubeconfig())
            .env("PATH", world.dir.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };

    let (code, out, err) = kubectl(&["ciosync", "suspend", "customers"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("customers is suspended"), "{out}");

    let (_, help, _) = kubectl(&["ciosync", "run", "--help"]);
    assert!(help.contains("Usage: kubectl ciosync run"), "{help}");
}

#[tokio::test]
async fn a_cleanup_is_approved_even_while_the_sync_is_suspended() {
    let world = World::new().await;
    world.run(["suspend", "customers"]).await.expect_code(0);
    let finalizer = json!({"metadata": {"finalizers": ["ciosync.dev/cleanup"]}});
    world.object().patch(finalizer).await.unwrap();
    world.object().delete().await;
    world
        .status(json!({"blocked": {
            "id": "cleanup", "since": "2026-11-24T10:00:00Z", "guard": "maxRemoved",
            "counts": {
                "rowsRead": 0, "added": 0, "changed": 0, "removed": 640, "invalid": 0,
                "rejected": 0,
            },
        }}))
        .await;

    world.run(["approve", "customers", "--yes"]).await.expect_code(0);
    assert_eq!(world.annotation("approve").await, "cleanup");

    let run = world.run(["run", "customers"]).await.expect_code(1);
    assert!(run.stderr().contains("is being deleted"), "{run}");
    world.object().patch(json!({"metadata": {"finalizers": null}})).await.unwrap();
}
