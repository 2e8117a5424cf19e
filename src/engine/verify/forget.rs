//! Rows that are not as we believe become due again: their fingerprints are forgotten, their keys
//! kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::engine::commit::{CommitRules, Committer};
use crate::engine::error::RunError;
use crate::engine::pipeline::Pipeline;
use crate::model::{Encoding, Entry, Fingerprint, RunId};
use crate::state::{LockHolder, RunLock, StateError, StateStore, fold, snapshot};

/// How long a run of the Sync is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// How often the lock is asked for again.
const LOCK_POLL: Duration = Duration::from_millis(500);

/// Forgets the fingerprints of these rows, sorted by key, so that the next run sends them. Rows that
/// are no longer remembered as they were read are left alone. Returns how many it were.
///
/// # Errors
/// Where a run of the Sync goes on for too long, or the state can't be written.
pub async fn forget(
    pipeline: &Pipeline,
    store: &Arc<dyn StateStore>,
    rows: &[(Vec<u8>, Fingerprint)],
    cancel: &CancellationToken,
) -> Result<u64, RunError> {
    let lock = Arc::new(acquire(pipeline, store.as_ref(), cancel).await?);
    let forgotten = tokio::select! {
        forgotten = forget_locked(pipeline, store, &lock, rows) => forgotten,
        lost = lock.keep(store.as_ref()) => Err(lost.into()),
    };
    let released = lock.release(store.as_ref()).await;
    let forgotten = forgotten?;
    released?;
    Ok(forgotten)
}

async fn acquire(
    pipeline: &Pipeline,
    store: &dyn StateStore,
    cancel: &CancellationToken,
) -> Result<RunLock, RunError> {
    let (holder, give_up) = (LockHolder::this_process(), Instant::now() + LOCK_WAIT);
    loop {
        match RunLock::acquire(store, &pipeline.sync, &holder).await {
            Err(StateError::Locked { .. }) if Instant::now() < give_up => {}
            taken => return Ok(taken?),
        }
        tokio::select! {
            () = tokio::time::sleep(LOCK_POLL) => {}
            () = cancel.cancelled() => return Err(RunError::Stopped),
        }
    }
}

async fn forget_locked(
    pipeline: &Pipeline,
    store: &Arc<dyn StateStore>,
    lock: &Arc<RunLock>,
    rows: &[(Vec<u8>, Fingerprint)],
) -> Result<u64, RunError> {
    fold(store.as_ref(), lock, None).await?;
    let run = RunId(ulid::Ulid::generate().to_string());
    let rules = CommitRules {
        encoding: Encoding::CURRENT,
        on_remove: pipeline.on_remove,
        keeps_cursor: false,
    };
    let mut committer = Committer::new(Arc::clone(store), Arc::clone(lock), run, rules);
    let mut forgotten = 0;
    for (key, fingerprint) in rows {
        let remembered = snapshot::get(store.as_ref(), &pipeline.sync, key).await?;
        let Some(entry) = remembered.filter(|it| it.fingerprint == Some(*fingerprint)) else {
            continue;
        };
        forgotten += 1;
        committer.note(&Entry { fingerprint: None, ..entry.as_entry() })?;
    }
    committer.flush_silent().await?;
    fold(store.as_ref(), lock, None).await?;
    Ok(forgotten)
}
