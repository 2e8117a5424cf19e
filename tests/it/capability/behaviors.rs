//! What each behavior does to people, and what happens when one is edited into another.

use serde_json::json;

use super::Laptop;

const TABLE: &str = "
create table people (id integer primary key, plan text);
insert into people values (1, 'gold'), (2, 'tin'), (3, 'tin');";

fn spec(behavior: &str) -> String {
    let mappings = match behavior {
        "delete" | "suppress" | "unsuppress" => "",
        _ => "\nmappings: [{from: plan}]",
    };
    format!(
        "model: {{table: people, primaryKey: [id]}}\nbehavior: {behavior}\n\
         identifiers: {{id: id}}{mappings}"
    )
}

#[tokio::test]
async fn update_or_create_makes_who_is_missing_and_keeps_other_attributes() {
    let laptop = Laptop::with_sync(TABLE, &spec("updateOrCreate")).await;
    laptop.identify_elsewhere("1", json!({"note": "by hand", "plan": "old"})).await;

    laptop.run().await.code(0);

    assert_eq!(
        laptop.people(),
        json!({"1": {"id": "1", "note": "by hand", "plan": "gold"},
               "2": {"id": "2", "plan": "tin"}, "3": {"id": "3", "plan": "tin"}})
    );
}

#[tokio::test]
async fn update_only_changes_who_is_there_and_makes_nobody() {
    let mut laptop = Laptop::with_sync(TABLE, &spec("updateOnly")).await;
    laptop.identify_elsewhere("1", json!({"note": "by hand"})).await;

    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 3, delivered 3");
    let expected = json!({"1": {"id": "1", "note": "by hand", "plan": "gold"}});
    assert_eq!(laptop.people(), expected);
    laptop.run().await.did_nothing();

    laptop.sql("update people set plan = null where id = 1").await;
    assert_eq!(laptop.run().await.code(0).counts(), "changed 1, unchanged 2, delivered 1");
    assert_eq!(laptop.people(), json!({"1": {"id": "1", "note": "by hand"}}));
}

#[tokio::test]
async fn delete_removes_who_is_in_the_rows_and_blocks_nobody() {
    let mut laptop = Laptop::with_sync(TABLE, &spec("delete")).await;
    for id in ["1", "2", "4"] {
        laptop.identify_elsewhere(id, json!({"plan": "old"})).await;
    }

    assert_eq!(laptop.run().await.code(0).counts(), "added 3, delivered 3");

    assert_eq!(laptop.people(), json!({"4": {"id": "4", "plan": "old"}}));
    assert_eq!(laptop.workspace().suppressed(), []);
    laptop.run().await.did_nothing();
    laptop.sql("delete from people where id = 1; insert into people values (4, null)").await;
    assert_eq!(laptop.run().await.code(0).counts(), "added 1, removed 1, unchanged 2, delivered 1");
    assert_eq!(laptop.people(), json!({}));
}

#[tokio::test]
async fn suppress_blocks_and_unsuppress_frees() {
    let mut laptop = Laptop::with_sync(TABLE, &spec("suppress")).await;
    laptop.identify_elsewhere("1", json!({"plan": "old"})).await;
    laptop.run().await.code(0);
    let blocked =
        |ids: &[&str]| -> Vec<_> { ids.iter().map(|id| ("id", (*id).to_owned())).collect() };
    assert_eq!(laptop.people(), json!({}));
    assert_eq!(laptop.workspace().suppressed(), blocked(&["1", "2", "3"]));
    laptop.run().await.did_nothing();

    laptop.sql("delete from people where id = 3").await;
    laptop.sync("people", &spec("unsuppress"));
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "changed 2, removed 1, delivered 2");
    assert_eq!(laptop.workspace().suppressed(), blocked(&["3"]));
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_behavior_that_sends_another_operation_counts_as_a_change_of_every_row() {
    let laptop = Laptop::with_sync(TABLE, &spec("updateOrCreate")).await;
    laptop.run().await.code(0);

    laptop.sync("people", &spec("updateOnly"));
    assert_eq!(laptop.plan().await.code(0).counts(), "changed 3");
    assert_eq!(laptop.run().await.code(0).counts(), "changed 3, delivered 3");
    laptop.run().await.did_nothing();

    laptop.sync("people", &spec("delete"));
    assert_eq!(laptop.run().await.code(0).counts(), "changed 3, delivered 3");
    assert_eq!(laptop.people(), json!({}));

    laptop.sync("people", &spec("updateOrCreate"));
    assert_eq!(laptop.run().await.code(0).counts(), "changed 3, delivered 3");
    assert_eq!(laptop.workspace().people_count(), 3);
}

#[tokio::test]
async fn mirror_takes_over_what_update_or_create_remembered_and_sends_nothing_for_it() {
    let mut laptop = Laptop::with_sync(TABLE, &spec("updateOrCreate")).await;
    laptop.run().await.code(0);

    laptop.sync("people", &spec("mirror\nonRemove: delete"));
    laptop.run().await.did_nothing();
    laptop.sql("delete from people where id = 2").await;

    assert_eq!(laptop.run().await.code(0).counts(), "removed 1, unchanged 2, delivered 1");
    assert_eq!(laptop.workspace().person("2"), None);
}
