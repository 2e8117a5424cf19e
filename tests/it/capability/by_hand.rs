//! What people do in Customer.io beside the rows: deleting, editing, merging, suppressing.

use serde_json::json;

use super::Laptop;

const TABLE: &str = "
create table people (id integer primary key, plan text);
insert into people values (1, 'gold'), (2, 'tin');";

const SYNC: &str = "
model: {table: people, primaryKey: [id]}
behavior: mirror
onRemove: delete
identifiers: {id: id}
mappings: [{from: plan}]";

async fn laptop() -> Laptop {
    let laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.run().await.code(0);
    laptop
}

#[tokio::test]
async fn who_was_deleted_stays_away_until_their_row_changes_or_all_is_sent_again() {
    let mut laptop = laptop().await;
    for id in ["1", "2"] {
        laptop.elsewhere("DELETE", id, &json!({})).await;
    }
    laptop.run().await.did_nothing();

    laptop.sql("update people set plan = 'silver' where id = 1").await;
    assert_eq!(laptop.run().await.code(0).counts(), "changed 1, unchanged 1, delivered 1");
    assert_eq!(laptop.people(), json!({"1": {"id": "1", "plan": "silver"}}));

    let run = laptop.run_with(&["--full-resync", "people"]).await;
    assert_eq!(run.code(0).counts(), "refreshed 2, delivered 2");
    assert_eq!(laptop.people()["2"]["plan"], "tin");
}

#[tokio::test]
async fn an_edit_by_hand_stays_until_the_row_changes_and_what_is_not_mapped_stays_for_good() {
    let mut laptop = laptop().await;
    laptop.identify_elsewhere("1", json!({"plan": "by hand", "note": "by hand"})).await;
    laptop.run().await.did_nothing();
    assert_eq!(laptop.people()["1"]["plan"], "by hand");

    laptop.sql("update people set plan = 'silver' where id = 1").await;
    laptop.run().await.code(0);

    assert_eq!(laptop.people()["1"], json!({"id": "1", "plan": "silver", "note": "by hand"}));
}

#[tokio::test]
async fn who_was_merged_away_is_made_anew_by_a_changed_row_and_their_removal_spares_the_other() {
    let mut laptop = laptop().await;
    laptop.merge_elsewhere("1", "2").await;
    assert_eq!(laptop.workspace().people_count(), 1);
    laptop.run().await.did_nothing();

    laptop.sql("update people set plan = 'silver' where id = 2").await;
    assert_eq!(laptop.run().await.code(0).counts(), "changed 1, unchanged 1, delivered 1");
    assert_eq!(laptop.people()["2"], json!({"id": "2", "plan": "silver"}));

    laptop.merge_elsewhere("1", "2").await;
    laptop.sql("delete from people where id = 2").await;
    assert_eq!(laptop.run().await.code(0).counts(), "removed 1, unchanged 1, delivered 1");
    assert_eq!(laptop.workspace().people_count(), 1);
    assert_eq!(laptop.people()["1"]["plan"], "gold");
}

/// Customer.io ignores them with a 200; only its activity log knows.
#[tokio::test]
async fn who_was_suppressed_by_hand_stays_so_whatever_their_row_does() {
    let mut laptop = laptop().await;
    laptop.elsewhere("POST", "1/suppress", &json!({})).await;
    assert_eq!(laptop.workspace().suppressed(), [("id", "1".to_owned())]);

    laptop.sql("update people set plan = 'silver' where id = 1").await;
    assert_eq!(laptop.run().await.code(0).counts(), "changed 1, unchanged 1, delivered 1");

    assert_eq!(laptop.people(), json!({"2": {"id": "2", "plan": "tin"}}));
    laptop.run().await.did_nothing();
}
