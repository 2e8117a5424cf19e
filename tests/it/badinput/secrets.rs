//! Secrets that are not where they are looked for.

use super::world::World;

const COMMANDS: [&str; 3] = ["run -f sync", "plan -f sync", "validate --connect -f sync"];

fn without_secret(world: &World) {
    std::fs::remove_file(world.dir.path().join("sync/secret.yaml")).unwrap();
}

#[tokio::test]
async fn a_missing_secret_is_told_with_every_key_and_line() {
    let world = World::new().await;
    without_secret(&world);

    insta::assert_snapshot!(world.unopened(&COMMANDS[..2]).await, @r"
        error: sync/connection.yaml:5: CustomerIoConnection default/production: spec.siteId.secretKeyRef: there is no Secret `customerio` in namespace `default`
          add the Secret to the files, or give it with `--secrets DIR` (DIR/customerio/site-id) or `--secrets env` (CIOSYNC_SECRET_CUSTOMERIO_SITE_ID)
        error: sync/connection.yaml:6: CustomerIoConnection default/production: spec.apiKey.secretKeyRef: there is no Secret `customerio` in namespace `default`
          add the Secret to the files, or give it with `--secrets DIR` (DIR/customerio/api-key) or `--secrets env` (CIOSYNC_SECRET_CUSTOMERIO_API_KEY)
        2 errors; nothing was opened
        ");
    let probed = world.carry_out(world.command(COMMANDS[2])).await.expect_code(1);
    assert!(probed.stderr().contains("there is no Secret `customerio`"), "{probed}");
}

#[tokio::test]
async fn a_missing_variable_is_named() {
    let world = World::new().await;
    without_secret(&world);

    let commands = ["run -f sync --secrets env", "plan -f sync --secrets env"];
    insta::assert_snapshot!(world.unopened(&commands).await, @r"
        error: sync/connection.yaml:5: CustomerIoConnection default/production: spec.siteId.secretKeyRef: there is no Secret `customerio` in namespace `default`
          set the variable CIOSYNC_SECRET_CUSTOMERIO_SITE_ID
        error: sync/connection.yaml:6: CustomerIoConnection default/production: spec.apiKey.secretKeyRef: there is no Secret `customerio` in namespace `default`
          set the variable CIOSYNC_SECRET_CUSTOMERIO_API_KEY
        2 errors; nothing was opened
        ");

    let command = world.command("run -f sync --secrets env");
    let command = command.env("CIOSYNC_SECRET_CUSTOMERIO_SITE_ID", "marked-site-id");
    let command = command.env("CIOSYNC_SECRET_CUSTOMERIO_API_KEY", "marked-api-key");
    world.carry_out(command).await.expect_code(0);
    assert_eq!(world.ids().len(), 30);
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let world = World::new().await;
    without_secret(&world);
    world.dir.write("secrets/customerio/site-id", "marked-site-id\n");

    let commands = ["run -f sync --secrets secrets", "plan -f sync --secrets secrets"];
    insta::assert_snapshot!(world.unopened(&commands).await, @r"
        error: sync/connection.yaml:6: CustomerIoConnection default/production: spec.apiKey.secretKeyRef: there is no Secret `customerio` in namespace `default`
          put it into secrets/customerio/api-key
        1 error; nothing was opened
        ");

    world.dir.write("secrets/customerio/api-key", "marked-api-key\n");
    world.run("--secrets secrets").await.expect_code(0);
    assert_eq!(world.ids().len(), 30);
}

#[tokio::test]
async fn a_missing_key_of_a_secret_in_the_files() {
    let world = World::new().await;
    world.edit("secret.yaml", "  api-key:", "  apikey:");

    insta::assert_snapshot!(world.unopened(&["run -f sync", "plan -f sync", "validate -f sync"]).await, @r"
        error: sync/connection.yaml:6: CustomerIoConnection default/production: spec.apiKey.secretKeyRef.key: the Secret default/customerio (sync/secret.yaml:1) has no key `api-key`
          did you mean `apikey`?
        1 error; nothing was opened
        ");

    world.edit("secret.yaml", "  apikey:", "  api-key:");
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn a_key_that_the_files_lack_may_be_given_beside_them() {
    let world = World::new().await;
    world.edit("secret.yaml", "  api-key: marked-api-key\n", "");

    let command = world.command("run -f sync --secrets env");
    let command = command.env("CIOSYNC_SECRET_CUSTOMERIO_API_KEY", "marked-api-key");
    world.carry_out(command).await.expect_code(0);

    assert_eq!(world.ids().len(), 30);
}

#[tokio::test]
async fn two_secrets_of_one_variable() {
    let world = World::new().await;
    world.edit(
        "connection.yaml",
        "{name: customerio, key: api-key}",
        "{name: customerio-site, key: id}",
    );

    let commands = ["run -f sync --secrets env", "plan -f sync --secrets env"];
    insta::assert_snapshot!(world.unopened(&commands).await, @r"
        error: sync/connection.yaml:6: CustomerIoConnection default/production: spec.apiKey.secretKeyRef: key `site-id` of Secret `customerio` and key `id` of Secret `customerio-site` would both be read from the variable CIOSYNC_SECRET_CUSTOMERIO_SITE_ID
          rename one of them, or use `--secrets DIR`
        1 error; nothing was opened
        ");
}

#[tokio::test]
async fn two_secrets_of_one_variable_in_two_resources() {
    let world = World::new().await;
    let postgres = "postgres: {host: db, database: d, user: u, password: {secretKeyRef: {name: customerio-site, key: id}}}";
    world.edit("source.yaml", "sqlite: {path: warehouse.db}", postgres);

    let commands = ["run -f sync --secrets env", "plan -f sync --secrets env"];
    insta::assert_snapshot!(world.unopened(&commands).await, @r"
        error: sync/connection.yaml:5: CustomerIoConnection default/production: spec.siteId.secretKeyRef: key `id` of Secret `customerio-site` and key `site-id` of Secret `customerio` would both be read from the variable CIOSYNC_SECRET_CUSTOMERIO_SITE_ID
          rename one of them, or use `--secrets DIR`
        1 error; nothing was opened
        ");
}
