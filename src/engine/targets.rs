//! Who is meant by more than one row, and whom nobody holds any more.
//!
//! Customer.io knows targets, not keys. Two rows about one person would overwrite each other, and
//! a removal must not reach a person whom another row or another Sync still holds. Both are found
//! from the hashes of all targets, sorted on disk, so memory stays bounded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::RunError;
use crate::model::{KeyShape, RunCounts, SyncId, Target, TargetKind};
use crate::spill::{SortedReader, Sorter};
use crate::state::EntryChunk;
use crate::state::StateStore;
use crate::state::snapshot::SnapshotReader;

const PRESENT_MEMORY_BYTES: usize = 8 * 1024 * 1024;
const FEW_MEMORY_BYTES: usize = 2 * 1024 * 1024;

/// Candidates that are looked up in other Syncs' snapshots at a time: some 8 MiB.
const CANDIDATES_AT_ONCE: usize = 100_000;

/// How a present row was counted, so that the count can be mended when it proves a duplicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Counted {
    /// As invalid: it only holds the target that was remembered for it.
    HolderOnly = 0,
    /// As added.
    Added = 1,
    /// As changed.
    Changed = 2,
    /// As unchanged.
    Unchanged = 3,
    /// As refreshed.
    Refreshed = 4,
    /// As rejected, waiting for its next try.
    Waiting = 5,
    /// Not yet: whether its old target is held decides.
    Moved = 6,
}

impl Counted {
    fn from_code(code: u8) -> Self {
        [Self::Added, Self::Changed, Self::Unchanged, Self::Refreshed, Self::Waiting, Self::Moved]
            .into_iter()
            .find(|counted| *counted as u8 == code)
            .unwrap_or(Self::HolderOnly)
    }

    fn uncount(self, counts: &mut RunCounts) {
        match self {
            Self::HolderOnly | Self::Moved => {}
            Self::Added => counts.added -= 1,
            Self::Changed => counts.changed -= 1,
            Self::Unchanged => counts.unchanged -= 1,
            Self::Refreshed => counts.refreshed -= 1,
            Self::Waiting => counts.rejected -= 1,
        }
    }
}

/// What became of a planned change once all targets were known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Override {
    /// The row is one of several about its target: nothing is sent, what is remembered stays.
    Duplicate = 1,
    /// Somebody else holds the target of a row that left: it is forgotten, nothing is sent.
    RemovalHeld = 2,
    /// Somebody else holds a moved row's old target: it is a change like any other.
    MoveHeld = 3,
    /// Nobody holds a moved row's old target: it is removed before the row is sent.
    MoveFree = 4,
}

impl Override {
    /// Reads an override's byte.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        [Self::Duplicate, Self::RemovalHeld, Self::MoveHeld, Self::MoveFree]
            .into_iter()
            .find(|kind| bytes == [*kind as u8])
    }

    fn count(self, counts: &mut RunCounts) {
        match self {
            // Counted when it was found.
            Self::Duplicate => {}
            Self::RemovalHeld => {
                counts.removed -= 1;
                counts.kept += 1;
            }
            Self::MoveHeld => counts.changed += 1,
            Self::MoveFree => {
                counts.removed += 1;
                counts.added += 1;
            }
        }
    }
}

/// What asks for a removal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The row left the source.
    Left,
    /// The row is about another target now.
    Moved,
}

impl Cause {
    /// Candidates of one target are sorted by it, so that a row that moved away removes its old
    /// target itself. Where a row that left did so, and the moved one was then refused, its key
    /// would go on standing for a person who is gone.
    fn code(self) -> u8 {
        match self {
            Self::Moved => 0,
            Self::Left => 1,
        }
    }

    fn held(self) -> [u8; 1] {
        match self {
            Self::Left => [Override::RemovalHeld as u8],
            Self::Moved => [Override::MoveHeld as u8],
        }
    }
}

/// Another Sync of the workspace whose snapshot may hold the same people.
pub struct OtherSync {
    /// The Sync.
    pub sync: SyncId,
    /// The shape of its keys.
    pub key_shape: KeyShape,
}

/// Collects the targets of one read.
pub struct TargetCheck {
    /// Absent where the key is the target, so that no two rows can mean one person.
    present: Option<Sorter>,
    candidates: Sorter,
    overrides: Sorter,
    spill_dir: PathBuf,
}

