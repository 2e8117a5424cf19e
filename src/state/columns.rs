//! Between the columns of both stores' tables and the state's types.

use jiff::Timestamp;

use super::error::StateError;
use super::lock::{LockHolder, RunLock};
use super::request::{RequestKind, StoredRequest};
use super::store::{JournalRow, RejectedRow, SegmentTotals, StoredSegment, SyncMemo, SyncState};
use crate::model::{Rejection, RejectionKind, RunId, RunReport, SyncId};

/// What ended a piece of work in a store: its own doing, or what we found there.
pub(super) enum Failure {
    /// The database said no.
    Sql(sqlx::Error),
    /// We did.
    State(StateError),
}

impl From<sqlx::Error> for Failure {
    fn from(err: sqlx::Error) -> Self {
        Self::Sql(err)
    }
}

impl From<StateError> for Failure {
    fn from(err: StateError) -> Self {
        Self::State(err)
    }
}

/// `namespace, name, memo, segment_rows, epoch`
pub(super) type SyncColumns = (String, String, String, i64, i64);

pub(super) fn sync_state(columns: SyncColumns) -> Result<SyncState, Failure> {
    let (namespace, name, memo, segment_rows, epoch) = columns;
    let sync = SyncId { namespace, name };
    let memo = serde_json::from_str(&memo)
        .map_err(|_| damaged(&sync, "what is known of it besides its rows can't be read"))?;
    let (segment_rows, epoch) = (segment_rows.cast_unsigned(), epoch.cast_unsigned());
    Ok(SyncState { sync, memo, segment_rows, epoch })
}

pub(super) fn memo_text(memo: &SyncMemo) -> Result<String, Failure> {
    serde_json::to_string(memo).map_err(|_| internal("a memo can't be written as JSON"))
}

/// `first_key, last_key, entry_count, codec, crc, data`
pub(super) type SegmentColumns = (Vec<u8>, Vec<u8>, i64, i64, i64, Vec<u8>);

pub(super) fn segment(sync: &SyncId, columns: SegmentColumns) -> Result<StoredSegment, Failure> {
    let (first_key, last_key, count, codec, crc, data) = columns;
    let garbled = || damaged(sync, "the numbers beside a segment are out of range");
    Ok(StoredSegment {
        first_key,
        last_key,
        count: u32::try_from(count).map_err(|_| garbled())?,
        codec: u8::try_from(codec).map_err(|_| garbled())?,
        crc: u32::try_from(crc).map_err(|_| garbled())?,
        data,
    })
}

/// `run_id, seq`, then [`SegmentColumns`]
pub(super) type JournalColumns = (String, i64, Vec<u8>, Vec<u8>, i64, i64, i64, Vec<u8>);

pub(super) fn journal_row(sync: &SyncId, columns: JournalColumns) -> Result<JournalRow, Failure> {
    let (run, seq, first_key, last_key, count, codec, crc, data) = columns;
    Ok(JournalRow {
        run: RunId(run),
        seq: seq.cast_unsigned(),
        changes: segment(sync, (first_key, last_key, count, codec, crc, data))?,
    })
}

/// `segment_count, segment_rows`, then how many segments there are and what they say they have
pub(super) type TotalsColumns = (i64, i64, i64, i64);

pub(super) fn totals(columns: Option<TotalsColumns>) -> SegmentTotals {
    let (noted_segments, noted_rows, found_segments, found_rows) = columns.unwrap_or_default();
    SegmentTotals {
        noted_segments: noted_segments.cast_unsigned(),
        noted_rows: noted_rows.cast_unsigned(),
        found_segments: found_segments.cast_unsigned(),
        found_rows: found_rows.cast_unsigned(),
    }
}

/// `key, kind, code, field, message, fingerprint, attempts, first_seen_at, last_seen_at, due_run,
/// parked`
pub(super) type RejectionColumns = (
    Vec<u8>,
    String,
    String,
    Option<String>,
    String,
    Option<Vec<u8>>,
    i64,
    String,
    String,
    i64,
    bool,
);

pub(super) fn rejected_row(
    sync: &SyncId,
    columns: RejectionColumns,
) -> Result<RejectedRow, Failure> {
    let (key, kind, code, field, message, fingerprint, attempts, first, last, due, parked) =
        columns;
    let garbled = || damaged(sync, "a rejection can't be read");
    let kind = [RejectionKind::Invalid, RejectionKind::Rejected]
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(garbled)?;
    let timestamp = |text: String| text.parse::<Timestamp>().map_err(|_| garbled());
    Ok(RejectedRow {
        key,
        fingerprint: fingerprint
            .map(|bytes| <[u8; 16]>::try_from(bytes).map_err(|_| garbled()))
            .transpose()?,
        rejection: Rejection { kind, code, field, message },
        attempts: u32::try_from(attempts).map_err(|_| garbled())?,
        first_seen_at: timestamp(first)?,
        last_seen_at: timestamp(last)?,
        due_run: due.cast_unsigned(),
        parked,
    })
}

