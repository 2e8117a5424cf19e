//! Every type, its nulls and its extremes.

use ciosync::model::ValueKind;
use ciosync::sources::Source;
use ciosync::sources::error::SourceErrorKind;

use super::source;
use crate::sources::{read, sql, table};
use crate::support::postgres;

/// Expression, what it arrives as.
const VALUES: &[(&str, &str)] = &[
    ("true", "bool true"),
    ("(-32768)::int2", "int -32768"),
    ("2147483647::int4", "int 2147483647"),
    ("(-9223372036854775808)::int8", "int -9223372036854775808"),
    ("12.50::numeric(10,4)", "decimal 12.5000"),
    ("'-0.000000000000000000001'::numeric", "decimal -0.000000000000000000001"),
    ("'1e30'::numeric", "decimal 1000000000000000000000000000000"),
    ("'123456789.123456789'::numeric", "decimal 123456789.123456789"),
    ("'NaN'::numeric", "float NaN"),
    ("'-Infinity'::numeric", "float -inf"),
    ("0.1::float4", "float 0.1"),
    ("0.1::float8", "float 0.1"),
    ("'-Infinity'::float8", "float -inf"),
    ("'NaN'::float4", "float NaN"),
    ("'grün'::text", "text grün"),
    ("''::varchar", "text "),
    ("'ab'::char(5)", "text ab"),
    ("'x'::\"char\"", "text x"),
    ("'a_name'::name", "text a_name"),
    ("'Ann'::citext", "text Ann"),
    ("'happy'::mood", "text happy"),
    ("'a@b'::email", "text a@b"),
    ("'7'::positive", "int 7"),
    ("'\\x00ff'::bytea", "bytes [0, 255]"),
    ("'00112233-4455-6677-8899-aabbccddeeff'::uuid", "uuid 00112233445566778899aabbccddeeff"),
    ("'{\"a\": 1.10}'::json", "json {\"a\": 1.10}"),
    ("'{\"b\":2, \"a\":1}'::jsonb", "json {\"a\": 1, \"b\": 2}"),
    ("'null'::jsonb", "json null"),
    ("date '1970-01-02'", "date 1"),
    ("date 'infinity'", "date 2147483647"),
    ("date '-infinity'", "date -2147483648"),
    ("timestamptz '1970-01-01 00:00:01.5+00'", "timestamp 1500000"),
    ("timestamptz '1970-01-01 02:00+02'", "timestamp 0"),
    ("timestamptz 'infinity'", "timestamp 9223372036854775807"),
    ("timestamp '1969-12-31 23:59:59.999999'", "local -1"),
    ("timestamp '-infinity'", "local -9223372036854775808"),
    ("timestamp '294276-12-31'", "undecodable: is a time after the year 294246"),
    ("time '23:59:59.5'", "text 23:59:59.5"),
    ("timetz '12:00+02'", "text 12:00:00+02"),
    ("interval '1 year 2 days 3 hours'", "text P1Y2DT3H"),
    ("inet '10.0.0.1/8'", "text 10.0.0.1/8"),
    ("cidr '10.0.0.0/8'", "text 10.0.0.0/8"),
    ("macaddr '08:00:2b:01:02:03'", "text 08:00:2b:01:02:03"),
    ("xml '<a/>'", "text <a/>"),
    ("int4range(1, 5)", "text [1,5)"),
    ("point '(1,2)'", "text (1,2)"),
    ("B'101'", "text 101"),
    ("4294967295::oid", "int 4294967295"),
    ("array[1, null, 3]", "json [1,null,3]"),
    ("array[[1, 2], [3, 4]]", "json [[1,2],[3,4]]"),
    ("array['a\"b', 'c']", "json [\"a\\\"b\",\"c\"]"),
    ("array['happy']::mood[]", "json [\"happy\"]"),
    ("array[1.10, 'NaN']::numeric[]", "json [1.10,\"NaN\"]"),
    ("array['2024-01-31']::date[]", "json [\"2024-01-31\"]"),
    ("array[timestamptz '2024-01-31 12:00+00']", "json [\"2024-01-31T12:00:00+00:00\"]"),
    ("array[interval '1 day']", "json [\"P1D\"]"),
    ("'{}'::int[]", "json []"),
    ("row(1, 'a')::pair", "json {\"number\":1,\"word\":\"a\"}"),
    ("row(1, 'a')", "json {\"f1\":1,\"f2\":\"a\"}"),
    ("'a=>1,b=>null'::hstore", "json {\"a\": \"1\", \"b\": null}"),
];

const SCHEMA: &str = "
    create extension citext;
    create extension hstore;
    create type mood as enum ('sad', 'happy');
    create domain email as text check (value like '%@%');
    create domain positive as int check (value > 0);
    create type pair as (number int, word text);
";

