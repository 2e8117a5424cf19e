//! The App API key of a connection: probed like the other credentials, and missed by name.

use serde_json::{Value, json};

use super::world::{World, condition};

const PEOPLE: &str = "create table people (id text primary key);
    insert into people values ('1'), ('2');";

const SEGMENT: &str = "sourceRef: {name: warehouse}
  connectionRef: {name: production}
  entity: segmentMembership
  behavior: mirror
  model: {table: people, primaryKey: [id]}
  identifiers: {id: id}
  segment: {name: VIP}
  audit: {membership: true}";

const KEY: &str = "appApiKey: {secretKeyRef: {name: customerio-app, key: key}}";

fn says(object: &Value, reason: &str, words: &str) -> bool {
    let ready = condition(object, "Ready");
    ready["reason"] == reason && ready["message"].as_str().is_some_and(|it| it.contains(words))
}

async fn app_secret(world: &World, key: &str) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "customerio-app"},
        "stringData": {"key": key},
    });
    world.cluster.apply(&world.namespace, &secret.to_string()).await.unwrap();
}

#[tokio::test]
async fn a_segment_by_name_waits_for_an_app_api_key_that_is_accepted() {
    let world = World::new(PEOPLE).await;
    let _operator = world.operator().await;
    world.apply("Sync", "vips", SEGMENT).await;

    let needs_key = "spec.appApiKey to the connection, or name the segment by its id";
    let told = |sync: &Value| says(sync, "SegmentNotFound", needs_key);
    let sync = world.the("vips").wait(needs_key, told).await;
    assert_eq!(condition(&sync, "Stalled")["status"], "True");
    world.judge(&sync);

    app_secret(&world, "wrong-key-4711").await;
    world.connection("production", KEY).await;
    let connection = world.cluster.object("CustomerIoConnection", &world.namespace, "production");
    let refused = |it: &Value| says(it, "AuthenticationFailed", "`appApiKey`");
    let probed = connection.wait("the App API key to be refused", refused).await;
    assert!(!probed.to_string().contains("4711"), "{probed}");

    app_secret(&world, "emulator-app-api-key").await;
    // An edit is looked at at once.
    let edited = format!("{KEY}\n  rateLimit: {{requestsPerSecond: 100}}");
    world.connection("production", &edited).await;
    connection.wait("to be Ready", |it| condition(it, "Ready")["status"] == "True").await;
    let sync = world.ended("vips", "PartiallySucceeded").await;

    // Nobody of these ids exists, so Customer.io passed them over.
    assert_eq!(sync["status"]["lastRun"]["rejected"], 2, "{sync}");
    assert_eq!(world.workspace().segments()[0].name, "VIP");
    world.judge(&sync);
}
