//! `mirror`: what left the source leaves the workspace, and nothing else does.

use serde_json::json;

use super::Laptop;

const TABLE: &str = "
create table people (id integer primary key, email text, plan text, joined integer);
insert into people values (1, 'ann@example.com', 'gold', 1700000000),
    (2, 'bob@example.com', 'tin', 1700000000), (3, 'cid@example.com', 'tin', 1700000000);";

fn mirror(on_remove: &str) -> String {
    format!(
        "model: {{table: people, primaryKey: [id]}}\nbehavior: mirror\nonRemove: {on_remove}\n\
         identifiers: {{id: id}}\n\
         mappings: [{{from: email}}, {{from: plan}}, {{from: joined, to: created_at}}]"
    )
}

#[tokio::test]
async fn rows_that_left_are_deleted_and_people_of_other_clients_stay() {
    let mut laptop = Laptop::with_sync(TABLE, &mirror("delete")).await;
    laptop.identify_elsewhere("visitor", json!({"plan": "tin"})).await;
    laptop.run().await.code(0);
    laptop.identify_elsewhere("2", json!({"note": "kept by hand"})).await;
    laptop.identify_elsewhere("4", json!({"plan": "gold"})).await;

    laptop.sql("delete from people where id in (1, 3)").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "removed 2, unchanged 1, delivered 2");
    assert_eq!(
        laptop.people(),
        json!({
            "2": {"id": "2", "email": "bob@example.com", "plan": "tin",
                  "created_at": 1_700_000_000, "note": "kept by hand"},
            "4": {"id": "4", "plan": "gold"},
            "visitor": {"id": "visitor", "plan": "tin"},
        })
    );
    assert_eq!(laptop.workspace().suppressed(), []);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn cleared_people_lose_what_was_mapped_but_neither_identifiers_nor_their_first_day() {
    let mut laptop = Laptop::with_sync(TABLE, &mirror("clear")).await;
    laptop.run().await.code(0);
    laptop.identify_elsewhere("1", json!({"note": "kept by hand"})).await;

    laptop.sql("delete from people where id = 1").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "removed 1, unchanged 2, delivered 1");
    assert_eq!(
        laptop.people()["1"],
        json!({"id": "1", "email": "ann@example.com", "created_at": 1_700_000_000,
               "note": "kept by hand"})
    );
    assert_eq!(laptop.people()["2"]["plan"], "tin");
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_person_who_is_gone_is_not_made_again_by_clearing_them() {
    let mut laptop = Laptop::with_sync(TABLE, &mirror("clear")).await;
    laptop.run().await.code(0);
    laptop.elsewhere("DELETE", "1", &json!({})).await;

    laptop.sql("delete from people where id = 1").await;
    laptop.run().await.code(0);

    assert_eq!(laptop.workspace().person("1"), None);
}

#[tokio::test]
async fn a_row_that_returns_after_it_was_deleted_is_made_anew() {
    let mut laptop = Laptop::with_sync(TABLE, &mirror("delete")).await;
    laptop.run().await.code(0);
    laptop.sql("create table gone as select * from people where id = 1; delete from people where id = 1")
        .await;
    laptop.run().await.code(0);
    assert_eq!(laptop.workspace().person("1"), None);

    laptop.sql("insert into people select * from gone").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 1, unchanged 2, delivered 1");
    assert_eq!(laptop.people()["1"]["plan"], "gold");
}

#[tokio::test]
async fn an_emptied_table_removes_nobody() {
    let mut laptop = Laptop::with_sync(TABLE, &mirror("delete")).await;
    laptop.run().await.code(0);
    let before = laptop.people();

    laptop.sql("delete from people").await;
    let run = laptop.run().await;

    assert_eq!(run.code(4).result(), "Blocked");
    assert_eq!(run.reason(), "GuardTripped");
    assert_eq!((run.arrived, laptop.people()), (0, before));
}

#[tokio::test]
async fn a_first_run_removes_nobody_whatever_stands_in_the_workspace() {
    let laptop = Laptop::with_sync(TABLE, &mirror("delete")).await;
    for id in ["1", "7", "8"] {
        laptop.identify_elsewhere(id, json!({"plan": "lead"})).await;
    }

    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 3, delivered 3");
    assert_eq!(laptop.workspace().people_count(), 5);
    assert_eq!(laptop.people()["1"]["plan"], "gold");
}

#[tokio::test]
async fn an_update_or_create_forgets_rows_that_left_and_sends_nothing_for_them() {
    let spec = "model: {table: people, primaryKey: [id]}\nbehavior: updateOrCreate\n\
                identifiers: {id: id}\nmappings: [{from: plan}]";
    let mut laptop = Laptop::with_sync(TABLE, spec).await;
    laptop.run().await.code(0);

    laptop.sql("delete from people where id = 1").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "removed 1, unchanged 2");
    assert_eq!((run.arrived, run.requests), (0, 1));
    assert_eq!(laptop.workspace().people_count(), 3);
    laptop.run().await.did_nothing();
}
