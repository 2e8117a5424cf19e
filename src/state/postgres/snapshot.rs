//! Segments and journal.

use std::ops::Bound;

use sqlx::postgres::{PgConnection, PgPool};

use super::lock::fence;
use super::transaction::Transaction;
use crate::model::SyncId;
use crate::state::columns::{
    Failure, JournalColumns, SegmentColumns, TotalsColumns, check_step, journal_row, place_taken,
    segment, totals as totals_of,
};
use crate::state::lock::RunLock;
use crate::state::store::{FoldStep, JournalRow, SegmentTotals, StoredSegment};

pub(super) async fn segments(
    pool: &PgPool,
    sync: &SyncId,
    from: Bound<&[u8]>,
    limit: u32,
) -> Result<Vec<StoredSegment>, Failure> {
    const BEHIND: &str = "select first_key, last_key, entry_count, codec, crc, data
        from state_segment
        where sync_id = (select id from sync_state where namespace = $1 and name = $2)
          and last_key > $3
        order by last_key limit $4";
    const AT_OR_BEHIND: &str = "select first_key, last_key, entry_count, codec, crc, data
        from state_segment
        where sync_id = (select id from sync_state where namespace = $1 and name = $2)
          and last_key >= $3
        order by last_key limit $4";
    let (sql, key) = match from {
        Bound::Unbounded => (AT_OR_BEHIND, [].as_slice()),
        Bound::Included(key) => (AT_OR_BEHIND, key),
        Bound::Excluded(key) => (BEHIND, key),
    };
    let rows: Vec<SegmentColumns> = sqlx::query_as(sql)
        .bind(&sync.namespace)
        .bind(&sync.name)
        .bind(key)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.into_iter().map(|columns| segment(sync, columns)).collect()
}

