//! SQLite against real database files.

use std::path::Path;

use ciosync::model::{RowBatch, ValueKind};
use ciosync::sources::Source;
use ciosync::sources::error::SourceErrorKind;
use ciosync::sources::sqlite::{SqliteConfig, SqliteSource};
use proptest::prelude::*;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tempfile::TempDir;

use super::{assert_ordered, drain, read, request, sql, table};

struct Fixture {
    directory: TempDir,
    writer: SqliteConnection,
}

impl Fixture {
    async fn new(schema: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shop.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut fixture = Self { directory, writer: options.connect().await.unwrap() };
        fixture.execute(schema).await;
        fixture
    }

    async fn execute(&mut self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.writer).await.unwrap();
    }

    fn source(&self) -> SqliteSource {
        source(&self.directory.path().join("shop.db"))
    }
}

fn source(path: &Path) -> SqliteSource {
    SqliteSource::new(SqliteConfig { path: path.to_owned() })
}

#[tokio::test]
async fn values_arrive_as_they_are_stored_whatever_was_declared() {
    let fixture = Fixture::new(
        "create table t (id integer, flag boolean, at datetime, any_value, bad text);
         insert into t values (1, 1, '2024-01-31', 1.5, cast(x'ff' as text));
         insert into t values (2, 'yes', 1706659200, x'00ff', '');
         insert into t values (3, null, null, 9223372036854775807, 'ü');",
    )
    .await;

    let columns = ["id", "flag", "at", "any_value", "bad"];
    let table = read(&fixture.source(), table("t"), &["id"], &columns).await.unwrap();

    assert_eq!(
        table.rows,
        [
            ["int 1", "int 1", "text 2024-01-31", "float 1.5", "undecodable: is not valid UTF-8"],
            ["int 2", "text yes", "int 1706659200", "bytes [0, 255]", "text "],
            ["int 3", "null", "null", "int 9223372036854775807", "text ü"],
        ]
    );
    let kinds: Vec<_> = table.columns.iter().map(|column| column.kind).collect();
    assert_eq!(kinds[..2], [ValueKind::Integer, ValueKind::Dynamic]);
}

#[tokio::test]
async fn a_key_of_several_kinds_or_of_real_numbers_is_refused_with_the_cast_to_write() {
    let fixture = Fixture::new(
        "create table t (mixed, r real, n integer);
         insert into t values (1, 1.5, null), ('a', 2.5, null), (null, null, null);",
    )
    .await;
    let source = fixture.source();

    let mixed = read(&source, table("t"), &["mixed"], &["mixed"]).await.unwrap_err();
    let real = read(&source, table("t"), &["r"], &["r"]).await.unwrap_err();
    let empty = read(&source, table("t"), &["n"], &["n"]).await.unwrap();

    assert_eq!(mixed.kind, SourceErrorKind::SchemaDrift);
    assert!(mixed.message.contains("`mixed`"), "{mixed}");
    assert!(mixed.message.ends_with("several kinds: integer, text"), "{mixed}");
    assert_eq!(mixed.hint.unwrap(), "cast it in the model: cast(\"mixed\" as text) as \"mixed\"");
    assert!(real.message.contains("holds real values"), "{real}");
    assert_eq!(empty.columns[0].kind, ValueKind::Dynamic, "no value, no kind");
}

#[tokio::test]
async fn one_read_sees_one_moment_and_writes_nothing() {
    let mut fixture = Fixture::new(
        "pragma journal_mode = wal; create table t (id integer); insert into t values (1)",
    )
    .await;
    let request = request(table("t"), &["id"], &["id"]);
    let mut stream = fixture.source().open(&request).await.unwrap();

    fixture.execute("insert into t values (2)").await;
    let table = drain(&mut *stream, &request.primary_key).await.unwrap();

    assert_eq!(table.rows, [["int 1"]]);
}

