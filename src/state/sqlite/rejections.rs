//! Rows that were not accepted.

use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::lock::fence;
use crate::model::SyncId;
use crate::state::columns::{Failure, RejectionColumns, rejected_row};
use crate::state::lock::RunLock;
use crate::state::store::RejectedRow;

pub(super) async fn rejections(
    readers: &SqlitePool,
    sync: &SyncId,
    after: Option<&[u8]>,
    limit: u32,
) -> Result<Vec<RejectedRow>, Failure> {
    const BEHIND: &str = "select key, kind, code, field, message, fingerprint, attempts,
            first_seen_at, last_seen_at, due_run, parked
        from rejection
        where sync_id = (select id from sync_state where namespace = $1 and name = $2)
          and key > $3
        order by key limit $4";
    const AT_OR_BEHIND: &str = "select key, kind, code, field, message, fingerprint, attempts,
            first_seen_at, last_seen_at, due_run, parked
        from rejection
        where sync_id = (select id from sync_state where namespace = $1 and name = $2)
          and key >= $3
        order by key limit $4";
    let sql = if after.is_some() { BEHIND } else { AT_OR_BEHIND };
    let rows: Vec<RejectionColumns> = sqlx::query_as(sql)
        .bind(&sync.namespace)
        .bind(&sync.name)
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(readers)
        .await?;
    rows.into_iter().map(|columns| rejected_row(sync, columns)).collect()
}

pub(super) async fn save(
    writer: &SqlitePool,
    lock: &RunLock,
    rows: &[RejectedRow],
    settled: &[Vec<u8>],
) -> Result<(), Failure> {
    let mut transaction = writer.begin_with("begin immediate").await?;
    let id = fence(&mut transaction, lock).await?;
    for key in settled {
        sqlx::query("delete from rejection where sync_id = $1 and key = $2")
            .bind(id)
            .bind(key)
            .execute(&mut *transaction)
            .await?;
    }
    for row in rows {
        insert_rejection(&mut transaction, id, row).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Writes a rejection in the place of one with the same key.
pub(super) async fn insert_rejection(
    transaction: &mut SqliteConnection,
    id: i64,
    row: &RejectedRow,
) -> Result<(), Failure> {
    sqlx::query(
        "insert or replace into rejection
            (sync_id, key, kind, code, field, message, fingerprint, attempts, first_seen_at,
             last_seen_at, due_run, parked)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id)
    .bind(&row.key)
    .bind(row.rejection.kind.as_str())
    .bind(&row.rejection.code)
    .bind(&row.rejection.field)
    .bind(&row.rejection.message)
    .bind(row.fingerprint.as_ref().map(<[u8; 16]>::as_slice))
    .bind(i64::from(row.attempts))
    .bind(row.first_seen_at.to_string())
    .bind(row.last_seen_at.to_string())
    .bind(row.due_run.cast_signed())
    .bind(row.parked)
    .execute(transaction)
    .await?;
    Ok(())
}

pub(super) async fn clear_invalid(writer: &SqlitePool, lock: &RunLock) -> Result<(), Failure> {
    let mut transaction = writer.begin_with("begin immediate").await?;
    let id = fence(&mut transaction, lock).await?;
    sqlx::query("delete from rejection where sync_id = $1 and kind = 'invalid'")
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn make_due(writer: &SqlitePool, sync: &SyncId) -> Result<u64, Failure> {
    let done = sqlx::query(
        "update rejection set due_run = 0, parked = 0
         where sync_id = (select id from sync_state where namespace = $1 and name = $2)",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .execute(writer)
    .await?;
    Ok(done.rows_affected())
}
