//! Rejections into the state and out of it, a page at a time.

use jiff::Timestamp;

use super::error::RunError;
use super::plan::Planned;
use super::rejected::RejectedRows;
use crate::model::SyncId;
use crate::state::store::{RejectedRow, SyncMemo};
use crate::state::{RunLock, StateStore};

/// Rejections that are read or written at a time.
const PAGE: u32 = 1_000;

/// Returns all rows that were not accepted before. There are at most 10,000 for each code.
///
/// # Errors
/// Where the state can't be read.
pub async fn load_rejections(
    store: &dyn StateStore,
    sync: &SyncId,
) -> Result<Vec<RejectedRow>, RunError> {
    let mut rows: Vec<RejectedRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.key.clone());
        let page = store.rejections(sync, after.as_deref(), PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// Stores what a plan found of rows that can't be sent.
///
/// # Errors
/// Where the state can't be written.
pub async fn plan(
    store: &dyn StateStore,
    lock: &RunLock,
    planned: &Planned,
    has_cursor: bool,
) -> Result<(), RunError> {
    // With a cursor a run may not see them again, and one that fails may not see them mended.
    if !has_cursor {
        store.clear_invalid(lock).await?;
    }
    for page in planned.invalid.rows().chunks(PAGE as usize) {
        store.save_rejections(lock, page, &[]).await?;
    }
    for page in planned.suppressed.chunks(PAGE as usize) {
        store.save_rejections(lock, page, &[]).await?;
    }
    for page in planned.settled.chunks(PAGE as usize) {
        store.save_rejections(lock, &[], page).await?;
    }
    Ok(())
}

/// Writes down that rows were found again which had been missing, before anything can keep the run
/// from saying so row by row.
///
/// # Errors
/// Where the state can't be written.
pub async fn found_again(
    store: &dyn StateStore,
    lock: &RunLock,
    at: Timestamp,
) -> Result<(), RunError> {
    let Some(state) = store.sync(lock.sync()).await? else { return Ok(()) };
    let memo = SyncMemo { found_again_at: Some(at), ..state.memo };
    Ok(store.save_memo(lock, &memo).await?)
}

/// Forgets the refusals of rows that were invalid and are no longer, after a run that ended well.
///
/// # Errors
/// Where the state can't be written.
pub async fn mended(
    store: &dyn StateStore,
    lock: &RunLock,
    rejected: &RejectedRows,
    reads_all: bool,
) -> Result<(), RunError> {
    for page in rejected.mended(reads_all).chunks(PAGE as usize) {
        store.save_rejections(lock, &[], page).await?;
    }
    Ok(())
}

/// Forgets rejections of rows that left the source, after a run that read all of it.
///
/// # Errors
/// Where the state can't be written.
pub async fn left_source(
    store: &dyn StateStore,
    lock: &RunLock,
    rejected: &RejectedRows,
) -> Result<(), RunError> {
    for page in rejected.unseen().chunks(PAGE as usize) {
        store.save_rejections(lock, &[], page).await?;
    }
    Ok(())
}
