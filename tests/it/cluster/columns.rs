//! `kubectl get` prints the columns that the documentation promises, and what stands in them.

use ciosync::api::Kind;
use serde_json::{Value, json};

use crate::rules::cases::resource;
use crate::support::apiserver::Cluster;
use crate::support::cluster;

/// Kinds, what kubectl calls them, their columns, and those that `-o wide` adds.
const COLUMNS: [(Kind, &str, &str, &str); 3] = [
    (
        Kind::Sync,
        "syncs",
        "NAME,READY,STATUS,LAST SUCCESS,NEXT,SUSPENDED,AGE",
        "SOURCE,CONNECTION,ENTITY,BEHAVIOR,SCHEDULE,ROWS,ADDED,CHANGED,REMOVED,INVALID,REJECTED,MESSAGE",
    ),
    (Kind::Source, "sources.ciosync.dev", "NAME,READY,STATUS,TYPE,AGE", "LAST-PROBE,MESSAGE"),
    (
        Kind::CustomerIoConnection,
        "customerioconnections",
        "NAME,READY,STATUS,REGION,WORKSPACE,AGE",
        "RATE,THROTTLED,MESSAGE",
    ),
];
/// After now for as long as anybody runs this.
const FUTURE: &str = "2090-11-23T18:45:00Z";

/// Columns are apart by three spaces or more; a name may hold one.
fn cells(line: &str) -> Vec<&str> {
    line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

#[tokio::test]
async fn kubectl_prints_the_promised_columns_and_no_others() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;

    for (kind, word, narrow, wide) in COLUMNS {
        cluster.create(&namespace, &resource(kind, &json!({}))).await.unwrap();
        let get = async |output: &[&str]| {
            let args = [&["get", word, "-n", &namespace][..], output].concat();
            let printed = cluster.kubectl(&args).await.unwrap();
            cells(printed.lines().next().unwrap()).join(",")
        };

        assert_eq!(get(&[]).await, narrow);
        assert_eq!(get(&["-o", "wide"]).await, format!("{narrow},{wide}"));
    }
}

async fn with_status(cluster: &Cluster, namespace: &str, kind: Kind, status: Value) {
    let spec = json!({});
    let spec = if kind == Kind::Sync { json!({"schedule": "*/15 * * * *"}) } else { spec };
    cluster.create(namespace, &resource(kind, &spec)).await.unwrap();
    let object = cluster.object(kind.as_str(), namespace, "customers");
    let written = object.patch_status(status.clone()).await.unwrap();
    // What the schema doesn't know is dropped without an error.
    assert_eq!(written["status"], status, "{kind:?}");
}

fn conditions() -> Value {
    let condition = |kind: &str, status: &str, reason: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": format!("about {kind}"),
            "lastTransitionTime": "2026-11-23T18:00:00Z", "observedGeneration": 1,
        })
    };
    json!([
        condition("Suspended", "True", "SuspendedBySpec"),
        condition("Ready", "False", "GuardTripped"),
        condition("Stalled", "True", "GuardTripped"),
    ])
}

#[tokio::test]
async fn the_columns_of_a_sync_show_its_status() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    let status = json!({
        "observedGeneration": 1,
        "conditions": conditions(),
        "lastSuccessfulTime": "2026-11-23T18:00:00Z",
        "nextScheduleTime": FUTURE,
        "lastRun": {
            "id": "01K0000000000000000000000A", "trigger": "Schedule",
            "startedAt": "2026-11-23T18:00:00Z", "finishedAt": "2026-11-23T18:00:09Z",
            "result": "Blocked", "rowsRead": 10, "added": 1, "changed": 2, "removed": 3,
            "unchanged": 4, "refreshed": 0, "kept": 0, "delivered": 6, "invalid": 5, "rejected": 7,
            "retried": 0, "requests": 1,
        },
    });
    with_status(&cluster, &namespace, Kind::Sync, status).await;

    let table = cluster.table("syncs", &namespace).await;

    for (column, expected) in [
        ("Ready", json!("False")),
        ("Status", json!("GuardTripped")),
        // A future time would print as `<invalid>` in a column of dates.
        ("Next", json!(FUTURE)),
        ("Suspended", json!("True")),
        ("Source", json!("warehouse")),
        ("Connection", json!("production")),
        ("Entity", json!("person")),
        ("Behavior", json!("updateOrCreate")),
        ("Schedule", json!("*/15 * * * *")),
        ("Rows", json!(10)),
        ("Added", json!(1)),
        ("Changed", json!(2)),
        ("Removed", json!(3)),
        ("Invalid", json!(5)),
        ("Rejected", json!(7)),
        ("Message", json!("about Ready")),
    ] {
        assert_eq!(table.cell("customers", column), &expected, "{column}");
    }
    // The age of the last success, not its date.
    assert!(table.cell("customers", "Last Success").as_str().unwrap().len() < 8);
}

#[tokio::test]
async fn an_interval_stands_in_the_column_of_schedules() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    let sync = resource(Kind::Sync, &json!({"interval": "15m"}));
    cluster.create(&namespace, &sync).await.unwrap();

    let table = cluster.table("syncs", &namespace).await;

    assert_eq!(table.cell("customers", "Schedule"), "15m");
}

#[tokio::test]
async fn the_columns_of_sources_and_connections_show_their_status() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    let probed = "2026-11-23T18:00:00Z";
    let source = json!({
        "observedGeneration": 1, "conditions": conditions(), "type": "sqlite", "lastProbeTime": probed,
    });
    with_status(&cluster, &namespace, Kind::Source, source).await;
    let connection = json!({
        "observedGeneration": 1, "conditions": conditions(), "region": "eu", "workspaceId": 12345,
        "lastProbeTime": probed, "throttledUntil": FUTURE,
    });
    with_status(&cluster, &namespace, Kind::CustomerIoConnection, connection).await;

    let sources = cluster.table("sources", &namespace).await;
    let connections = cluster.table("customerioconnections", &namespace).await;

    assert_eq!(sources.cell("customers", "Type"), "sqlite");
    assert_eq!(sources.cell("customers", "Message"), "about Ready");
    assert!(sources.cell("customers", "Last-Probe").as_str().unwrap().len() < 8);
    assert_eq!(connections.cell("customers", "Region"), "eu");
    assert_eq!(connections.cell("customers", "Workspace"), 12345);
    assert_eq!(connections.cell("customers", "Rate"), 150);
    assert_eq!(connections.cell("customers", "Throttled"), FUTURE);
    assert_eq!(connections.cell("customers", "Message"), "about Ready");
}
