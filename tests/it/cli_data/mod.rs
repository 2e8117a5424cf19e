//! The commands that show and move what the store holds, through the real binary; and those that
//! need no store.

mod get;
mod offline;
mod remembered;

use std::sync::Arc;

use ciosync::engine::invalid::numbered_key;
use ciosync::model::{
    Encoding, Entry, EntryFlags, Fingerprint, IdentifierKind, KeyKind, KeyShape, OperationKind,
    Reason, Rejection, RejectionKind, RunCounts, RunId, RunReport, RunResult, SyncId, Value,
};
use ciosync::state::store::{Blocked, Identity, JournalRow, RejectedRow, SyncMemo};
use ciosync::state::{self, LockHolder, RunLock, SegmentWriter, StateStore};
use jiff::{Timestamp, ToSpan as _};

use crate::support::cli::{Ciosync, Output, Workdir};

/// Runs the binary in `dir`, with its words separated by spaces.
async fn ciosync(dir: &Workdir, words: &str) -> Output {
    Ciosync::new(dir.path()).args(words.split(' ')).run().await
}

async fn open(dir: &Workdir) -> Arc<dyn StateStore> {
    let path = dir.path().join(".ciosync/state.db");
    state::open(&format!("sqlite:{}", path.display()), "local").await.unwrap()
}

fn customers() -> SyncId {
    SyncId::new("default", "customers")
}

async fn locked(store: &dyn StateStore, sync: &SyncId) -> RunLock {
    RunLock::acquire(store, sync, &LockHolder::this_process()).await.unwrap()
}

fn key(number: i64) -> Vec<u8> {
    let mut out = Vec::new();
    KeyShape(vec![KeyKind::Number]).encode([Value::Int(number)], &mut out).unwrap();
    out
}

fn memo() -> SyncMemo {
    SyncMemo {
        identity: Some(Identity {
            entity: "person".to_owned(),
            primary_key: vec!["user_id".to_owned()],
            identifier: IdentifierKind::Email,
            object_type: None,
            segment: None,
            workspace_id: 123_456,
        }),
        key_shape: Some(KeyShape(vec![KeyKind::Number])),
        operation: Some(OperationKind::PersonIdentify),
        run_number: 7,
        last_success_at: Some(Timestamp::now() - 26.hours()),
        clock_floor_seconds: 1_735_787_045,
        planned_at: None,
        found_again_at: None,
        cursor: None,
        attributes: vec!["plan".to_owned()],
        blocked: None,
        audit: None,
        collection: None,
        was_reset: false,
    }
}

fn blocked(memo: SyncMemo) -> SyncMemo {
    let since = Timestamp::now() - 25.hours();
    let counts = RunCounts { removed: 3_100, ..RunCounts::default() };
    let id = RunId("run-2".to_owned());
    let guard = "maxRemoved".to_owned();
    SyncMemo { blocked: Some(Blocked { id, since, guard, counts, approved: false }), ..memo }
}

fn rejected(key: Vec<u8>, kind: RejectionKind, code: &str, due_run: u64) -> RejectedRow {
    let at: Timestamp = "2025-01-02T03:04:05Z".parse().unwrap();
    RejectedRow {
        key,
        fingerprint: (kind == RejectionKind::Rejected).then_some([7; 16]),
        rejection: Rejection {
            kind,
            code: code.to_owned(),
            field: (kind == RejectionKind::Rejected).then(|| "email".to_owned()),
            message: "the row was refused".to_owned(),
        },
        attempts: if kind == RejectionKind::Rejected { 3 } else { 0 },
        first_seen_at: at,
        last_seen_at: at,
        due_run,
        parked: due_run == 99,
    }
}

/// What a Sync could not deliver: one row without a key, one to be tried soon, one parked.
fn troubles() -> Vec<RejectedRow> {
    vec![
        rejected(numbered_key(12), RejectionKind::Invalid, "NullKey", 0),
        rejected(key(4_711), RejectionKind::Rejected, "invalid", 10),
        rejected(key(4_712), RejectionKind::Rejected, "invalid", 99),
    ]
}

fn report(id: &str, started_at: &str, result: RunResult) -> RunReport {
    let started_at: Timestamp = started_at.parse().unwrap();
    let is_well = result.ended_well();
    RunReport {
        id: RunId(id.to_owned()),
        sync: customers(),
        trigger: None,
        request: None,
        started_at,
        finished_at: started_at + 532.milliseconds(),
        result,
        reason: (!is_well).then_some(Reason::GuardTripped),
        message: if is_well { "" } else { "3,100 rows would be removed" }.to_owned(),
        counts: RunCounts { rows_read: 5_000, added: 4_998, invalid: 1, ..RunCounts::default() },
    }
}

/// Remembers rows whose keys are the numbers; every tenth has a target of its own.
async fn remember(store: &dyn StateStore, lock: &RunLock, numbers: impl Iterator<Item = i64>) {
    let mut writer = SegmentWriter::default();
    for number in numbers {
        let entry = Entry {
            key: &key(number),
            fingerprint: Some(Fingerprint::from_bytes([0xab; 16])),
            encoding: Encoding::CURRENT,
            target: (number % 10 == 0).then_some("ann@example.com"),
            flags: EntryFlags { suppressed: number == 10, ..EntryFlags::default() },
        };
        writer.push(&entry).unwrap();
    }
    let changes = writer.finish().unwrap();
    let row = JournalRow { run: RunId("run-1".to_owned()), seq: 1, changes };
    store.append_journal(lock, &[row]).await.unwrap();
    state::fold(store, lock, None).await.unwrap();
}

/// A folder whose state knows `default/customers`: a thousand rows, three troubles, two runs, the
/// last of them blocked.
async fn with_state() -> Workdir {
    let dir = Workdir::new();
    let store = open(&dir).await;
    let lock = locked(store.as_ref(), &customers()).await;
    store.save_memo(&lock, &blocked(memo())).await.unwrap();
    remember(store.as_ref(), &lock, 1..=1_000).await;
    store.save_rejections(&lock, &troubles(), &[]).await.unwrap();
    for (id, at, result) in [
        ("run-1", "2025-01-02T03:04:05Z", RunResult::PartiallySucceeded),
        ("run-2", "2025-01-02T03:19:05Z", RunResult::Blocked),
    ] {
        store.save_run(&lock, &report(id, at, result), 5).await.unwrap();
    }
    lock.release(store.as_ref()).await.unwrap();
    dir
}
