//! When each Sync was last seen in the cluster.

use jiff::Timestamp;
use sqlx::sqlite::SqlitePool;

use crate::model::SyncId;
use crate::state::columns::Failure;

pub(super) async fn touch(
    writer: &SqlitePool,
    syncs: &[SyncId],
    at: Timestamp,
) -> Result<(), Failure> {
    let mut transaction = writer.begin_with("begin immediate").await?;
    for sync in syncs {
        sqlx::query(
            "insert into sync_seen (namespace, name, seen_at_ms) values ($1, $2, $3)
             on conflict (namespace, name) do update
             set seen_at_ms = max(seen_at_ms, excluded.seen_at_ms)",
        )
        .bind(&sync.namespace)
        .bind(&sync.name)
        .bind(at.as_millisecond())
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn untouched_since(
    readers: &SqlitePool,
    at: Timestamp,
) -> Result<Vec<SyncId>, Failure> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select namespace, name from sync_seen where seen_at_ms < $1 order by namespace, name",
    )
    .bind(at.as_millisecond())
    .fetch_all(readers)
    .await?;
    Ok(rows.into_iter().map(|(namespace, name)| SyncId { namespace, name }).collect())
}