impl TargetCheck {
    /// Returns an empty check; `is_needed` says whether two rows may mean one person.
    pub fn new(spill_dir: &Path, is_needed: bool) -> Self {
        Self {
            present: is_needed.then(|| Sorter::new(spill_dir, PRESENT_MEMORY_BYTES)),
            candidates: Sorter::new(spill_dir, FEW_MEMORY_BYTES),
            overrides: Sorter::new(spill_dir, FEW_MEMORY_BYTES),
            spill_dir: spill_dir.to_owned(),
        }
    }

    /// Returns whether present rows matter: where the key is the target, [`TargetCheck::present`]
    /// does nothing.
    pub fn gathers_present(&self) -> bool {
        self.present.is_some()
    }

    /// Takes note of a present row's target.
    pub fn present(
        &mut self,
        target: Target<'_>,
        key: &[u8],
        counted: Counted,
    ) -> Result<(), RunError> {
        let Some(present) = &mut self.present else { return Ok(()) };
        let payload = [&[counted as u8], key].concat();
        Ok(present.push(&target.holder_hash().to_be_bytes(), &payload)?)
    }

    /// Takes note that the row of `key` left the source.
    pub fn removal(&mut self, target: Target<'_>, key: &[u8]) -> Result<(), RunError> {
        self.candidate(target, key, Cause::Left)
    }

    /// Takes note that the row of `key` is no longer about `old_target`.
    pub fn moved(&mut self, old_target: Target<'_>, key: &[u8]) -> Result<(), RunError> {
        self.candidate(old_target, key, Cause::Moved)
    }

    fn candidate(&mut self, target: Target<'_>, key: &[u8], cause: Cause) -> Result<(), RunError> {
        let place = [&target.holder_hash().to_be_bytes()[..], &[cause.code()]].concat();
        Ok(self.candidates.push(&place, key)?)
    }

    /// Decides: mends `counts`, tells each duplicate's key to `on_duplicate`, and returns the
    /// overrides sorted by key.
    ///
    /// # Errors
    /// Where temporary files or the state store fail.
    pub async fn resolve(
        mut self,
        others: &Others,
        counts: &mut RunCounts,
        mut on_duplicate: impl FnMut(&[u8]),
    ) -> Result<SortedReader, RunError> {
        let mut free = FreeCandidates::default();
        let mut candidates = self.candidates.finish()?;
        let mut candidate = own(candidates.next()?);
        if let Some(present) = self.present.take() {
            let mut present = present.finish()?;
            let mut group = Group::default();
            while let Some((hash, payload)) = present.next()? {
                let hash = to_hash(hash);
                while let Some(next) = candidate.take_if(|next| next.hash < hash) {
                    free.add(next, others, &mut self.overrides).await?;
                    candidate = own(candidates.next()?);
                }
                while let Some(next) = candidate.take_if(|next| next.hash == hash) {
                    self.overrides.push(&next.key, &next.cause.held())?;
                    candidate = own(candidates.next()?);
                }
                let mut duplicate = |counted: Counted, key: &[u8]| {
                    counted.uncount(counts);
                    counts.invalid += 1;
                    on_duplicate(key);
                    self.overrides.push(key, &[Override::Duplicate as u8])
                };
                group.add(hash, payload, &mut duplicate)?;
            }
        }
        while let Some(next) = candidate.take() {
            free.add(next, others, &mut self.overrides).await?;
            candidate = own(candidates.next()?);
        }
        free.flush(others, &mut self.overrides).await?;
        settle(self.overrides, &self.spill_dir, counts)
    }
}

/// The rows of one target that came so far.
#[derive(Default)]
struct Group {
    hash: Option<u128>,
    /// The first row of the group, until a second one makes both duplicates.
    first: Option<(Counted, Vec<u8>)>,
    rows: u64,
}

