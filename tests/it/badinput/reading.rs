//! A warehouse that can't be reached, refuses, or breaks off: what was not read is not gone.

use super::warehouse::{ROWS, secret, world};
use super::world::World;

const QUERY: &str = "select user_id, email, plan, signed_up_at\n      from customers";
const DIVIDED: &str =
    "select user_id, email, plan / (user_id - 4999) as plan, signed_up_at\n      from customers";
const STUCK: &str =
    "select user_id, email, stuck(user_id) as plan, signed_up_at\n      from customers";

fn add_only(world: &World) {
    world.edit("sync.yaml", "behavior: mirror\n  onRemove: delete", "behavior: updateOrCreate");
}

/// Says that nobody was sent twice and nobody is missing.
fn assert_sent_once(world: &World) {
    assert_eq!(world.emulator.workspace().stats().items_accepted, ROWS as u64);
}

#[tokio::test]
async fn a_wrong_password() {
    let (world, _database) = world().await;
    let right = world.dir.read("sync/warehouse.yaml");
    world.write("warehouse.yaml", &secret("marked-wrong"));

    insta::assert_snapshot!(world.refused(1, "").await, @r#"
        Failed: SERVER refused the password of user "USER" (28P01)
          check user and password of the Source
          (--show-values shows it in its own words)
        "#);

    world.write("warehouse.yaml", &right);
    world.delivers(1..=ROWS).await;
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let (mut world, database) = world().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (right, wrong) = (format!("port: {}", database.port), format!("port: {closed}"));
    world.edit("source.yaml", &right, &wrong);
    world.mask(&format!("127.0.0.1:{closed}"), "NOWHERE");

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: NOWHERE refused the connection: nothing listens there
          check host and port, and that the server runs
        ");

    world.edit("source.yaml", &wrong, &right);
    world.delivers(1..=ROWS).await;
}

#[tokio::test]
async fn a_query_that_is_refused_is_told_with_its_place() {
    let (world, database) = world().await;
    database.execute("create table orders (user_id int)").await;

    let wrong = "select user_id, email, plan, signed_up_at\n      from customers wher plan = 7";
    world.edit("sync.yaml", QUERY, wrong);
    insta::assert_snapshot!(world.refused(1, "").await, @r#"
        Failed: PostgreSQL refused the query at line 2, column 21: syntax error at or near "plan" (42601)
          the model must be one select statement
        "#);
    let unknown = "select user_id, emial as email, plan, signed_up_at\n      from customers";
    world.edit("sync.yaml", wrong, unknown);
    insta::assert_snapshot!(world.refused(1, "").await, @r#"
        Failed: PostgreSQL refused the query at line 1, column 17: column "emial" does not exist (42703)
          Perhaps you meant to reference the column "customers.email".
        "#);
    let denied =
        "select user_id, null as email, null as plan, null as signed_up_at\n      from orders";
    world.edit("sync.yaml", unknown, denied);
    insta::assert_snapshot!(world.refused(1, "").await, @r#"
        Failed: user "USER" may not read this in database "DATABASE": permission denied for table orders (42501)
          run: grant select on orders to "USER"
        "#);

    world.edit("sync.yaml", denied, QUERY);
    world.delivers(1..=ROWS).await;
}

#[tokio::test]
async fn types_that_cant_be_sent_and_types_that_cant_be_a_key() {
    let (world, _database) = world().await;

    let money = "select user_id, email, plan::money as plan, signed_up_at\n      from customers";
    world.edit("sync.yaml", QUERY, money);
    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: spec.mappings[1].from: column `plan` of type money can't be sent
          cast it in the query: `plan::text as plan`
        ");
    let float = "select user_id::float8, email, plan, signed_up_at\n      from customers";
    world.edit("sync.yaml", money, float);
    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: spec.model.primaryKey[0]: column `user_id` of type float8 can't be part of a key
          cast it in the query: `user_id::text as user_id`
        Failed: spec.identifiers.id: column `user_id` of type float8 can't name a person
          cast it in the query: `user_id::text as user_id`
        ");

    world.edit("sync.yaml", float, QUERY);
    world.delivers(1..=ROWS).await;
}

#[tokio::test]
async fn a_key_whose_type_changed() {
    let (world, database) = world().await;
    world.delivers(1..=ROWS).await;
    database.execute("alter table customers alter user_id type text").await;
    database.execute("delete from customers where user_id = '5000'").await;

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: the primary key was number when rows were remembered, and is text now
          cast the key back to number in the query, or forget what is remembered with `ciosync state reset` (the next run then follows initialRun)
        ");

    database.execute("alter table customers alter user_id type bigint using user_id::bigint").await;
    world.delivers(1..=ROWS - 1).await;
}

#[tokio::test]
async fn a_row_that_fails_late_removes_nobody() {
    let (world, database) = world().await;
    world.delivers(1..=ROWS).await;
    database.execute("delete from customers where user_id between 11 and 20").await;
    world.edit("sync.yaml", QUERY, DIVIDED);

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: PostgreSQL could not convert or compute a value (22012)
          mend the row or the expression: nullif(…, 0) for a divisor, a case around a cast
          (--show-values shows it in its own words)
        ");

    world.edit("sync.yaml", DIVIDED, QUERY);
    world.delivers((1..=ROWS).filter(|id| !(11..=20).contains(id))).await;
}

#[tokio::test]
async fn a_row_that_fails_late_loses_none_of_those_before() {
    let (world, _database) = world().await;
    add_only(&world);
    world.edit("sync.yaml", QUERY, &DIVIDED.replace("plan / (user_id", "plan + 0 / (user_id"));

    let output = world.run("").await.expect_code(1);

    assert!(world.told(&output).contains("could not convert or compute a value"), "{output}");
    let taken = world.ids().len() as i64;
    assert!(taken < ROWS, "{taken}");
    world.edit("sync.yaml", &DIVIDED.replace("plan / (user_id", "plan + 0 / (user_id"), QUERY);
    world.delivers(1..=ROWS).await;
    assert_sent_once(&world);
}

#[tokio::test]
async fn a_connection_that_breaks_removes_nobody() {
    let (world, database) = world().await;
    world.delivers(1..=ROWS).await;
    database.execute("delete from customers where user_id between 11 and 20").await;
    world.edit("sync.yaml", QUERY, STUCK);

    let told = tokio::join!(world.refused(1, ""), database.terminate_query("stuck(")).0;

    // The server says goodbye and closes. Whether its words arrive before the reset does is up to TCP.
    let goodbye = "Failed: SERVER can't serve the query now (57P01)\n  (--show-values shows it in its own words)";
    let cut = "Failed: the connection to SERVER broke during a query";
    assert!([goodbye, cut].contains(&told.trim()), "{told}");
    world.edit("sync.yaml", STUCK, QUERY);
    world.delivers((1..=ROWS).filter(|id| !(11..=20).contains(id))).await;
}

#[tokio::test]
async fn a_connection_that_breaks_loses_none_of_the_rows_before() {
    let (world, database) = world().await;
    add_only(&world);
    world.edit("sync.yaml", QUERY, STUCK);
    let running = world.command("run -f sync").spawn();
    world.emulator.workspace().wait_for(|stats| stats.items_accepted > 0).await;

    database.terminate_query("stuck(").await;

    let output = running.wait().await.expect_code(1);
    world.assert_discreet(&output);
    let taken = world.ids().len() as i64;
    assert!((1..ROWS).contains(&taken), "{taken}");
    world.edit("sync.yaml", STUCK, QUERY);
    world.delivers(1..=ROWS).await;
    assert_sent_once(&world);
}
