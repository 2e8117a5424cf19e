//! Batches that are refused as a whole: halved down to the rows that are to blame.

use ciosync::emulator::{Fault, Report};
use serde_json::json;

use super::Laptop;

const SYNC: &str = "
model: {table: people, primaryKey: [id]}
behavior: updateOrCreate
identifiers: {id: id}
mappings: [{from: note}]";

/// A table of this many rows with a short note each.
fn table(rows: u32) -> String {
    format!(
        "create table people (id integer primary key, note text);
         insert into people with recursive n(id) as (select 1 union all select id + 1 from n
             where id < {rows}) select id, 'note ' || id from n;"
    )
}

#[tokio::test]
async fn a_batch_refused_with_400_is_halved_down_to_the_bad_row() {
    let mut laptop = Laptop::with_sync(&table(64), SYNC).await;
    laptop.sql("update people set note = printf('%.900c', 'x') where id = 23").await;
    laptop.emulator.settings().change(|settings| {
        settings.limits.item_bytes = 600;
        settings.oversize_item_refuses_batch = true;
    });

    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "added 64, rejected 1, delivered 63");
    assert_eq!(laptop.workspace().people_count(), 63);
    assert_eq!(laptop.workspace().person("23"), None);
    // The look at the account, the batch, and two halves for each of log2(64) steps.
    assert_eq!(run.requests, 2 + 2 * 6);

    laptop.sql("update people set note = 'short' where id = 23").await;
    assert_eq!(laptop.run().await.code(0).counts(), "added 1, unchanged 63, delivered 1");
}

#[tokio::test]
async fn a_batch_refused_as_too_large_is_halved_until_it_fits() {
    let laptop = Laptop::with_sync(&table(64), SYNC).await;
    laptop.emulator.settings().change(|settings| settings.limits.batch_bytes = 3_000);

    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 64, delivered 64");
    assert_eq!(laptop.workspace().people_count(), 64);
    assert_eq!(laptop.people()["64"], json!({"id": "64", "note": "note 64"}));
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_207_that_points_at_no_item_is_halved_down_to_the_refused_row() {
    for report in [Report::NoIndex, Report::WrongIndex, Report::TextIndex] {
        let laptop = Laptop::with_sync(&table(16), SYNC).await;
        laptop.emulator.faults().add(Fault::reject_identifier("11").reporting(report));

        let run = laptop.run().await;

        assert_eq!(run.code(3).counts(), "added 16, rejected 1, delivered 15", "{report:?}");
        assert_eq!(laptop.workspace().people_count(), 15, "{report:?}");
        laptop.emulator.faults().clear();
        let second = laptop.run().await;
        let expected = "added 1, unchanged 15, retried 1, delivered 1";
        assert_eq!(second.code(0).counts(), expected, "{report:?}");
    }
}

#[tokio::test]
async fn errors_under_a_200_are_believed() {
    let laptop = Laptop::with_sync(&table(16), SYNC).await;
    laptop.emulator.settings().change(|settings| settings.some_invalid_status = 200);
    laptop.emulator.faults().add(Fault::reject_identifier("11"));

    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "added 16, rejected 1, delivered 15");
}

#[tokio::test]
async fn more_refused_rows_than_allowed_fail_the_run_and_what_was_accepted_is_remembered() {
    let laptop = Laptop::with_sync(&table(100), SYNC).await;
    let refused: Vec<usize> = (0..20).collect();
    let fault = laptop.emulator.faults().add(Fault::reject_indices(&refused));

    let run = laptop.run().await;

    assert_eq!((run.code(1).result(), run.reason()), ("Failed", "TooManyRejected"));
    assert_eq!(run.counts(), "added 100, rejected 20, delivered 80");
    laptop.emulator.faults().remove(fault);
    let second = laptop.run().await;
    assert_eq!(second.code(0).counts(), "added 20, unchanged 80, retried 20, delivered 20");
}

#[tokio::test]
async fn a_run_in_which_every_row_is_refused_for_one_reason_stops_early() {
    let laptop = Laptop::with_sync(&table(5_000), SYNC).await;
    laptop.emulator.faults().add(Fault::fail(400, ciosync::emulator::Body::Json).path("/api/v2"));

    let run = laptop.run().await;

    assert_eq!((run.code(1).result(), run.reason()), ("Failed", "TooManyRejected"));
    assert!(run.requests < 1_000, "{}", run.requests);
    assert_eq!(laptop.workspace().people_count(), 0);
}

#[tokio::test]
async fn faults_that_pass_are_repeated_and_lose_nothing() {
    for fault in [
        Fault::throttle(Some(1)),
        Fault::fail(503, ciosync::emulator::Body::Html),
        Fault::cut(),
        Fault::cut().after_acceptance(),
        Fault::fail(200, ciosync::emulator::Body::Half),
    ] {
        let laptop = Laptop::with_sync(&table(10), SYNC).await;
        laptop.emulator.faults().add(fault.clone().path("/api/v2").times(2));

        let run = laptop.run().await;

        assert_eq!(run.code(0).counts(), "added 10, delivered 10", "{fault:?}");
        assert_eq!(laptop.workspace().people_count(), 10, "{fault:?}");
        laptop.run().await.did_nothing();
    }
}
