//! Opening a store: made where it may be made, refused where it isn't ours.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ciosync::model::Disposition;
use ciosync::state::{Access, StateError, open, open_existing};

use super::place::{Place, error, in_each_store, lock, sync};
use crate::support::postgres::{Demand, postgres};

async fn is_there(place: &Place, access: Access) -> bool {
    open_existing(&place.url(), Some("local"), access).await.unwrap().is_some()
}

fn assert_refused(err: &StateError, words: &str) {
    assert!(matches!(err, StateError::Refused { .. }), "{err}");
    assert!(err.to_string().contains(words), "{err}");
    assert_eq!(err.disposition(), Disposition::NeedsOperator);
    assert!(err.hint().is_some());
}

#[tokio::test]
async fn looking_for_a_state_makes_none() {
    in_each_store(async |place| {
        assert!(!is_there(place, Access::Read).await);
        assert!(!is_there(place, Access::Write).await);
        assert!(!is_there(place, Access::Read).await);

        drop(place.open().await);

        assert!(is_there(place, Access::Read).await);
        assert!(is_there(place, Access::Write).await);
    })
    .await;
}

#[tokio::test]
async fn a_store_that_was_opened_for_reading_cannot_be_written() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        let reading = open_existing(&place.url(), None, Access::Read).await.unwrap().unwrap();

        assert!(reading.reset(&lock).await.is_err());
        assert!(reading.sync(&sync()).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_store_serves_one_installation() {
    in_each_store(async |place| {
        drop(place.open().await);

        let url = place.url();
        let other = "4f0c2c5e";

        assert_refused(&error(open(&url, other).await), "belongs to the installation `local`");
        for access in [Access::Read, Access::Write] {
            let opened = open_existing(&url, Some(other), access).await;
            assert_refused(&error(opened), "not to `4f0c2c5e`");
            assert!(open_existing(&url, None, access).await.unwrap().is_some());
        }
        open(&url, "local").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_store_of_a_newer_ciosync_is_refused_unless_it_says_that_it_can_be_used() {
    in_each_store(async |place| {
        drop(place.open().await);
        place.execute("update schema_version set version = 99, oldest_binary = 1").await;
        open(&place.url(), "local").await.unwrap();

        place.execute("update schema_version set oldest_binary = 98").await;

        let opened = open(&place.url(), "local").await;
        assert_refused(&error(opened), "newer ciosync: its tables have version 99");
        let opened = open_existing(&place.url(), None, Access::Read).await;
        assert_refused(&error(opened), "newer ciosync");
    })
    .await;
}

#[tokio::test]
async fn an_older_store_is_not_migrated_by_who_only_reads() {
    in_each_store(async |place| {
        drop(place.open().await);
        place.execute("update schema_version set version = 0, oldest_binary = 0").await;

        let opened = open_existing(&place.url(), Some("local"), Access::Read).await;

        assert_refused(&error(opened), "older ciosync");
    })
    .await;
}

#[tokio::test]
async fn several_openings_at_once_make_one_store() {
    in_each_store(async |place| {
        let url = place.url();
        let one = || open(&url, "local");

        let (a, b, c) = tokio::join!(one(), one(), one());

        for store in [a.unwrap(), b.unwrap(), c.unwrap()] {
            assert!(store.syncs().await.unwrap().is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn the_file_and_its_folders_are_closed_to_other_users() {
    let folder = tempfile::TempDir::new().unwrap();
    let inner = folder.path().join("a/b");
    let file = inner.join("state.db");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

    let store = open(&format!("sqlite:{}", file.display()), "local").await.unwrap();
    lock(store.as_ref()).await;

    assert_eq!((mode(&file), mode(&inner), mode(&folder.path().join("a"))), (0o600, 0o700, 0o700));
    assert_eq!(mode(&inner.join("state.db-wal")), 0o600);
}

#[tokio::test]
async fn a_file_of_something_else_is_refused_and_left_alone() {
    let place = Place::sqlite();
    let Place::Sqlite(folder) = &place else { return };
    let file = folder.path().join("state.db");
    let text = "not a database, only some text that is longer than a header of SQLite is, so that \
                it can't be taken for a short one";
    fs::write(&file, text).unwrap();
    assert_refused(&error(open(&place.url(), "local").await), "no SQLite database");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);

    fs::remove_file(&file).unwrap();
    place.execute("create table customers (id integer)").await;
    let before = fs::read(&file).unwrap();
    assert_refused(&error(open(&place.url(), "local").await), "tables of something else");
    assert_eq!(fs::read(&file).unwrap(), before);

    let url = format!("sqlite:{}", folder.path().display());
    assert_refused(&error(open(&url, "local").await), "is a folder");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let url = format!("sqlite:{}/file/state.db", folder.path().display());

    let err = error(open(&url, "local").await);

    assert!(matches!(err, StateError::Unavailable { .. }), "{err}");
    assert!(err.to_string().contains("file/state.db"), "{err}");
    assert!(err.hint().unwrap().contains("a part of the path is a file"), "{err}");
}

#[tokio::test]
async fn a_damaged_file_is_told_from_one_that_is_no_database() {
    let place = Place::sqlite();
    let Place::Sqlite(folder) = &place else { return };
    drop(place.open().await);
    place.execute("pragma wal_checkpoint(truncate); pragma journal_mode = delete").await;
    let file = folder.path().join("state.db");
    let mut bytes = fs::read(&file).unwrap();
    bytes[100..].fill(0xee);
    fs::write(&file, &bytes).unwrap();

    let err = error(open(&place.url(), "local").await);

    assert!(matches!(err, StateError::Corrupt { .. }), "{err}");
    assert!(err.hint().unwrap().contains("backup"));
}

#[tokio::test]
async fn a_schema_of_its_own_makes_a_store_of_its_own() {
    let database = postgres().await.database().await;
    let url = |schema: &str| format!("{}?schema={schema}", database.url());
    let (europe, america) = (url("europe"), url("america"));

    open(&europe, "eu-cluster").await.unwrap();
    let store = open(&america, "us-cluster").await.unwrap();

    lock(store.as_ref()).await;
    let rows = "select count(*)::text from europe.sync_state union all
                select count(*)::text from america.sync_state";
    assert_eq!(database.query_text(rows).await, [[Some("0".into())], [Some("1".to_owned())]]);
    assert!(store.location().ends_with("?schema=america"));
}

#[tokio::test]
async fn a_role_without_rights_is_told_what_to_grant() {
    let database = postgres().await.database().await;
    let role = database.role(Demand::Password, &[]).await;
    let url = database.url_as(&role);

    let err = error(open(&url, "local").await);
    assert!(matches!(err, StateError::Unavailable { .. }), "{err}");
    assert!(err.hint().unwrap().contains("grant"), "{err}");

    database.execute(&format!("create schema ciosync authorization {}", role.user)).await;
    open(&url, "local").await.unwrap();
}

#[tokio::test]
async fn no_error_shows_a_password() {
    let server = postgres().await;
    let database = server.database().await;
    let mut wrong = database.role(Demand::Password, &[]).await;
    wrong.password = "hunter2".to_owned();
    let login = database.url_as(&wrong);
    let tls = format!("{}?sslmode=verify-full", database.url_as(&wrong));
    let gone = "postgres://ann:hunter2@127.0.0.1:1/db";

    for url in [login.as_str(), tls.as_str(), gone, "postgres://ann:hunter2@[/db"] {
        let err = error(open(url, "local").await);

        assert!(!format!("{err} {err:?} {:?}", err.hint()).contains("hunter2"), "{err:?}");
    }
}
