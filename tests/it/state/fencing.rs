//! A process that lost its lock writes nothing, whatever it tries.

use std::time::Duration;

use ciosync::model::{RejectionKind, RunCounts, RunId, RunReport, RunResult};
use ciosync::state::lock::LockTerms;
use ciosync::state::store::FoldStep;
use ciosync::state::{LockHolder, RunLock, StateError, StateStore};
use jiff::Timestamp;

use super::contract::{memo, rejected};
use super::place::{Place, in_each_store, lock, sync};
use super::rows::{Changes, accept, journal_row, segment};

/// Takes a lock that lapses at once, and has it taken over.
async fn lost_lock(store: &dyn StateStore) -> (RunLock, RunLock) {
    let terms = LockTerms { ttl: Duration::ZERO, ..LockTerms::default() };
    let lost =
        RunLock::acquire_on(terms, store, &sync(), &LockHolder::this_process()).await.unwrap();
    accept(store, &lost, 1, [1]).await;
    (lost, lock(store).await)
}

/// Tries every method that writes; returns the names of those that did not refuse.
async fn writes_that_went_through(store: &dyn StateStore, lock: &RunLock) -> Vec<&'static str> {
    let report = RunReport {
        id: RunId("run-1".to_owned()),
        sync: sync(),
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: Timestamp::UNIX_EPOCH,
        result: RunResult::Failed,
        reason: None,
        message: String::new(),
        counts: RunCounts::default(),
    };
    let row = journal_row(2, &Changes::from([(2, Some(2))]));
    let step = FoldStep {
        replaced: vec![],
        written: vec![segment(&Changes::from([(1, Some(1))]))],
        folded: vec![1],
    };
    let rows = [rejected(b"a", RejectionKind::Rejected)];
    let outcomes = [
        ("renew_lock", store.renew_lock(lock, Duration::from_secs(15)).await),
        ("save_memo", store.save_memo(lock, &memo()).await),
        ("append_journal", store.append_journal(lock, &[row]).await),
        (
            "append_journal again",
            store.append_journal(lock, &[journal_row(1, &Changes::from([(1, Some(1))]))]).await,
        ),
        ("apply_fold", store.apply_fold(lock, &step).await),
        ("reset", store.reset(lock).await),
        ("replace", store.replace(lock, &memo(), &mut std::iter::empty()).await),
        ("save_rejections", store.save_rejections(lock, &rows, &[]).await),
        ("clear_invalid", store.clear_invalid(lock).await),
        ("save_run", store.save_run(lock, &report, 10).await),
    ];
    outcomes
        .into_iter()
        .filter(|(_, outcome)| !matches!(outcome, Err(StateError::LockLost { .. })))
        .map(|(name, _)| name)
        .collect()
}

/// Everything that the tables hold but the lock itself, as text.
async fn contents(store: &dyn StateStore) -> String {
    let state = store.sync(&sync()).await.unwrap().unwrap();
    let places: Vec<u64> =
        store.journal(&sync(), None, 99).await.unwrap().iter().map(|row| row.seq).collect();
    let totals = store.segment_totals(&sync()).await.unwrap();
    let rejections = store.rejections(&sync(), None, 99).await.unwrap().len();
    let runs = store.runs(&sync(), 99).await.unwrap();
    format!("{state:?} {places:?} {totals:?} {rejections} {runs:?}")
}

#[tokio::test]
async fn a_lock_that_was_taken_over_writes_nothing() {
    in_each_store(async |place: &Place| {
        let store = place.open().await;
        let (lost, held) = lost_lock(store.as_ref()).await;
        let before = contents(store.as_ref()).await;

        let went_through = writes_that_went_through(store.as_ref(), &lost).await;
        lost.release(store.as_ref()).await.unwrap();

        assert!(went_through.is_empty(), "{went_through:?}");
        assert_eq!(contents(store.as_ref()).await, before);
        held.renew(store.as_ref()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_lock_that_was_given_back_writes_nothing() {
    in_each_store(async |place: &Place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, [1]).await;
        let before = contents(store.as_ref()).await;

        lock.release(store.as_ref()).await.unwrap();

        let went_through = writes_that_went_through(store.as_ref(), &lock).await;
        assert!(went_through.is_empty(), "{went_through:?}");
        assert_eq!(contents(store.as_ref()).await, before);
    })
    .await;
}
