//! A disk that is full: the plan comes to no end, nothing is sent, and the next run sends all.

use super::world::World;
use crate::support::cli::Ciosync;

/// Largest file of the run: more than the state needs, less than what the plan puts aside.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

#[tokio::test]
async fn a_plan_that_outgrows_the_disk() {
    let world = World::new().await;
    // Beyond the 8 MiB that are kept in memory; a value may have a thousand bytes.
    world
        .execute(
            "drop table customers;
             create table customers (user_id integer primary key, email text, plan, signed_up_at);
             with recursive n(id) as (select 1 union all select id + 1 from n where id < 6000)
             insert into customers
             select id, printf('marked%.*c', 900, 'x'), printf('marked%.*c', 900, 'y'), null from n",
        )
        .await;

    let command = Ciosync::with_file_size_limit(world.dir.path(), FILE_BYTES_MAX);
    let output = world.carry_out(command.args(["run", "-f", "sync", "--spool-dir", "."])).await;

    let output = output.expect_code(1);
    insta::assert_snapshot!(world.told(&output), @r"
        [2m2026-11-24T04:01:49.524345Z[0m [33m WARN[0m the end of the run could not be written down [3merror[0m[2m=[0minternal error in the state store: SQLite driver: attempted to call begin_with at non-zero transaction depth
        Failed: the state store sqlite:.ciosync/state.db can't be read or written: the disk fails (SQLite code 778)
        6,000 invalid rows: 6,000 InvalidEmail (ciosync get rejections customers)
        ");
    assert!(world.ids().is_empty());
    world.delivers(1..=6000).await;
}

#[tokio::test]
async fn a_state_that_finds_no_room() {
    let world = World::new().await;

    let command = Ciosync::with_file_size_limit(world.dir.path(), 8 * 512);
    let output = world.carry_out(command.args(["run", "-f", "sync"])).await.expect_code(1);

    insta::assert_snapshot!(world.told(&output), @"error: the state store sqlite:.ciosync/state.db can't be read or written: the disk fails (SQLite code 4874)");
    assert!(world.ids().is_empty());
    world.delivers(1..=30).await;
}
