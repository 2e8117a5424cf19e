//! Failures against the remembered rows: one pass, whatever their number.

use std::sync::Arc;

use jiff::Timestamp;

use super::Audit;
use super::reading::Failures;
use crate::engine::commit::{CommitRules, Committer};
use crate::engine::error::RunError;
use crate::model::{Entry, KeyShape, Rejection, Target};
use crate::state::store::{HandledFailure, RejectedRow};
use crate::state::{EntryChunk, SnapshotReader, fold};

/// Rejections that are written at a time.
const PAGE: usize = 1_000;

/// A pass over the remembered rows.
pub(super) struct Matching<'a> {
    pub(super) audit: &'a Audit<'a>,
    /// The kinds of the key's columns.
    pub(super) key_shape: &'a KeyShape,
}

/// What a pass came to.
#[derive(Default)]
pub(super) struct MatchedRows {
    /// Rows that count as rejected now.
    pub(super) rejected: u64,
    /// The activities that are done with.
    pub(super) handled: Vec<HandledFailure>,
}

impl Matching<'_> {
    /// Takes the fingerprint out of every row that a failure is about, keeping its key, and stores
    /// it as rejected. The journal must be folded.
    ///
    /// # Errors
    /// Where the state can't be read or written.
    pub(super) async fn run(&self, failures: &Failures) -> Result<MatchedRows, RunError> {
        let mut matched = MatchedRows::default();
        if failures.is_empty() {
            return Ok(matched);
        }
        let request = self.audit.request;
        let (store, pipeline) = (&request.store, &request.pipeline);
        let mut forgetting = Forgetting::new(self.audit);
        let mut rows = SnapshotReader::open(Arc::clone(store), pipeline.sync.clone()).await?;
        let (mut chunk, mut text) = (EntryChunk::default(), String::new());
        while rows.next_chunk(&mut chunk).await? {
            for entry in (0..chunk.len()).filter_map(|index| chunk.get(index)) {
                if entry.write_target(self.key_shape, &mut text).is_none() {
                    continue;
                }
                // Failures name people: of a pair that is the first half.
                let target = Target { kind: pipeline.record.target_kind(), text: &text };
                let Some((person, _)) = target.parts() else { continue };
                let person = Target::single(pipeline.record.identifier.0, person);
                let Some(failure) = failures.get(&person.holder_hash()) else { continue };
                let told = failure.told_by.iter();
                matched.handled.extend(told.map(|&(id_hash, at)| HandledFailure { id_hash, at }));
                let rejection = failure.kind.rejection(failure.field.as_deref());
                matched.rejected += u64::from(forgetting.forget(&entry, rejection)?);
            }
            forgetting.write_if_full().await?;
        }
        forgetting.finish().await?;
        Ok(matched)
    }
}

/// Rows on their way from accepted to rejected, in order of their keys.
pub(super) struct Forgetting<'a> {
    audit: &'a Audit<'a>,
    committer: Committer,
    rows: Vec<RejectedRow>,
    waiting: usize,
    now: Timestamp,
}

impl<'a> Forgetting<'a> {
    pub(super) fn new(audit: &'a Audit<'a>) -> Self {
        let request = audit.request;
        let rules = CommitRules {
            encoding: request.options.encoding,
            on_remove: request.pipeline.on_remove,
            keeps_cursor: false,
        };
        let (store, lock) = (Arc::clone(&request.store), Arc::clone(audit.lock));
        let committer = Committer::new(store, lock, audit.run.clone(), rules);
        Self { audit, committer, rows: Vec::new(), waiting: 0, now: Timestamp::now() }
    }

    /// Takes note of a row that failed after it was accepted; says whether that is news.
    pub(super) fn forget(
        &mut self,
        entry: &Entry<'_>,
        rejection: Rejection,
    ) -> Result<bool, RunError> {
        let is_waiting = entry.fingerprint.is_none() || entry.flags.suppressed;
        if is_waiting || self.audit.rejected.is_refused(entry.key) {
            return Ok(false);
        }
        self.committer.note(&Entry { fingerprint: None, ..*entry })?;
        let rejected = self.audit.rejected;
        self.rows.extend(rejected.refused(entry.key, entry.fingerprint, rejection, self.now));
        self.waiting += 1;
        Ok(true)
    }

    /// Writes what is noted once there is much of it.
    pub(super) async fn write_if_full(&mut self) -> Result<(), RunError> {
        if self.waiting >= PAGE { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<(), RunError> {
        self.waiting = 0;
        // A row whose rejection is stored and whose fingerprint is not yet gone is sent again too.
        for page in std::mem::take(&mut self.rows).chunks(PAGE) {
            self.committer.rejections(page, &[]).await?;
        }
        self.committer.flush_silent().await
    }

    /// Writes all that is noted.
    pub(super) async fn finish(mut self) -> Result<(), RunError> {
        self.write().await?;
        fold(self.audit.request.store.as_ref(), self.audit.lock, None).await?;
        Ok(())
    }
}
