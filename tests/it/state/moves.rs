//! Forgetting a Sync, and moving what is known of it to another name.

use std::sync::Arc;

use ciosync::model::{Rejection, RejectionKind, SyncId};
use ciosync::state::store::{RejectedRow, SyncMemo};
use ciosync::state::{
    Adoption, LockHolder, RequestKind, RunLock, StateError, StateStore, StoredRequest, fold,
};
use jiff::Timestamp;

use super::contract::{memo, rejected, report};
use super::place::{error, in_each_store, lock, sync};
use super::rows::{Model, accept, folded, remembered};

fn moved() -> SyncId {
    SyncId::new("growth", "people")
}

async fn lock_of(store: &dyn StateStore, sync: &SyncId) -> RunLock {
    RunLock::acquire(store, sync, &LockHolder::this_process()).await.unwrap()
}

async fn ask(store: &dyn StateStore, sync: &SyncId) {
    let request = StoredRequest {
        kind: RequestKind::Reset,
        token: "1".to_owned(),
        is_handled: false,
        seen_at: Timestamp::UNIX_EPOCH,
    };
    store.save_request(sync, &request).await.unwrap();
    store.touch(std::slice::from_ref(sync), Timestamp::UNIX_EPOCH).await.unwrap();
}

/// Fills [`sync`] with one of everything; nobody holds its lock afterwards.
async fn fill(store: &dyn StateStore) {
    let lock = lock(store).await;
    accept(store, &lock, 1, 0..300).await;
    fold(store, &lock, None).await.unwrap();
    accept(store, &lock, 2, [300]).await;
    store.save_memo(&lock, &memo()).await.unwrap();
    store.save_rejections(&lock, &[rejected(b"a", RejectionKind::Rejected)], &[]).await.unwrap();
    store.save_run(&lock, &report("old-1"), 5).await.unwrap();
    store.save_run(&lock, &report("old-2"), 5).await.unwrap();
    lock.release(store).await.unwrap();
    ask(store, &sync()).await;
}

fn filled_rows() -> Model {
    (0..=300).map(|number| (number, number)).collect()
}

async fn run_ids(store: &dyn StateStore, sync: &SyncId) -> Vec<String> {
    store.runs(sync, 9).await.unwrap().into_iter().map(|run| run.id.0).collect()
}

/// Whether nothing at all is stored of a Sync, its requests and its last sighting included.
async fn is_blank(store: &Arc<dyn StateStore>, sync: &SyncId) -> bool {
    store.sync(sync).await.unwrap().is_none()
        && store.requests(sync).await.unwrap().is_empty()
        && !store.untouched_since(Timestamp::MAX).await.unwrap().contains(sync)
        && store.rejections(sync, None, 9).await.unwrap().is_empty()
        && run_ids(store.as_ref(), sync).await.is_empty()
        && remembered(store, sync).await.is_empty()
}