#[tokio::test]
async fn a_file_that_is_missing_or_no_database_is_named_and_never_made() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.db");
    let rubbish = directory.path().join("rubbish.db");
    std::fs::write(&rubbish, "id,email\n1,a\n".repeat(100)).unwrap();

    let no_file = source(&missing).probe().await.unwrap_err();
    let no_database = source(&rubbish).probe().await.unwrap_err();
    let folder = source(directory.path()).probe().await.unwrap_err();

    for (error, expected) in [
        (no_file, format!("there is no database file {}", missing.display())),
        (no_database, format!("{} is not a SQLite database (26)", rubbish.display())),
        (folder, format!("{} is a folder, not a SQLite database", directory.path().display())),
    ] {
        assert_eq!((error.kind, error.message), (SourceErrorKind::InvalidSpec, expected));
    }
    assert!(!missing.exists());
}

#[tokio::test]
async fn refused_queries_come_with_sqlites_own_words() {
    let fixture = Fixture::new("create table t (id integer)").await;
    for (text, expected) in [
        ("select emial from t", "SQLite refused the query: no such column: emial"),
        ("select id from", "SQLite refused the query: near \")\": syntax error"),
        ("delete from t returning id", "SQLite refused the query: near \"delete\""),
        ("select ?1 as id", "the query has a parameter"),
        ("select 1; select 2", "the query holds several statements"),
    ] {
        let error = fixture.source().describe(&sql(text)).await.unwrap_err();

        assert_eq!(error.kind, SourceErrorKind::InvalidQuery, "{text}");
        assert!(error.message.starts_with(expected), "{error}");
    }
    let doubled = sql("select id, 1 as a, id from t; -- end");
    let error = fixture.source().describe(&doubled).await.unwrap_err();
    assert_eq!(error.message, "the model returns several columns named `id`");
}

#[tokio::test]
async fn a_database_that_stays_locked_is_unavailable() {
    let mut fixture = Fixture::new("create table t (id integer)").await;
    fixture.execute("begin exclusive").await;

    let error = fixture.source().probe().await.unwrap_err();

    assert_eq!(error.kind, SourceErrorKind::Unavailable);
    assert!(error.message.contains("locked"), "{error}");
}

#[tokio::test]
async fn dropping_a_read_stops_its_query() {
    let mut fixture = Fixture::new("create table t (id integer); insert into t values (1)").await;
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) \
                   select max(i) as id from n";
    let request = request(sql(endless), &[], &["id"]);
    let mut stream = fixture.source().open(&request).await.unwrap();
    let mut batch = RowBatch::new(0);
    let reading = stream.next(&mut batch);
    let briefly = tokio::time::timeout(std::time::Duration::from_millis(200), reading).await;
    assert!(briefly.is_err(), "an endless query ended");

    drop(stream);

    // The writer gets its lock only once the reader has let go of the file.
    fixture.execute("insert into t values (2)").await;
}

fn text_or_blob() -> impl Strategy<Value = Vec<(bool, Vec<u8>)>> {
    let bytes = proptest::collection::vec(proptest::sample::select(&b"aBz\x01\x7f-"[..]), 0..5);
    proptest::collection::vec((any::<bool>(), bytes), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn keys_come_in_canonical_order(rows in text_or_blob(), numbers: Vec<i64>) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut schema = String::from(
                "begin; create table t (k text collate nocase); create table b (k blob); \
                 create table n (k);",
            );
            for (is_text, bytes) in &rows {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                let (table, kind) = if *is_text { ("t", "text") } else { ("b", "blob") };
                schema.push_str(&format!("insert into {table} values (cast(x'{hex}' as {kind}));"));
            }
            for number in &numbers {
                schema.push_str(&format!("insert into n values ({number});"));
            }
            schema.push_str("commit");
            let fixture = Fixture::new(&schema).await;
            for name in ["t", "b", "n"] {
                let table = read(&fixture.source(), table(name), &["k"], &["k"]).await.unwrap();
                assert_ordered(&table);
            }
        });
    }
}