pub(super) fn report(sync: &SyncId, text: &str) -> Result<RunReport, Failure> {
    serde_json::from_str(text).map_err(|_| damaged(sync, "a run in its history can't be read"))
}

pub(super) fn report_text(report: &RunReport) -> Result<String, Failure> {
    serde_json::to_string(report).map_err(|_| internal("a report can't be written as JSON"))
}

pub(super) fn holder_text(holder: &LockHolder) -> Result<String, Failure> {
    serde_json::to_string(holder).map_err(|_| internal("a holder can't be written as JSON"))
}

/// Returns an error where the lock that is described by its columns can't be taken at `now_ms`.
pub(super) fn check_free(
    sync: &SyncId,
    holder: Option<&str>,
    expires_at_ms: Option<i64>,
    now_ms: i64,
) -> Result<(), StateError> {
    let Some(holder) = holder else { return Ok(()) };
    let holder: Option<LockHolder> = serde_json::from_str(holder).ok();
    let has_lapsed = expires_at_ms.is_none_or(|expires_at_ms| expires_at_ms <= now_ms);
    if has_lapsed || holder.as_ref().is_some_and(LockHolder::is_gone) {
        return Ok(());
    }
    let holder = holder.map_or_else(|| "another process".to_owned(), |holder| holder.to_string());
    Err(StateError::Locked { sync: sync.clone(), holder })
}

/// `kind, token, handled, seen_at`
pub(super) type RequestColumns = (String, String, bool, String);

/// Returns the request; `None` where it is of a kind that this version doesn't know.
pub(super) fn stored_request(
    sync: &SyncId,
    columns: RequestColumns,
) -> Option<Result<StoredRequest, Failure>> {
    let (kind, token, is_handled, seen_at) = columns;
    let kind = RequestKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    Some(match seen_at.parse() {
        Ok(seen_at) => Ok(StoredRequest { kind, token, is_handled, seen_at }),
        Err(_) => Err(damaged(sync, "a request to it can't be read")),
    })
}

/// `id, memo, epoch, segment_count, whether it has a journal, lock_holder, lock_expires_at_ms`
pub(super) type OwnedColumns = (i64, String, i64, i64, bool, Option<String>, Option<i64>);

/// A Sync's row that is about to be moved or removed; nobody holds its lock.
pub(super) struct Owned {
    pub(super) id: i64,
    pub(super) epoch: i64,
    pub(super) memo: SyncMemo,
    /// Whether anything was delivered, or might have been.
    pub(super) knows_rows: bool,
}

/// Returns the row, or an error while a process holds its lock at `now_ms`.
pub(super) fn owned(sync: &SyncId, columns: OwnedColumns, now_ms: i64) -> Result<Owned, Failure> {
    let (id, memo, epoch, segment_count, has_journal, holder, expires_at_ms) = columns;
    check_free(sync, holder.as_deref(), expires_at_ms, now_ms)?;
    let SyncState { memo, .. } =
        sync_state((sync.namespace.clone(), sync.name.clone(), memo, 0, epoch))?;
    let knows_rows = segment_count > 0 || has_journal || memo.identity.is_some();
    Ok(Owned { id, epoch, memo, knows_rows })
}

/// Returns what is known of a Sync that takes over what was known of another: neither the number
/// of runs nor the clock goes back.
pub(super) fn adopted_memo(from: SyncMemo, to: Option<&Owned>) -> SyncMemo {
    let (run_number, clock_floor_seconds) =
        to.map_or((0, 0), |to| (to.memo.run_number, to.memo.clock_floor_seconds));
    SyncMemo {
        run_number: from.run_number.max(run_number),
        clock_floor_seconds: from.clock_floor_seconds.max(clock_floor_seconds),
        ..from
    }
}

/// Returns an error where a write that the lock fences touched nothing.
pub(super) fn check_fenced(lock: &RunLock, rows_affected: u64) -> Result<(), Failure> {
    if rows_affected == 0 { Err(lock.lost().into()) } else { Ok(()) }
}

/// Returns an error where a fold's step speaks of other segments or rows than there are.
pub(super) fn check_step(lock: &RunLock, found: u64, expected: usize) -> Result<(), Failure> {
    if found == expected as u64 {
        return Ok(());
    }
    Err(damaged(lock.sync(), "segments or journal rows vanished while they were folded"))
}

/// Returns an error where the place of a journal row is taken by another row.
pub(super) fn place_taken(seq: u64) -> Failure {
    internal(&format!("two journal rows have the place {seq}"))
}

fn damaged(sync: &SyncId, problem: &str) -> Failure {
    Failure::State(StateError::Damaged { sync: sync.clone(), problem: problem.to_owned() })
}

fn internal(problem: &str) -> Failure {
    Failure::State(StateError::Internal(problem.to_owned()))
}
