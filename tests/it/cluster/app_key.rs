//! The App API key of a connection: probed like the other credentials, and missed by name.

use ciosync::emulator::Fault;
use serde_json::{Value, json};

use super::world::{World, condition};

const PEOPLE: &str = "create table people (id text primary key);
    insert into people values ('1'), ('2');
    create table others (id text primary key);
    insert into others values ('8');";

const OTHERS: &str = "behavior: updateOrCreate
  model: {table: others, primaryKey: [id]}
  identifiers: {id: id}";

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
async fn a_segment_by_name_waits_for_an_app_api_key_that_is_accepted_and_other_syncs_do_not() {
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
    let refused = |it: &Value| says(it, "ProbeSucceeded", "`appApiKey`");
    let probed = connection.wait("the App API key to be refused", refused).await;
    assert!(!probed.to_string().contains("4711"), "{probed}");
    assert_eq!(condition(&probed, "Ready")["status"], "True", "the Track API is there");
    world.judge(&probed);
    let told = |sync: &Value| says(sync, "AuthenticationFailed", "`appApiKey`");
    let sync = world.the("vips").wait("a run that names the key", told).await;
    assert_eq!(condition(&sync, "Stalled")["status"], "True");
    world.sync("others", OTHERS).await;
    let others = world.ended("others", "Succeeded").await;
    assert_eq!(condition(&others, "Ready")["status"], "True", "{others}");

    app_secret(&world, "emulator-app-api-key").await;
    // An edit is looked at at once.
    let edited = format!("{KEY}\n  rateLimit: {{requestsPerSecond: 100}}");
    world.connection("production", &edited).await;
    let proven = |it: &Value| says(it, "ProbeSucceeded", "the last probe succeeded");
    connection.wait("the App API key to be accepted", proven).await;
    let sync = world.ended("vips", "PartiallySucceeded").await;

    // Nobody of these ids exists, so Customer.io passed them over.
    assert_eq!(sync["status"]["lastRun"]["rejected"], 2, "{sync}");
    assert_eq!(world.workspace().segments()[0].name, "VIP");
    world.judge(&sync);
}

#[tokio::test]
async fn a_segment_that_two_syncs_name_at_once_is_made_once() {
    let world = World::new(PEOPLE).await;
    app_secret(&world, "emulator-app-api-key").await;
    world.connection("production", KEY).await;
    // Whoever looks finds nothing for a while.
    world.emulator.faults().add(Fault::late(1_000).path("/v1/segments"));
    let spec = SEGMENT.replace("behavior: mirror", "behavior: updateOrCreate");
    let spec = spec.replace("\n  audit: {membership: true}", "");
    world.apply("Sync", "vips", &spec).await;
    world.apply("Sync", "more-vips", &spec.replace("people", "others")).await;

    let _operator = world.operator().await;

    for sync in ["vips", "more-vips"] {
        world.ended(sync, "Succeeded").await;
    }
    let segments = world.workspace().segments();
    let names: Vec<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
    assert_eq!(names, ["VIP"]);
}
