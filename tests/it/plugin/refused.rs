//! What can't be meant, or isn't allowed, is said before anything is written.

use serde_json::{Value, json};

use super::World;
use crate::support::cli::{Ciosync, Workdir};

#[tokio::test]
async fn a_suspended_sync_runs_by_force_only() {
    let world = World::new().await;
    world.run(["suspend", "customers"]).await.expect_code(0);

    let refused = world.run(["run", "customers"]).await.expect_code(1);
    assert!(refused.stderr().contains("is suspended by"), "{refused}");
    assert!(refused.stderr().contains("--force"), "{refused}");
    assert_eq!(world.annotation("requestedAt").await, Value::Null);

    world.run(["run", "customers", "--force"]).await.expect_code(0);
    assert_eq!(world.sync().await["spec"]["suspend"], false);
    assert!(!world.annotation("requestedAt").await.is_null());
}

#[tokio::test]
async fn a_sync_whose_connection_is_suspended_cannot_be_forced() {
    let world = World::new().await;
    world
        .status(json!({"conditions": [{
            "type": "Suspended", "status": "True", "reason": "SuspendedByConnection",
            "message": "Resume the CustomerIoConnection production.",
            "lastTransitionTime": "2026-11-24T11:45:31Z",
        }]}))
        .await;

    let refused = world.run(["run", "customers", "--force"]).await.expect_code(1);

    assert!(refused.stderr().contains("Resume the CustomerIoConnection production."), "{refused}");
    assert_eq!(world.annotation("requestedAt").await, Value::Null);
}

#[tokio::test]
async fn there_must_be_something_to_approve_or_cancel() {
    let world = World::new().await;

    let approve = world.run(["approve", "customers", "--yes"]).await.expect_code(1);
    assert!(approve.stderr().contains("there is nothing to approve"), "{approve}");
    let cancel = world.run(["cancel", "customers"]).await.expect_code(1);
    assert!(cancel.stderr().contains("is in progress"), "{cancel}");

    let annotations = &world.sync().await["metadata"]["annotations"];
    assert_eq!(annotations, &Value::Null);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let world = World::without_sync().await;

    let sync = world.run(["run", "customers"]).await.expect_code(1);
    assert!(sync.stderr().contains(&format!("there is no Sync {}/customers", world.namespace)));
    assert!(sync.stderr().contains("kubectl get syncs"), "{sync}");

    let right = world.run(["run", "customers", "-n", "default"]).await.expect_code(1);
    assert!(right.stderr().contains("the API server forbids it"), "{right}");
    assert!(right.stderr().contains("get, list, watch and patch on syncs.ciosync.dev"), "{right}");

    let name = world.run(["run", "Customers"]).await.expect_code(2);
    assert!(name.stderr().contains("`Customers` is no name of a Sync"), "{name}");

    let context = world.run(["run", "customers", "--context", "nowhere"]).await.expect_code(2);
    assert!(context.stderr().contains("nowhere"), "{context}");
    assert!(context.stderr().contains("--kubeconfig or --context"), "{context}");
}

#[tokio::test]
async fn no_cluster_and_a_silent_one_are_told_apart() {
    let dir = Workdir::new();
    let run = |kubeconfig: &str| {
        Ciosync::new(dir.path())
            .args(["kubectl", "run", "customers", "--kubeconfig", kubeconfig])
            .run()
    };

    let none = run("missing").await.expect_code(2);
    assert!(none.stderr().contains("no cluster can be reached"), "{none}");

    dir.write(
        "silent",
        r#"{"apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
            "users": [{"name": "c", "user": {}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}]}"#,
    );
    let silent = run("silent").await.expect_code(1);
    assert!(
        silent.stderr().contains("the API server http://127.0.0.1:1/ can't be reached"),
        "{silent}"
    );
    assert!(silent.stderr().contains("refused"), "{silent}");
}

#[tokio::test]
async fn a_cluster_without_the_operator_says_so() {
    let world = World::without_sync().await;
    let cluster = crate::support::apiserver::Cluster::private_without_crds().await;

    let output = world
        .plugin(["run", "customers"])
        .env("KUBECONFIG", &cluster.kubeconfig().display().to_string())
        .run()
        .await
        .expect_code(1);

    assert!(output.stderr().contains("this cluster doesn't know the kind Sync"), "{output}");
    assert!(output.stderr().contains("install the operator's chart"), "{output}");
}
