//! A SQLite table with everything that a column can hold, from end to end; and what mappings with
//! a type make of texts, as a schema without types needs it.

use serde_json::{Value, json};

use super::Laptop;
use super::typed_table::{
    TypedColumn, assert_workspace, change_each, column, create, differing, workspace,
};

fn columns() -> Vec<TypedColumn> {
    vec![
        column("integer", ("-7", json!(-7)), ("0", json!(0))),
        column(
            "bigint",
            ("9007199254740991", json!(9_007_199_254_740_991i64)),
            ("9007199254740992", json!("9007199254740992")),
        ),
        column(
            "bigint",
            ("-9223372036854775808", json!("-9223372036854775808")),
            ("9223372036854775807", json!("9223372036854775807")),
        ),
        column("real", ("0.1 + 0.2", json!(0.1 + 0.2)), ("1e300", json!(1e300))),
        column("real", ("9e999", Value::Null), ("-0.0", json!(0))),
        column("numeric", ("'12.50'", json!(12.5)), ("'abc'", json!("abc"))),
        column("boolean", ("true", json!(1)), ("false", json!(0))),
        column(
            "text",
            (r#"'it''s "quoted" \'"#, json!(r#"it's "quoted" \"#)),
            ("'naïve 😀 中文'", json!("naïve 😀 中文")),
        ),
        column(
            "text",
            ("char(1, 31, 127, 9, 13, 10)", json!("\u{1}\u{1f}\u{7f}\t\r\n")),
            ("'0012'", json!("0012")),
        ),
        column("datetime", ("'2024-01-31 12:00'", json!("2024-01-31 12:00")), ("1.5", json!(1.5))),
        column("blob", ("x'00ff10'", json!("AP8Q")), ("'as text'", json!("as text"))),
        column("", ("1", json!(1)), ("'1'", json!("1"))),
    ]
}

#[tokio::test]
async fn everything_a_sqlite_column_holds_arrives_and_only_what_changes_is_sent_again() {
    let columns = columns();
    let mut laptop = Laptop::with_sync(
        &create(&columns),
        "model: {table: everything, primaryKey: [id]}\nbehavior: updateOrCreate\n\
         identifiers: {id: id}\nunmappedColumns: include",
    )
    .await;
    let (rows, changes) = (columns.len() + 3, differing(&columns));

    let first = laptop.run().await;
    assert_eq!(first.code(0).counts(), format!("added {rows}, delivered {rows}"));
    assert_workspace(&laptop.people(), &workspace(&columns, false));

    laptop.run().await.did_nothing();

    laptop.sql(&change_each(&columns)).await;
    let third = laptop.run().await;
    let same = rows - changes;
    let expected = format!("changed {changes}, unchanged {same}, delivered {changes}");
    assert_eq!(third.code(0).counts(), expected);
    assert_eq!(third.arrived, changes as u64);
    assert_workspace(&laptop.people(), &workspace(&columns, true));
}

#[tokio::test]
async fn a_type_turns_text_into_what_it_means_and_nonsense_makes_its_row_invalid() {
    let laptop = Laptop::with_sync(
        "create table people (id integer primary key, number, i, b, at, d, doc, t);
         insert into people values
            (1, ' 12.50 ', '42', 'YES', '2026-03-01T10:00:00+01:00', '2026-02-28',
             '{\"b\": [1, null], \"a\": {}}', 7),
            (2, 0.5, 9007199254740993, 0, '2026-07-15 12:00:00', '2026-03-01T23:30:00Z',
             '[]', 1.25),
            (3, 'twelve', null, null, null, null, null, null),
            (4, null, '3.5', null, null, null, null, null),
            (5, null, null, 'maybe', null, null, null, null),
            (6, null, null, null, 'soon', null, null, null),
            (7, null, null, null, null, '2026-02-30', null, null),
            (8, null, null, null, null, null, '[1,', null);",
        "model: {table: people, primaryKey: [id]}
behavior: updateOrCreate
identifiers: {id: id}
mappings:
  - {from: number, type: number}
  - {from: i, type: integer}
  - {from: b, type: boolean}
  - {from: at, type: timestamp, timeZone: Europe/Berlin}
  - {from: d, type: date}
  - {from: doc, type: json}
  - {from: t, type: text}",
    )
    .await;

    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "added 2, invalid 6, delivered 2");
    assert_eq!(
        laptop.people(),
        json!({
            "1": {"id": "1", "number": 12.5, "i": 42, "b": true, "at": 1_772_355_600,
                  "d": "2026-02-28", "doc": {"a": {}, "b": [1, null]}, "t": "7"},
            "2": {"id": "2", "number": 0.5, "i": "9007199254740993", "b": false, "at": 1_784_109_600,
                  "d": "2026-03-01", "doc": [], "t": "1.25"},
        })
    );
}

#[tokio::test]
async fn a_key_of_several_columns_tells_rows_apart_and_the_identifier_names_the_person() {
    let mut laptop = Laptop::with_sync(
        "create table people (shop text, number integer, user text, plan text,
             primary key (shop, number));
         insert into people values ('a', 1, 'u1', 'gold'), ('a', 2, 'u2', 'gold'),
             ('a1', 1, 'u3', 'gold'), ('', 1, 'u4', 'gold');",
        "model: {table: people, primaryKey: [shop, number]}\nbehavior: mirror\nonRemove: delete\n\
         identifiers: {id: user}\nmappings: [{from: plan}]",
    )
    .await;
    laptop.run().await.code(0);

    laptop
        .sql("delete from people where user = 'u2'; update people set plan = 'tin' where shop = ''")
        .await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "changed 1, removed 1, unchanged 2, delivered 2");
    assert_eq!(
        laptop.people(),
        json!({
            "u1": {"id": "u1", "plan": "gold"},
            "u3": {"id": "u3", "plan": "gold"},
            "u4": {"id": "u4", "plan": "tin"},
        })
    );
}
