//! What bad input gets: the reason and words that say what to do, and runs once it is mended.

use serde_json::{Value, json};

use super::world::{SPEC, World, condition, last_run};
use crate::support::apiserver::operator::OperatorSetup;

const PEOPLE: &str = "create table people (id text primary key, email text);
    insert into people values ('1', 'ann@example.com');";

fn ready_is(object: &Value, reason: &str) -> bool {
    condition(object, "Ready")["reason"] == reason
}

fn message(object: &Value) -> &str {
    condition(object, "Ready")["message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_sync_that_cannot_run_says_why_and_what_to_do() {
    let world = World::new(PEOPLE).await;
    let _operator = world.operator().await;
    let cases = [
        ("zone", "timeZone: Europe/Atlantis\n  interval: 1h", "InvalidTimeZone", "Atlantis"),
        ("cron", "schedule: \"61 * * * *\"", "InvalidSchedule", "61"),
        ("job", "execution: job", "InvalidSpec", "this version can't"),
        ("alone", "dependsOn: [{name: nobody}]", "InvalidSpec", "nobody"),
        ("circle-a", "dependsOn: [{name: circle-b}]", "InvalidSpec", "circle"),
        ("circle-b", "dependsOn: [{name: circle-a}]", "InvalidSpec", "circle"),
    ];

    for (name, more, ..) in cases {
        world.sync(name, &format!("{SPEC}\n  {more}")).await;
    }

    for (name, _, reason, words) in cases {
        let sync = world.the(name).wait(reason, |sync| ready_is(sync, reason)).await;
        assert!(message(&sync).contains(words), "{name}: {}", message(&sync));
        assert_eq!(condition(&sync, "Stalled")["status"], "True", "{name}");
        assert_eq!(sync["status"]["observedGeneration"], sync["metadata"]["generation"]);
        world.judge(&sync);
        assert!(world.cluster.kstatus(&sync).await.starts_with("Failed"), "{name}");
    }
    assert_eq!(world.workspace().people_count(), 0);
}

#[tokio::test]
async fn a_missing_reference_holds_a_sync_until_it_is_there() {
    let world = World::new(PEOPLE).await;
    let _operator = world.operator().await;
    let spec = format!(
        "sourceRef: {{name: later}}\n  connectionRef: {{name: production}}\n  entity: person\n  {SPEC}"
    );
    world.apply("Sync", "people", &spec).await;
    let sync = world.the("people").wait("RefNotFound", |sync| ready_is(sync, "RefNotFound")).await;
    assert!(message(&sync).contains("`later`"), "{}", message(&sync));
    world.judge(&sync);

    world.source("later", "sqlite: {path: warehouse.db}").await;

    let sync = world.ended("people", "Succeeded").await;
    world.judge(&sync);
    assert_eq!(world.workspace().people_count(), 1);
}

#[tokio::test]
async fn another_namespace_needs_leave_and_a_selector_looks_at_its_labels() {
    let world = World::new(PEOPLE).await;
    let other = world.cluster.namespace().await;
    let flag = format!("--watch-namespaces={other}");
    let _operator = world.setup().flags([flag]).start().await;
    let spec = format!(
        "sourceRef: {{name: warehouse, namespace: {0}}}\n  \
         connectionRef: {{name: production, namespace: {0}}}\n  entity: person\n  {SPEC}",
        world.namespace
    );
    let text = format!(
        "apiVersion: ciosync.dev/v1alpha1\nkind: Sync\nmetadata: {{name: people}}\nspec:\n  {spec}"
    );
    world.cluster.apply(&other, &text).await.unwrap();
    let sync = world.cluster.object("Sync", &other, "people");
    let refused = sync.wait("RefNotPermitted", |sync| ready_is(sync, "RefNotPermitted")).await;
    assert!(message(&refused).contains("allowedNamespaces"), "{}", message(&refused));
    world.judge(&refused);

    let label = json!({"metadata": {"labels": {"team": "growth"}}});
    world.cluster.object("Namespace", "", &other).patch(label).await.unwrap();
    let allowed = "{from: Selector, selector: {matchLabels: {team: growth}}}";
    world
        .source(
            "warehouse",
            &format!("sqlite: {{path: warehouse.db}}\n  allowedNamespaces: {allowed}"),
        )
        .await;
    world.connection("production", &format!("allowedNamespaces: {allowed}")).await;

    let sync = sync.wait("a run", |sync| last_run(sync)["result"] == "Succeeded").await;
    world.judge(&sync);
    assert_eq!(world.workspace().people_count(), 1);
}

#[tokio::test]
async fn the_operators_own_files_and_identity_are_lent_to_nobody_unless_it_was_told_so() {
    let world = World::new(PEOPLE).await;
    let flag = format!("--watch-namespaces={}", world.namespace);
    let _operator = OperatorSetup::new(&world.account).flags([flag]).start().await;
    world.source("identity", "bigquery: {project: p, workloadIdentity: {}}").await;

    for (name, words) in [("warehouse", "--local-sources"), ("identity", "own identity")] {
        let source = world.cluster.object("Source", &world.namespace, name);
        let source = source.wait("a verdict", |source| ready_is(source, "InvalidSpec")).await;
        assert!(message(&source).contains(words), "{}", message(&source));
        world.judge(&source);
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_named_with_the_command_that_makes_it() {
    let world = World::new(PEOPLE).await;
    let secret = world.cluster.object("Secret", &world.namespace, "customerio");
    secret.delete().await;
    secret.gone().await;
    let _operator = world.operator().await;

    let connection = world.cluster.object("CustomerIoConnection", &world.namespace, "production");
    let seen = connection.wait("SecretNotFound", |object| ready_is(object, "SecretNotFound")).await;

    assert!(message(&seen).contains("create secret generic customerio"), "{}", message(&seen));
    assert_eq!(condition(&seen, "ResolvedRefs")["status"], "False");
    world.judge(&seen);
}

#[tokio::test]
async fn files_of_the_operators_machine_are_refused_outside_of_its_folder() {
    let world = World::new(PEOPLE).await;
    let _operator = world.operator().await;

    world.source("passwd", "files: {url: /etc, format: csv}").await;

    let source = world.cluster.object("Source", &world.namespace, "passwd");
    let source = source.wait("a verdict", |source| ready_is(source, "InvalidSpec")).await;
    assert!(message(&source).contains("--local-sources"), "{}", message(&source));
    world.judge(&source);
}

#[tokio::test]
async fn a_secret_that_lacks_its_key_stalls_and_a_mended_one_works_at_once() {
    let world = World::new(PEOPLE).await;
    world.relabel_secret(json!({"api-key": null, "other": "x"})).await;
    let may_watch =
        json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "watch"]});
    world.grant(may_watch).await;
    let _operator = world.setup().flags(["--watch-secrets"]).start().await;
    world.sync("people", SPEC).await;
    let connection = world.cluster.object("CustomerIoConnection", &world.namespace, "production");
    let stalled = connection
        .wait("SecretKeyMissing", |connection| ready_is(connection, "SecretKeyMissing"))
        .await;
    assert!(message(&stalled).contains("other"), "{}", message(&stalled));
    world.judge(&stalled);
    let sync = world
        .the("people")
        .wait("ConnectionNotReady", |sync| ready_is(sync, "ConnectionNotReady"))
        .await;
    world.judge(&sync);

    world.relabel_secret(json!({"api-key": "emulator-api-key"})).await;

    let sync = world.ended("people", "Succeeded").await;
    world.judge(&sync);
    let connection = connection.get().await;
    world.judge(&connection);
    assert!(connection["status"]["workspaceId"].as_i64().is_some());
    assert_eq!(connection["status"]["region"], "us");
}

#[tokio::test]
async fn a_rotated_secret_works_from_the_next_run_on_and_is_told_of() {
    let world = World::new(PEOPLE).await;
    let _operator = world.operator().await;
    world.sync("people", SPEC).await;
    let before = world.ended("people", "Succeeded").await;

    world.secret("another-key").await;
    world.secret("emulator-api-key").await;
    world.the("people").annotate("ciosync.dev/requestedAt", "again").await;
    let after = world
        .the("people")
        .wait("the request's run", |sync| last_run(sync)["request"] == "again")
        .await;

    let versions = |sync: &Value| sync["status"]["observedSecretVersions"]["customerio"].clone();
    assert_ne!(versions(&before), versions(&after));
    let told = |events: &[Value]| events.iter().any(|event| event["reason"] == "SecretRotated");
    world.cluster.wait_all("Event", &world.namespace, "an event", told).await;
}
