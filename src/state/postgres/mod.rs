//! State in a PostgreSQL schema: for operators, and for runs that are spread over machines.

mod address;
mod error;
mod lock;
mod migrations;
mod rejections;
mod runs;
mod snapshot;
mod syncs;
mod transaction;

use std::future::Future;
use std::ops::Bound;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use tokio::time::timeout;

pub(super) use address::Address;

use super::columns::Failure;
use super::error::StateError;
use super::lock::{LockHolder, RunLock};
use super::open::Access;
use super::store::{
    FoldStep, JournalRow, Portions, RejectedRow, SegmentTotals, StateStore, StoredSegment,
    SyncMemo, SyncState,
};
use crate::model::{RunReport, SyncId};

/// Most connections of one process. Each is used for milliseconds at a time.
const CONNECTIONS: u32 = 8;

/// How long a connection is waited for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After how long the server gives up a statement, and after how long we give up the server.
const STATEMENT_TIMEOUT: &str = "50s";
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// A state store in a schema of a database.
pub(super) struct PostgresStore {
    address: Address,
    pool: PgPool,
}

impl PostgresStore {
    /// Opens the store, or makes its schema and tables.
    pub(super) async fn open(address: Address, owner: &str) -> Result<Self, StateError> {
        let store = Self::connect(address, Access::Write);
        store.answer(migrations::migrate(&store.pool, &store.address, Some(owner))).await?;
        Ok(store)
    }

    /// Opens the store where there is one.
    pub(super) async fn open_existing(
        address: Address,
        owner: Option<&str>,
        access: Access,
    ) -> Result<Option<Self>, StateError> {
        let store = Self::connect(address, access);
        let found = async {
            let mut connection = store.pool.acquire().await?;
            Ok(migrations::look(&mut connection, &store.address.schema).await?)
        };
        let Some(found) = store.answer(found).await? else { return Ok(None) };
        let is_older = found.is_older(store.location(), owner)?;
        match access {
            Access::Read if is_older => Err(super::schema::must_be_migrated(store.location())),
            Access::Write if is_older => {
                store.answer(migrations::migrate(&store.pool, &store.address, owner)).await?;
                Ok(Some(store))
            }
            Access::Read | Access::Write => Ok(Some(store)),
        }
    }

    fn connect(address: Address, access: Access) -> Self {
        let schema = address.schema.clone();
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT_TIMEOUT)
            .after_connect(move |connection, _| {
                let schema = schema.clone();
                Box::pin(async move { set_up(connection, &schema, access).await })
            })
            .connect_lazy_with(address.options.clone());
        Self { address, pool }
    }

    /// Waits for the outcome of a piece of work, but not for ever, and explains what went wrong.
    async fn answer<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, StateError> {
        match timeout(ANSWER_TIMEOUT, work).await {
            Ok(outcome) => self.explain(outcome),
            Err(_) => Err(StateError::Unavailable {
                location: self.address.location.clone(),
                problem: "didn't answer within a minute".to_owned(),
                hint: None,
            }),
        }
    }

    fn explain<T>(&self, outcome: Result<T, Failure>) -> Result<T, StateError> {
        outcome.map_err(|failure| match failure {
            Failure::State(err) => err,
            Failure::Sql(err) => error::explain(&self.address.location, err),
        })
    }
}

/// Says how a connection is to behave. A commit must be on the disk before it returns, whatever
/// the server's default; a stricter default stays.
async fn set_up(connection: &mut PgConnection, schema: &str, access: Access) -> sqlx::Result<()> {
    let read_only = match access {
        Access::Read => "on",
        Access::Write => "off",
    };
    sqlx::query(
        "select set_config('search_path', $1, false),
            set_config('statement_timeout', $2, false),
            set_config('default_transaction_read_only', $3, false),
            set_config('synchronous_commit',
                case current_setting('synchronous_commit')
                    when 'off' then 'on'
                    else current_setting('synchronous_commit')
                end, false)",
    )
    .bind(schema)
    .bind(STATEMENT_TIMEOUT)
    .bind(read_only)
    .execute(connection)
    .await
    .map(drop)
}

#[async_trait]
impl StateStore for PostgresStore {
    fn location(&self) -> &str {
        &self.address.location
    }

