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
    let ran = laptop.run().await;
    (ran.code(0).only()["rowsRead"].as_u64().unwrap(), ran.counts())
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

    assert_eq!(all, (60, "added 1, unchanged 59, retried 1, delivered 1".to_owned()));
    assert_eq!(laptop.workspace().events_count(), 60);
    assert_eq!(laptop.workspace().event_repeats(), 0);
}

#[tokio::test]
async fn another_cursor_is_refused_once_events_were_forgotten() {
    let laptop = laptop().await;
    run(&laptop).await;
    // Nothing is forgotten yet: any other column will do, and none.
    laptop.sync_of("event", "orders", &spec(""));
    assert_eq!(run(&laptop).await, (30, "unchanged 30".to_owned()));
    laptop.sync_of("event", "orders", &spec(BY_LOADED));
    run(&laptop).await;
    run(&laptop).await;
    assert_eq!(remembered(&laptop).await, 30, "what was known without a time stays known");

    let laptop = self::laptop().await;
    run(&laptop).await;
    run(&laptop).await;
    for cursor in ["", ", cursor: {column: again, lookback: 30m}"] {
        laptop.sync_of("event", "orders", &spec(cursor));
        let refused = laptop.run().await;
        assert_eq!(refused.code(1).reason(), "StateMismatch");
        assert_eq!(refused.arrived, 0);
    }
    laptop.say(&["state", "reset", "orders", "--yes"]).await.expect_code(0);
    assert_eq!(run(&laptop).await, (30, "unchanged 30".to_owned()));
    assert_eq!(laptop.workspace().event_repeats(), 0);
}
