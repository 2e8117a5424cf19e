//! Every method of a store, in both stores.

use ciosync::model::{
    IdentifierKind, KeyKind, KeyShape, OperationKind, Rejection, RejectionKind, RunCounts, RunId,
    RunReport, RunResult, SyncId,
};
use ciosync::state::store::{
    AuditMemo, Blocked, FoldStep, HandledFailure, Identity, RejectedRow, SyncMemo,
};
use ciosync::state::{LockHolder, RunLock};
use jiff::Timestamp;

use super::place::{error, in_each_store, lock, sync};
use super::rows::{Changes, accept, journal_row, segment};

pub fn memo() -> SyncMemo {
    let at: Timestamp = "2025-01-02T03:04:05.678901Z".parse().unwrap();
    SyncMemo {
        identity: Some(Identity {
            entity: "person".to_owned(),
            primary_key: vec!["id".to_owned()],
            identifier: IdentifierKind::Email,
            object_type: None,
            segment: None,
            segment_name: None,
            workspace_id: 123_456,
        }),
        key_shape: Some(KeyShape(vec![KeyKind::Number])),
        operation: Some(OperationKind::PersonIdentify),
        run_number: 7,
        last_success_at: Some(at),
        clock_floor_seconds: 1_735_787_045,
        planned_at: None,
        found_again_at: None,
        cursor: None,
        attributes: vec!["plan".to_owned()],
        blocked: Some(Blocked {
            id: RunId("01JG".to_owned()),
            since: at,
            guard: "maxRemoved".to_owned(),
            counts: RunCounts { removed: 9, ..RunCounts::default() },
            approved: false,
        }),
        audit: None,
        collection: None,
        was_reset: false,
    }
}

pub fn rejected(key: &[u8], kind: RejectionKind) -> RejectedRow {
    let at: Timestamp = "2025-01-02T03:04:05Z".parse().unwrap();
    RejectedRow {
        key: key.to_vec(),
        fingerprint: (kind == RejectionKind::Rejected).then_some([7; 16]),
        rejection: Rejection {
            kind,
            code: "invalid".to_owned(),
            field: Some("email".to_owned()),
            message: "is not an address".to_owned(),
        },
        attempts: 3,
        first_seen_at: at,
        last_seen_at: at,
        due_run: 12,
        parked: kind == RejectionKind::Rejected,
    }
}

pub fn report(id: &str) -> RunReport {
    RunReport {
        id: RunId(id.to_owned()),
        sync: sync(),
        trigger: None,
        request: None,
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: Timestamp::UNIX_EPOCH,
        result: RunResult::Succeeded,
        reason: None,
        message: String::new(),
        counts: RunCounts { rows_read: 5, ..RunCounts::default() },
    }
}

#[tokio::test]
async fn what_is_known_of_a_sync_survives_a_reopening() {
    in_each_store(async |place| {
        let store = place.open().await;
        assert!(store.sync(&sync()).await.unwrap().is_none());
        let lock = lock(store.as_ref()).await;
        store.save_memo(&lock, &memo()).await.unwrap();
        drop(store);

        let state = place.open().await.sync(&sync()).await.unwrap().unwrap();

        assert_eq!(state.memo, memo());
        assert_eq!((state.sync, state.segment_rows, state.epoch), (sync(), 0, 1));
    })
    .await;
}

#[tokio::test]
async fn syncs_are_listed_by_namespace_and_name() {
    in_each_store(async |place| {
        let store = place.open().await;
        let ids = [("b", "a"), ("a-b", "x"), ("a", "B"), ("a", "x"), ("a", "a")];
        for (namespace, name) in ids {
            let sync = SyncId::new(namespace, name);
            let holder = LockHolder::this_process();
            RunLock::acquire(store.as_ref(), &sync, &holder).await.unwrap();
        }

        let listed: Vec<SyncId> =
            store.syncs().await.unwrap().into_iter().map(|state| state.sync).collect();

        let mut sorted = ids.map(|(namespace, name)| SyncId::new(namespace, name));
        sorted.sort();
        assert_eq!(listed, sorted);
    })
    .await;
}

#[tokio::test]
async fn a_committed_journal_row_survives_a_reopening() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, [1, 2]).await;
        accept(store.as_ref(), &lock, 2, [3]).await;
        drop(store);

        let store = place.open().await;
        let rows = store.journal(&sync(), None, 10).await.unwrap();

        assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [1, 2]);
        assert!(rows[0] == journal_row(1, &Changes::from([(1, Some(1)), (2, Some(2))])));
    })
    .await;
}