    async fn sync(&self, sync: &SyncId) -> Result<Option<SyncState>, StateError> {
        self.answer(syncs::sync(&self.pool, sync)).await
    }

    async fn syncs(&self) -> Result<Vec<SyncState>, StateError> {
        self.answer(syncs::syncs(&self.pool)).await
    }

    async fn acquire_lock(
        &self,
        sync: &SyncId,
        holder: &LockHolder,
        ttl: Duration,
    ) -> Result<u64, StateError> {
        self.answer(lock::acquire(&self.pool, sync, holder, ttl)).await
    }

    async fn renew_lock(&self, lock: &RunLock, ttl: Duration) -> Result<(), StateError> {
        self.answer(lock::renew(&self.pool, lock, ttl)).await
    }

    async fn release_lock(&self, lock: &RunLock) -> Result<(), StateError> {
        self.answer(lock::release(&self.pool, lock)).await
    }

    async fn save_memo(&self, lock: &RunLock, memo: &SyncMemo) -> Result<(), StateError> {
        self.answer(syncs::save_memo(&self.pool, lock, memo)).await
    }

    async fn segments(
        &self,
        sync: &SyncId,
        from: Bound<&[u8]>,
        limit: u32,
    ) -> Result<Vec<StoredSegment>, StateError> {
        self.answer(snapshot::segments(&self.pool, sync, from, limit)).await
    }

    async fn segment_before(
        &self,
        sync: &SyncId,
        key: &[u8],
    ) -> Result<Option<StoredSegment>, StateError> {
        self.answer(snapshot::segment_before(&self.pool, sync, key)).await
    }

    async fn segment_totals(&self, sync: &SyncId) -> Result<SegmentTotals, StateError> {
        self.answer(snapshot::totals(&self.pool, sync)).await
    }

    async fn append_journal(&self, lock: &RunLock, rows: &[JournalRow]) -> Result<(), StateError> {
        self.answer(snapshot::append_journal(&self.pool, lock, rows)).await
    }

    async fn journal(
        &self,
        sync: &SyncId,
        after_seq: Option<u64>,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StateError> {
        self.answer(snapshot::journal(&self.pool, sync, after_seq, limit)).await
    }

    async fn apply_fold(&self, lock: &RunLock, step: &FoldStep) -> Result<(), StateError> {
        self.answer(snapshot::apply_fold(&self.pool, lock, step)).await
    }

    async fn reset(&self, lock: &RunLock) -> Result<(), StateError> {
        self.answer(syncs::reset(&self.pool, lock)).await
    }

    async fn replace(
        &self,
        lock: &RunLock,
        memo: &SyncMemo,
        portions: &mut Portions<'_>,
    ) -> Result<(), StateError> {
        // No limit of time: this takes as long as the file is large.
        self.explain(syncs::replace(&self.pool, lock, memo, portions).await)
    }

    async fn rejections(
        &self,
        sync: &SyncId,
        after: Option<&[u8]>,
        limit: u32,
    ) -> Result<Vec<RejectedRow>, StateError> {
        self.answer(rejections::rejections(&self.pool, sync, after, limit)).await
    }

    async fn save_rejections(
        &self,
        lock: &RunLock,
        rows: &[RejectedRow],
        settled: &[Vec<u8>],
    ) -> Result<(), StateError> {
        self.answer(rejections::save(&self.pool, lock, rows, settled)).await
    }

    async fn clear_invalid(&self, lock: &RunLock) -> Result<(), StateError> {
        self.answer(rejections::clear_invalid(&self.pool, lock)).await
    }

    async fn make_rejections_due(&self, sync: &SyncId) -> Result<u64, StateError> {
        self.answer(rejections::make_due(&self.pool, sync)).await
    }

    async fn save_run(
        &self,
        lock: &RunLock,
        report: &RunReport,
        history_limit: u32,
    ) -> Result<(), StateError> {
        self.answer(runs::save(&self.pool, lock, report, history_limit)).await
    }

    async fn runs(&self, sync: &SyncId, limit: u32) -> Result<Vec<RunReport>, StateError> {
        self.answer(runs::runs(&self.pool, sync, limit)).await
    }
}
