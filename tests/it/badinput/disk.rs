//! A disk that is full: the plan comes to no end, nothing is sent, and the next run sends all.

use super::world::World;
use crate::support::cli::Ciosync;

/// Largest file of the run: more than the state needs, less than what the plan puts aside.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

#[tokio::test]
async fn a_plan_that_outgrows_the_disk() {
    let world = World::new().await;
    // Beyond the 4 MiB that are kept in memory; a value may have a thousand bytes.
    world
        .execute(
            "drop table customers;
             create table customers (user_id integer primary key, email text, plan, signed_up_at);
             with recursive n(id) as (select 1 union all select id + 1 from n where id < 12000)
             insert into customers
             select id, null, printf('marked%.*c', 900, 'x'), null from n",
        )
        .await;

    let command = Ciosync::with_file_size_limit(world.dir.path(), FILE_BYTES_MAX);
    let output = world.carry_out(command.args(["run", "-f", "sync", "--spool-dir", "."])).await;

    let output = output.expect_code(1);
    insta::assert_snapshot!(world.told(&output), @r"
        Failed: temporary file in . failed: File too large (os error 27)
          free some disk, or name another folder with --spool-dir
        ");
    assert!(world.ids().is_empty());
    world.delivers(1..=12_000).await;
}

#[tokio::test]
async fn a_state_that_finds_no_room() {
    let world = World::new().await;

    let command = Ciosync::with_file_size_limit(world.dir.path(), 8 * 512);
    let output = world.carry_out(command.args(["run", "-f", "sync"])).await.expect_code(1);

    insta::assert_snapshot!(world.told(&output), @r"
        error: the state store sqlite:.ciosync/state.db can't be read or written: the disk fails (SQLite code 4874)
          look at the disk: its room, limits on the size of files, its health
        ");
    assert!(world.ids().is_empty());
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn a_state_that_runs_out_of_room_in_the_middle_of_a_run() {
    let world = World::new().await;
    // Each of them is kept, with its reason.
    world
        .execute(
            "drop table customers;
             create table customers (user_id integer primary key, email text, plan, signed_up_at);
             with recursive n(id) as (select 1 union all select id + 1 from n where id < 12000)
             insert into customers select id, null, printf('marked%.*c', 1000, 'x'), null from n",
        )
        .await;

    let command = Ciosync::with_file_size_limit(world.dir.path(), FILE_BYTES_MAX);
    let output = world.carry_out(command.args(["run", "-f", "sync"])).await.expect_code(1);

    assert!(world.told(&output).contains("the disk fails"), "{output}");
    assert!(!output.stderr().contains("internal error"), "{output}");
    assert!(world.ids().is_empty());
    world.execute("update customers set plan = 'marked'").await;
    world.delivers(1..=12_000).await;
}
