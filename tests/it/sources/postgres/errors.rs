//! What a person reads when the query or the rights are wrong.

use std::time::Duration;

use ciosync::sources::error::SourceErrorKind;
use ciosync::sources::postgres::PostgresSource;
use ciosync::sources::{Model, Source, SourceError};

use super::{config, owner, source};
use crate::sources::{read, sql, table};
use crate::support::postgres;
use crate::support::postgres::{Database, Demand};

async fn customers() -> Database {
    let database = postgres().await.database().await;
    database.execute("create table customers (id int, email text)").await;
    database
}

async fn described(database: &Database, model: Model) -> SourceError {
    source(database).describe(&model).await.unwrap_err()
}

#[tokio::test]
async fn a_refused_query_is_pointed_at_in_the_persons_own_text() {
    let database = customers().await;
    for (text, expected) in [
        (
            "select id, -- größer\n  emial\nfrom customers",
            "PostgreSQL refused the query at line 2, column 3: column \"emial\" does not exist (42703)",
        ),
        (
            "select 'ü' as a, nothing() as b",
            "PostgreSQL refused the query at line 1, column 18: function nothing() does not exist (42883)",
        ),
        ("select id from\n", "PostgreSQL refused the query at its end: it is not complete (42601)"),
        (
            "select $1 as id",
            "PostgreSQL refused the query at line 1, column 8: there is no parameter $1 (42P02)",
        ),
        (
            "select id from customer",
            "PostgreSQL refused the query at line 1, column 16: relation \"customer\" does not exist (42P01)",
        ),
    ] {
        let error = described(&database, sql(text)).await;

        assert_eq!(error.message, expected);
        assert_eq!(error.kind, SourceErrorKind::InvalidQuery);
        assert!(error.hint.is_some(), "{text}");
    }
}

#[tokio::test]
async fn what_is_no_single_select_is_refused() {
    let database = customers().await;
    for text in [
        "select 1; select 2",
        "delete from customers returning id",
        "with gone as (delete from customers returning id) select id from gone",
        "show all",
        "select 1) m; delete from customers; --",
        "",
    ] {
        let error = described(&database, sql(text)).await;

        assert_eq!(error.kind, SourceErrorKind::InvalidQuery, "{text}: {error}");
    }
}

#[tokio::test]
async fn columns_that_share_a_name_or_are_missing_are_named() {
    let database = customers().await;
    let doubled = described(&database, sql("select id, email, id from customers")).await;
    let model = sql("select id, email from customers");
    let missing = read(&source(&database), model, &["id"], &["id", "emial"]).await.unwrap_err();

    assert_eq!(doubled.kind, SourceErrorKind::SchemaDrift);
    assert_eq!(doubled.message, "the model returns several columns named `id`");
    assert_eq!(missing.kind, SourceErrorKind::SchemaDrift);
    assert_eq!(missing.message, "the model returns no column `emial`");
    assert_eq!(missing.hint.as_deref(), Some("did you mean `email`?"));
}

#[tokio::test]
async fn a_missing_right_names_the_table_and_the_grant() {
    let database = customers().await;
    database.execute("create schema marts; create table marts.orders (id int)").await;
    let role = database.role(Demand::Password, &[]).await;
    let source = PostgresSource::new(config(&database, &role)).unwrap();

    let on_table = source.describe(&sql("select id from customers")).await.unwrap_err();
    let reading = read(&source, table("customers"), &["id"], &["id"]).await.unwrap_err();
    let on_schema = source.describe(&table("marts.orders")).await.unwrap_err();

    for error in [&on_table, &reading] {
        assert_eq!(error.kind, SourceErrorKind::PermissionDenied);
        assert!(error.message.contains("permission denied for table customers"), "{error}");
        let grant = format!("run: grant select on customers to \"{}\"", role.user);
        assert_eq!(error.hint.as_ref(), Some(&grant));
    }
    let grant = format!("run: grant usage on schema marts to \"{}\"", role.user);
    assert_eq!(on_schema.hint, Some(grant));
}

#[tokio::test]
async fn a_fault_in_a_row_says_nothing_of_the_row_but_keeps_the_servers_words() {
    let database = customers().await;
    database.execute("insert into customers values (1, 'ann@example.com')").await;
    let model = sql("select id, email::int as email from customers");

    let error = read(&source(&database), model, &["id"], &["id", "email"]).await.unwrap_err();

    assert_eq!(error.kind, SourceErrorKind::InvalidQuery);
    assert!(error.message.contains("22P02"), "{error}");
    assert!(!format!("{error} {error:?}").contains("ann@"), "{error:?}");
    assert!(error.vendor_text.unwrap().contains("ann@example.com"));
}

#[tokio::test]
async fn a_model_that_writes_is_refused() {
    let database = customers().await;
    database
        .execute("create function sign_up() returns int language sql as 'insert into customers values (1, null) returning id'")
        .await;
    let model = sql("select sign_up() as id");

    let error = read(&source(&database), model, &["id"], &["id"]).await.unwrap_err();

    assert_eq!(error.message, "the model writes (25006)");
    assert!(database.query_text("select id from customers").await.is_empty());
}

#[tokio::test]
async fn a_query_over_its_time_says_which_setting_to_raise() {
    let database = customers().await;
    let mut config = config(&database, &owner(&database));
    config.statement_timeout = Duration::from_millis(200);
    let source = PostgresSource::new(config).unwrap();
    let model = sql("select 1 as id from pg_sleep(60)");

    let error = read(&source, model, &["id"], &["id"]).await.unwrap_err();

    assert_eq!(error.kind, SourceErrorKind::StatementTimeout);
    assert_eq!(error.message, "the query took longer than 0.2 s (57014)");
    assert!(error.hint.unwrap().contains("statementTimeout"));
}
