//! Files that can't be meant: refused by every command before anything is opened, with the line.

use super::world::World;

const COMMANDS: [&str; 3] = ["validate -f sync", "run -f sync", "plan -f sync"];

async fn complaint(file: &str, from: &str, to: &str) -> String {
    let world = World::new().await;
    world.edit(file, from, to);

    let told = world.unopened(&COMMANDS).await;

    world.edit(file, to, from);
    world.delivers(1..=30).await;
    told
}

#[tokio::test]
async fn yaml_that_cant_be_read() {
    insta::assert_snapshot!(
        complaint("sync.yaml", "{name: customers}", "{name: \"customers}").await,
        @r"
        error: sync/sync.yaml:21:1: the YAML can't be read: found unexpected end of stream while scanning a quoted scalar that begins on line 3
        1 error; nothing was opened
        "
    );
    insta::assert_snapshot!(
        complaint("sync.yaml", "{id: user_id}", "{id: user_id").await,
        @r"
        error: sync/sync.yaml:16:11: the YAML can't be read: did not find expected ',' or '}' while parsing a flow mapping that begins on line 15
        1 error; nothing was opened
        "
    );
    insta::assert_snapshot!(
        complaint("source.yaml", "  sqlite:", "\tsqlite:").await,
        @r"
        error: sync/source.yaml:5:1: the YAML can't be read: found character that cannot start any token
          a tab can't indent: use spaces
        1 error; nothing was opened
        "
    );
}

#[tokio::test]
async fn an_unknown_field() {
    insta::assert_snapshot!(complaint("sync.yaml", "onRemove:", "onRemoved:").await, @r"
        error: sync/sync.yaml:4: Sync default/customers: spec.onRemove: mirror needs onRemove, what happens in Customer.io to a row that left the source: delete, clear, or suppress (person)
        error: sync/sync.yaml:14: Sync default/customers: spec.onRemoved: there is no field `onRemoved`
          did you mean `onRemove`?
        2 errors; nothing was opened
        ");
}

#[tokio::test]
async fn two_sources_of_one_name() {
    let world = World::new().await;
    let source = world.dir.read("sync/source.yaml");
    world.write("other/source.yaml", &source);

    insta::assert_snapshot!(world.unopened(&COMMANDS).await, @r"
        error: sync/source.yaml:3: Source default/warehouse: metadata.name: it is already defined at sync/other/source.yaml:1
          give one of the two another name, or take it away
        1 error; nothing was opened
        ");

    world.write("other/source.yaml", "");
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn a_reference_to_nothing() {
    insta::assert_snapshot!(
        complaint("sync.yaml", "sourceRef: {name: warehouse}", "sourceRef: {name: warehuose}").await,
        @r"
        error: sync/sync.yaml:5: Sync default/customers: spec.sourceRef.name: there is no Source default/warehuose
          did you mean `warehouse`?
        1 error; nothing was opened
        "
    );
    insta::assert_snapshot!(
        complaint("sync.yaml", "connectionRef: {name: production}", "connectionRef: {name: eu}")
            .await,
        @r"
        error: sync/sync.yaml:6: Sync default/customers: spec.connectionRef.name: there is no CustomerIoConnection default/eu
          there is production
        1 error; nothing was opened
        "
    );
}

#[tokio::test]
async fn other_tools_words_are_answered_with_ours() {
    for (word, ours) in [
        ("upsert", "updateOrCreate"),
        ("insert", "updateOrCreate"),
        ("update", "updateOnly"),
        ("send", "append"),
    ] {
        let to = format!("behavior: {word}");
        let told = complaint("sync.yaml", "behavior: mirror", &to).await;

        assert!(told.contains("sync/sync.yaml:13: "), "{told}");
        assert!(told.contains(&format!("{word} is called ")), "{told}");
        assert!(told.contains(&format!("`behavior: {ours}`")), "{told}");
    }
}

#[tokio::test]
async fn a_schedule_and_an_interval() {
    insta::assert_snapshot!(
        complaint("sync.yaml", "  timeout: 60s", "  schedule: 0 3 * * *\n  interval: 15m").await,
        @r"
        error: sync/sync.yaml:21: Sync default/customers: spec.interval: set at most one of schedule and interval; with neither, the Sync runs when its spec changes and on request
        1 error; nothing was opened
        "
    );
}

#[tokio::test]
async fn all_complaints_come_at_once() {
    let world = World::new().await;
    world.edit("sync.yaml", "entity: person", "entity: persn");
    world.edit("source.yaml", "sqlite:", "sqlight:");
    world.edit("connection.yaml", "name: customerio, key: api-key", "key: api-key");

    insta::assert_snapshot!(world.unopened(&COMMANDS).await, @r"
        error: sync/connection.yaml:6: CustomerIoConnection default/production: spec.apiKey.secretKeyRef: the field `name` is missing
          name of the Secret, in the namespace of this object
        error: sync/source.yaml:4: Source default/warehouse: spec: a Source has exactly one of the blocks postgres, redshift, bigquery, snowflake, databricks, googleSheets, rockset, sqlite and files
        error: sync/source.yaml:5: Source default/warehouse: spec.sqlight: there is no field `sqlight`
          did you mean `sqlite`?
        error: sync/sync.yaml:12: Sync default/customers: spec.entity: `persn` is not one of person, device, event, object, relationship, segmentMembership and collection
          did you mean `person`?
        error: sync/sync.yaml:14: Sync default/customers: spec.onRemove: onRemove is for `behavior: mirror` on person and object only
        5 errors; nothing was opened
        ");
}

#[tokio::test]
async fn a_place_without_manifests() {
    let world = World::new().await;
    world.dir.write("empty/readme.md", "no YAML");

    let empty = ["validate -f empty", "run -f empty", "plan -f empty"];
    insta::assert_snapshot!(world.unopened(&empty).await, @r"
        error: empty: the folder holds no *.yaml or *.yml file
        1 error; nothing was opened
        ");
    let missing = ["validate -f nowhere", "run -f nowhere", "plan -f nowhere"];
    insta::assert_snapshot!(world.unopened(&missing).await, @r"
        error: nowhere: there is no such file or folder
        1 error; nothing was opened
        ");
}
