//! Failures against the remembered rows: one pass or two, whatever their number.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::Audit;
use super::late::Matched;
use super::reading::{Failure, Failures};
use crate::engine::commit::{CommitRules, Committer};
use crate::engine::error::RunError;
use crate::mapping::About;
use crate::model::{Entry, EventId, EventIds, KeyShape, Rejection, Target, TargetKind};
use crate::state::store::{HandledFailure, RejectedRow};
use crate::state::{EntryChunk, SnapshotReader, fold};

/// Rejections that are written at a time.
const PAGE: usize = 1_000;

/// A pass over the remembered rows.
pub(super) struct Matching<'a> {
    pub(super) audit: &'a Audit<'a>,
    /// The kinds of the key's columns.
    pub(super) key_shape: &'a KeyShape,
    /// How a failure is held against a row.
    pub(super) by: Matched,
}

/// What a pass came to.
#[derive(Default)]
pub(super) struct MatchedRows {
    /// Rows that count as rejected now.
    pub(super) rejected: u64,
    /// The activities that are done with.
    pub(super) handled: Vec<HandledFailure>,
    /// Failures that no row was found for.
    pub(super) left: Vec<Failure>,
}

impl Matching<'_> {
    /// Takes the fingerprint out of every row that a failure is about, keeping its key, and stores
    /// it as rejected. The journal must be folded.
    ///
    /// # Errors
    /// Where the state can't be read or written.
    pub(super) async fn run(&self, mut failures: Failures) -> Result<MatchedRows, RunError> {
        let mut matched = MatchedRows::default();
        if failures.by_hash.is_empty() {
            return Ok(matched);
        }
        let mut handles = Handles::new(self, std::mem::take(&mut failures.event_names));
        let mut failures = failures.by_hash;
        if self.by == Matched::ByOnlyOne {
            self.count_rows(&mut handles, &mut failures).await?;
            let ambiguous = failures.extract_if(|_, failure| failure.rows > 1);
            matched.left.extend(ambiguous.map(|(_, failure)| failure));
        }
        let mut forgetting = Forgetting::new(self.audit);
        let mut rows = self.rows().await?;
        let mut chunk = EntryChunk::default();
        while rows.next_chunk(&mut chunk).await? {
            for entry in chunk.iter() {
                let Some(failure) = handles.find(&entry, &mut failures) else { continue };
                failure.rows += 1;
                // Once, however many rows it is held against.
                matched.handled.append(&mut failure.told_by);
                let rejection = failure.kind.rejection(failure.field.as_deref());
                matched.rejected += u64::from(forgetting.forget(&entry, rejection)?);
            }
            forgetting.write_if_full().await?;
        }
        forgetting.finish().await?;
        matched.left.extend(failures.into_values().filter(|failure| failure.rows == 0));
        Ok(matched)
    }

    async fn rows(&self) -> Result<SnapshotReader, RunError> {
        let request = self.audit.request;
        let (store, sync) = (Arc::clone(&request.store), request.pipeline.sync.clone());
        Ok(SnapshotReader::open(store, sync).await?)
    }

    /// Counts the rows that each failure may be about.
    async fn count_rows(
        &self,
        handles: &mut Handles<'_>,
        failures: &mut HashMap<u128, Failure>,
    ) -> Result<(), RunError> {
        let mut rows = self.rows().await?;
        let mut chunk = EntryChunk::default();
        while rows.next_chunk(&mut chunk).await? {
            for entry in chunk.iter() {
                if let Some(failure) = handles.find(&entry, failures) {
                    failure.rows += 1;
                }
            }
        }
        Ok(())
    }
}

/// By what a remembered row is found.
struct Handles<'a> {
    key_shape: &'a KeyShape,
    kind: TargetKind,
    by: Matched,
    events: Option<EventIds>,
    event_names: BTreeSet<String>,
    text: String,
}

impl<'a> Handles<'a> {
    fn new(matching: &Matching<'a>, event_names: BTreeSet<String>) -> Self {
        let record = &matching.audit.request.pipeline.record;
        let events = match &record.about {
            About::Event { id_scope, .. } => Some(EventIds::new(id_scope)),
            _ => None,
        };
        Self {
            key_shape: matching.key_shape,
            kind: record.target_kind(),
            by: matching.by,
            events,
            event_names,
            text: String::new(),
        }
    }

    /// Returns the failure that a row is found by.
    fn find<'f>(
        &mut self,
        entry: &Entry<'_>,
        failures: &'f mut HashMap<u128, Failure>,
    ) -> Option<&'f mut Failure> {
        let Self { key_shape, kind, by, events, event_names, text } = self;
        let hash = match (by, events) {
            (Matched::Never, _) | (Matched::ByEventId, None) => None,
            (Matched::ByEventId, Some(events)) => event_names
                .iter()
                .filter_map(|name| events.of_row(name, (key_shape, entry.key), text))
                .map(EventId::to_bits)
                .find(|id| failures.contains_key(id)),
            (Matched::ByPerson, _) => {
                entry.write_target(key_shape, text)?;
                Some(Target { kind: *kind, text }.holder_hash())
            }
            (Matched::ByOnlyOne, _) => {
                entry.write_target(key_shape, text)?;
                let (person, _) = Target { kind: *kind, text }.parts()?;
                Some(Target::single(kind.identifier, person).holder_hash())
            }
        };
        failures.get_mut(&hash?)
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
