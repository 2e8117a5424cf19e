//! The run lock. Its time is the server's, which all processes share.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool};

use super::transaction::Transaction;
use crate::model::SyncId;
use crate::state::columns::{Failure, check_fenced, check_free, holder_text};
use crate::state::lock::{LockHolder, RunLock};

pub(super) async fn acquire(
    pool: &PgPool,
    sync: &SyncId,
    holder: &LockHolder,
    ttl: Duration,
) -> Result<u64, Failure> {
    let mut transaction = Transaction::begin(pool).await?;
    // One statement finds or makes the row and locks it: between two it might be forgotten.
    let (id, epoch, held_by, expires_at_ms, now_ms): (i64, i64, Option<String>, Option<i64>, i64) =
        sqlx::query_as(
            "insert into sync_state (namespace, name, memo, epoch)
             select $1, $2, '{}', epoch from epoch_floor
             on conflict (namespace, name) do update set name = excluded.name
             returning id, epoch, lock_holder, lock_expires_at_ms,
                (extract(epoch from clock_timestamp()) * 1000)::bigint",
        )
        .bind(&sync.namespace)
        .bind(&sync.name)
        .fetch_one(transaction.connection())
        .await?;
    if let Err(held) = check_free(sync, held_by.as_deref(), expires_at_ms, now_ms) {
        transaction.rollback().await?;
        return Err(held.into());
    }
    let epoch = epoch + 1;
    sqlx::query(
        "update sync_state
         set epoch = $2, lock_holder = $3,
            lock_expires_at_ms = (extract(epoch from clock_timestamp()) * 1000)::bigint + $4
         where id = $1",
    )
    .bind(id)
    .bind(epoch)
    .bind(holder_text(holder)?)
    .bind(millis(ttl))
    .execute(transaction.connection())
    .await?;
    transaction.commit().await?;
    Ok(epoch.cast_unsigned())
}

pub(super) async fn renew(pool: &PgPool, lock: &RunLock, ttl: Duration) -> Result<(), Failure> {
    let done = sqlx::query(
        "update sync_state
         set lock_expires_at_ms = (extract(epoch from clock_timestamp()) * 1000)::bigint + $4
         where namespace = $1 and name = $2 and epoch = $3 and lock_holder is not null",
    )
    .bind(&lock.sync().namespace)
    .bind(&lock.sync().name)
    .bind(lock.epoch().cast_signed())
    .bind(millis(ttl))
    .execute(pool)
    .await?;
    check_fenced(lock, done.rows_affected())
}

pub(super) async fn release(pool: &PgPool, lock: &RunLock) -> Result<(), Failure> {
    sqlx::query(
        "update sync_state set lock_holder = null, lock_expires_at_ms = null
         where namespace = $1 and name = $2 and epoch = $3",
    )
    .bind(&lock.sync().namespace)
    .bind(&lock.sync().name)
    .bind(lock.epoch().cast_signed())
    .execute(pool)
    .await?;
    Ok(())
}

/// Returns the number of the Sync's row while the lock is this process's, and locks the row: a
/// take-over waits for the end of the transaction.
pub(super) async fn fence(transaction: &mut PgConnection, lock: &RunLock) -> Result<i64, Failure> {
    let id: Option<(i64,)> = sqlx::query_as(
        "select id from sync_state
         where namespace = $1 and name = $2 and epoch = $3 and lock_holder is not null
         for update",
    )
    .bind(&lock.sync().namespace)
    .bind(&lock.sync().name)
    .bind(lock.epoch().cast_signed())
    .fetch_optional(transaction)
    .await?;
    id.map(|(id,)| id).ok_or_else(|| lock.lost().into())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
