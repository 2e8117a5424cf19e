//! A PostgreSQL table with every type that a column can have, from end to end.

use serde_json::{Value, json};

use super::Laptop;
use super::typed_table::{
    TypedColumn, assert_workspace, change_each, column, create, differing, workspace,
};
use crate::support::postgres;
use crate::support::postgres::Database;

const SYNC: &str = "
model: {table: everything, primaryKey: [id]}
behavior: updateOrCreate
identifiers: {id: id}
unmappedColumns: include";

const TYPES: &str = "
create type mood as enum ('happy', 'it''s ok');
create type place as (street text, number int);
create domain positive as integer check (value > 0);
create domain tag as text;
";

/// Points the laptop's Source at a database.
pub fn read_from(laptop: &Laptop, database: &Database) {
    laptop.secret("database", "url", &database.url());
    laptop.source(
        "postgres:\n  url: {secretKeyRef: {name: database, key: url}}\n  tls: {mode: disable}",
    );
}

fn numbers() -> Vec<TypedColumn> {
    vec![
        column("int2", ("-32768", json!(-32768)), ("32767", json!(32767))),
        column("int4", ("-2147483648", json!(-2_147_483_648i64)), ("0", json!(0))),
        column(
            "int8",
            ("9007199254740991", json!(9_007_199_254_740_991i64)),
            ("9007199254740993", json!("9007199254740993")),
        ),
        column(
            "int8",
            ("-9223372036854775808", json!("-9223372036854775808")),
            ("9223372036854775807", json!("9223372036854775807")),
        ),
        column("numeric", ("12.50", json!(12.5)), ("'NaN'", Value::Null)),
        column("numeric", ("'Infinity'", Value::Null), ("1e3", json!(1000))),
        column(
            "numeric(60,30)",
            (
                "12345678901234567890.123456789012345678901234567890",
                json!("12345678901234567890.12345678901234567890123456789"),
            ),
            ("0.0000000000000000000001", json!(1e-22)),
        ),
        column("numeric", ("9007199254740992", json!("9007199254740992")), ("-0.0", json!(0))),
        column("float4", ("0.1", json!(0.1)), ("'NaN'", Value::Null)),
        column("float8", ("0.1::float8 + 0.2", json!(0.1 + 0.2)), ("'-Infinity'", Value::Null)),
        column("float8", ("'-0'", json!(0)), ("1e300", json!(1e300))),
        column("oid", ("4294967295", json!(4_294_967_295i64)), ("1", json!(1))),
        column("positive", ("7", json!(7)), ("8", json!(8))),
    ]
}

