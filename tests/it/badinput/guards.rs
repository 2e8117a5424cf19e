//! Plans that a guard stops: exit 4, nothing sent, until the numbers are fine or a person approves.

use super::world::{World, run_id};

#[tokio::test]
async fn an_empty_source_removes_nobody() {
    let world = World::new().await;
    world.delivers(1..=30).await;
    world.execute("create table kept as select * from customers; delete from customers").await;

    insta::assert_snapshot!(world.refused(4, "").await, @r"
        Blocked: minRows 1: 0 rows were read
          look at the changes with `ciosync plan`; if they are meant, run with `--approve RUN`
        ");
    world.carry_out(world.command("plan -f sync")).await.expect_code(4);

    world.execute("insert into customers select * from kept").await;
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn an_empty_source_is_no_first_run() {
    let world = World::new().await;
    world.execute("create table kept as select * from customers; delete from customers").await;

    insta::assert_snapshot!(world.refused(4, "").await, @r"
        Blocked: minRows 1: 0 rows were read
          look at the changes with `ciosync plan`; if they are meant, run with `--approve RUN`
        ");

    world.execute("insert into customers select * from kept").await;
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn more_removals_than_allowed_wait_for_an_approval_of_their_own_id() {
    let world = World::new().await;
    world.delivers(1..=30).await;
    world.execute("delete from customers where user_id > 15").await;

    let output = world.run("").await.expect_code(4);
    let id = run_id(output.stdout()).unwrap();
    insta::assert_snapshot!(world.told(&output), @r"
        Blocked: maxRemoved 5%: 15 of 30 remembered rows left the source
          look at the changes with `ciosync plan`; if they are meant, run with `--approve RUN`
        ");
    assert_eq!(world.ids().len(), 30);

    let again = world.run("").await.expect_code(4);
    assert_eq!(run_id(again.stdout()).as_ref(), Some(&id), "what is approved keeps its id");

    for words in ["--approve 01AN4Z07BY79KA1307SR9X4MV3 ", "--sync customers --approve wrong "] {
        let told = world.refused(1, words).await;
        assert!(told.contains("no blocked run of these Syncs has the id"), "{told}");
        assert!(told.contains("what waits is RUN of default/customers"), "{told}");
    }
    world.refused(4, "").await;

    world.run(&format!("--approve {id}")).await.expect_code(0);
    assert_eq!(world.ids(), (1..=15).collect::<Vec<_>>());
    let told = world.refused(1, &format!("--approve {id}")).await;
    assert!(told.contains("nothing waits: run without --approve"), "{told}");
}

#[tokio::test]
async fn an_approval_does_not_cover_what_grew_since() {
    let world = World::new().await;
    world.delivers(1..=30).await;
    world.execute("create table kept as select * from customers").await;
    world.execute("delete from customers where user_id > 18").await;
    let blocked = world.run("").await.expect_code(4);
    let id = run_id(blocked.stdout()).unwrap();
    world.execute("delete from customers where user_id > 10").await;

    world.refused(4, &format!("--approve {id}")).await;

    world.execute("insert into customers select * from kept where user_id > 10").await;
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn an_empty_source_without_a_guard_leaves_the_kind_of_the_key_open() {
    let world = World::new().await;
    world.edit("sync.yaml", "behavior: mirror\n  onRemove: delete", "behavior: updateOrCreate");
    world.execute("create table kept as select * from customers; delete from customers").await;

    world.delivers([]).await;
    world.execute("insert into customers select * from kept").await;
    world.delivers(1..=30).await;
    world.execute("delete from customers").await;
    world.delivers(1..=30).await;
    world.execute("insert into customers select * from kept").await;
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn too_many_invalid_rows_send_none() {
    let world = World::new().await;
    world.execute("create table kept as select * from customers").await;
    world.execute("update customers set signed_up_at = 'marked' where user_id > 15").await;

    insta::assert_snapshot!(world.refused(4, "").await, @r"
        Blocked: maxInvalid 5%: 15 of 30 rows read are invalid
          look at the changes with `ciosync plan`; if they are meant, run with `--approve RUN`
        15 invalid rows: 15 InvalidTimestamp (ciosync get rejections customers)
        ");

    world.execute("delete from customers; insert into customers select * from kept").await;
    world.delivers(1..=30).await;
}
