//! A collection: its whole content in one request, whenever any of it changed.
//!
//! The rows are compared with the snapshot like those of every other mirror, so that numbers and
//! guards mean the same; what is sent is all of them.

use std::sync::Arc;

use tracing::info;
use xxhash_rust::xxh3::xxh3_128;

use super::change::Change;
use super::changes::{Action, Changes};
use super::commit::Committer;
use super::error::RunError;
use crate::customerio::SendContext;
use crate::customerio::app::App;
use crate::customerio::app::collections::CONTENT_BYTES_MAX;
use crate::customerio::operation::write_item;
use crate::customerio::spec::UpdateTimestamps;
use crate::model::RecordView;
use crate::state::RunLock;
use crate::state::store::{CollectionMemo, StateStore, SyncMemo};

/// The content of a collection, row by row: a JSON array of objects.
#[derive(Default)]
pub struct Content {
    json: Vec<u8>,
    size_bytes: usize,
    /// Remembered rows that can't be sent now: replacing the content would drop them.
    held: u64,
}

impl Content {
    /// Adds a row. Past the largest content only its size is counted.
    ///
    /// # Errors
    /// Where the record can't be read.
    pub fn push(&mut self, record: &RecordView<'_>) -> Result<(), RunError> {
        const UNREADABLE: RunError = RunError::Internal("a mapped record can't be read");
        let start = self.json.len();
        self.json.push(if start == 0 { b'[' } else { b',' });
        write_item(record, UpdateTimestamps::Omit, &mut self.json).map_err(|_| UNREADABLE)?;
        self.size_bytes += self.json.len() - start;
        if self.size_bytes > CONTENT_BYTES_MAX {
            self.json.truncate(start.max(1));
        }
        Ok(())
    }

    /// Takes note of rows that are in the collection and can't be sent now.
    pub fn hold(&mut self, rows: u64) {
        self.held += rows;
    }

    /// Returns the whole content.
    ///
    /// # Errors
    /// Where it is too large, or would lack rows that the source still has.
    fn finish(mut self) -> Result<Vec<u8>, RunError> {
        if self.held > 0 {
            return Err(RunError::CollectionHeld { rows: self.held });
        }
        let size_bytes = self.size_bytes.max(1) + 1;
        if size_bytes > CONTENT_BYTES_MAX {
            return Err(RunError::CollectionTooLarge { size_bytes, limit: CONTENT_BYTES_MAX });
        }
        if self.json.is_empty() {
            self.json.push(b'[');
        }
        self.json.push(b']');
        Ok(self.json)
    }
}

/// What replacing needs of the run.
pub(super) struct Replacing<'a> {
    pub(super) app: App<'a>,
    pub(super) name: &'a str,
    pub(super) workspace_id: u64,
    pub(super) store: &'a Arc<dyn StateStore>,
    pub(super) lock: &'a RunLock,
    pub(super) committer: Committer,
    /// Whether it is sent although nothing differs.
    pub(super) full_resync: bool,
}

/// What became of a collection.
pub(super) struct Replaced {
    /// What is remembered of it.
    pub(super) memo: CollectionMemo,
    /// Changes that are in it now.
    pub(super) delivered: u64,
}

impl Replacing<'_> {
    /// Replaces the content where it differs from what was accepted last, and remembers the rows.
    ///
    /// # Errors
    /// Where the content can't be sent or was not accepted: then nothing is remembered of it.
    pub(super) async fn run(
        mut self,
        content: Content,
        changes: Changes,
        memo: &SyncMemo,
        context: &SendContext<'_>,
    ) -> Result<Replaced, RunError> {
        let content = content.finish()?;
        let fingerprint = format!("{:032x}", xxh3_128(&content));
        let known = memo.collection.clone().filter(|known| known.name == self.name);
        let is_same =
            known.as_ref().is_some_and(|it| it.content.as_deref() == Some(fingerprint.as_str()));
        let id = match known {
            Some(known) if is_same && !self.full_resync => known.id,
            known => {
                let id = self.replace(&content, known.map(|known| known.id), memo, context).await?;
                info!(size_bytes = content.len(), "the collection was replaced");
                id
            }
        };
        let delivered = self.remember(changes).await?;
        let memo = CollectionMemo { name: self.name.to_owned(), id, content: Some(fingerprint) };
        Ok(Replaced { memo, delivered })
    }

    /// Sends the content and returns where it is.
    async fn replace(
        &self,
        content: &[u8],
        known: Option<u64>,
        memo: &SyncMemo,
        context: &SendContext<'_>,
    ) -> Result<u64, RunError> {
        self.app.check(self.workspace_id, context).await?;
        let id = match known {
            Some(id) => Some(id),
            None => self.find(context).await?,
        };
        // Until the answer came, the collection may hold the old content or the new one.
        let doubted = id.map(|id| CollectionMemo { name: self.name.to_owned(), id, content: None });
        let written = SyncMemo { collection: doubted, ..memo.clone() };
        self.store.save_memo(self.lock, &written).await?;
        if let Some(id) = id
            && self.app.replace_collection(id, content, context).await?.is_some()
        {
            return Ok(id);
        }
        // Somebody may have taken it away and made another one of its name.
        let again = if known.is_some() { self.find(context).await? } else { None };
        match again {
            Some(id) if self.app.replace_collection(id, content, context).await?.is_some() => {
                Ok(id)
            }
            _ => Ok(self.app.create_collection(self.name, content, context).await?.id),
        }
    }

    async fn find(&self, context: &SendContext<'_>) -> Result<Option<u64>, RunError> {
        let all = self.app.collections(context).await?;
        let ids: Vec<u64> = all.iter().filter(|it| it.name == self.name).map(|it| it.id).collect();
        match ids.as_slice() {
            [] => Ok(None),
            [id] => Ok(Some(*id)),
            _ => Err(RunError::CollectionAmbiguous { name: self.name.to_owned(), ids }),
        }
    }

    /// Remembers the rows as the collection holds them now; returns how many differ from before.
    async fn remember(&mut self, mut changes: Changes) -> Result<u64, RunError> {
        let mut delivered = 0;
        let committer = &mut self.committer;
        while let Some(action) = changes.next().await? {
            let Action::Planned(change) = action else {
                return Err(RunError::Internal("a row of a collection has no target to move"));
            };
            let is_full = match change {
                Change::Upsert { key, fingerprint, .. } => {
                    delivered += 1;
                    committer.remember(key, fingerprint, (None, None))?
                }
                Change::Forget { key } => {
                    delivered += 1;
                    committer.forget(key)?
                }
                Change::Remember { key, fingerprint, target, at } => {
                    committer.remember(key, fingerprint, (target, at))?
                }
                Change::Note { entry, .. } => committer.note(&entry)?,
                Change::Move { .. } | Change::Remove { .. } => {
                    return Err(RunError::Internal("a row of a collection is never removed alone"));
                }
            };
            if is_full {
                committer.flush_silent().await?;
            }
        }
        committer.flush_silent().await?;
        Ok(delivered)
    }
}
