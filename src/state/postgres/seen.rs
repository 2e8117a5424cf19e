//! When each Sync was last seen in the cluster.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::postgres::PgPool;

use crate::model::SyncId;
use crate::state::columns::Failure;

pub(super) async fn touch(pool: &PgPool, syncs: &[SyncId], at: Timestamp) -> Result<(), Failure> {
    // Sorted and each once: two processes that note the same Syncs take the rows in one order,
    // and one statement may not write a row twice.
    let syncs: BTreeSet<&SyncId> = syncs.iter().collect();
    let namespaces: Vec<&str> = syncs.iter().map(|sync| sync.namespace.as_str()).collect();
    let names: Vec<&str> = syncs.iter().map(|sync| sync.name.as_str()).collect();
    sqlx::query(
        "insert into sync_seen (namespace, name, seen_at_ms)
         select namespace, name, $3 from unnest($1::text[], $2::text[]) as seen (namespace, name)
         on conflict (namespace, name) do update
         set seen_at_ms = greatest(sync_seen.seen_at_ms, excluded.seen_at_ms)",
    )
    .bind(namespaces)
    .bind(names)
    .bind(at.as_millisecond())
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn untouched_since(pool: &PgPool, at: Timestamp) -> Result<Vec<SyncId>, Failure> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select namespace, name from sync_seen where seen_at_ms < $1 order by namespace, name",
    )
    .bind(at.as_millisecond())
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(namespace, name)| SyncId { namespace, name }).collect())
}
