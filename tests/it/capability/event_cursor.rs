//! Events with a cursor: a long table is read and remembered only at its end, and what was forgotten
//! is never sent again.

use ciosync::emulator::Fault;
use ciosync::engine::RunOptions;
use ciosync::model::SyncId;

use super::{Laptop, in_process};

/// Ten minutes between two rows.
const TABLE: &str = "
create table orders (id integer primary key, person text, loaded integer, again integer);
insert into orders with recursive n(i) as (select 1 union all select i + 1 from n where i < 30)
    select i, 'p' || i, 1714550000 + i * 600, 1714550000 from n;";

fn spec(cursor: &str) -> String {
    format!(
        "model: {{table: orders, primaryKey: [id]{cursor}}}\nbehavior: append\n\
         identifiers: {{id: person}}\nevent: {{name: {{constant: placed}}, timestamp: loaded}}"
    )
}

const BY_LOADED: &str = ", cursor: {column: loaded, lookback: 30m}";

async fn laptop() -> Laptop {
    let laptop = Laptop::new(TABLE).await;
    laptop.sync_of("event", "orders", &spec(BY_LOADED));
    laptop
}

async fn remembered(laptop: &Laptop) -> u64 {
    let sync = SyncId::new("default", "orders");
    in_process::store(laptop).await.sync(&sync).await.unwrap().unwrap().segment_rows
}

/// Runs and returns the rows that were read, and the numbers.
async fn run(laptop: &Laptop) -> (u64, String) {
    run_of(laptop, 0).await
}

async fn run_of(laptop: &Laptop, code: i32) -> (u64, String) {
    let ran = laptop.run().await;
    (ran.code(code).only()["rowsRead"].as_u64().unwrap(), ran.counts())
}

#[tokio::test]
async fn keys_that_are_never_read_again_are_forgotten_and_late_ones_are_found() {
    let mut laptop = laptop().await;
    assert_eq!(run(&laptop).await, (30, "added 30, delivered 30".to_owned()));
    assert_eq!(remembered(&laptop).await, 30);

    // Read are those of the last half hour, known those of the last hour, both ends included.
    assert_eq!(run(&laptop).await, (4, "unchanged 4".to_owned()));
    assert_eq!(remembered(&laptop).await, 7);
    laptop.run().await.did_nothing();
    assert_eq!(remembered(&laptop).await, 7);

    laptop
        .sql("insert into orders select 31, 'late', loaded - 1200, 0 from orders where id = 30")
        .await;
    assert_eq!(run(&laptop).await, (5, "added 1, unchanged 4, delivered 1".to_owned()));
    assert_eq!(laptop.workspace().events_count(), 31);
}

