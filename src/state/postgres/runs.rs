//! The history of runs.

use sqlx::postgres::PgPool;

use super::lock::fence;
use super::transaction::Transaction;
use crate::model::{RunId, RunReport, SyncId};
use crate::state::columns::{Failure, report as report_of, report_text};
use crate::state::lock::RunLock;

pub(super) async fn save(
    pool: &PgPool,
    lock: &RunLock,
    report: &RunReport,
    history_limit: u32,
) -> Result<(), Failure> {
    let mut transaction = Transaction::begin(pool).await?;
    let id = fence(transaction.connection(), lock).await?;
    sqlx::query(
        "insert into run (sync_id, position, run_id, report)
         values ($1, (select coalesce(max(position), 0) + 1 from run where sync_id = $1), $2, $3)
         on conflict (sync_id, run_id) do update set report = excluded.report",
    )
    .bind(id)
    .bind(&report.id.0)
    .bind(report_text(report)?)
    .execute(transaction.connection())
    .await?;
    sqlx::query(
        "delete from run where sync_id = $1 and position not in
            (select position from run where sync_id = $1 order by position desc limit $2)",
    )
    .bind(id)
    .bind(i64::from(history_limit.max(1)))
    .execute(transaction.connection())
    .await?;
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn runs(
    pool: &PgPool,
    sync: &SyncId,
    limit: u32,
) -> Result<Vec<RunReport>, Failure> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "select report from run
         where sync_id = (select id from sync_state where namespace = $1 and name = $2)
         order by position desc limit $3",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(|(text,)| report_of(sync, text)).collect()
}

pub(super) async fn knows(pool: &PgPool, sync: &SyncId, run: &RunId) -> Result<bool, Failure> {
    let found: Option<(i64,)> = sqlx::query_as(
        "select y.id from sync_state y
         where y.namespace = $1 and y.name = $2 and (
            exists (select 1 from run r where r.sync_id = y.id and r.run_id = $3)
            or exists (select 1 from state_journal j where j.sync_id = y.id and j.run_id = $3))",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .bind(&run.0)
    .fetch_optional(pool)
    .await?;
    Ok(found.is_some())
}
