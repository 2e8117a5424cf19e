//! `model.cursor`: only what is new is read, and nothing is lost by it.

use ciosync::emulator::Fault;
use ciosync::engine::RunOptions;
use serde_json::json;

use super::postgres_columns::read_from;
use super::{Laptop, Ran, in_process};
use crate::support::postgres;
use crate::support::postgres::Database;

fn sync(table: &str, more: &str) -> String {
    format!(
        "model:\n  table: {table}\n  primaryKey: [id]\n  cursor: {{column: updated_at, {more}}}\n\
         behavior: updateOrCreate\nidentifiers: {{id: id}}\nmappings: [{{from: plan}}]"
    )
}

async fn warehouse(column_type: &str) -> (Laptop, Database) {
    let database = postgres().await.database().await;
    database
        .execute(&format!(
            "create table people (id int primary key, plan text, updated_at {column_type});
             insert into people values (1, 'a', now() - interval '3 days'),
                 (2, 'b', now() - interval '2 days'), (3, 'c', now() - interval '1 day')"
        ))
        .await;
    let laptop = Laptop::with_sync("", &sync("people", "lookback: 0s")).await;
    read_from(&laptop, &database);
    (laptop, database)
}

/// Runs and returns rows read and the numbers.
async fn run(laptop: &Laptop, code: i32) -> (u64, String) {
    let ran = laptop.run().await;
    (read(&ran), ran.code(code).counts())
}

fn read(ran: &Ran) -> u64 {
    ran.only()["rowsRead"].as_u64().unwrap()
}

#[tokio::test]
async fn only_rows_from_the_last_value_on_are_read_and_rows_that_left_stay_known() {
    for column_type in ["timestamptz", "timestamp", "timestamp(0)"] {
        let (laptop, database) = warehouse(column_type).await;
        assert_eq!(run(&laptop, 0).await, (3, "added 3, delivered 3".to_owned()));

        // The row at the edge is read again: another one may share its time.
        assert_eq!(run(&laptop, 0).await, (1, "unchanged 1".to_owned()), "{column_type}");
        database
            .execute(
                "insert into people select 4, 'd', updated_at from people where id = 3;
                 update people set plan = 'B', updated_at = now() - interval '1 hour' where id = 2;
                 delete from people where id = 1",
            )
            .await;

        let expected = (3, "added 1, changed 1, unchanged 1, delivered 2".to_owned());
        assert_eq!(run(&laptop, 0).await, expected, "{column_type}");
        assert_eq!(laptop.people()["2"]["plan"], "B");
        assert_eq!(laptop.people()["1"]["plan"], "a");
        let (read, _) = run(&laptop, 0).await;
        assert_eq!(read, 1, "{column_type}");
    }
}

#[tokio::test]
async fn a_microsecond_and_a_row_without_a_time_are_not_lost() {
    let (laptop, database) = warehouse("timestamptz").await;
    database
        .execute(
            "update people set updated_at = '2024-05-01 10:00:00.123456Z' where id < 3;
             update people set updated_at = '2024-05-01 10:00:00.123457Z' where id = 3",
        )
        .await;
    run(&laptop, 0).await;
    assert_eq!(run(&laptop, 0).await, (1, "unchanged 1".to_owned()));

    database
        .execute(
            "insert into people values (4, 'd', '2024-05-01 10:00:00.123457Z'),
                 (5, 'e', '2024-05-01 10:00:00.123456Z'), (6, 'f', null),
                 (7, 'g', 'infinity'), (8, 'h', now() + interval '1 hour')",
        )
        .await;

    let expected = (3, "added 2, unchanged 1, delivered 2".to_owned());
    assert_eq!(run(&laptop, 0).await, expected, "what is behind the last value or ahead of now");
    assert_eq!(laptop.people()["6"]["plan"], "f");
    // A changed mapping is a changed meaning: all rows are read once, the late one with them.
    laptop.sync(
        "people",
        &sync("people", "lookback: 1s").replace("from: plan", "from: plan, to: tier"),
    );
    let (read, _) = run(&laptop, 0).await;
    assert_eq!(read, 8);
    assert_eq!(laptop.people()["5"]["tier"], "e");
    let (read, _) = run(&laptop, 0).await;
    assert_eq!(read, 6, "within a second of the last value, and the one without a time");
}

