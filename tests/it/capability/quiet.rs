//! What is equal to what was accepted is not sent again, however it is spelled.

use ciosync::engine::RunOptions;
use ciosync::model::Encoding;
use serde_json::json;

use super::postgres_columns::read_from;
use super::{Laptop, in_process};
use crate::support::postgres;

const INCLUDE: &str = "
model: {table: people, primaryKey: [id]}
behavior: mirror
onRemove: delete
identifiers: {id: id}
unmappedColumns: include";

#[tokio::test]
async fn a_new_encoding_of_what_is_remembered_sends_nothing() {
    let mut laptop = Laptop::with_sync(
        "create table people (id integer primary key, plan text, score real, doc text);
         insert into people values (1, 'gold', 1.5, '{}'), (2, null, 0, ''), (3, 'tin', -0.0, 'x'),
             (4, 'tin', 4, 'y');",
        INCLUDE,
    )
    .await;
    let before = RunOptions { encoding: Encoding::PREVIOUS, ..RunOptions::default() };
    let first = in_process::run(&laptop, before).await;
    assert_eq!(first.report.counts.delivered, 4);

    laptop.run().await.did_nothing();
    laptop.run().await.did_nothing();

    laptop
        .sql("update people set plan = 'silver' where id = 2; delete from people where id = 4")
        .await;
    let run = laptop.run().await;
    assert_eq!(run.code(0).counts(), "changed 1, removed 1, unchanged 2, delivered 2");
}

#[tokio::test]
async fn a_change_that_comes_with_the_new_encoding_is_sent_alone() {
    let mut laptop = Laptop::with_sync(
        "create table people (id integer primary key, plan text);
         insert into people values (1, 'gold'), (2, 'tin'), (3, 'tin');",
        INCLUDE,
    )
    .await;
    let before = RunOptions { encoding: Encoding::PREVIOUS, ..RunOptions::default() };
    in_process::run(&laptop, before).await;

    laptop.sql("update people set plan = 'silver' where id = 2").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "changed 1, unchanged 2, delivered 1");
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn columns_that_change_their_type_and_not_their_values_send_nothing() {
    let database = postgres().await.database().await;
    database
        .execute(
            "create table people (id int primary key, points int, price numeric(10,1), doc json,
                 note varchar(10), at timestamptz, tags text[]);
             insert into people values
                 (1, 7, 1.0, '{\"a\": 1, \"b\": [1.50, {\"x\": 1, \"y\": 2}]}', 'n',
                  '2024-01-31 12:00+02', '{a}'),
                 (2, 2147483647, -0.0, '[]', '', null, '{}');",
        )
        .await;
    let laptop = Laptop::with_sync("", INCLUDE).await;
    read_from(&laptop, &database);
    laptop.run().await.code(0);

    for change in [
        "alter table people alter points type bigint",
        "alter table people alter points type numeric(20,4)",
        "alter table people alter price type numeric(12,3)",
        "alter table people alter id type bigint",
        "alter table people alter id type numeric(20,2)",
        "update people set doc = '{\"b\":[1.5,{\"y\":2.0,\"x\":1}],  \"a\":1.000}' where id = 1",
        "alter table people alter doc type jsonb",
        "alter table people alter note type text",
        "alter table people alter tags type jsonb using to_jsonb(tags)",
        "create table other as select tags, note, doc, points, id, price, at from people;
         drop table people; alter table other rename to people; alter table people add primary key (id)",
    ] {
        database.execute(change).await;
        let run = laptop.run().await;
        assert_eq!((run.code(0).result(), run.arrived), ("NoChanges", 0), "{change}\n{}", run.output);
    }
    database.execute("update people set price = 1.001 where id = 1").await;
    assert_eq!(laptop.run().await.code(0).counts(), "changed 1, unchanged 1, delivered 1");
    assert_eq!(laptop.people()["1"]["price"], json!(1.001));
}

#[tokio::test]
async fn texts_that_are_converted_to_the_same_value_send_nothing() {
    let mut laptop = Laptop::with_sync(
        "create table people (id integer primary key, number text, b text, at text, doc text);
         insert into people values
             (1, '1.0', 'true', '2024-01-31T12:00:00+02:00', '{\"a\": 1, \"b\": {\"c\": 2, \"d\": 3}}');",
        "model: {table: people, primaryKey: [id]}
behavior: updateOrCreate
identifiers: {id: id}
mappings:
  - {from: number, type: number}
  - {from: b, type: boolean}
  - {from: at, type: timestamp}
  - {from: doc, type: json}",
    )
    .await;
    laptop.run().await.code(0);

    for change in [
        "number = '1.00'",
        "number = ' 1e0 '",
        "b = 'Y'",
        "b = 1",
        "at = '2024-01-31T10:00:00Z'",
        "at = '1706695200'",
        "at = '2024-01-31 10:00:00.9'",
        "doc = '{ \"b\": {\"d\": 3.0, \"c\": 2}, \"a\": 1e0}'",
    ] {
        laptop.sql(&format!("update people set {change}")).await;
        let run = laptop.run().await;
        assert_eq!(
            (run.code(0).result(), run.arrived),
            ("NoChanges", 0),
            "{change}\n{}",
            run.output
        );
    }
    for change in ["number = '1.01'", "b = 'no'", "at = '2024-01-31T10:00:01Z'", "doc = '[]'"] {
        laptop.sql(&format!("update people set {change}")).await;
        assert_eq!(laptop.run().await.code(0).counts(), "changed 1, delivered 1", "{change}");
    }
}

#[tokio::test]
async fn a_mapping_that_is_written_otherwise_and_means_the_same_sends_nothing() {
    let mut laptop = Laptop::with_sync(
        "create table people (id integer primary key, plan text, score integer);
         insert into people values (1, 'gold', 1), (2, null, 2);",
        INCLUDE,
    )
    .await;
    laptop.run().await.code(0);
    laptop.sql("alter table people add column ignored text default 'x'").await;

    let head = "model: {table: people, primaryKey: [id]}\nbehavior: mirror\nonRemove: delete\n\
                identifiers: {id: id}";
    for mappings in [
        "[{from: score}, {from: plan}]",
        "[{from: plan, to: plan}, {from: score, type: number}]",
        "[{template: '{{plan}}', to: plan}, {from: score, type: integer}]",
    ] {
        laptop.sync("people", &format!("{head}\nmappings: {mappings}"));
        laptop.run().await.did_nothing();
    }
    laptop.sync("people", &format!("{head}\nmappings: [{{from: plan}}]"));
    assert_eq!(laptop.run().await.code(0).counts(), "changed 2, delivered 2");
}