#[tokio::test]
async fn reading_all_again_sends_nothing_that_was_forgotten() {
    let mut laptop = laptop().await;
    run(&laptop).await;
    laptop.emulator.faults().add(Fault::reject_identifier("refused"));
    laptop
        .sql("insert into orders with recursive n(i) as (select 31 union all select i + 1 from n where i < 60)
              select i, iif(i = 31, 'refused', 'p' || i), 1714550000 + i * 600, 0 from n")
        .await;
    for _ in 0..140 {
        let counts = in_process::run(&laptop, RunOptions::default()).await.report.counts;
        assert_eq!(counts.rejected, 1, "it is never silent");
    }
    assert_eq!(
        remembered(&laptop).await,
        7,
        "once the row is parked, what lies behind is forgotten"
    );
    laptop.emulator.faults().clear();
    laptop.sync_of("event", "orders", &format!("{}\nmappings: [{{from: again}}]", spec(BY_LOADED)));

    laptop.say(&["retry", "orders"]).await;
    let all = run(&laptop).await;

    assert_eq!(all, (60, "added 1, unchanged 59, delivered 1".to_owned()));
    assert_eq!(laptop.workspace().events_count(), 60);
    assert_eq!(laptop.workspace().event_repeats(), 0);
}

#[tokio::test]
async fn another_cursor_is_refused_and_none_too_once_events_were_forgotten() {
    const OTHER: &str = ", cursor: {column: again, lookback: 30m}";
    async fn is_refused(laptop: &Laptop, cursor: &str) {
        laptop.sync_of("event", "orders", &spec(cursor));
        let refused = laptop.run().await;
        assert_eq!(refused.code(1).reason(), "StateMismatch");
        assert_eq!(refused.arrived, 0);
    }
    let laptop = laptop().await;
    run(&laptop).await;

    // Nothing is forgotten yet, but what is remembered is so by its time.
    is_refused(&laptop, OTHER).await;
    laptop.sync_of("event", "orders", &spec(""));
    assert_eq!(run(&laptop).await, (30, "unchanged 30".to_owned()));
    is_refused(&laptop, OTHER).await;
    laptop.sync_of("event", "orders", &spec(BY_LOADED));
    assert_eq!(run(&laptop).await, (4, "unchanged 4".to_owned()));
    assert_eq!(remembered(&laptop).await, 7);

    is_refused(&laptop, OTHER).await;
    is_refused(&laptop, "").await;
    laptop.say(&["state", "reset", "orders", "--yes"]).await.expect_code(0);
    assert_eq!(run(&laptop).await, (30, "unchanged 30".to_owned()));
    assert_eq!(laptop.workspace().event_repeats(), 0);
}

/// Row 2 can't be sent as a number; the guard lets one of thirty pass.
async fn with_an_invalid_row() -> Laptop {
    let mut laptop = laptop().await;
    laptop.sql("update orders set again = 'none' where id = 2").await;
    laptop.sync_of("event", "orders", &mapped("{from: again, type: number}"));
    assert_eq!(run_of(&laptop, 3).await, (30, "added 29, invalid 1, delivered 29".to_owned()));
    laptop
        .sql("insert into orders with recursive n(i) as (select 31 union all select i + 1 from n where i < 60)
              select i, 'p' || i, 1714550000 + i * 600, 0 from n")
        .await;
    let added = (34, "added 30, unchanged 4, invalid 1, delivered 30".to_owned());
    // One bad row makes no run read the whole table, and is not forgotten for it.
    assert_eq!(run_of(&laptop, 3).await, added);
    for _ in 0..2 {
        assert_eq!(run_of(&laptop, 3).await, (4, "unchanged 4, invalid 1".to_owned()));
    }
    assert_eq!(remembered(&laptop).await, 58, "all from the row on that may be sent yet");
    laptop
}

fn mapped(mapping: &str) -> String {
    format!("{}\nmappings: [{mapping}]", spec(BY_LOADED))
}

#[tokio::test]
async fn a_row_that_an_edited_mapping_mends_is_sent_though_it_lies_behind_the_window() {
    let laptop = with_an_invalid_row().await;

    laptop.sync_of("event", "orders", &mapped("{from: again}"));

    assert_eq!(run(&laptop).await, (59, "added 1, unchanged 58, delivered 1".to_owned()));
    for _ in 0..2 {
        assert_eq!(run(&laptop).await, (4, "unchanged 4".to_owned()));
    }
    assert_eq!(remembered(&laptop).await, 7);
    assert_eq!((laptop.workspace().events_count(), laptop.workspace().event_repeats()), (60, 0));
}

#[tokio::test]
async fn a_row_that_the_source_mends_behind_the_window_is_told_of_until_a_retry_sends_it() {
    let mut laptop = with_an_invalid_row().await;

    laptop.sql("update orders set again = 7 where id = 2").await;
    assert_eq!(run_of(&laptop, 3).await, (4, "unchanged 4, invalid 1".to_owned()));
    laptop.say(&["retry", "orders"]).await.expect_code(0);
    // Until it was sent it is due, whatever comes between.
    laptop.emulator.faults().add(Fault::reject_identifier("p2"));
    assert_eq!(run_of(&laptop, 3).await.1, "added 1, unchanged 59, rejected 1");
    laptop.emulator.faults().clear();

    let sent = run(&laptop).await.1;
    assert!(sent.starts_with("added 1") && sent.ends_with("retried 1, delivered 1"), "{sent}");
    assert_eq!((laptop.workspace().events_count(), laptop.workspace().event_repeats()), (60, 0));
}

#[tokio::test]
async fn an_event_stays_known_by_the_newest_time_under_which_it_was_read() {
    let mut laptop = laptop().await;
    run(&laptop).await;
    laptop.sql("update orders set loaded = 1714550000 + 18600 where id = 28").await;
    assert_eq!(run(&laptop).await, (4, "unchanged 4".to_owned()));
    laptop.sql("insert into orders values (31, 'p31', 1714550000 + 21000, 0)").await;
    assert_eq!(run(&laptop).await, (4, "added 1, unchanged 3, delivered 1".to_owned()));
    assert_eq!(run(&laptop).await, (1, "unchanged 1".to_owned()));

    laptop.sync_of("event", "orders", &spec(&BY_LOADED.replace("30m", "2h")));

    assert_eq!(run(&laptop).await, (9, "unchanged 9".to_owned()));
    assert_eq!((laptop.workspace().events_count(), laptop.workspace().event_repeats()), (31, 0));
}
