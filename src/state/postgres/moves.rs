//! What concerns the whole of a Sync's state, its name included: to forget it, or to move it.

use sqlx::postgres::{PgConnection, PgPool};

use super::transaction::Transaction;
use crate::model::SyncId;
use crate::state::columns::{Failure, Owned, OwnedColumns, adopted_memo, memo_text, owned};
use crate::state::request::Adoption;

pub(super) async fn forget(pool: &PgPool, sync: &SyncId) -> Result<(), Failure> {
    let mut transaction = Transaction::begin(pool).await?;
    let now_ms = now_ms(transaction.connection()).await?;
    if let Some(columns) = find(transaction.connection(), sync).await? {
        let Owned { id, epoch, .. } = owned(sync, columns, now_ms)?;
        raise_epoch_floor(transaction.connection(), epoch).await?;
        remove(transaction.connection(), id).await?;
    }
    forget_name(transaction.connection(), sync).await?;
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn adopt(pool: &PgPool, from: &SyncId, to: &SyncId) -> Result<Adoption, Failure> {
    if from == to {
        return Ok(Adoption::NothingKnown);
    }
    let mut transaction = Transaction::begin(pool).await?;
    let now_ms = now_ms(transaction.connection()).await?;
    let from_columns = find(transaction.connection(), from).await?;
    let to_columns = find(transaction.connection(), to).await?;
    let source = from_columns.map(|columns| owned(from, columns, now_ms)).transpose()?;
    let target = to_columns.map(|columns| owned(to, columns, now_ms)).transpose()?;
    let Some(source) = source.filter(|source| source.knows_rows) else {
        transaction.rollback().await?;
        return Ok(Adoption::NothingKnown);
    };
    if target.as_ref().is_some_and(|target| target.knows_rows) {
        transaction.rollback().await?;
        return Ok(Adoption::Refused);
    }
    let epoch = target.as_ref().map_or(source.epoch, |target| target.epoch.max(source.epoch));
    raise_epoch_floor(transaction.connection(), epoch).await?;
    if let Some(target) = &target {
        move_runs(transaction.connection(), target.id, source.id).await?;
        remove(transaction.connection(), target.id).await?;
    }
    // Past the epochs of both: no process that ever held either lock writes here again.
    sqlx::query(
        "update sync_state
         set namespace = $2, name = $3, memo = $4, epoch = $5,
            lock_holder = null, lock_expires_at_ms = null
         where id = $1",
    )
    .bind(source.id)
    .bind(&to.namespace)
    .bind(&to.name)
    .bind(memo_text(&adopted_memo(source.memo, target.as_ref()))?)
    .bind(epoch + 1)
    .execute(transaction.connection())
    .await?;
    forget_name(transaction.connection(), from).await?;
    transaction.commit().await?;
    Ok(Adoption::Adopted)
}

/// Returns what is stored of a Sync, and locks its row: who takes the run lock waits.
async fn find(
    transaction: &mut PgConnection,
    sync: &SyncId,
) -> Result<Option<OwnedColumns>, Failure> {
    Ok(sqlx::query_as(
        "select y.id, y.memo, y.epoch, y.segment_count,
            exists (select 1 from state_journal j where j.sync_id = y.id),
            y.lock_holder, y.lock_expires_at_ms
         from sync_state y where y.namespace = $1 and y.name = $2 for update",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .fetch_optional(transaction)
    .await?)
}

/// Returns the server's time, as the run lock has it.
async fn now_ms(transaction: &mut PgConnection) -> Result<i64, Failure> {
    let (now_ms,): (i64,) =
        sqlx::query_as("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
            .fetch_one(transaction)
            .await?;
    Ok(now_ms)
}

/// Sees to it that no Sync made from now on has a lock of an epoch up to this one.
async fn raise_epoch_floor(transaction: &mut PgConnection, epoch: i64) -> Result<(), Failure> {
    sqlx::query("update epoch_floor set epoch = greatest(epoch, $1)")
        .bind(epoch)
        .execute(transaction)
        .await?;
    Ok(())
}

/// Puts one Sync's history behind another's.
async fn move_runs(transaction: &mut PgConnection, from: i64, to: i64) -> Result<(), Failure> {
    let (last,): (i64,) =
        sqlx::query_as("select coalesce(max(position), 0) from run where sync_id = $1")
            .bind(to)
            .fetch_one(&mut *transaction)
            .await?;
    sqlx::query("update run set sync_id = $2, position = position + $3 where sync_id = $1")
        .bind(from)
        .bind(to)
        .bind(last)
        .execute(transaction)
        .await?;
    Ok(())
}

/// Removes all rows that belong to a Sync's row, and the row.
async fn remove(transaction: &mut PgConnection, id: i64) -> Result<(), Failure> {
    for sql in [
        "delete from state_segment where sync_id = $1",
        "delete from state_journal where sync_id = $1",
        "delete from rejection where sync_id = $1",
        "delete from run where sync_id = $1",
        "delete from sync_state where id = $1",
    ] {
        sqlx::query(sql).bind(id).execute(&mut *transaction).await?;
    }
    Ok(())
}

/// Removes what is kept by a Sync's name alone.
async fn forget_name(transaction: &mut PgConnection, sync: &SyncId) -> Result<(), Failure> {
    for sql in [
        "delete from request where namespace = $1 and name = $2",
        "delete from sync_seen where namespace = $1 and name = $2",
    ] {
        sqlx::query(sql).bind(&sync.namespace).bind(&sync.name).execute(&mut *transaction).await?;
    }
    Ok(())
}
