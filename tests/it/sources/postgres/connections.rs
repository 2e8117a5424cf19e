//! Reaching the server, losing it, and letting go of it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use ciosync::model::RowBatch;
use ciosync::sources::error::SourceErrorKind;
use ciosync::sources::postgres::{
    Address, ClientIdentity, PostgresConfig, PostgresSource, TlsConfig, TlsMode,
};
use ciosync::sources::{Source, SourceError};
use secrecy::SecretString;

use super::{config, owner, source};
use crate::sources::{drain, request, sql};
use crate::support::postgres;
use crate::support::postgres::{Database, Demand};

/// Far more than what fits between server and reader.
const MANY_ROWS: &str = "select i as id, repeat('x', 200) as t from generate_series(1, 300000) i";

/// A bound for what should take a moment, on a machine that does something else as well.
const SOON: Duration = Duration::from_secs(30);

async fn probe(config: PostgresConfig) -> Result<(), SourceError> {
    PostgresSource::new(config)?.probe().await
}

fn with_host(mut config: PostgresConfig, new_host: &str, new_port: u16) -> PostgresConfig {
    if let Address::Parts { host, port, .. } = &mut config.address {
        *host = new_host.to_owned();
        *port = new_port;
    }
    config
}

#[tokio::test]
async fn a_url_reaches_the_database_as_well_as_its_parts() {
    let database = postgres().await.database().await;
    let url = format!("{}?sslmode=disable", database.url());
    let mut config = config(&database, &owner(&database));
    probe(config.clone()).await.unwrap();
    config.address = Address::Url(SecretString::from(url));
    config.tls = TlsConfig::default();

    probe(config).await.unwrap();
}

#[tokio::test]
async fn each_way_not_to_get_in_has_its_own_words_and_shows_no_password() {
    let database = postgres().await.database().await;
    let mut wrong = owner(&database);
    wrong.password = "s3cret".to_owned();
    let mut elsewhere = config(&database, &owner(&database));
    if let Address::Parts { database, .. } = &mut elsewhere.address {
        *database = "nothing".to_owned();
    }
    let good = config(&database, &owner(&database));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (config, kind, expected) in [
        (
            config(&database, &wrong),
            SourceErrorKind::AuthenticationFailed,
            format!(
                "127.0.0.1:{} refused the password of user \"postgres\" (28P01)",
                database.port
            ),
        ),
        (
            elsewhere,
            SourceErrorKind::InvalidSpec,
            format!("there is no database \"nothing\" at 127.0.0.1:{} (3D000)", database.port),
        ),
        (
            with_host(good.clone(), "127.0.0.1", free),
            SourceErrorKind::Unreachable,
            format!("127.0.0.1:{free} refused the connection: nothing listens there"),
        ),
        (
            with_host(good, "no-such-host.invalid", 5432),
            SourceErrorKind::Unreachable,
            "the host name no-such-host.invalid is not known".to_owned(),
        ),
    ] {
        let error = probe(config).await.unwrap_err();

        assert_eq!((error.kind, error.message.as_str()), (kind, expected.as_str()));
        assert!(error.hint.is_some(), "{error}");
        assert!(!format!("{error:?}{:?}", error.vendor_text).contains("s3cret"));
    }
}

#[tokio::test]
async fn a_server_that_is_no_postgresql_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
        let _ = peer.read(&mut [0; 1024]);
    });
    let database = postgres().await.database().await;
    let config = with_host(config(&database, &owner(&database)), "127.0.0.1", port);

    let error = probe(config).await.unwrap_err();

    assert_eq!(error.kind, SourceErrorKind::Unreachable);
    assert!(error.message.contains(&format!("127.0.0.1:{port}")), "{error}");
    answering.join().unwrap();
}

