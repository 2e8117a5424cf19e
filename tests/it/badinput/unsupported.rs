//! What the resources can say and this version can't do: refused with those words.

use super::world::World;

const COMMANDS: [&str; 3] = ["validate -f sync", "run -f sync", "plan -f sync"];

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
async fn an_execution() {
    let world = World::new().await;
    world.edit("sync.yaml", "  timeout: 60s", "  execution: job");

    insta::assert_snapshot!(world.unopened(&COMMANDS).await, @r"
        error: sync/sync.yaml:20: Sync default/customers: spec.execution: this version can't run in a Job of its own yet
          take `execution` away: runs execute in the operator
        1 error; nothing was opened
        ");
}
