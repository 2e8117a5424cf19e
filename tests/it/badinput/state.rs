//! A state that can't be used: nothing is sent on the strength of it, and it stays as it is.

use std::fs;

use ciosync::model::SyncId;
use ciosync::state::{self, LockHolder, RunLock};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::world::World;

/// A world whose customers are delivered, with a change that is not.
async fn delivered() -> World {
    let world = World::new().await;
    world.delivers(1..=30).await;
    world.execute("delete from customers where user_id = 30").await;
    world
}

#[tokio::test]
async fn a_file_of_something_else_is_left_alone() {
    let world = World::new().await;
    let garbage = "marked: this is no database, and longer than a page's head ".repeat(9);
    let file = world.dir.write(".ciosync/state.db", &garbage);

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        error: the state store sqlite:.ciosync/state.db is not a state store: the file is no SQLite database
          name another file, or move this one away
        ");
    world.carry_out(world.command("plan -f sync")).await.expect_code(1);
    assert_eq!(fs::read_to_string(&file).unwrap(), garbage);

    fs::remove_file(&file).unwrap();
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn a_database_of_something_else_is_left_alone() {
    let world = World::new().await;
    fs::create_dir(world.dir.path().join(".ciosync")).unwrap();
    world.execute_in_state("create table marked (id)").await;

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        error: the state store sqlite:.ciosync/state.db is not a state store: it holds tables of something else
          name another file, or move this one away
        ");

    fs::remove_dir_all(world.dir.path().join(".ciosync")).unwrap();
    world.delivers(1..=30).await;
}

#[tokio::test]
async fn a_damaged_page_of_what_is_remembered() {
    let world = delivered().await;
    let damage = "create table kept as select * from state_segment;
        update state_segment set data = cast(substr(data, 1, 9) || x'07' || substr(data, 11) as blob)";
    world.execute_in_state(damage).await;

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: the state of default/customers is damaged: a segment fails its checksum
          bring a backup back with `ciosync state import default/customers`, or forget what was remembered with `ciosync state reset default/customers`
        ");
    world.carry_out(world.command("plan -f sync")).await.expect_code(1);

    let mend = "update state_segment set data = (select data from kept); drop table kept";
    world.execute_in_state(mend).await;
    world.delivers(1..=29).await;
}

#[tokio::test]
async fn what_is_remembered_is_gone_in_part() {
    let world = delivered().await;
    world
        .execute_in_state(
            "create table kept as select * from state_segment; delete from state_segment",
        )
        .await;

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: the state of default/customers is damaged: 1 segments with 30 rows should be there, 0 with 0 are
          bring a backup back with `ciosync state import default/customers`, or forget what was remembered with `ciosync state reset default/customers`
        ");

    world.execute_in_state("insert into state_segment select * from kept; drop table kept").await;
    world.delivers(1..=29).await;
}

#[tokio::test]
async fn a_state_of_a_newer_version() {
    let world = delivered().await;
    world.execute_in_state("create table kept as select * from schema_version").await;
    world.execute_in_state("update schema_version set version = 99, oldest_binary = 98").await;

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        error: the state store sqlite:.ciosync/state.db was written by a newer ciosync: its tables have version 99, this one knows up to 2
          use the version of ciosync that wrote it, or a newer one
        ");

    world
        .execute_in_state(
            "update schema_version set
                 version = (select version from kept),
                 oldest_binary = (select oldest_binary from kept);
             drop table kept",
        )
        .await;
    world.delivers(1..=29).await;
}

#[tokio::test]
async fn a_sync_that_runs_elsewhere() {
    let mut world = delivered().await;
    world.edit("sync.yaml", "timeout: 60s", "timeout: 1s");
    let url = format!("sqlite:{}", world.state_file().display());
    let store = state::open(&url, "local").await.unwrap();
    let (sync, holder) = (SyncId::new("default", "customers"), LockHolder::this_process());
    let lock = RunLock::acquire(store.as_ref(), &sync, &holder).await.unwrap();
    world.mask(&format!("process {} on {}", std::process::id(), holder.host), "PROCESS");

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        Failed: default/customers is running elsewhere: PROCESS
          let it end, or end it; a lock that nobody keeps is free after 15 s
        ");

    lock.release(store.as_ref()).await.unwrap();
    world.edit("sync.yaml", "timeout: 1s", "timeout: 60s");
    world.delivers(1..=29).await;
}

#[tokio::test]
async fn a_database_that_another_process_keeps_locked() {
    let world = delivered().await;
    let options = SqliteConnectOptions::new().filename(world.state_file());
    let mut other = options.connect().await.unwrap();
    sqlx::raw_sql("begin immediate").execute(&mut other).await.unwrap();

    insta::assert_snapshot!(world.refused(1, "").await, @r"
        error: the state store sqlite:.ciosync/state.db is locked by another process
          wait until the other process is done, or end it
        ");

    other.close().await.unwrap();
    world.delivers(1..=29).await;
}

#[tokio::test]
async fn a_place_where_no_state_can_be_made() {
    let world = World::new().await;
    world.dir.write("blocked", "a file where a folder should be");

    insta::assert_snapshot!(world.refused(1, "--state sqlite:blocked/state.db").await, @r"
        error: the state store sqlite:blocked/state.db can't be opened: not a directory
          a part of the path is a file: name another place
        ");
    insta::assert_snapshot!(world.refused(1, "--state sqlite:sync").await, @r"
        error: the state store sqlite:sync is a folder
          name another file, or move this one away
        ");

    world.delivers(1..=30).await;
}
