//! The life of a row that Customer.io refuses: counted in every run until it is accepted or leaves.

use ciosync::emulator::Fault;
use ciosync::engine::RunOptions;
use serde_json::json;

use super::{Laptop, in_process};

const TABLE: &str = "
create table people (id integer primary key, plan text);
insert into people values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e');";

const SYNC: &str = "
model: {table: people, primaryKey: [id]}
behavior: mirror
onRemove: delete
identifiers: {id: id}
mappings: [{from: plan}]";

async fn refusing(identifier: &str) -> Laptop {
    let laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.emulator.faults().add(Fault::reject_identifier(identifier));
    laptop
}

#[tokio::test]
async fn the_rest_of_a_batch_is_remembered_and_the_refused_row_retried_with_growing_pauses() {
    let laptop = refusing("3").await;

    let first = laptop.run().await;
    assert_eq!(first.code(3).result(), "PartiallySucceeded");
    assert_eq!(first.counts(), "added 5, rejected 1, delivered 4");
    assert_eq!(laptop.workspace().people_count(), 4);

    let tried = "added 1, unchanged 4, rejected 1, retried 1";
    let waiting = "unchanged 4, rejected 1";
    for (number, expected) in
        [(2, tried), (3, waiting), (4, tried), (5, waiting), (6, waiting), (7, waiting), (8, tried)]
    {
        let run = laptop.run().await;
        assert_eq!(run.code(3).counts(), expected, "run {number}");
        assert_eq!(run.requests, if expected == tried { 2 } else { 1 }, "run {number}");
    }
}

#[tokio::test]
async fn a_refused_row_is_due_at_once_when_it_changes_and_its_tries_count_anew() {
    let mut laptop = refusing("3").await;
    for _ in 1..=5 {
        laptop.run().await.code(3);
    }

    laptop.sql("update people set plan = 'new' where id = 3").await;
    let sixth = laptop.run().await;
    assert_eq!(sixth.code(3).counts(), "added 1, unchanged 4, rejected 1");
    let seventh = laptop.run().await;
    assert_eq!(seventh.code(3).counts(), "added 1, unchanged 4, rejected 1, retried 1");
}

#[tokio::test]
async fn a_refused_row_is_accepted_once_nothing_refuses_it_any_more() {
    let laptop = refusing("3").await;
    laptop.run().await.code(3);

    laptop.emulator.faults().clear();
    let second = laptop.run().await;

    assert_eq!(second.code(0).counts(), "added 1, unchanged 4, retried 1, delivered 1");
    assert_eq!(laptop.people()["3"], json!({"id": "3", "plan": "c"}));
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_refused_change_that_is_taken_back_is_sent_once_more_and_settled() {
    let mut laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.run().await.code(0);
    laptop.emulator.faults().add(Fault::reject_identifier("3"));
    laptop.sql("update people set plan = 'bad' where id = 3").await;
    assert_eq!(laptop.run().await.code(3).counts(), "changed 1, unchanged 4, rejected 1");

    laptop.emulator.faults().clear();
    laptop.sql("update people set plan = 'c' where id = 3").await;

    // What the workspace holds is in doubt once another value was on its way.
    let back = laptop.run().await;
    assert_eq!(back.code(0).counts(), "changed 1, unchanged 4, delivered 1");
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_refused_row_that_leaves_the_source_is_no_longer_counted() {
    let mut laptop = refusing("3").await;
    laptop.run().await.code(3);

    laptop.sql("delete from people where id = 3").await;

    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_refused_removal_stays_remembered_and_is_tried_again() {
    let mut laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.run().await.code(0);
    laptop.emulator.faults().add(Fault::reject_identifier("3"));
    laptop.sql("delete from people where id in (3, 4)").await;

    let first = laptop.run().await;
    assert_eq!(first.code(3).counts(), "removed 2, unchanged 3, rejected 1, delivered 1");
    let second = laptop.run().await;
    assert_eq!(second.code(3).counts(), "removed 1, unchanged 3, rejected 1, retried 1");
    let third = laptop.run().await;
    assert_eq!((third.code(3).counts().as_str(), third.arrived), ("unchanged 3, rejected 1", 0));

    laptop.emulator.faults().clear();
    let fourth = laptop.run().await;
    assert_eq!(fourth.code(0).counts(), "removed 1, unchanged 3, retried 1, delivered 1");
    assert_eq!(laptop.workspace().people_count(), 3);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_row_is_parked_after_eight_tries_and_tried_again_only_when_a_person_asks() {
    let laptop = refusing("3").await;
    let refused = || laptop.workspace().stats().items_rejected;
    let mut tried = Vec::new();
    for number in 1..=140 {
        let before = refused();
        let run = in_process::run(&laptop, RunOptions::default()).await;
        assert_eq!(run.report.counts.rejected, 1, "run {number}");
        if refused() > before {
            tried.push(number);
        }
    }
    assert_eq!(tried, [1, 2, 4, 8, 16, 32, 64, 128]);
    let store = in_process::store(&laptop).await;
    let stored = store.rejections(&in_process::people(), None, 10).await.unwrap();
    assert_eq!((stored.len(), stored[0].parked, stored[0].attempts), (1, true, 8));

    laptop.emulator.faults().clear();
    assert_eq!(laptop.run().await.code(3).counts(), "unchanged 4, rejected 1");
    store.make_rejections_due(&in_process::people()).await.unwrap();
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 1, unchanged 4, retried 1, delivered 1");
    laptop.run().await.did_nothing();
}
