//! `onRemove: suppress`: who left is blocked, and whoever comes back is noticed.

use serde_json::json;

use super::{Laptop, in_process};

const TABLE: &str = "
create table people (id integer primary key, plan text);
insert into people values (1, 'gold'), (2, 'tin');";

const SYNC: &str = "
model: {table: people, primaryKey: [id]}
behavior: mirror
onRemove: suppress
identifiers: {id: id}
mappings: [{from: plan}]";

async fn with_one_suppressed() -> Laptop {
    let mut laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.run().await.code(0);
    laptop.sql("delete from people where id = 1").await;
    let run = laptop.run().await;
    assert_eq!(run.code(0).counts(), "removed 1, unchanged 1, delivered 1");
    laptop
}

#[tokio::test]
async fn a_row_that_left_is_suppressed_once_and_nobody_else_is() {
    let laptop = with_one_suppressed().await;

    assert_eq!(laptop.people(), json!({"2": {"id": "2", "plan": "tin"}}));
    assert_eq!(laptop.workspace().suppressed(), [("id", "1".to_owned())]);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn who_returns_after_being_suppressed_is_rejected_and_stays_counted() {
    let mut laptop = with_one_suppressed().await;
    laptop.sql("insert into people values (1, 'gold')").await;

    for _ in 0..3 {
        let run = laptop.run().await;
        assert_eq!(run.code(3).counts(), "unchanged 1, rejected 1");
        assert_eq!(run.arrived, 0);
    }
    laptop.sql("update people set plan = 'silver' where id = 1").await;
    let changed = laptop.run().await;

    assert_eq!((changed.counts().as_str(), changed.arrived), ("unchanged 1, rejected 1", 0));
    let store = in_process::store(&laptop).await;
    let stored = store.rejections(&in_process::people(), None, 10).await.unwrap();
    assert_eq!(
        stored.iter().map(|it| it.rejection.code.as_str()).collect::<Vec<_>>(),
        ["Suppressed"]
    );

    laptop.sql("delete from people where id = 1").await;
    laptop.run().await.did_nothing();
    assert!(store.rejections(&in_process::people(), None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_was_unsuppressed_is_taken_in_again_once_a_person_asks_for_a_retry() {
    let mut laptop = with_one_suppressed().await;
    laptop.sql("insert into people values (1, 'gold')").await;
    laptop.run().await.code(3);
    laptop.elsewhere("POST", "1/unsuppress", &json!({})).await;

    let store = in_process::store(&laptop).await;
    assert_eq!(store.make_rejections_due(&in_process::people()).await.unwrap(), 1);
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "changed 1, unchanged 1, retried 1, delivered 1");
    assert_eq!(laptop.people()["1"], json!({"id": "1", "plan": "gold"}));
    laptop.run().await.did_nothing();
}

/// Customer.io ignores them with a 200; only its activity log knows.
#[tokio::test]
async fn who_was_suppressed_by_hand_stays_so_whatever_their_row_does() {
    let mut laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.run().await.code(0);
    laptop.elsewhere("POST", "1/suppress", &json!({})).await;
    assert_eq!(laptop.workspace().suppressed(), [("id", "1".to_owned())]);

    laptop.sql("update people set plan = 'silver' where id = 1").await;
    assert_eq!(laptop.run().await.code(0).counts(), "changed 1, unchanged 1, delivered 1");

    assert_eq!(laptop.people(), json!({"2": {"id": "2", "plan": "tin"}}));
    laptop.run().await.did_nothing();
}
