//! The server does what other tests rely on.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, Connection};

use super::postgres::{Database, Demand, Role, Server};
use crate::support::postgres;

/// Set for the copy of this test process that starts a server and waits to be killed.
const VICTIM: &str = "CIOSYNC_TEST_VICTIM";

fn options(database: &Database, role: &Role) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("localhost")
        .port(database.port)
        .username(&role.user)
        .password(&role.password)
        .database(&database.name)
}

fn sqlstate(err: &sqlx::Error) -> String {
    err.as_database_error().unwrap().code().unwrap().into_owned()
}

#[tokio::test]
async fn every_test_has_a_database_of_its_own() {
    let server: &Server = postgres().await;
    let (one, other) = (server.database().await, server.database().await);

    one.execute(
        "create table customers (id int, name text); insert into customers values (1, null)",
    )
    .await;
    let tables = "select count(*) from pg_tables where tablename = 'customers'";

    assert_eq!(one.query_text("select * from customers").await, [[Some("1".into()), None]]);
    assert_eq!(one.query_text(tables).await, [[Some("1".to_owned())]]);
    assert_eq!(other.query_text(tables).await, [[Some("0".to_owned())]]);
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let database = postgres().await.database().await;

    let wrong = Role { user: database.user.clone(), password: "wrong".into() };
    let err = PgConnection::connect(&database.url_as(&wrong)).await.unwrap_err();

    assert_eq!(sqlstate(&err), "28P01");
}

#[tokio::test]
async fn a_restricted_role_reads_only_what_it_was_granted() {
    let database = postgres().await.database().await;
    database.execute("create table granted (id int); create table secret (id int)").await;

    let role = database.role(Demand::Password, &["select on table granted"]).await;
    let mut connection = PgConnection::connect(&database.url_as(&role)).await.unwrap();

    sqlx::raw_sql("select * from granted").execute(&mut connection).await.unwrap();
    let err = sqlx::raw_sql("select * from secret").execute(&mut connection).await.unwrap_err();
    assert_eq!(sqlstate(&err), "42501");
}

#[tokio::test]
async fn a_role_that_demands_tls_is_refused_without_it() {
    let database = postgres().await.database().await;
    let role = database.role(Demand::Tls, &[]).await;
    let with = |mode| options(&database, &role).ssl_mode(mode);

    PgConnection::connect_with(&with(PgSslMode::Require)).await.unwrap();
    let err = PgConnection::connect_with(&with(PgSslMode::Disable)).await.unwrap_err();

    assert_eq!(sqlstate(&err), "28000");
}

#[tokio::test]
async fn the_certificate_is_good_for_localhost_and_its_own_authority_only() {
    let certificates = postgres().await.certificates();
    let database = postgres().await.database().await;
    let role = database.role(Demand::Tls, &[]).await;
    let verified = options(&database, &role).ssl_mode(PgSslMode::VerifyFull);
    let trusted = verified.clone().ssl_root_cert_from_pem(certificates.ca_pem.clone().into());
    let distrusted = verified.ssl_root_cert_from_pem(certificates.stranger_ca_pem.clone().into());

    PgConnection::connect_with(&trusted).await.unwrap();
    assert!(PgConnection::connect_with(&trusted.host("127.0.0.1")).await.is_err());
    assert!(PgConnection::connect_with(&distrusted).await.is_err());
}

#[tokio::test]
async fn a_role_that_demands_a_client_certificate_is_refused_without_it() {
    let certificates = postgres().await.certificates();
    let database = postgres().await.database().await;
    let role = database.role(Demand::ClientCertificate, &[]).await;
    let without = options(&database, &role).ssl_mode(PgSslMode::Require);
    let with = without
        .clone()
        .ssl_client_cert_from_pem(&certificates.client_cert_pem)
        .ssl_client_key_from_pem(&certificates.client_key_pem);

    PgConnection::connect_with(&with).await.unwrap();
    let err = PgConnection::connect_with(&without).await.unwrap_err();

    assert_eq!(sqlstate(&err), "28000");
}

#[tokio::test]
async fn connections_can_be_ended_while_they_are_idle() {
    let database = postgres().await.database().await;
    let mut victim = PgConnection::connect(&database.url()).await.unwrap();

    let ended = database.terminate_connections().await;

    assert_eq!(ended, 1);
    assert!(victim.ping().await.is_err());
}

#[tokio::test]
async fn a_connection_can_be_ended_in_the_middle_of_its_query() {
    let database = postgres().await.database().await;
    let mut victim = PgConnection::connect(&database.url()).await.unwrap();

    let query =
        sqlx::raw_sql(AssertSqlSafe("select pg_sleep(60) as 'the victim'".replace('\'', "\"")));
    let (outcome, ()) =
        tokio::join!(query.execute(&mut victim), database.terminate_query("the victim"));

    assert!(outcome.is_err());
}

#[tokio::test]
async fn the_server_dies_with_a_test_process_that_is_killed() {
    if std::env::var_os(VICTIM).is_some() {
        writeln!(std::io::stdout(), "url={}", postgres().await.admin_url()).unwrap();
        std::future::pending::<()>().await;
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "support::server_tests::the_server_dies_with_a_test_process_that_is_killed",
        ])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The test runner's own words come before it, on the same line.
    let output = BufReader::new(victim.stdout.take().unwrap());
    let url = output.lines().find_map(|line| Some(line.unwrap().split_once("url=")?.1.to_owned()));
    let mut connection = PgConnection::connect(&url.unwrap()).await.unwrap();

    victim.kill().unwrap();
    victim.wait().unwrap();

    // The server's shutdown ends this statement; a server that stays ends it by the timeout.
    let waiting = sqlx::raw_sql("select pg_sleep(60)").execute(&mut connection);
    assert!(waiting.await.is_err(), "the server outlived the process that started it");
}
