//! Rows come in the canonical order of their keys, whatever the database's own order.

use ciosync::sources::error::SourceErrorKind;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::source;
use crate::sources::{assert_ordered, read, sql};
use crate::support::postgres;

/// Where collations disagree: case, accents, spaces, signs, beyond the basic plane.
const CHARACTERS: &[&str] =
    &["a", "B", "b", "Z", "é", "ß", " ", "-", "_", "1", "中", "\u{ffff}", "𐀀", "''", "\\"];

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(CHARACTERS), 0..5)
        .prop_map(|parts| format!("'{}'", parts.concat()))
}

fn bytea() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(&["00", "01", "7f", "80", "ff"][..]), 0..4)
        .prop_map(|parts| format!("'\\x{}'", parts.concat()))
}

fn numeric() -> impl Strategy<Value = String> {
    (any::<i64>(), -30i32..30, any::<bool>()).prop_map(|(number, exponent, small)| {
        let number = if small { number % 100 } else { number };
        format!("{number}e{exponent}")
    })
}

/// Type and literals, without quotes where the strategy writes them itself.
fn keys() -> impl Strategy<Value = (&'static str, Vec<String>)> {
    let quoted = |text: String| format!("'{text}'");
    let many = |literal: BoxedStrategy<String>| proptest::collection::vec(literal, 1..40);
    prop_oneof![
        (Just("text"), many(text().boxed())),
        (Just("citext"), many(text().boxed())),
        (Just("char(6)"), many(text().boxed())),
        (
            Just("mood"),
            many(
                proptest::sample::select(&["'sad'", "'Happy'", "'ok'"][..]).prop_map_into().boxed()
            )
        ),
        (Just("bytea"), many(bytea().boxed())),
        (Just("numeric"), many(numeric().boxed())),
        (Just("int8"), many(any::<i64>().prop_map(move |n| quoted(n.to_string())).boxed())),
        (Just("int2"), many(any::<i16>().prop_map(move |n| quoted(n.to_string())).boxed())),
        (Just("uuid"), many(any::<u128>().prop_map(move |n| quoted(format!("{n:032x}"))).boxed())),
        (Just("bool"), many(any::<bool>().prop_map(|b| b.to_string()).boxed())),
        (
            Just("date"),
            many((-2_000_000i32..2_000_000).prop_map(|d| format!("(date 'epoch' + {d})")).boxed())
        ),
        (
            Just("timestamptz"),
            many(
                (-60_000_000_000i64..200_000_000_000)
                    .prop_map(|s| format!("to_timestamp({s})"))
                    .boxed()
            )
        ),
        (
            Just("timestamp"),
            many(
                (-60_000_000_000i64..200_000_000_000)
                    .prop_map(|s| format!("to_timestamp({s})::timestamp"))
                    .boxed()
            )
        ),
    ]
}

#[test]
fn keys_of_every_kind_come_in_canonical_order() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(async {
        let database = postgres().await.database().await;
        database
            .execute("create extension citext; create type mood as enum ('sad', 'ok', 'Happy')")
            .await;
        database
    });
    let source = source(&database);
    let mut runner = TestRunner::new(Config { cases: 100, ..Config::default() });

    runner
        .run(&keys(), |(kind, literals)| {
            let rows: Vec<String> = literals.iter().map(|key| format!("({key}::{kind})")).collect();
            let model = sql(format!("select k from (values {}, (null)) v(k)", rows.join(", ")));
            let table = runtime.block_on(read(&source, model, &["k"], &["k"])).unwrap();
            prop_assert_eq!(table.rows.len(), literals.len() + 1);
            let without_key = table.keys.iter().filter(|key| key.is_empty()).count();
            // An empty text and an empty string of bytes encode to nothing too.
            prop_assert!(without_key >= 1);
            assert_ordered(&table);
            Ok(())
        })
        .unwrap();
}

#[test]
fn composite_keys_are_ordered_column_by_column() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(async { postgres().await.database().await });
    let source = source(&database);
    let row = (text(), -3i32..3, bytea());
    let rows = proptest::collection::vec(row, 1..60);
    let mut runner = TestRunner::new(Config { cases: 30, ..Config::default() });

    runner
        .run(&rows, |rows| {
            let values: Vec<String> = rows
                .iter()
                .map(|(text, number, bytes)| format!("({text}::text, {number}, {bytes}::bytea)"))
                .collect();
            let model = sql(format!("select * from (values {}) v(a, b, c)", values.join(", ")));
            let reading = read(&source, model, &["a", "b", "c"], &["c", "a", "b"]);
            let table = runtime.block_on(reading).unwrap();
            assert_ordered(&table);
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn numbers_that_are_not_finite_make_no_key_and_do_not_stop_the_run() {
    let database = postgres().await.database().await;
    let model = sql("select k from (values (1::numeric), ('NaN'), (-2), ('-Infinity')) v(k)");

    let table = read(&source(&database), model, &["k"], &["k"]).await.unwrap();

    assert_ordered(&table);
    let undecodable = table.column("k").iter().filter(|k| k.contains("not a finite")).count();
    assert_eq!(undecodable, 2);
}

#[tokio::test]
async fn keys_that_cannot_order_rows_are_refused_with_the_cast_to_write() {
    let database = postgres().await.database().await;
    for (value, expected) in [
        ("1.5::float8", "\"k\"::numeric as \"k\""),
        ("'{}'::jsonb", "\"k\"::text as \"k\""),
        ("array[1]", "\"k\"::text as \"k\""),
        ("'1'::money", "\"k\"::numeric"),
    ] {
        let model = sql(format!("select {value} as k"));

        let error = read(&source(&database), model, &["k"], &["k"]).await.unwrap_err();

        assert_eq!(error.kind, SourceErrorKind::SchemaDrift, "{value}");
        assert_eq!(error.hint.unwrap(), format!("cast it in the model: {expected}"));
    }
}
