//! What an operator remembers besides rows: what people asked for, and when a Sync was last seen.

use ciosync::model::{RunId, SyncId};
use ciosync::state::{RequestKind, StoredRequest};
use jiff::Timestamp;

use super::contract::report;
use super::place::{in_each_store, lock, sync};
use super::rows::accept;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn request(kind: RequestKind, token: &str, is_handled: bool) -> StoredRequest {
    let seen_at = "2026-01-02T03:04:05.678901Z".parse().unwrap();
    StoredRequest { kind, token: token.to_owned(), is_handled, seen_at }
}

#[tokio::test]
async fn the_newest_request_of_each_kind_survives_a_reopening() {
    in_each_store(async |place| {
        let store = place.open().await;
        for kind in RequestKind::ALL {
            store.save_request(&sync(), &request(kind, "old", false)).await.unwrap();
        }
        let other = SyncId::new("default", "other");
        store.save_request(&other, &request(RequestKind::Run, "other", false)).await.unwrap();

        let newest = RequestKind::ALL.map(|kind| request(kind, kind.as_str(), true));
        for request in &newest {
            store.save_request(&sync(), request).await.unwrap();
        }
        drop(store);

        let store = place.open().await;
        let mut found = store.requests(&sync()).await.unwrap();
        found.sort_by_key(|request| request.kind);
        assert_eq!(found, newest);
        assert!(store.sync(&sync()).await.unwrap().is_none(), "a request is no state");
    })
    .await;
}

#[tokio::test]
async fn requests_of_kinds_that_a_newer_version_wrote_are_left_alone() {
    in_each_store(async |place| {
        let store = place.open().await;
        store.save_request(&sync(), &request(RequestKind::Run, "1", false)).await.unwrap();
        place.execute("update request set kind = 'dance'").await;

        store.save_request(&sync(), &request(RequestKind::Reset, "2", false)).await.unwrap();

        let known = [request(RequestKind::Reset, "2", false)];
        assert_eq!(store.requests(&sync()).await.unwrap(), known);
        place.execute("update request set kind = 'run' where kind = 'dance'").await;
        assert_eq!(store.requests(&sync()).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_run_is_known_by_its_report_or_by_rows_that_are_not_folded_yet() {
    in_each_store(async |place| {
        let store = place.open().await;
        let knows = async |id: &str| store.knows_run(&sync(), &RunId(id.to_owned())).await.unwrap();
        assert!(!knows("run-1").await);
        let lock = lock(store.as_ref()).await;

        accept(store.as_ref(), &lock, 1, [1]).await;
        store.save_run(&lock, &report("run-2"), 5).await.unwrap();

        assert!(knows("run-1").await && knows("run-2").await && !knows("run-3").await);
        let other = SyncId::new("default", "other");
        assert!(!store.knows_run(&other, &RunId("run-2".to_owned())).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_sync_is_untouched_from_the_moment_it_was_last_seen() {
    in_each_store(async |place| {
        let store = place.open().await;
        let (a, b) = (SyncId::new("a", "x"), SyncId::new("b", "x"));
        store.touch(&[b.clone(), a.clone(), b.clone()], at(100)).await.unwrap();

        store.touch(std::slice::from_ref(&a), at(200)).await.unwrap();
        store.touch(std::slice::from_ref(&a), at(150)).await.unwrap();
        store.touch(&[], at(300)).await.unwrap();

        assert_eq!(store.untouched_since(at(100)).await.unwrap(), []);
        assert_eq!(store.untouched_since(at(200)).await.unwrap(), std::slice::from_ref(&b));
        assert_eq!(store.untouched_since(at(201)).await.unwrap(), [a, b]);
    })
    .await;
}

#[tokio::test]
async fn a_sync_that_was_never_seen_is_not_taken_for_one_that_is_gone() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, [1]).await;

        assert_eq!(store.untouched_since(Timestamp::MAX).await.unwrap(), []);
    })
    .await;
}
