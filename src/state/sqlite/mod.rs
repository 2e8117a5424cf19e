//! State in a SQLite file: for a laptop, and for an operator with a volume.
//!
//! One connection writes, a few read; other processes may read meanwhile (write-ahead log).
//! Every commit is synced to the disk before it counts.

mod error;
mod file;
mod lock;
mod migrations;
mod rejections;
mod runs;
mod snapshot;
mod syncs;

use std::ops::Bound;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::Connection as _;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

use super::columns::Failure;
use super::error::StateError;
use super::lock::{LockHolder, RunLock};
use super::open::Access;
use super::store::{
    FoldStep, JournalRow, Portions, RejectedRow, SegmentTotals, StateStore, StoredSegment,
    SyncMemo, SyncState,
};
use crate::model::{RunReport, SyncId};

/// How many connections read at a time; each has a thread of its own.
const READERS: u32 = 2;

/// A state store in a file.
pub(super) struct SqliteStore {
    location: String,
    readers: SqlitePool,
    /// `None` where the store was opened for reading.
    writer: Option<SqlitePool>,
}

impl SqliteStore {
    /// Opens the file, or makes it with its folder.
    pub(super) async fn open(path: &Path, owner: &str) -> Result<Self, StateError> {
        if file::look_inside(path, Some(owner)).await?.is_none() {
            file::make(path)?;
        }
        Self::open_to_write(path, Some(owner)).await
    }

    /// Opens the file where it holds a state.
    pub(super) async fn open_existing(
        path: &Path,
        owner: Option<&str>,
        access: Access,
    ) -> Result<Option<Self>, StateError> {
        let Some(is_older) = file::look_inside(path, owner).await? else { return Ok(None) };
        match access {
            Access::Write => Self::open_to_write(path, owner).await.map(Some),
            Access::Read if is_older => Err(super::schema::must_be_migrated(&file::location(path))),
            Access::Read => {
                let readers = SqlitePoolOptions::new()
                    .max_connections(READERS)
                    .connect_lazy_with(file::options(path).read_only(true));
                Ok(Some(Self { location: file::location(path), readers, writer: None }))
            }
        }
    }

    async fn open_to_write(path: &Path, owner: Option<&str>) -> Result<Self, StateError> {
        let location = file::location(path);
        let options = file::writing_options(path);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(60))
            // A commit that failed, on a full disk for one, leaves the driver waiting for the end
            // of a transaction that SQLite has taken back already: no other could ever begin.
            .after_release(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            })
            .connect_with(options.clone())
            .await
            .map_err(|err| error::explain(&location, err))?;
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options);
        let store = Self { location, readers, writer: Some(writer) };
        store.answer(migrations::migrate(store.writer()?, &store.location, owner).await)?;
        Ok(store)
    }

    fn writer(&self) -> Result<&SqlitePool, StateError> {
        self.writer.as_ref().ok_or_else(|| {
            StateError::Internal("a store that was opened for reading is written to".to_owned())
        })
    }

    fn answer<T>(&self, outcome: Result<T, Failure>) -> Result<T, StateError> {
        outcome.map_err(|failure| match failure {
            Failure::State(err) => err,
            Failure::Sql(err) => error::explain(&self.location, err),
        })
    }
}

#[async_trait]
impl StateStore for SqliteStore {
    fn location(&self) -> &str {
        &self.location
    }

    async fn sync(&self, sync: &SyncId) -> Result<Option<SyncState>, StateError> {
        self.answer(syncs::sync(&self.readers, sync).await)
    }

    async fn syncs(&self) -> Result<Vec<SyncState>, StateError> {
        self.answer(syncs::syncs(&self.readers).await)
    }

    async fn acquire_lock(
        &self,
        sync: &SyncId,
        holder: &LockHolder,
        ttl: Duration,
    ) -> Result<u64, StateError> {
        self.answer(lock::acquire(self.writer()?, sync, holder, ttl).await)
    }

    async fn renew_lock(&self, lock: &RunLock, ttl: Duration) -> Result<(), StateError> {
        self.answer(lock::renew(self.writer()?, lock, ttl).await)
    }

    async fn release_lock(&self, lock: &RunLock) -> Result<(), StateError> {
        self.answer(lock::release(self.writer()?, lock).await)
    }

    async fn save_memo(&self, lock: &RunLock, memo: &SyncMemo) -> Result<(), StateError> {
        self.answer(syncs::save_memo(self.writer()?, lock, memo).await)
    }

    async fn segments(
        &self,
        sync: &SyncId,
        from: Bound<&[u8]>,
        limit: u32,
    ) -> Result<Vec<StoredSegment>, StateError> {
        self.answer(snapshot::segments(&self.readers, sync, from, limit).await)
    }

    async fn segment_before(
        &self,
        sync: &SyncId,
        key: &[u8],
    ) -> Result<Option<StoredSegment>, StateError> {
        self.answer(snapshot::segment_before(&self.readers, sync, key).await)
    }

    async fn segment_totals(&self, sync: &SyncId) -> Result<SegmentTotals, StateError> {
        self.answer(snapshot::totals(&self.readers, sync).await)
    }

    async fn append_journal(&self, lock: &RunLock, rows: &[JournalRow]) -> Result<(), StateError> {
        self.answer(snapshot::append_journal(self.writer()?, lock, rows).await)
    }

    async fn journal(
        &self,
        sync: &SyncId,
        after_seq: Option<u64>,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StateError> {
        self.answer(snapshot::journal(&self.readers, sync, after_seq, limit).await)
    }

    async fn apply_fold(&self, lock: &RunLock, step: &FoldStep) -> Result<(), StateError> {
        self.answer(snapshot::apply_fold(self.writer()?, lock, step).await)
    }

    async fn reset(&self, lock: &RunLock) -> Result<(), StateError> {
        self.answer(syncs::reset(self.writer()?, lock).await)
    }

    async fn replace(
        &self,
        lock: &RunLock,
        memo: &SyncMemo,
        portions: &mut Portions<'_>,
    ) -> Result<(), StateError> {
        self.answer(syncs::replace(self.writer()?, lock, memo, portions).await)
    }

    async fn rejections(
        &self,
        sync: &SyncId,
        after: Option<&[u8]>,
        limit: u32,
    ) -> Result<Vec<RejectedRow>, StateError> {
        self.answer(rejections::rejections(&self.readers, sync, after, limit).await)
    }

    async fn save_rejections(
        &self,
        lock: &RunLock,
        rows: &[RejectedRow],
        settled: &[Vec<u8>],
    ) -> Result<(), StateError> {
        self.answer(rejections::save(self.writer()?, lock, rows, settled).await)
    }

    async fn clear_invalid(&self, lock: &RunLock) -> Result<(), StateError> {
        self.answer(rejections::clear_invalid(self.writer()?, lock).await)
    }

    async fn make_rejections_due(&self, sync: &SyncId) -> Result<u64, StateError> {
        self.answer(rejections::make_due(self.writer()?, sync).await)
    }

    async fn save_run(
        &self,
        lock: &RunLock,
        report: &RunReport,
        history_limit: u32,
    ) -> Result<(), StateError> {
        self.answer(runs::save(self.writer()?, lock, report, history_limit).await)
    }

    async fn runs(&self, sync: &SyncId, limit: u32) -> Result<Vec<RunReport>, StateError> {
        self.answer(runs::runs(&self.readers, sync, limit).await)
    }
}