pub(super) async fn segment_before(
    pool: &PgPool,
    sync: &SyncId,
    key: &[u8],
) -> Result<Option<StoredSegment>, Failure> {
    let row: Option<SegmentColumns> = sqlx::query_as(
        "select first_key, last_key, entry_count, codec, crc, data
         from state_segment
         where sync_id = (select id from sync_state where namespace = $1 and name = $2)
           and last_key < $3
         order by last_key desc limit 1",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .bind(key)
    .fetch_optional(pool)
    .await?;
    row.map(|columns| segment(sync, columns)).transpose()
}

pub(super) async fn totals(pool: &PgPool, sync: &SyncId) -> Result<SegmentTotals, Failure> {
    let row: Option<TotalsColumns> = sqlx::query_as(
        "select y.segment_count, y.segment_rows,
            (select count(*) from state_segment s where s.sync_id = y.id),
            (select coalesce(sum(s.entry_count), 0)::bigint from state_segment s where s.sync_id = y.id)
         from sync_state y where y.namespace = $1 and y.name = $2",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .fetch_optional(pool)
    .await?;
    Ok(totals_of(row))
}

pub(super) async fn append_journal(
    pool: &PgPool,
    lock: &RunLock,
    rows: &[JournalRow],
) -> Result<(), Failure> {
    let Some(first) = rows.first() else { return Ok(()) };
    let bytes = |part: fn(&StoredSegment) -> &[u8]| {
        rows.iter().map(|row| part(&row.changes)).collect::<Vec<_>>()
    };
    let numbers = |part: fn(&JournalRow) -> i64| rows.iter().map(part).collect::<Vec<_>>();
    // One statement, so one transaction: the Sync's row is locked against a take-over meanwhile.
    // A row that is there already is left as it is.
    let done = sqlx::query(
        "with fence as (
            select id from sync_state
            where namespace = $1 and name = $2 and epoch = $3 and lock_holder is not null
            for share
         )
         insert into state_journal
            (sync_id, seq, run_id, first_key, last_key, entry_count, codec, crc, data)
         select fence.id, seq, run_id, first_key, last_key, entry_count, codec, crc, data
         from fence, unnest($4::bigint[], $5::text[], $6::bytea[], $7::bytea[], $8::bigint[],
            $9::bigint[], $10::bigint[], $11::bytea[])
            as written (seq, run_id, first_key, last_key, entry_count, codec, crc, data)
         on conflict (sync_id, seq) do update set crc = excluded.crc
         where state_journal.run_id = excluded.run_id and state_journal.crc = excluded.crc",
    )
    .bind(&lock.sync().namespace)
    .bind(&lock.sync().name)
    .bind(lock.epoch().cast_signed())
    .bind(numbers(|row| row.seq.cast_signed()))
    .bind(rows.iter().map(|row| row.run.0.as_str()).collect::<Vec<_>>())
    .bind(bytes(|changes| &changes.first_key))
    .bind(bytes(|changes| &changes.last_key))
    .bind(numbers(|row| row.changes.count.into()))
    .bind(numbers(|row| row.changes.codec.into()))
    .bind(numbers(|row| row.changes.crc.into()))
    .bind(bytes(|changes| &changes.data))
    .execute(pool)
    .await?;
    if done.rows_affected() != rows.len() as u64 {
        let mut transaction = Transaction::begin(pool).await?;
        fence(transaction.connection(), lock).await?;
        transaction.rollback().await?;
        return Err(place_taken(first.seq));
    }
    Ok(())
}

pub(super) async fn journal(
    pool: &PgPool,
    sync: &SyncId,
    after_seq: Option<u64>,
    limit: u32,
) -> Result<Vec<JournalRow>, Failure> {
    let rows: Vec<JournalColumns> = sqlx::query_as(
        "select run_id, seq, first_key, last_key, entry_count, codec, crc, data
         from state_journal
         where sync_id = (select id from sync_state where namespace = $1 and name = $2)
           and seq > coalesce($3, -1)
         order by seq limit $4",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .bind(after_seq.map(u64::cast_signed))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|columns| journal_row(sync, columns)).collect()
}

pub(super) async fn apply_fold(
    pool: &PgPool,
    lock: &RunLock,
    step: &FoldStep,
) -> Result<(), Failure> {
    let mut transaction = Transaction::begin(pool).await?;
    let id = fence(transaction.connection(), lock).await?;
    let mut rows = 0;
    let removed: Vec<(i64,)> = sqlx::query_as(
        "delete from state_segment where sync_id = $1 and first_key = any($2)
         returning entry_count",
    )
    .bind(id)
    .bind(&step.replaced)
    .fetch_all(transaction.connection())
    .await?;
    check_step(lock, removed.len() as u64, step.replaced.len())?;
    rows -= removed.iter().map(|(count,)| count).sum::<i64>();
    insert_segments(transaction.connection(), id, &step.written).await?;
    rows += step.written.iter().map(|segment| i64::from(segment.count)).sum::<i64>();
    let places: Vec<i64> = step.folded.iter().map(|seq| seq.cast_signed()).collect();
    let done = sqlx::query("delete from state_journal where sync_id = $1 and seq = any($2)")
        .bind(id)
        .bind(&places)
        .execute(transaction.connection())
        .await?;
    check_step(lock, done.rows_affected(), places.len())?;
    let segments = step.written.len() as i64 - step.replaced.len() as i64;
    add_to_totals(transaction.connection(), id, segments, rows).await?;
    transaction.commit().await?;
    Ok(())
}

/// Writes segments; [`add_to_totals`] must follow in the same transaction. One statement for all:
/// each large statement may cost the delay of an acknowledgement, as sqlx 0.9.0 leaves Nagle's
/// algorithm on. Source: <https://github.com/transact-rs/sqlx/issues/4335>
pub(super) async fn insert_segments(
    transaction: &mut PgConnection,
    id: i64,
    segments: &[StoredSegment],
) -> Result<(), Failure> {
    let bytes = |part: fn(&StoredSegment) -> &[u8]| segments.iter().map(part).collect::<Vec<_>>();
    let numbers = |part: fn(&StoredSegment) -> i64| segments.iter().map(part).collect::<Vec<_>>();
    sqlx::query(
        "insert into state_segment
            (sync_id, first_key, last_key, entry_count, codec, crc, data)
         select $1, first_key, last_key, entry_count, codec, crc, data
         from unnest($2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[],
            $7::bytea[]) as written (first_key, last_key, entry_count, codec, crc, data)",
    )
    .bind(id)
    .bind(bytes(|segment| &segment.first_key))
    .bind(bytes(|segment| &segment.last_key))
    .bind(numbers(|segment| segment.count.into()))
    .bind(numbers(|segment| segment.codec.into()))
    .bind(numbers(|segment| segment.crc.into()))
    .bind(bytes(|segment| &segment.data))
    .execute(transaction)
    .await?;
    Ok(())
}

pub(super) async fn add_to_totals(
    transaction: &mut PgConnection,
    id: i64,
    segments: i64,
    rows: i64,
) -> Result<(), Failure> {
    sqlx::query(
        "update sync_state
         set segment_count = segment_count + $2, segment_rows = segment_rows + $3
         where id = $1",
    )
    .bind(id)
    .bind(segments)
    .bind(rows)
    .execute(transaction)
    .await?;
    Ok(())
}