#[tokio::test]
async fn each_mode_of_tls_demands_what_it_says() {
    let database = postgres().await.database().await;
    let certificates = postgres().await.certificates();
    let ca = || Some(certificates.ca_pem.clone());
    let stranger = || Some(certificates.stranger_ca_pem.clone());
    let localhost = "localhost";
    let address = "127.0.0.1";
    for (host, mode, ca_pem, expected) in [
        (localhost, None, ca(), Ok(())),
        (localhost, Some(TlsMode::VerifyFull), ca(), Ok(())),
        (localhost, Some(TlsMode::VerifyFull), None, Err("authority that is not trusted")),
        (localhost, Some(TlsMode::VerifyCa), stranger(), Err("authority that is not trusted")),
        (address, Some(TlsMode::VerifyFull), ca(), Err("for another host name")),
        (address, Some(TlsMode::VerifyCa), ca(), Ok(())),
        (address, Some(TlsMode::Require), None, Ok(())),
        (address, Some(TlsMode::Prefer), None, Ok(())),
        (address, Some(TlsMode::Disable), None, Ok(())),
        (address, Some(TlsMode::VerifyCa), Some("nonsense".into()), Err("no certificate in PEM")),
    ] {
        let mut config = with_host(config(&database, &owner(&database)), host, database.port);
        config.tls = TlsConfig { mode, ca_pem, client: None };

        let outcome = probe(config).await;

        match (outcome, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(expected)) => {
                assert_eq!(error.kind, SourceErrorKind::InvalidSpec, "{host} {mode:?}: {error}");
                assert!(error.message.contains(expected), "{host} {mode:?}: {error}");
            }
            (outcome, expected) => panic!("{host} {mode:?}: {outcome:?} instead of {expected:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_demands_tls_or_a_certificate_gets_it_or_says_so() {
    let database = postgres().await.database().await;
    let certificates = postgres().await.certificates();
    let demands_tls = database.role(Demand::Tls, &[]).await;
    let demands_certificate = database.role(Demand::ClientCertificate, &[]).await;
    let identity = ClientIdentity {
        certificate_pem: certificates.client_cert_pem.clone(),
        key_pem: SecretString::from(certificates.client_key_pem.clone()),
    };
    let tls = |mode, client| TlsConfig { mode: Some(mode), ca_pem: None, client };
    for (role, tls, is_let_in) in [
        (&demands_tls, tls(TlsMode::Disable, None), false),
        (&demands_tls, tls(TlsMode::Require, None), true),
        (&demands_certificate, tls(TlsMode::Require, None), false),
        (&demands_certificate, tls(TlsMode::Require, Some(identity)), true),
    ] {
        let mut config = config(&database, role);
        config.tls = tls;
        let outcome = probe(config).await;

        match outcome {
            Ok(()) => assert!(is_let_in),
            Err(error) => {
                assert!(!is_let_in, "{error}");
                assert_eq!(error.kind, SourceErrorKind::AuthenticationFailed, "{error}");
                assert!(error.message.contains(&role.user), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_goes_away_in_the_middle_is_an_error_and_never_an_end() {
    let database = postgres().await.database().await;
    let request = request(sql(MANY_ROWS), &["id"], &["id", "t"]);
    let mut stream = source(&database).open(&request).await.unwrap();
    let mut batch = RowBatch::new(0);
    stream.next(&mut batch).await.unwrap();
    assert!(!batch.is_empty());

    database.terminate_query("generate_series").await;
    let error = drain(&mut *stream, &request.primary_key).await.unwrap_err();

    let expected = [SourceErrorKind::Unreachable, SourceErrorKind::Unavailable];
    assert!(expected.contains(&error.kind), "{error:?}");
}

#[tokio::test]
async fn dropping_a_half_read_stream_ends_its_query_at_the_server() {
    let database = postgres().await.database().await;
    let request = request(sql(MANY_ROWS), &["id"], &["id", "t"]);
    let mut stream = source(&database).open(&request).await.unwrap();
    stream.next(&mut RowBatch::new(0)).await.unwrap();
    until_connections(&database, 1).await;

    drop(stream);

    until_connections(&database, 0).await;
}

#[tokio::test]
async fn dropping_a_read_that_has_no_row_yet_ends_its_query_too() {
    let database = postgres().await.database().await;
    let request = request(sql("select 1 as id from pg_sleep(600)"), &["id"], &["id"]);
    let mut stream = source(&database).open(&request).await.unwrap();
    let mut batch = RowBatch::new(0);
    tokio::select! {
        ended = stream.next(&mut batch) => panic!("the read ended: {ended:?}"),
        () = until_count(&database, "query like '%pg_sleep%' and state = 'active'", 1) => {}
    }

    drop(stream);

    until_connections(&database, 0).await;
}

#[tokio::test]
async fn a_stream_read_to_its_end_leaves_no_connection_and_stays_ended() {
    let database = postgres().await.database().await;
    let request = request(sql("select i as id from generate_series(1, 2000) i"), &["id"], &["id"]);
    let mut stream = source(&database).open(&request).await.unwrap();

    let table = drain(&mut *stream, &request.primary_key).await.unwrap();
    let after = drain(&mut *stream, &request.primary_key).await.unwrap();

    assert_eq!(table.rows.len(), 2000);
    assert!(after.rows.is_empty());
    until_connections(&database, 0).await;
}

#[tokio::test]
async fn one_read_sees_one_moment_while_others_write() {
    let database = postgres().await.database().await;
    database.execute("create table t (id int); insert into t values (1)").await;
    let request = request(sql("select id from t"), &["id"], &["id"]);
    let mut stream = source(&database).open(&request).await.unwrap();

    database.execute("insert into t values (2)").await;
    let table = drain(&mut *stream, &request.primary_key).await.unwrap();

    assert_eq!(table.rows, [["int 1"]]);
}

async fn until_connections(database: &Database, count: usize) {
    until_count(database, "application_name = 'ciosync'", count).await;
}

/// Asks until so many connections to the database are as `condition` says.
async fn until_count(database: &Database, condition: &str, count: usize) {
    let started_at = Instant::now();
    let sql = format!(
        "select pid from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid() and {condition}",
        database.name
    );
    while database.query_text(&sql).await.len() != count {
        assert!(started_at.elapsed() < SOON, "never {count} connections: {condition}");
    }
}