#[tokio::test]
async fn late_rows_within_the_lookback_are_found() {
    let (laptop, database) = warehouse("timestamptz").await;
    laptop.sync("people", &sync("people", "lookback: 36h"));
    run(&laptop, 0).await;

    database
        .execute(
            "insert into people values (4, 'late', now() - interval '50 hours'),
                 (5, 'later', now() - interval '80 hours')",
        )
        .await;

    let (read, counts) = run(&laptop, 0).await;
    assert_eq!((read, counts.as_str()), (3, "added 1, unchanged 2, delivered 1"));
    assert_eq!(laptop.people()["4"]["plan"], "late");
    assert_eq!(
        laptop.run_with(&["--full-resync", "people"]).await.code(0).counts(),
        "added 1, refreshed 4, delivered 5"
    );
}

#[tokio::test]
async fn the_last_value_waits_for_a_rejected_row_until_it_is_parked_and_a_retry_finds_it() {
    let (laptop, database) = warehouse("timestamptz").await;
    run(&laptop, 0).await;
    laptop.emulator.faults().add(Fault::reject_identifier("4"));
    database
        .execute(
            "insert into people values (4, 'refused', now() - interval '10 hours'),
                 (5, 'e', now() - interval '5 hours')",
        )
        .await;
    assert_eq!(run(&laptop, 3).await.1, "added 2, unchanged 1, rejected 1, delivered 1");

    for _ in 0..140 {
        let counts = in_process::run(&laptop, RunOptions::default()).await.report.counts;
        assert_eq!(counts.rejected, 1, "it is never silent");
    }
    assert_eq!(run(&laptop, 3).await, (1, "unchanged 1, rejected 1".to_owned()), "it is parked");
    laptop.emulator.faults().clear();
    laptop.say(&["retry", "people"]).await;
    let (read, counts) = run(&laptop, 0).await;

    assert_eq!((read, counts.as_str()), (5, "added 1, unchanged 4, retried 1, delivered 1"));
    assert_eq!(laptop.people()["4"]["plan"], "refused");
    assert_eq!(run(&laptop, 0).await, (1, "unchanged 1".to_owned()));
}

#[tokio::test]
async fn a_cursor_that_is_no_time_is_refused_with_the_cast_to_write() {
    let (laptop, database) = warehouse("timestamptz").await;
    database.execute("alter table people alter updated_at type text").await;

    let ran = laptop.run().await;

    assert_eq!(ran.code(1).reason(), "SchemaDrift");
    let said = ran.output.to_string();
    assert!(said.contains("the cursor column `updated_at` is of type text"), "{said}");
    assert!(
        said.contains("updated_at\\\"::timestamptz") || said.contains("::timestamptz"),
        "{said}"
    );
    assert_eq!(laptop.people(), json!({}));
}

#[tokio::test]
async fn a_sqlite_file_is_read_by_text_and_by_unix_seconds() {
    for (first, second, third) in [
        ("'2024-05-01 10:00:00'", "'2024-05-01T10:00:01.5Z'", "'2024-05-02'"),
        ("1714557600", "1714557601.5", "1714608000"),
    ] {
        let table = format!(
            "create table people (id integer primary key, plan text, updated_at);
             insert into people values (1, 'a', {first}), (2, 'b', {second});"
        );
        let mut laptop = Laptop::with_sync(&table, &sync("people", "lookback: 0s")).await;
        assert_eq!(run(&laptop, 0).await.0, 2);

        laptop
            .sql(&format!("insert into people values (3, 'c', {third}), (4, 'd', {first})"))
            .await;

        assert_eq!(run(&laptop, 0).await, (2, "added 1, unchanged 1, delivered 1".to_owned()));
        assert_eq!(run(&laptop, 0).await, (1, "unchanged 1".to_owned()));
    }
}

#[tokio::test]
async fn nonsense_in_a_sqlite_cursor_is_refused() {
    let table = "create table people (id integer primary key, plan text, updated_at);
                 insert into people values (1, 'a', 'yesterday')";
    let laptop = Laptop::with_sync(table, &sync("people", "lookback: 0s")).await;

    let ran = laptop.run().await;

    assert_eq!(ran.code(1).reason(), "SchemaDrift");
    assert!(!ran.output.to_string().contains("yesterday"), "{}", ran.output);
}
