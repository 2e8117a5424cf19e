//! What people asked for by annotation.

use sqlx::postgres::PgPool;

use crate::model::SyncId;
use crate::state::columns::{Failure, RequestColumns, stored_request};
use crate::state::request::StoredRequest;

pub(super) async fn requests(pool: &PgPool, sync: &SyncId) -> Result<Vec<StoredRequest>, Failure> {
    let rows: Vec<RequestColumns> = sqlx::query_as(
        "select kind, token, handled, seen_at from request where namespace = $1 and name = $2",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .fetch_all(pool)
    .await?;
    rows.into_iter().filter_map(|columns| stored_request(sync, columns)).collect()
}

pub(super) async fn save(
    pool: &PgPool,
    sync: &SyncId,
    request: &StoredRequest,
) -> Result<(), Failure> {
    sqlx::query(
        "insert into request (namespace, name, kind, token, handled, seen_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (namespace, name, kind) do update
         set token = excluded.token, handled = excluded.handled, seen_at = excluded.seen_at",
    )
    .bind(&sync.namespace)
    .bind(&sync.name)
    .bind(request.kind.as_str())
    .bind(&request.token)
    .bind(request.is_handled)
    .bind(request.seen_at.to_string())
    .execute(pool)
    .await?;
    Ok(())
}
