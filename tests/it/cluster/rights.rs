//! An operator that may not do what it must says so where people look, and goes on once it may.

use serde_json::{Value, json};

use super::world::{SPEC, World, condition, last_run, rights};

const PEOPLE: &str = "create table people (id text primary key, email text);
    insert into people values ('1', 'ann@example.com');";

/// Returns the operator's rights without those to a resource.
fn without(resource: &str) -> Value {
    let mut rules = rights();
    for rule in rules.as_array_mut().unwrap() {
        rule["resources"].as_array_mut().unwrap().retain(|one| one != resource);
    }
    rules.as_array_mut().unwrap().retain(|rule| rule["resources"] != json!([]));
    rules
}

#[tokio::test]
async fn a_status_that_may_not_be_written_is_named_and_the_work_begins_once_it_may() {
    let mut world = World::new(PEOPLE).await;
    // Rights that were granted are not known to be gone at once: so it is another account.
    world.account = world.cluster.service_account(&world.namespace, "stranger").await;
    world.cluster.grant(&world.account, without("syncs/status")).await;
    let mut operator = world.setup().start_unready();
    world.sync("people", SPEC).await;

    let lacking = format!(
        "the operator's account may not patch syncs.ciosync.dev/status in {}: install",
        world.namespace
    );
    operator.wait_for_log(&lacking).await;
    let (status, text) = operator.probe("readyz").await.unwrap();
    assert_eq!(status, 503);
    assert!(text.contains(&format!("[-] rights: {lacking}")), "{text}");
    assert_eq!(operator.probe("livez").await.unwrap().0, 200);
    assert_eq!(world.workspace().stats().requests_started, 0);

    world.cluster.grant(&world.account, rights()).await;

    operator.ready().await;
    world.judge(&world.ended("people", "Succeeded").await);
}

#[tokio::test]
async fn a_lease_that_may_not_be_kept_is_named() {
    let mut world = World::new(PEOPLE).await;
    world.account = world.cluster.service_account(&world.namespace, "stranger").await;
    world.cluster.grant(&world.account, without("leases")).await;
    let operator = world.setup().elected("only").start_unready();

    let mut operator = operator;
    let lacking =
        format!("may not get leases.coordination.k8s.io in {}, nor create", world.namespace);
    operator.wait_for_log(&lacking).await;
    assert!(operator.probe("readyz").await.unwrap().1.contains(&lacking));
}

#[tokio::test]
async fn rows_arrive_where_events_may_not_be_written() {
    let mut world = World::new(PEOPLE).await;
    world.account = world.cluster.service_account(&world.namespace, "stranger").await;
    world.cluster.grant(&world.account, without("events")).await;
    let mut operator = world.operator().await;

    world.sync("people", SPEC).await;

    let sync = world.ended("people", "Succeeded").await;
    world.judge(&sync);
    assert_eq!(condition(&sync, "Ready")["reason"], "Succeeded");
    let log = operator.wait_for_log("the event could not be published").await;
    assert!(log.contains("cannot create resource"), "{log}");
    world.the("people").annotate("ciosync.dev/requestedAt", "again").await;
    let is_done = |sync: &Value| last_run(sync)["request"] == "again";
    world.the("people").wait("the request's run", is_done).await;
}

#[tokio::test]
async fn a_secret_that_may_not_be_read_is_named_with_the_right_to_grant() {
    let mut world = World::new(PEOPLE).await;
    world.account = world.cluster.service_account(&world.namespace, "stranger").await;
    world.cluster.grant(&world.account, without("secrets")).await;
    let _operator = world.operator().await;

    let connection = world.cluster.object("CustomerIoConnection", &world.namespace, "production");
    let is_refused = |object: &Value| condition(object, "Ready")["reason"] == "SecretNotFound";
    let seen = connection.wait("SecretNotFound", is_refused).await;

    let message = condition(&seen, "Ready")["message"].as_str().unwrap().to_lowercase();
    assert!(message.contains("grant the operator's service account `get` on secrets"), "{message}");
    world.judge(&seen);
}