#[tokio::test]
async fn a_forgotten_sync_leaves_nothing_and_others_keep_what_is_theirs() {
    in_each_store(async |place| {
        let store = place.open().await;
        fill(store.as_ref()).await;
        let other = lock_of(store.as_ref(), &moved()).await;
        accept(store.as_ref(), &other, 1, [7]).await;
        ask(store.as_ref(), &moved()).await;

        store.forget(&sync()).await.unwrap();
        store.forget(&sync()).await.unwrap();

        assert!(is_blank(&store, &sync()).await);
        assert_eq!(remembered(&store, &moved()).await, Model::from([(7, 7)]));
        assert_eq!(store.requests(&moved()).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_sync_that_runs_is_neither_forgotten_nor_moved() {
    in_each_store(async |place| {
        let store = place.open().await;
        fill(store.as_ref()).await;
        let held = lock(store.as_ref()).await;

        let outcomes = [
            error(store.forget(&sync()).await),
            error(store.adopt(&sync(), &moved()).await),
            error(store.adopt(&SyncId::new("no", "body"), &sync()).await),
        ];

        for err in outcomes {
            assert!(matches!(&err, StateError::Locked { sync: locked, .. } if *locked == sync()));
        }
        held.renew(store.as_ref()).await.unwrap();
        assert_eq!(remembered(&store, &sync()).await, filled_rows());
        assert_eq!(store.requests(&sync()).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn epochs_go_on_where_a_sync_was_forgotten_or_moved() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lost = lock(store.as_ref()).await;
        store.release_lock(&lost).await.unwrap();
        store.forget(&sync()).await.unwrap();

        let next = lock(store.as_ref()).await;
        let err = error(store.save_memo(&lost, &memo()).await);

        assert!(next.epoch() > lost.epoch(), "{} {}", next.epoch(), lost.epoch());
        assert!(matches!(err, StateError::LockLost { .. }));
        accept(store.as_ref(), &next, 1, [1]).await;
        next.release(store.as_ref()).await.unwrap();
        assert_eq!(store.adopt(&sync(), &moved()).await.unwrap(), Adoption::Adopted);
        assert!(lock(store.as_ref()).await.epoch() > next.epoch());
        assert!(lock_of(store.as_ref(), &moved()).await.epoch() > next.epoch());
    })
    .await;
}

#[tokio::test]
async fn a_sync_takes_over_all_that_is_known_of_another() {
    in_each_store(async |place| {
        let store = place.open().await;
        fill(store.as_ref()).await;

        let adoption = store.adopt(&sync(), &moved()).await.unwrap();

        assert_eq!(adoption, Adoption::Adopted);
        assert!(is_blank(&store, &sync()).await);
        let state = store.sync(&moved()).await.unwrap().unwrap();
        assert_eq!((state.memo, state.segment_rows), (memo(), 300));
        assert_eq!(folded(&store, &moved()).await.len(), 300);
        assert_eq!(remembered(&store, &moved()).await, filled_rows());
        let rejections = store.rejections(&moved(), None, 9).await.unwrap();
        assert!(rejections == [rejected(b"a", RejectionKind::Rejected)]);
        assert_eq!(run_ids(store.as_ref(), &moved()).await, ["old-2", "old-1"]);
        assert!(store.requests(&moved()).await.unwrap().is_empty());
        let lock = lock_of(store.as_ref(), &moved()).await;
        accept(store.as_ref(), &lock, 3, [301]).await;
        assert_eq!(remembered(&store, &moved()).await.len(), 302);
    })
    .await;
}

/// A new Sync may have failed a few times before somebody wrote `adoptStateFrom`.
#[tokio::test]
async fn what_a_sync_that_delivered_nothing_knows_of_itself_goes_on_after_an_adoption() {
    in_each_store(async |place| {
        let store = place.open().await;
        fill(store.as_ref()).await;
        let lock = lock_of(store.as_ref(), &moved()).await;
        let young = SyncMemo { run_number: 9, clock_floor_seconds: 5, ..SyncMemo::default() };
        store.save_memo(&lock, &young).await.unwrap();
        store.save_run(&lock, &report("new-1"), 5).await.unwrap();
        let invalid = RejectedRow {
            rejection: Rejection {
                code: "NullKey".to_owned(),
                ..rejected(b"z", RejectionKind::Invalid).rejection
            },
            ..rejected(b"z", RejectionKind::Invalid)
        };
        store.save_rejections(&lock, &[invalid], &[]).await.unwrap();
        lock.release(store.as_ref()).await.unwrap();
        ask(store.as_ref(), &moved()).await;

        let adoption = store.adopt(&sync(), &moved()).await.unwrap();

        assert_eq!(adoption, Adoption::Adopted);
        let state = store.sync(&moved()).await.unwrap().unwrap();
        assert_eq!(state.memo, SyncMemo { run_number: 9, ..memo() });
        assert_eq!(run_ids(store.as_ref(), &moved()).await, ["new-1", "old-2", "old-1"]);
        assert_eq!(store.requests(&moved()).await.unwrap().len(), 1);
        let rejections = store.rejections(&moved(), None, 9).await.unwrap();
        assert!(rejections == [rejected(b"a", RejectionKind::Rejected)]);
    })
    .await;
}

#[tokio::test]
async fn a_sync_with_rows_of_its_own_adopts_nothing() {
    in_each_store(async |place| {
        let store = place.open().await;
        fill(store.as_ref()).await;
        let lock = lock_of(store.as_ref(), &moved()).await;
        accept(store.as_ref(), &lock, 1, [7]).await;
        lock.release(store.as_ref()).await.unwrap();

        let adoption = store.adopt(&sync(), &moved()).await.unwrap();

        assert_eq!(adoption, Adoption::Refused);
        assert_eq!(remembered(&store, &sync()).await, filled_rows());
        assert_eq!(remembered(&store, &moved()).await, Model::from([(7, 7)]));
    })
    .await;
}

#[tokio::test]
async fn there_is_nothing_to_adopt_from_a_sync_that_delivered_nothing_or_from_itself() {
    in_each_store(async |place| {
        let store = place.open().await;
        fill(store.as_ref()).await;
        let idle = SyncId::new("idle", "sync");
        lock_of(store.as_ref(), &idle).await.release(store.as_ref()).await.unwrap();

        for (from, to) in
            [(idle.clone(), moved()), (SyncId::new("no", "body"), moved()), (sync(), sync())]
        {
            assert_eq!(store.adopt(&from, &to).await.unwrap(), Adoption::NothingKnown);
        }

        assert!(is_blank(&store, &moved()).await && store.sync(&idle).await.unwrap().is_some());
        assert_eq!(remembered(&store, &sync()).await, filled_rows());
        assert_eq!(store.requests(&sync()).await.unwrap().len(), 1);
    })
    .await;
}