fn texts() -> Vec<TypedColumn> {
    vec![
        column(
            "text",
            (r#"'it''s "quoted" \ and {"so": on}'"#, json!(r#"it's "quoted" \ and {"so": on}"#)),
            (r"E'naïve 😀 中文 e\u0301'", json!("naïve 😀 中文 e\u{301}")),
        ),
        column(
            "text",
            (r"E'\x01\x1f\x7f\t\r\n '", json!("\u{1}\u{1f}\u{7f}\t\r\n ")),
            (r"E'\u2028\u00ad\ufeff'", json!("\u{2028}\u{ad}\u{feff}")),
        ),
        column("text", ("'null'", json!("null")), ("'0012'", json!("0012"))),
        column("varchar(5)", ("'ab '", json!("ab ")), ("'12345'", json!("12345"))),
        column("char(5)", ("'ab'", json!("ab")), ("'  c'", json!("  c"))),
        column("name", ("'abc'", json!("abc")), ("'d'", json!("d"))),
        column("tag", ("'a'", json!("a")), ("'b'", json!("b"))),
        column("mood", ("'happy'", json!("happy")), ("'it''s ok'", json!("it's ok"))),
        column("bool", ("true", json!(true)), ("false", json!(false))),
        column(
            "uuid",
            (
                "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
                json!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            ),
            (
                "'00000000-0000-0000-0000-000000000000'",
                json!("00000000-0000-0000-0000-000000000000"),
            ),
        ),
        column("bytea", (r"'\x00ff10'", json!("AP8Q")), (r"'\xdeadbeef'", json!("3q2+7w=="))),
        column("inet", ("'10.0.0.1/8'", json!("10.0.0.1/8")), ("'::1'", json!("::1/128"))),
        column("bit(3)", ("'101'", json!("101")), ("'000'", json!("000"))),
        column("point", ("'(1,2)'", json!("(1,2)")), ("'(0,0)'", json!("(0,0)"))),
        column("int4range", ("'[1,5)'", json!("[1,5)")), ("'empty'", json!("empty"))),
    ]
}

fn times() -> Vec<TypedColumn> {
    vec![
        column(
            "date",
            ("'2024-02-29'", json!("2024-02-29")),
            ("'0001-01-01'", json!("0001-01-01")),
        ),
        column(
            "timestamp",
            ("'2024-01-31 12:00:00.999999'", json!(1_706_702_400)),
            ("'1969-12-31 23:59:59.5'", json!(-1)),
        ),
        column(
            "timestamptz",
            ("'2024-01-31 12:00:00+02'", json!(1_706_695_200)),
            ("'2024-07-01 00:00:00 Europe/Berlin'", json!(1_719_784_800)),
        ),
        column("time", ("'12:34:56.789'", json!("12:34:56.789")), ("'24:00'", json!("24:00:00"))),
        column(
            "timetz",
            ("'12:34:56+02'", json!("12:34:56+02")),
            ("'0:00z'", json!("00:00:00+00")),
        ),
        column("interval", ("'1 day 2 hours'", json!("P1DT2H")), ("'-3 months'", json!("P-3M"))),
    ]
}

fn documents() -> Vec<TypedColumn> {
    vec![
        column(
            "json",
            (
                r#"'{"b": 1.0, "a": [1, {"y": null, "x": "\u00e9"}], "b2": "" }'"#,
                json!({"a": [1, {"x": "é", "y": null}], "b": 1, "b2": ""}),
            ),
            ("'[[], {}, true]'", json!([[], {}, true])),
        ),
        column(
            "jsonb",
            (
                r#"'{"deep": {"er": [true, false, "it''s"]}}'"#,
                json!({"deep": {"er": [true, false, "it's"]}}),
            ),
            (r#"'"text"'"#, json!("text")),
        ),
        column("jsonb", ("'12.50'", json!(12.5)), ("'null'", Value::Null)),
        column("int4[]", ("'{1,2,null}'", json!([1, 2, null])), ("'{}'", json!([]))),
        column(
            "text[]",
            (r#"'{a,"b, c"}'"#, json!(["a", "b, c"])),
            ("'{{a,b},{c,d}}'", json!([["a", "b"], ["c", "d"]])),
        ),
        column("mood[]", ("'{happy}'", json!(["happy"])), ("'{null}'", json!([null]))),
        column(
            "place",
            ("row('Main \"St\"', 7)", json!({"street": "Main \"St\"", "number": 7})),
            ("row(null, null)", json!({"street": null, "number": null})),
        ),
    ]
}

#[tokio::test]
async fn every_type_of_a_postgres_column_arrives_and_only_what_changes_is_sent_again() {
    let columns: Vec<TypedColumn> =
        [numbers(), texts(), times(), documents()].into_iter().flatten().collect();
    let database = postgres().await.database().await;
    database.execute(TYPES).await;
    database.execute(&create(&columns)).await;
    let laptop = Laptop::with_sync("", SYNC).await;
    read_from(&laptop, &database);
    let (rows, changes) = (columns.len() + 3, differing(&columns));

    let first = laptop.run().await;
    assert_eq!(first.code(0).counts(), format!("added {rows}, delivered {rows}"));
    assert_workspace(&laptop.people(), &workspace(&columns, false));

    laptop.run().await.did_nothing();

    database.execute(&change_each(&columns)).await;
    let third = laptop.run().await;
    let same = rows - changes;
    let expected = match same {
        0 => format!("changed {changes}, delivered {changes}"),
        _ => format!("changed {changes}, unchanged {same}, delivered {changes}"),
    };
    assert_eq!(third.code(0).counts(), expected);
    assert_eq!(third.arrived, changes as u64);
    assert_workspace(&laptop.people(), &workspace(&columns, true));
}

#[tokio::test]
async fn a_value_that_no_json_can_hold_makes_its_row_invalid_and_no_other() {
    let database = postgres().await.database().await;
    database
        .execute(
            "create table people (id int primary key, born date, seen timestamptz);
             insert into people values (1, 'infinity', now()), (2, now(), '-infinity'),
                (3, '2000-01-01', '2000-01-01 00:00z');",
        )
        .await;
    let laptop = Laptop::with_sync(
        "",
        "model: {table: people, primaryKey: [id]}\nbehavior: updateOrCreate\n\
         identifiers: {id: id}\nmappings: [{from: born}, {from: seen}]",
    )
    .await;
    read_from(&laptop, &database);

    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "added 1, invalid 2, delivered 1");
    assert_eq!(run.invalid_codes(), "InvalidDate 1, InvalidTimestamp 1");
    let expected = json!({"3": {"id": "3", "born": "2000-01-01", "seen": 946_684_800}});
    assert_eq!(laptop.people(), expected);
}

#[tokio::test]
async fn keys_of_every_usable_type_name_people_by_their_text() {
    for (kind, one, other, names) in [
        ("int8", "9007199254740993", "-5", ["-5", "9007199254740993"]),
        ("numeric", "12.500", "1e3", ["1000", "12.5"]),
        ("text", "'Ü \"q\"'", "'a'", ["a", "Ü \"q\""]),
        ("bool", "true", "false", ["false", "true"]),
        ("date", "'2024-02-29'", "'1999-01-01'", ["1999-01-01", "2024-02-29"]),
        (
            "uuid",
            "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
            "'00000000-0000-0000-0000-000000000001'",
            ["00000000-0000-0000-0000-000000000001", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
        ),
        (
            "timestamptz",
            "'2024-01-31 12:00:00+02'",
            "'1969-12-31 23:59:59.5+00'",
            ["1969-12-31T23:59:59.5Z", "2024-01-31T10:00:00Z"],
        ),
    ] {
        let database = postgres().await.database().await;
        database
            .execute(&format!(
                "create table everything (id {kind} primary key, c0 int);
                 insert into everything values ({one}, 1), ({other}, 1);"
            ))
            .await;
        let laptop = Laptop::with_sync("", SYNC).await;
        read_from(&laptop, &database);

        laptop.run().await.code(0);

        let found: Vec<String> = laptop.own_ids().into_keys().collect();
        assert_eq!(found, names, "{kind}");
        laptop.run().await.did_nothing();
    }
}
