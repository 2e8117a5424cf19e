//! Rows that were not accepted, a page at a time.

use crate::cli::output;
use crate::model::SyncId;
use crate::state::StateStore;
use crate::state::store::RejectedRow;

/// Rows that are read at a time: a few hundred kilobytes.
const PAGE_ROWS: u32 = 1_000;

/// Reads the rows of a Sync that were not accepted, in order of their keys.
pub struct Pages<'a> {
    store: &'a dyn StateStore,
    sync: &'a SyncId,
    after: Option<Vec<u8>>,
}

impl<'a> Pages<'a> {
    /// Returns a reader that stands before the first row.
    pub fn new(store: &'a dyn StateStore, sync: &'a SyncId) -> Self {
        Self { store, sync, after: None }
    }

    /// Returns the rows that follow; none after the last.
    ///
    /// # Errors
    /// Where the store can't be read.
    pub async fn next(&mut self) -> anyhow::Result<Vec<RejectedRow>> {
        let read = self.store.rejections(self.sync, self.after.as_deref(), PAGE_ROWS).await;
        let rows = read.map_err(output::explained)?;
        if let Some(last) = rows.last() {
            self.after = Some(last.key.clone());
        }
        Ok(rows)
    }
}
