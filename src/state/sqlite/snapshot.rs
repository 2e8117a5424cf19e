//! Segments and journal.

use std::ops::Bound;

use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::lock::fence;
use crate::model::SyncId;
use crate::state::columns::{
    Failure, JournalColumns, SegmentColumns, TotalsColumns, check_step, journal_row, place_taken,
    segment, totals as totals_of,
};
use crate::state::lock::RunLock;
use crate::state::store::{FoldStep, JournalRow, SegmentTotals, StoredSegment};

pub(super) async fn segments(
    readers: &SqlitePool,
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
        .bind(limit)
        .fetch_all(readers)
        .await?;
    rows.into_iter().map(|columns| segment(sync, columns)).collect()
}

pub(super) async fn segment_before(
    readers: &SqlitePool,
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
    .fetch_optional(readers)
    .await?;
    row.map(|columns| segment(sync, columns)).transpose()
}

pub(super) async fn totals(readers: &SqlitePool, sync: &SyncId) -> Result<SegmentTotals, Failure> {
    let row: Option<TotalsColumns> = sqlx::query_as(
        "select y.segment_count, y.segment_rows,
            (select count(*) from state_segment s where s.sync_id = y.id),
            (select coalesce(sum(s.entry_count), 0) from state_segment s where s.sync_id = y.id)
         from sync_state y where y.namespace = $1 and y.name = $2",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .fetch_optional(readers)
    .await?;
    Ok(totals_of(row))
}

pub(super) async fn append_journal(
    writer: &SqlitePool,
    lock: &RunLock,
    rows: &[JournalRow],
) -> Result<(), Failure> {
    let mut transaction = writer.begin_with("begin immediate").await?;
    let id = fence(&mut transaction, lock).await?;
    for JournalRow { run, seq, changes } in rows {
        // A row that is there already is left as it is.
        let done = sqlx::query(
            "insert into state_journal
                (sync_id, seq, run_id, first_key, last_key, entry_count, codec, crc, data)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (sync_id, seq) do update set crc = excluded.crc
             where state_journal.run_id = excluded.run_id and state_journal.crc = excluded.crc",
        )
        .bind(id)
        .bind(seq.cast_signed())
        .bind(&run.0)
        .bind(&changes.first_key)
        .bind(&changes.last_key)
        .bind(i64::from(changes.count))
        .bind(i64::from(changes.codec))
        .bind(i64::from(changes.crc))
        .bind(&changes.data)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Err(place_taken(*seq));
        }
    }
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn journal(
    readers: &SqlitePool,
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
    .bind(limit)
    .fetch_all(readers)
    .await?;
    rows.into_iter().map(|columns| journal_row(sync, columns)).collect()
}

pub(super) async fn apply_fold(
    writer: &SqlitePool,
    lock: &RunLock,
    step: &FoldStep,
) -> Result<(), Failure> {
    let mut transaction = writer.begin_with("begin immediate").await?;
    let id = fence(&mut transaction, lock).await?;
    let mut rows = 0;
    for first_key in &step.replaced {
        let count: Option<(i64,)> = sqlx::query_as(
            "delete from state_segment where sync_id = $1 and first_key = $2
             returning entry_count",
        )
        .bind(id)
        .bind(first_key)
        .fetch_optional(&mut *transaction)
        .await?;
        check_step(lock, u64::from(count.is_some()), 1)?;
        rows -= count.map_or(0, |(count,)| count);
    }
    for written in &step.written {
        insert_segment(&mut transaction, id, written).await?;
        rows += i64::from(written.count);
    }
    for seq in &step.folded {
        let done = sqlx::query("delete from state_journal where sync_id = $1 and seq = $2")
            .bind(id)
            .bind(seq.cast_signed())
            .execute(&mut *transaction)
            .await?;
        check_step(lock, done.rows_affected(), 1)?;
    }
    let segments = step.written.len() as i64 - step.replaced.len() as i64;
    add_to_totals(&mut transaction, id, segments, rows).await?;
    transaction.commit().await?;
    Ok(())
}

/// Writes a segment; [`add_to_totals`] must follow in the same transaction.
pub(super) async fn insert_segment(
    transaction: &mut SqliteConnection,
    id: i64,
    segment: &StoredSegment,
) -> Result<(), Failure> {
    sqlx::query(
        "insert into state_segment
            (sync_id, first_key, last_key, entry_count, codec, crc, data)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(&segment.first_key)
    .bind(&segment.last_key)
    .bind(i64::from(segment.count))
    .bind(i64::from(segment.codec))
    .bind(i64::from(segment.crc))
    .bind(&segment.data)
    .execute(transaction)
    .await?;
    Ok(())
}

pub(super) async fn add_to_totals(
    transaction: &mut SqliteConnection,
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
