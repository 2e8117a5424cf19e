//! Flags that can't be meant.

use super::world::World;

async fn complaint(flags: &str) -> String {
    let world = World::new().await;
    let told =
        world.unopened(&[&format!("run -f sync {flags}"), &format!("plan -f sync {flags}")]).await;
    world.delivers(1..=30).await;
    told
}

#[tokio::test]
async fn names_that_no_sync_has_are_told_together() {
    insta::assert_snapshot!(complaint("--sync custmers --sync growth/leads").await, @"error: there is no Sync `default/custmers`, `growth/leads` in the files; they hold default/customers");
    insta::assert_snapshot!(complaint("--full-resync custmers").await, @"error: there is no Sync `default/custmers` in the files; they hold default/customers");
}

#[tokio::test]
async fn a_state_of_an_unknown_kind() {
    insta::assert_snapshot!(complaint("--state mysql://ann:marked@host/db").await, @r"
        error: the state store `mysql:…` is of a kind that ciosync doesn't know
          write `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`
        ");
}

#[tokio::test]
async fn a_folder_for_temporary_files_that_is_none() {
    insta::assert_snapshot!(complaint("--spool-dir nowhere").await, @r"
        error: no temporary file can be made in --spool-dir nowhere: entity not found
          name a folder that exists and that this user may write to
        ");
    insta::assert_snapshot!(complaint("--spool-dir sync/sync.yaml").await, @r"
        error: no temporary file can be made in --spool-dir sync/sync.yaml: not a directory
          name a folder that exists and that this user may write to
        ");
}
