//! The members of a segment against the rows that were sent: Customer.io passes over ids that it
//! does not know, behind a 200.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use crate::customerio::SendContext;
use crate::customerio::app::App;
use crate::engine::error::RunError;
use crate::engine::pipeline::Pipeline;
use crate::model::{KeyShape, OperationKind, Target};
use crate::spill::{SortedReader, Sorter};
use crate::state::{EntryChunk, SnapshotReader, StateStore};

/// Memory of each of the two sorts that are held against each other.
const SORT_MEMORY_BYTES: usize = 4 * 1024 * 1024;

/// People that are held in memory who are not where they should be.
pub(super) const ASTRAY_MAX: usize = 50_000;

/// What the members are held against.
pub(in crate::engine) struct Membership<'a> {
    pub(in crate::engine) pipeline: &'a Pipeline,
    pub(in crate::engine) store: &'a Arc<dyn StateStore>,
    pub(in crate::engine) key_shape: &'a KeyShape,
    pub(in crate::engine) spill_dir: &'a Path,
}

/// Remembered people who are not where they should be, by the hash of their identifier.
#[derive(Default)]
pub(in crate::engine) struct Astray {
    pub(in crate::engine) hashes: HashSet<u128>,
    /// How many there are more.
    pub(in crate::engine) more: u64,
}

/// Why members could not be read.
pub(in crate::engine) enum NoMembers {
    /// In words for a person.
    Unread(String),
    /// State or disk failed.
    Failed(RunError),
}

impl From<RunError> for NoMembers {
    fn from(error: RunError) -> Self {
        Self::Failed(error)
    }
}

impl Membership<'_> {
    /// Compares the members of a segment with the remembered rows: who was put in and is no member,
    /// or was taken out and is one. Memory is bounded whatever their number.
    pub(in crate::engine) async fn astray(
        &self,
        app: App<'_>,
        segment: u64,
        context: &SendContext<'_>,
    ) -> Result<Astray, NoMembers> {
        let members = self.members(app, segment, context).await?;
        let remembered = self.remembered().await?;
        let should_be_in = self.pipeline.record.operation == OperationKind::SegmentAdd;
        let compared =
            tokio::task::spawn_blocking(move || compare(members, remembered, should_be_in));
        let ended = RunError::Internal("the comparison of members ended early");
        Ok(compared.await.map_err(|_| ended)??)
    }

    /// Returns the hashes of all members, sorted.
    async fn members(
        &self,
        app: App<'_>,
        segment: u64,
        context: &SendContext<'_>,
    ) -> Result<Sorter, NoMembers> {
        let identifier = self.pipeline.record.identifier.0;
        let mut sorter = Sorter::new(self.spill_dir, SORT_MEMORY_BYTES);
        let mut start: Option<String> = None;
        loop {
            let page = app.members(segment, start.as_deref(), context).await;
            let page = page.map_err(|error| {
                NoMembers::Unread(match error.hint() {
                    Some(hint) => format!("{error} ({hint})"),
                    None => error.to_string(),
                })
            })?;
            let Some(page) = page else {
                let gone = format!("there is no segment {segment} in the workspace");
                return Err(NoMembers::Unread(gone));
            };
            for member in page.members.iter().filter_map(|member| member.target(identifier)) {
                sorter.push(&member.holder_hash().to_be_bytes(), &[]).map_err(RunError::from)?;
            }
            match page.next {
                Some(next) if start.as_deref() != Some(next.as_str()) => start = Some(next),
                Some(_) | None => return Ok(sorter),
            }
        }
    }

    /// Returns the hashes of all remembered people, sorted.
    async fn remembered(&self) -> Result<Sorter, RunError> {
        let Self { pipeline, store, key_shape, spill_dir } = self;
        let kind = pipeline.record.target_kind();
        let mut sorter = Sorter::new(*spill_dir, SORT_MEMORY_BYTES);
        let mut rows =
            SnapshotReader::open_with_journal(Arc::clone(store), pipeline.sync.clone()).await?;
        let (mut chunk, mut text) = (EntryChunk::default(), String::new());
        while rows.next_chunk(&mut chunk).await? {
            for entry in chunk.iter().filter(|entry| entry.fingerprint.is_some()) {
                if entry.write_target(key_shape, &mut text).is_some() {
                    let target = Target { kind, text: &text };
                    sorter.push(&target.holder_hash().to_be_bytes(), &[])?;
                }
            }
        }
        Ok(sorter)
    }
}

/// Merges two sorted lists of hashes. Blocks on the disk.
fn compare(members: Sorter, remembered: Sorter, should_be_in: bool) -> Result<Astray, RunError> {
    let (mut members, mut remembered) = (members.finish()?, remembered.finish()?);
    let mut astray = Astray::default();
    let mut member = next(&mut members)?;
    while let Some(hash) = next(&mut remembered)? {
        while member.is_some_and(|member| member < hash) {
            member = next(&mut members)?;
        }
        if (member == Some(hash)) == should_be_in {
            continue;
        }
        if astray.hashes.len() < ASTRAY_MAX {
            astray.hashes.insert(hash);
        } else {
            astray.more += 1;
        }
    }
    Ok(astray)
}

fn next(sorted: &mut SortedReader) -> Result<Option<u128>, RunError> {
    const DAMAGED: RunError = RunError::Internal("a sorted hash can't be read");
    let Some(record) = sorted.next()? else { return Ok(None) };
    let bytes = <[u8; 16]>::try_from(record.0).map_err(|_| DAMAGED)?;
    Ok(Some(u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorter(hashes: &[u128]) -> Sorter {
        let mut sorter = Sorter::new(std::env::temp_dir(), 1_000);
        for hash in hashes {
            sorter.push(&hash.to_be_bytes(), &[]).unwrap();
        }
        sorter
    }

    fn astray(members: &[u128], remembered: &[u128], should_be_in: bool) -> Vec<u128> {
        let astray = compare(sorter(members), sorter(remembered), should_be_in).unwrap();
        let mut hashes: Vec<u128> = astray.hashes.into_iter().collect();
        hashes.sort_unstable();
        hashes
    }

    #[test]
    fn who_is_missing_among_the_members_is_found_and_strangers_are_passed_over() {
        assert_eq!(astray(&[9, 3, 1], &[1, 2, 3, 7], true), [2, 7]);
        assert_eq!(astray(&[], &[5], true), [5]);
        assert_eq!(astray(&[1], &[], true), [0u128; 0]);
    }

    #[test]
    fn who_was_taken_out_and_is_still_a_member_is_found() {
        assert_eq!(astray(&[9, 3, 1], &[1, 2, 3, 7], false), [1, 3]);
    }
}