#[tokio::test]
async fn every_type_arrives_as_what_it_means_and_null_as_null() {
    let database = postgres().await.database().await;
    database.execute(SCHEMA).await;
    let name = |index: usize| format!("c{index}");
    let list = |write: &dyn Fn(usize, &str) -> String| {
        let all =
            VALUES.iter().enumerate().map(|(index, (expression, _))| write(index, expression));
        all.collect::<Vec<_>>().join(", ")
    };
    let values = list(&|index, expression| format!("{expression} as {}", name(index)));
    let nulls = list(&|index, expression| {
        format!("case when false then {expression} end as {}", name(index))
    });
    let model = sql(format!("select 1 as id, {values} union all select 2, {nulls}"));
    // `json` and others have no equality; `union all` needs none.
    let names: Vec<String> = (0..VALUES.len()).map(name).collect();
    let columns: Vec<&str> = ["id"].into_iter().chain(names.iter().map(String::as_str)).collect();

    let table = read(&source(&database), model, &["id"], &columns).await.unwrap();

    for ((expression, expected), cell) in VALUES.iter().zip(&table.rows[0][1..]) {
        assert_eq!(cell, expected, "{expression}");
    }
    assert!(table.rows[1][1..].iter().all(|cell| cell == "null"), "{:?}", table.rows[1]);
}

#[tokio::test]
async fn multiranges_are_text_although_the_driver_does_not_know_them() {
    let database = postgres().await.database().await;
    let model = sql("select 1 as id, '{[1,3), [5,7)}'::int4multirange as m");

    let table = read(&source(&database), model, &["id"], &["m", "id"]).await.unwrap();

    assert_eq!(table.rows, [["text {[1,3),[5,7)}", "int 1"]]);
}

#[tokio::test]
async fn a_number_of_a_thousand_digits_arrives_whole() {
    let database = postgres().await.database().await;
    let digits = "1234567890".repeat(100);
    let number = format!("{digits}.{digits}");
    let model = sql(format!("select 1 as id, {number}::numeric as a, -{number}::numeric as b"));

    let table = read(&source(&database), model, &["id"], &["a", "b", "id"]).await.unwrap();

    assert_eq!(table.rows[0][0], format!("decimal {number}"));
    assert_eq!(table.rows[0][1], format!("decimal -{number}"));
}

#[tokio::test]
async fn dates_and_times_before_christ_and_far_ahead_are_counted_as_the_server_counts() {
    let database = postgres().await.database().await;
    let model = sql("select row_number() over () as id, d, d - date '1970-01-01' as days, \
         t, (extract(epoch from t) * 1000000)::int8 as micros from (values \
         (date '4713-01-01 BC', timestamp '4713-01-01 BC'), \
         (date '0044-03-15 BC', timestamp '0044-03-15 12:00:00.000001 BC'), \
         (date '1582-10-10', timestamp '1582-10-10 01:02:03'), \
         (date '9999-12-31', timestamp '9999-12-31 23:59:59'), \
         (date '5874897-12-31', timestamp '294246-12-31')) v(d, t)");

    let columns = ["id", "d", "days", "t", "micros"];
    let table = read(&source(&database), model, &["id"], &columns).await.unwrap();

    assert_eq!(table.rows.len(), 5);
    for row in &table.rows {
        assert_eq!(row[1].strip_prefix("date "), row[2].strip_prefix("int "), "{row:?}");
        assert_eq!(row[3].strip_prefix("local "), row[4].strip_prefix("int "), "{row:?}");
    }
}

#[tokio::test]
async fn describe_names_columns_kinds_and_types_without_reading_rows() {
    let database = postgres().await.database().await;
    database.execute("create type mood as enum ('sad')").await;
    let model = sql(
        "select 1 / (i - i) as n, null::numeric(5,2) as d, null::mood as m, null::mood[] as ms, \
         null::money as cash, now() as at \
         from generate_series(1, 1) i -- a comment at the end",
    );

    let columns = source(&database).describe(&model).await.unwrap();

    let shown: Vec<_> =
        columns.iter().map(|c| (c.name.as_str(), c.kind, c.type_name.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("n", ValueKind::Integer, "int4"),
            ("d", ValueKind::Decimal, "numeric"),
            ("m", ValueKind::Text, "mood"),
            ("ms", ValueKind::Json, "mood[]"),
            ("cash", ValueKind::Unsupported, "money"),
            ("at", ValueKind::Timestamp, "timestamptz"),
        ]
    );
}

#[tokio::test]
async fn a_type_that_cannot_be_read_is_refused_with_the_cast_to_write() {
    let database = postgres().await.database().await;
    let model = || sql("select 1 as id, '12.30'::money as cash, txid_current_snapshot() as s");
    let source = source(&database);

    let money = read(&source, model(), &["id"], &["id", "cash"]).await.unwrap_err();
    let snapshot = read(&source, model(), &["id"], &["id", "s"]).await.unwrap_err();

    assert_eq!(money.kind, SourceErrorKind::SchemaDrift);
    assert_eq!(money.message, "column `cash` is of type money, which can't be read");
    assert_eq!(money.hint.unwrap(), "cast it in the model: \"cash\"::numeric");
    assert_eq!(snapshot.hint.unwrap(), "cast it in the model: \"s\"::text");
}

#[tokio::test]
async fn a_table_is_read_by_its_name_in_the_catalog() {
    let database = postgres().await.database().await;
    database
        .execute("create schema marts; create table marts.\"Customers\" (id int, \"e\"\"mail\" text); insert into marts.\"Customers\" values (1, 'a')")
        .await;
    let model = table("marts.Customers");

    let table = read(&source(&database), model, &["id"], &["id", "e\"mail"]).await.unwrap();

    assert_eq!(table.rows, [["int 1", "text a"]]);
}
