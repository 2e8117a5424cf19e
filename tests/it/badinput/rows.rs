//! Rows that can't be sent: counted and named, the others are delivered, and nobody is removed for
//! being misspelt.

use super::world::World;

/// What breaks a row, what mends it, and how the row is counted.
const CASES: [(&str, &str, &str); 6] = [
    (
        "insert into customers values (null, 'marked-a@example.com', 'marked', null)",
        "delete from customers where user_id is null",
        "1 invalid row: 1 NullKey",
    ),
    (
        "insert into customers values (7, 'marked-b@example.com', 'marked', null)",
        "delete from customers where user_id = 7 and signed_up_at is null",
        "2 invalid rows: 2 DuplicateKey",
    ),
    (
        "update customers set plan = printf('marked%.*c', 1000, 'x') where user_id in (7, '7')",
        "update customers set plan = 'marked' where user_id in (7, '7')",
        "1 invalid row: 1 ValueTooLong",
    ),
    (
        "update customers set signed_up_at = 'marked tomorrow' where user_id in (7, '7')",
        "update customers set signed_up_at = '2024-01-31 10:00:00' where user_id in (7, '7')",
        "1 invalid row: 1 InvalidTimestamp",
    ),
    (
        "update customers set plan = cast('marked' || x'ff' as text) where user_id in (7, '7')",
        "update customers set plan = 'marked' where user_id in (7, '7')",
        "1 invalid row: 1 Undecodable",
    ),
    (
        "update customers set user_id = printf('marked%.*c', 200, 'x') where user_id in (7, '7')",
        "update customers set user_id = '7' where user_id like 'marked%'",
        "1 invalid row: 1 InvalidIdentifier",
    ),
];

#[tokio::test]
async fn a_row_that_cant_be_sent_holds_up_no_other_and_removes_nobody() {
    let world = World::new().await;
    world.execute("update customers set user_id = cast(user_id as text)").await;
    world.edit("sync.yaml", "select user_id,", "select cast(user_id as text) as user_id,");
    world.delivers(1..=30).await;

    for (count, (breaks, mends, expected)) in (1..).zip(CASES) {
        let changed = format!("update customers set plan = 'marked-{count}' where user_id = '3'");
        world.execute(&changed).await;
        world.execute(breaks).await;

        let output = world.run("").await.expect_code(3);

        let told = world.told(&output);
        assert!(told.contains(expected), "{told}");
        assert!(told.contains("ciosync get rejections customers"), "{told}");
        let attributes = world.emulator.workspace().attributes("3").unwrap();
        assert_eq!(attributes["plan"], format!("marked-{count}"));
        let left = world.ids();
        let is_moved = expected.contains("InvalidIdentifier");
        assert_eq!(left, (1..=30).filter(|id| !is_moved || *id != 7).collect::<Vec<_>>());
        world.execute(mends).await;
        world.delivers(1..=30).await;
        world.carry_out(world.command("get rejections customers")).await.expect_code(0);
    }
}

#[tokio::test]
async fn every_row_that_cant_be_sent_is_listed_with_its_reason_and_without_its_key() {
    let world = World::new().await;
    for (breaks, ..) in &CASES[..4] {
        world.execute(breaks).await;
    }
    world.run("").await.expect_code(3);

    let output = world.carry_out(world.command("get rejections customers -o json")).await;

    let listed = output.expect_code(0).json();
    let rows: Vec<String> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row["code"], row["field"], row["message"]))
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r#"
        "DuplicateKey" null "2 rows have this primary key"
        "NullKey" "user_id" "primary key column `user_id` is null"
        "#);
}
