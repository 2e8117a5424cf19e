//! What the resources can say and this version can't do: refused with those words.

use super::world::World;

const COMMANDS: [&str; 3] = ["validate -f sync", "run -f sync", "plan -f sync"];

#[tokio::test]
async fn an_entity() {
    let world = World::new().await;
    world.edit("sync.yaml", "entity: person", "entity: collection");
    world.edit("sync.yaml", "behavior: mirror\n  onRemove: delete", "behavior: mirror");
    world.edit("sync.yaml", "  identifiers: {id: user_id}", "  collection: {name: Coupons}");

    insta::assert_snapshot!(world.unopened(&COMMANDS).await, @r"
        error: sync/sync.yaml:12: Sync default/customers: spec.entity: this version can't deliver `entity: collection` yet
        error: sync/sync.yaml:14: Sync default/customers: spec.collection: it needs an appApiKey, and the connection production has none
          add spec.appApiKey to the connection
        2 errors; nothing was opened
        ");
}

#[tokio::test]
async fn a_source() {
    let world = World::new().await;
    world.edit(
        "source.yaml",
        "sqlite: {path: warehouse.db}",
        "rockset: {apiServer: api.example.com, apiKey: {secretKeyRef: {name: r, key: k}}}",
    );

    insta::assert_snapshot!(world.unopened(&COMMANDS).await, @r"
        error: sync/source.yaml:5: Source default/warehouse: spec.rockset: this version can't read from Rockset yet
          postgres, sqlite and files are what it can read
        1 error; nothing was opened
        ");
}

#[tokio::test]
async fn parquet() {
    let world = World::new().await;
    let files = "files: {url: rows, format: parquet}";
    world.edit("source.yaml", "sqlite: {path: warehouse.db}", files);
    let sql = "sql: |\n      select user_id, email, plan, signed_up_at\n      from customers\n";
    world.edit("sync.yaml", sql, "table: customers.parquet\n");

    insta::assert_snapshot!(world.unopened(&COMMANDS).await, @r"
        error: sync/source.yaml:5: Source default/warehouse: spec.files.format: this version can't read Parquet yet
          csv is what it can read
        1 error; nothing was opened
        ");
}

#[tokio::test]
async fn an_execution_and_other_fields() {
    let world = World::new().await;
    world.edit("sync.yaml", "  timeout: 60s", "  execution: job\n  audit: {lateFailures: true}");

    insta::assert_snapshot!(world.unopened(&COMMANDS).await, @r"
        error: sync/sync.yaml:20: Sync default/customers: spec.execution: this version can't run in a Job of its own yet
          take `execution` away: runs execute in the operator
        error: sync/sync.yaml:21: Sync default/customers: spec.audit: this version can't read back from Customer.io yet
          take the field away
        error: sync/sync.yaml:21: Sync default/customers: spec.audit: it needs an appApiKey, and the connection production has none
          add spec.appApiKey to the connection
        3 errors; nothing was opened
        ");
}
