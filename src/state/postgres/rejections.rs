//! Rows that were not accepted.

use sqlx::postgres::{PgConnection, PgPool};

use super::lock::fence;
use super::transaction::Transaction;
use crate::model::SyncId;
use crate::state::columns::{Failure, RejectionColumns, rejected_row};
use crate::state::lock::RunLock;
use crate::state::store::RejectedRow;

pub(super) async fn rejections(
    pool: &PgPool,
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
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.into_iter().map(|columns| rejected_row(sync, columns)).collect()
}

pub(super) async fn save(
    pool: &PgPool,
    lock: &RunLock,
    rows: &[RejectedRow],
    settled: &[Vec<u8>],
) -> Result<(), Failure> {
    let mut transaction = Transaction::begin(pool).await?;
    let id = fence(transaction.connection(), lock).await?;
    sqlx::query("delete from rejection where sync_id = $1 and key = any($2)")
        .bind(id)
        .bind(settled)
        .execute(transaction.connection())
        .await?;
    for row in rows {
        insert_rejection(transaction.connection(), id, row).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Writes a rejection in the place of one with the same key.
pub(super) async fn insert_rejection(
    transaction: &mut PgConnection,
    id: i64,
    row: &RejectedRow,
) -> Result<(), Failure> {
    sqlx::query(
        "insert into rejection
            (sync_id, key, kind, code, field, message, fingerprint, attempts, first_seen_at,
             last_seen_at, due_run, parked)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (sync_id, key) do update set
            kind = excluded.kind, code = excluded.code, field = excluded.field,
            message = excluded.message, fingerprint = excluded.fingerprint,
            attempts = excluded.attempts, first_seen_at = excluded.first_seen_at,
            last_seen_at = excluded.last_seen_at, due_run = excluded.due_run,
            parked = excluded.parked",
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

pub(super) async fn clear_invalid(pool: &PgPool, lock: &RunLock) -> Result<(), Failure> {
    let mut transaction = Transaction::begin(pool).await?;
    let id = fence(transaction.connection(), lock).await?;
    sqlx::query("delete from rejection where sync_id = $1 and kind = 'invalid'")
        .bind(id)
        .execute(transaction.connection())
        .await?;
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn make_due(pool: &PgPool, sync: &SyncId) -> Result<u64, Failure> {
    let done = sqlx::query(
        "update rejection set due_run = 0, parked = false
         where sync_id = (select id from sync_state where namespace = $1 and name = $2)",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
