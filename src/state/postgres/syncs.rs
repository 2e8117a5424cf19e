//! What is known of each Sync besides its rows, and what concerns all of a Sync at once.

use sqlx::postgres::{PgConnection, PgPool};

use super::lock::fence;
use super::rejections::insert_rejection;
use super::snapshot::{add_to_totals, insert_segments};
use super::transaction::Transaction;
use crate::model::SyncId;
use crate::state::columns::{Failure, SyncColumns, check_fenced, memo_text, sync_state};
use crate::state::lock::RunLock;
use crate::state::store::{Portion, Portions, SyncMemo, SyncState};

pub(super) async fn sync(pool: &PgPool, sync: &SyncId) -> Result<Option<SyncState>, Failure> {
    let row: Option<SyncColumns> = sqlx::query_as(
        "select namespace, name, memo, segment_rows, epoch from sync_state
         where namespace = $1 and name = $2",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .fetch_optional(pool)
    .await?;
    row.map(sync_state).transpose()
}

pub(super) async fn syncs(pool: &PgPool) -> Result<Vec<SyncState>, Failure> {
    let rows: Vec<SyncColumns> = sqlx::query_as(
        "select namespace, name, memo, segment_rows, epoch from sync_state
         order by namespace, name",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(sync_state).collect()
}

pub(super) async fn save_memo(
    pool: &PgPool,
    lock: &RunLock,
    memo: &SyncMemo,
) -> Result<(), Failure> {
    let done = sqlx::query(
        "update sync_state set memo = $4
         where namespace = $1 and name = $2 and epoch = $3 and lock_holder is not null",
    )
    .bind(&lock.sync().namespace)
    .bind(&lock.sync().name)
    .bind(lock.epoch().cast_signed())
    .bind(memo_text(memo)?)
    .execute(pool)
    .await?;
    check_fenced(lock, done.rows_affected())
}

pub(super) async fn reset(pool: &PgPool, lock: &RunLock) -> Result<(), Failure> {
    let mut transaction = Transaction::begin(pool).await?;
    let id = fence(transaction.connection(), lock).await?;
    let columns: SyncColumns = sqlx::query_as(
        "select namespace, name, memo, segment_rows, epoch from sync_state where id = $1",
    )
    .bind(id)
    .fetch_one(transaction.connection())
    .await?;
    let memo = sync_state(columns).map(|state| state.memo.after_reset()).unwrap_or_default();
    empty(transaction.connection(), id, &memo).await?;
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn replace(
    pool: &PgPool,
    lock: &RunLock,
    memo: &SyncMemo,
    portions: &mut Portions<'_>,
) -> Result<(), Failure> {
    let mut transaction = Transaction::begin(pool).await?;
    let id = fence(transaction.connection(), lock).await?;
    empty(transaction.connection(), id, memo).await?;
    for portion in portions {
        match portion? {
            Portion::Segment(segment) => {
                let segments = std::slice::from_ref(&segment);
                insert_segments(transaction.connection(), id, segments).await?;
                add_to_totals(transaction.connection(), id, 1, i64::from(segment.count)).await?;
            }
            Portion::Rejection(row) => insert_rejection(transaction.connection(), id, &row).await?,
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Removes a Sync's rows, remembered and refused ones, and writes its memo.
async fn empty(transaction: &mut PgConnection, id: i64, memo: &SyncMemo) -> Result<(), Failure> {
    for sql in [
        "delete from state_segment where sync_id = $1",
        "delete from state_journal where sync_id = $1",
        "delete from rejection where sync_id = $1",
    ] {
        sqlx::query(sql).bind(id).execute(&mut *transaction).await?;
    }
    sqlx::query(
        "update sync_state set memo = $2, segment_count = 0, segment_rows = 0 where id = $1",
    )
    .bind(id)
    .bind(memo_text(memo)?)
    .execute(transaction)
    .await?;
    Ok(())
}
