//! The history of runs.

use sqlx::sqlite::SqlitePool;

use super::lock::fence;
use crate::model::{RunId, RunReport, SyncId};
use crate::state::columns::{Failure, report as report_of, report_text};
use crate::state::lock::RunLock;

pub(super) async fn save(
    writer: &SqlitePool,
    lock: &RunLock,
    report: &RunReport,
    history_limit: u32,
) -> Result<(), Failure> {
    let mut transaction = writer.begin_with("begin immediate").await?;
    let id = fence(&mut transaction, lock).await?;
    sqlx::query(
        "insert into run (sync_id, position, run_id, report)
         values ($1, (select coalesce(max(position), 0) + 1 from run where sync_id = $1), $2, $3)
         on conflict (sync_id, run_id) do update set report = excluded.report",
    )
    .bind(id)
    .bind(&report.id.0)
    .bind(report_text(report)?)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "delete from run where sync_id = $1 and position not in
            (select position from run where sync_id = $1 order by position desc limit $2)",
    )
    .bind(id)
    .bind(history_limit.max(1))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn runs(
    readers: &SqlitePool,
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
    .bind(limit)
    .fetch_all(readers)
    .await?;
    rows.iter().map(|(text,)| report_of(sync, text)).collect()
}

pub(super) async fn knows(
    readers: &SqlitePool,
    sync: &SyncId,
    run: &RunId,
) -> Result<bool, Failure> {
    let found: Option<(i64,)> = sqlx::query_as(
        "select y.id from sync_state y
         where y.namespace = $1 and y.name = $2 and (
            exists (select 1 from run r where r.sync_id = y.id and r.run_id = $3)
            or exists (select 1 from state_journal j where j.sync_id = y.id and j.run_id = $3))",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .bind(&run.0)
    .fetch_optional(readers)
    .await?;
    Ok(found.is_some())
}
