//! The run lock. All processes that can reach the file share the machine's clock.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::model::SyncId;
use crate::state::columns::{Failure, check_fenced, check_free, holder_text};
use crate::state::lock::{LockHolder, RunLock};

pub(super) async fn acquire(
    writer: &SqlitePool,
    sync: &SyncId,
    holder: &LockHolder,
    ttl: Duration,
) -> Result<u64, Failure> {
    let mut transaction = writer.begin_with("begin immediate").await?;
    sqlx::query(
        "insert into sync_state (namespace, name, memo, epoch)
         select $1, $2, '{}', epoch from epoch_floor where true
         on conflict (namespace, name) do nothing",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .execute(&mut *transaction)
    .await?;
    let (id, epoch, held_by, expires_at_ms): (i64, i64, Option<String>, Option<i64>) =
        sqlx::query_as(
            "select id, epoch, lock_holder, lock_expires_at_ms from sync_state
             where namespace = $1 and name = $2",
        )
        .bind(&sync.namespace)
        .bind(&sync.name)
        .fetch_one(&mut *transaction)
        .await?;
    let now_ms = now_ms();
    check_free(sync, held_by.as_deref(), expires_at_ms, now_ms)?;
    let epoch = epoch + 1;
    sqlx::query(
        "update sync_state set epoch = $2, lock_holder = $3, lock_expires_at_ms = $4
         where id = $1",
    )
    .bind(id)
    .bind(epoch)
    .bind(holder_text(holder)?)
    .bind(now_ms.saturating_add(millis(ttl)))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(epoch.cast_unsigned())
}

pub(super) async fn renew(
    writer: &SqlitePool,
    lock: &RunLock,
    ttl: Duration,
) -> Result<(), Failure> {
    let done = sqlx::query(
        "update sync_state set lock_expires_at_ms = $4
         where namespace = $1 and name = $2 and epoch = $3 and lock_holder is not null",
    )
    .bind(&lock.sync().namespace)
    .bind(&lock.sync().name)
    .bind(lock.epoch().cast_signed())
    .bind(now_ms().saturating_add(millis(ttl)))
    .execute(writer)
    .await?;
    check_fenced(lock, done.rows_affected())
}

pub(super) async fn release(writer: &SqlitePool, lock: &RunLock) -> Result<(), Failure> {
    sqlx::query(
        "update sync_state set lock_holder = null, lock_expires_at_ms = null
         where namespace = $1 and name = $2 and epoch = $3",
    )
    .bind(&lock.sync().namespace)
    .bind(&lock.sync().name)
    .bind(lock.epoch().cast_signed())
    .execute(writer)
    .await?;
    Ok(())
}

/// Returns the number of the Sync's row while the lock is this process's; the transaction that
/// asks must be one that nobody else can write beside (`begin immediate`).
pub(super) async fn fence(
    transaction: &mut SqliteConnection,
    lock: &RunLock,
) -> Result<i64, Failure> {
    let id: Option<(i64,)> = sqlx::query_as(
        "select id from sync_state
         where namespace = $1 and name = $2 and epoch = $3 and lock_holder is not null",
    )
    .bind(&lock.sync().namespace)
    .bind(&lock.sync().name)
    .bind(lock.epoch().cast_signed())
    .fetch_optional(transaction)
    .await?;
    id.map(|(id,)| id).ok_or_else(|| lock.lost().into())
}

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