#[tokio::test]
async fn the_journal_is_paged_by_place() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        for seq in [0, 1, 5, 9] {
            accept(store.as_ref(), &lock, seq, [1]).await;
        }

        let places = async |after, limit| -> Vec<u64> {
            let rows = store.journal(&sync(), after, limit).await.unwrap();
            rows.iter().map(|row| row.seq).collect()
        };

        assert_eq!(places(None, 2).await, [0, 1]);
        assert_eq!(places(Some(1), 9).await, [5, 9]);
        assert!(places(Some(9), 9).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_commit_of_unknown_outcome_may_be_repeated_but_no_place_is_taken_twice() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, [1]).await;

        accept(store.as_ref(), &lock, 1, [1]).await;
        let other = journal_row(1, &Changes::from([(2, Some(2))]));
        let err = error(store.append_journal(&lock, &[other]).await);

        assert!(err.to_string().contains("the place 1"), "{err}");
        assert_eq!(store.journal(&sync(), None, 10).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_fold_step_that_does_not_fit_changes_nothing() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, [1]).await;
        let written = || vec![segment(&Changes::from([(1, Some(1))]))];

        let missing_segment =
            FoldStep { replaced: vec![b"none".to_vec()], written: written(), folded: vec![1] };
        let missing_row = FoldStep { replaced: vec![], written: written(), folded: vec![1, 2] };

        for step in [missing_segment, missing_row] {
            assert!(store.apply_fold(&lock, &step).await.is_err());
        }
        assert_eq!(store.journal(&sync(), None, 10).await.unwrap().len(), 1);
        assert_eq!(store.segment_totals(&sync()).await.unwrap().found_segments, 0);
        assert_eq!(store.sync(&sync()).await.unwrap().unwrap().segment_rows, 0);
    })
    .await;
}

#[tokio::test]
async fn a_reset_forgets_all_but_the_history_the_number_of_runs_and_the_clock() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        store.save_memo(&lock, &memo()).await.unwrap();
        accept(store.as_ref(), &lock, 1, [1]).await;
        ciosync::state::fold(store.as_ref(), &lock, None).await.unwrap();
        accept(store.as_ref(), &lock, 2, [2]).await;
        store
            .save_rejections(&lock, &[rejected(b"a", RejectionKind::Rejected)], &[])
            .await
            .unwrap();
        store.save_run(&lock, &report("run-1"), 10).await.unwrap();

        store.reset(&lock).await.unwrap();

        let state = store.sync(&sync()).await.unwrap().unwrap();
        let kept = SyncMemo {
            run_number: memo().run_number,
            clock_floor_seconds: memo().clock_floor_seconds,
            was_reset: true,
            ..SyncMemo::default()
        };
        assert_eq!((state.memo, state.segment_rows), (kept, 0));
        assert!(store.segments(&sync(), std::ops::Bound::Unbounded, 9).await.unwrap().is_empty());
        assert!(store.journal(&sync(), None, 9).await.unwrap().is_empty());
        assert!(store.rejections(&sync(), None, 9).await.unwrap().is_empty());
        assert_eq!(store.runs(&sync(), 9).await.unwrap(), [report("run-1")]);
    })
    .await;
}

#[tokio::test]
async fn rejections_are_paged_by_key_replaced_and_settled() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        let rows: Vec<RejectedRow> = [&b""[..], b"a", b"\xff", b"b"]
            .map(|key| rejected(key, RejectionKind::Rejected))
            .into();
        store.save_rejections(&lock, &rows, &[]).await.unwrap();

        let mut again = rejected(b"b", RejectionKind::Invalid);
        again.rejection.field = None;
        let settled = [b"a".to_vec(), b"unknown".to_vec()];
        store.save_rejections(&lock, std::slice::from_ref(&again), &settled).await.unwrap();

        let first = store.rejections(&sync(), None, 2).await.unwrap();
        let rest = store.rejections(&sync(), Some(b"b"), 9).await.unwrap();
        assert!(first == [rejected(b"", RejectionKind::Rejected), again]);
        assert!(rest == [rejected(b"\xff", RejectionKind::Rejected)]);
    })
    .await;
}

#[tokio::test]
async fn rows_can_be_made_due_and_those_that_we_refused_are_cleared() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        let rows =
            [rejected(b"a", RejectionKind::Invalid), rejected(b"b", RejectionKind::Rejected)];
        store.save_rejections(&lock, &rows, &[]).await.unwrap();

        let count = store.make_rejections_due(&sync()).await.unwrap();
        store.clear_invalid(&lock).await.unwrap();

        let due = RejectedRow { due_run: 0, parked: false, ..rows[1].clone() };
        assert_eq!(count, 2);
        assert!(store.rejections(&sync(), None, 9).await.unwrap() == [due]);
        assert_eq!(store.make_rejections_due(&SyncId::new("no", "body")).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_history_keeps_the_last_runs_newest_first() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        for id in ["3", "1", "2"] {
            store.save_run(&lock, &report(id), 2).await.unwrap();
        }
        let mut mended = report("1");
        mended.result = RunResult::Interrupted;

        store.save_run(&lock, &mended, 2).await.unwrap();

        assert_eq!(store.runs(&sync(), 9).await.unwrap(), [report("2"), mended]);
        assert_eq!(store.runs(&sync(), 1).await.unwrap(), [report("2")]);
    })
    .await;
}

#[tokio::test]
async fn a_history_of_no_length_still_knows_the_last_run() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        store.save_run(&lock, &report("1"), 0).await.unwrap();

        store.save_run(&lock, &report("2"), 0).await.unwrap();

        assert!(!store.knows_run(&sync(), &RunId("1".to_owned())).await.unwrap());
        assert!(store.knows_run(&sync(), &RunId("2".to_owned())).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn how_far_an_audit_got_reads_back() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        let handled = vec![HandledFailure { id_hash: u64::MAX, at: 1_735_787_045 }];
        let read_until = Some("2025-01-02T03:04:05.678901Z".parse().unwrap());
        let memo = SyncMemo {
            audit: Some(AuditMemo { read_until, failing_since: None, handled }),
            ..memo()
        };

        store.save_memo(&lock, &memo).await.unwrap();

        assert_eq!(store.sync(&sync()).await.unwrap().unwrap().memo, memo);
    })
    .await;
}