impl Group {
    fn add<E>(
        &mut self,
        hash: u128,
        payload: &[u8],
        duplicate: &mut impl FnMut(Counted, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.hash != Some(hash) {
            *self = Self { hash: Some(hash), first: None, rows: 0 };
        }
        let Some((code, key)) = payload.split_first() else { return Ok(()) };
        let counted = Counted::from_code(*code);
        if counted == Counted::HolderOnly {
            return Ok(());
        }
        self.rows += 1;
        if self.rows == 1 {
            self.first = Some((counted, key.to_vec()));
            return Ok(());
        }
        if let Some((counted, key)) = self.first.take() {
            duplicate(counted, &key)?;
        }
        duplicate(counted, key)
    }
}

struct Candidate {
    hash: u128,
    cause: Cause,
    key: Vec<u8>,
}

fn own(record: Option<(&[u8], &[u8])>) -> Option<Candidate> {
    let (place, key) = record?;
    let (code, hash) = place.split_last()?;
    let cause = if *code == Cause::Left.code() { Cause::Left } else { Cause::Moved };
    Some(Candidate { hash: to_hash(hash), cause, key: key.to_vec() })
}

fn to_hash(bytes: &[u8]) -> u128 {
    bytes.try_into().map_or(0, u128::from_be_bytes)
}

/// Where else the same people may be held.
pub struct Others {
    /// The store that holds all Syncs' snapshots; `None` where there is no state yet.
    pub store: Option<Arc<dyn StateStore>>,
    /// The other Syncs of this workspace and entity with the same kind of target.
    pub syncs: Vec<OtherSync>,
    /// That kind.
    pub kind: TargetKind,
}

/// Candidates that no row of this read holds; other Syncs may.
#[derive(Default)]
struct FreeCandidates {
    by_hash: HashMap<u128, Candidate>,
}

impl FreeCandidates {
    async fn add(
        &mut self,
        candidate: Candidate,
        others: &Others,
        overrides: &mut Sorter,
    ) -> Result<(), RunError> {
        if self.by_hash.contains_key(&candidate.hash) {
            // Another key remembered the same person; one removal is enough.
            overrides.push(&candidate.key, &candidate.cause.held())?;
            return Ok(());
        }
        self.by_hash.insert(candidate.hash, candidate);
        if self.by_hash.len() >= CANDIDATES_AT_ONCE {
            self.flush(others, overrides).await?;
        }
        Ok(())
    }

    async fn flush(&mut self, others: &Others, overrides: &mut Sorter) -> Result<(), RunError> {
        let mut chunk = EntryChunk::default();
        let mut text = String::new();
        for other in &others.syncs {
            let Some(store) = others.store.as_ref().filter(|_| !self.by_hash.is_empty()) else {
                break;
            };
            let mut reader =
                SnapshotReader::open_with_journal(Arc::clone(store), other.sync.clone()).await?;
            while reader.next_chunk(&mut chunk).await? {
                for entry in chunk.iter().filter(|entry| !entry.flags.suppressed) {
                    if entry.write_target(&other.key_shape, &mut text).is_none() {
                        continue;
                    }
                    let target = Target { kind: others.kind, text: &text };
                    if let Some(held) = self.by_hash.remove(&target.holder_hash()) {
                        overrides.push(&held.key, &held.cause.held())?;
                    }
                }
            }
        }
        for candidate in self.by_hash.drain().map(|(_, candidate)| candidate) {
            if candidate.cause == Cause::Moved {
                overrides.push(&candidate.key, &[Override::MoveFree as u8])?;
            }
        }
        Ok(())
    }
}

/// Leaves one override for each key and counts it. A duplicate row is not sent at all, so what its
/// old target would have met no longer matters.
fn settle(
    overrides: Sorter,
    spill_dir: &Path,
    counts: &mut RunCounts,
) -> Result<SortedReader, RunError> {
    let mut settled = Sorter::new(spill_dir, FEW_MEMORY_BYTES);
    let mut all = overrides.finish()?;
    let mut current: Option<(Vec<u8>, Override)> = None;
    while let Some((key, byte)) = all.next()? {
        let Some(next) = Override::from_bytes(byte) else { continue };
        if let Some((same, kept)) = &mut current
            && same == key
        {
            if next == Override::Duplicate {
                *kept = next;
            }
            continue;
        }
        if let Some((key, kind)) = current.replace((key.to_vec(), next)) {
            kind.count(counts);
            settled.push(&key, &[kind as u8])?;
        }
    }
    if let Some((key, kind)) = current {
        kind.count(counts);
        settled.push(&key, &[kind as u8])?;
    }
    Ok(settled.finish()?)
}
