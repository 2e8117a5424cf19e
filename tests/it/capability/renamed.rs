//! A Sync that was renamed or moved goes on with the state of the old one.

use super::Laptop;

const TABLE: &str = "create table people (id text primary key, email text);
insert into people values ('1', 'ann@example.com'), ('2', 'bob@example.com');";

const SPEC: &str = "model: {table: people, primaryKey: [id]}
behavior: mirror
onRemove: delete
identifiers: {id: id}
mappings: [{from: email}]";

#[tokio::test]
async fn a_renamed_sync_goes_on_where_the_old_one_was_and_its_plan_says_so() {
    let mut laptop = Laptop::with_sync(TABLE, SPEC).await;
    laptop.run().await.code(0);
    laptop.sql("delete from people where id = '2'").await;

    std::fs::remove_file(laptop.dir.path().join("syncs/people.yaml")).unwrap();
    laptop.sync("customers", &format!("{SPEC}\nadoptStateFrom: {{name: people}}"));
    let plan = laptop.plan().await;
    let run = laptop.run().await;

    assert_eq!(plan.code(0).counts(), "removed 1, unchanged 1");
    assert_eq!(run.code(0).counts(), "removed 1, unchanged 1, delivered 1");
    assert_eq!(laptop.workspace().people_count(), 1);
    assert_eq!(laptop.run().await.code(0).result(), "NoChanges");
}

#[tokio::test]
async fn the_state_of_a_sync_that_is_still_in_the_files_is_not_taken_over() {
    let laptop = Laptop::with_sync(TABLE, SPEC).await;
    laptop.sync("customers", &format!("{SPEC}\nadoptStateFrom: {{name: people}}"));

    let run = laptop.run().await;

    let said = run.code(2).output.stderr().to_owned();
    assert!(said.contains("spec.adoptStateFrom: the Sync people is still in the files"), "{said}");
}
