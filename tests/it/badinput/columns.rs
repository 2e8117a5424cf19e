//! Queries and columns that don't fit: found before a row is sent.

use super::world::World;

const QUERY: &str = "select user_id, email, plan, signed_up_at\n      from customers";

/// Delivers once, breaks the model, mends it; returns what the run in between says.
async fn complaint(query: &str) -> String {
    let world = World::new().await;
    world.delivers(1..=30).await;
    world.execute("delete from customers where user_id = 30").await;
    world.edit("sync.yaml", QUERY, query);

    let told = world.refused(1, "").await;

    world.edit("sync.yaml", query, QUERY);
    world.delivers(1..=29).await;
    told
}

#[tokio::test]
async fn sql_that_the_source_refuses() {
    insta::assert_snapshot!(
        complaint("select user_id, email, plan, signed_up_at\n      from customers wher plan = 1").await,
        @r#"Failed: SQLite refused the query: near "plan": syntax error (1)"#
    );
    insta::assert_snapshot!(
        complaint("select user_id, email, plan, signed_up_at\n      from custmers").await,
        @"Failed: SQLite refused the query: no such table: custmers (1)"
    );
}

#[tokio::test]
async fn columns_that_the_query_does_not_return_are_told_together() {
    insta::assert_snapshot!(
        complaint("select user_id, email as e_mail, plan, signed_up_at as since\n      from customers")
            .await,
        @r"
        Failed: spec.mappings[0].from: the query returns no column `email`
          did you mean `e_mail`?
        Failed: spec.mappings[2].from: the query returns no column `signed_up_at`
          it returns: user_id, e_mail, plan, since
        "
    );
    insta::assert_snapshot!(
        complaint("select user_id as id, email, plan, signed_up_at\n      from customers").await,
        @r"
        Failed: spec.model.primaryKey[0]: the query returns no column `user_id`
          it returns: id, email, plan, signed_up_at
        Failed: spec.identifiers.id: the query returns no column `user_id`
          it returns: id, email, plan, signed_up_at
        "
    );
}

#[tokio::test]
async fn a_plan_says_the_same() {
    let world = World::new().await;
    world.edit("sync.yaml", "{from: plan}", "{from: plam}");

    let planned = world.carry_out(world.command("plan -f sync")).await.expect_code(1);

    insta::assert_snapshot!(world.told(&planned), @r"
        error: spec.mappings[1].from: the query returns no column `plam`
          did you mean `plan`?
        ");
    assert!(!world.dir.path().join(".ciosync").exists());
}

#[tokio::test]
async fn a_key_of_several_kinds() {
    let world = World::new().await;
    world.delivers(1..=30).await;
    world.execute("update customers set user_id = 'marked' where user_id = 30").await;

    insta::assert_snapshot!(world.refused(1, "").await, @r#"
        Failed: column `user_id` of the primary key holds values of several kinds: integer, text
          cast it in the model: cast("user_id" as text) as "user_id"
        "#);

    world.execute("update customers set user_id = 30 where user_id = 'marked'").await;
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn a_key_whose_kind_changed() {
    let world = World::new().await;
    world.delivers(1..=30).await;
    world.execute("update customers set user_id = cast(user_id as text)").await;

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: the primary key was number when rows were remembered, and is text now
          cast the key back to number in the query, or forget what is remembered with `ciosync state reset` (the next run then follows initialRun)
        ");

    world.edit("sync.yaml", "select user_id,", "select cast(user_id as integer) as user_id,");
    world.delivers(1..=30).await;
}
