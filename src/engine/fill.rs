//! Changes into batches.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::change::Change;
use super::changes::{Action, Changes};
use super::commit::Committer;
use super::error::RunError;
use super::ledger::{Ledger, Note, Purpose};
use crate::customerio::batch::{Batch, BatchBuilder};
use crate::model::record::Header;
use crate::model::{
    ChangeKind, Details, OperationKind, RecordBuf, RecordView, Target, TargetKind, canonical,
};

/// How long a batch that is not full waits for more rows while the source is slow.
const BATCH_OPEN_MAX: Duration = Duration::from_secs(1);

/// How rows and removals become items.
#[derive(Clone)]
pub struct ItemRules {
    /// What carries out the removal of a row; `None` where nothing is removed.
    pub removal: Option<OperationKind>,
    /// What the targets are.
    pub target_kind: TargetKind,
    /// The type of the objects, where rows are about some.
    pub object_type: Option<String>,
    /// Whether the target is the key's text and need not be remembered.
    pub target_is_key: bool,
    /// The attributes that `onRemove: clear` nulls.
    pub clearable: Vec<String>,
}

/// What filling came to. Whatever must wait for disk or network is left to the caller, so that
/// filling can be given up at any moment.
#[derive(Default)]
pub struct Filled {
    /// A batch that is full.
    pub batch: Option<(Batch, Ledger)>,
    /// A moved row, encoded: its old target is in a batch, and it must wait for the answer.
    pub moved: Option<Vec<u8>>,
    /// Whether so many rows were remembered without being sent that they should be written.
    pub is_silent_full: bool,
    /// Whether there are no more changes.
    pub has_ended: bool,
}

impl Filled {
    fn is_nothing(&self) -> bool {
        self.batch.is_none() && self.moved.is_none() && !self.is_silent_full
    }
}

/// A batch that is being filled, and what its items stand for.
struct Lane {
    builder: BatchBuilder,
    notes: Ledger,
    opened_at: Option<Instant>,
}

impl Lane {
    fn close(&mut self) -> Option<(Batch, Ledger)> {
        self.opened_at = None;
        let batch = self.builder.finish()?;
        Some((batch, std::mem::take(&mut self.notes)))
    }
}

/// Fills batches.
pub struct Filler {
    rules: ItemRules,
    lanes: Vec<Lane>,
    removal: RecordBuf,
    failed_moves: HashSet<Vec<u8>>,
}

impl Filler {
    /// Returns a filler that fills the batches of `builders`, each with the operations that go its
    /// way.
    pub fn new(rules: ItemRules, builders: Vec<BatchBuilder>) -> Self {
        let lane = |builder| Lane { builder, notes: Ledger::default(), opened_at: None };
        Self {
            rules,
            lanes: builders.into_iter().map(lane).collect(),
            removal: RecordBuf::default(),
            failed_moves: HashSet::new(),
        }
    }

    /// Takes changes until something must be done. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// Where the plan broke or can't be read.
    pub async fn fill(
        &mut self,
        changes: &mut Changes,
        committer: &mut Committer,
    ) -> Result<Filled, RunError> {
        loop {
            let Some(action) = changes.next().await? else {
                return Ok(Filled { has_ended: true, ..Filled::default() });
            };
            let filled = match action {
                Action::Nothing => continue,
                Action::MoveAfterRemoval(change) => self.begin_move(change)?,
                Action::MoveOnly(change) => self.send(change, false)?,
                Action::Planned(change) => self.take(change, committer)?,
            };
            if !filled.is_nothing() {
                return Ok(filled);
            }
        }
    }

    fn take(&mut self, change: Change<'_>, committer: &mut Committer) -> Result<Filled, RunError> {
        let mut filled = Filled::default();
        match change {
            Change::Upsert { kind, .. } => {
                return self.send(change, kind == ChangeKind::Changed);
            }
            Change::Remove { key, target } => {
                filled.batch = self.remove(Purpose::Removal, key, target)?;
            }
            Change::Remember { key, fingerprint, target, at } => {
                filled.is_silent_full = committer.remember(key, fingerprint, (target, at))?;
            }
            Change::Forget { key } => filled.is_silent_full = committer.forget(key)?,
            Change::Note { entry, .. } => filled.is_silent_full = committer.note(&entry)?,
            Change::Move { .. } => {
                return Err(RunError::Internal("a moved row was not decided"));
            }
        }
        Ok(filled)
    }

    fn send(&mut self, change: Change<'_>, is_known: bool) -> Result<Filled, RunError> {
        let Change::Upsert { key, fingerprint, canonical, at, .. } = change else {
            return Err(RunError::Internal("only an upsert is sent as it is"));
        };
        if !self.failed_moves.is_empty() && self.failed_moves.contains(key) {
            return Ok(Filled::default());
        }
        let view = RecordView::parse(canonical)
            .ok_or(RunError::Internal("a planned record can't be read"))?;
        let target = (!self.rules.target_is_key).then_some(view.target.text);
        let fingerprint = Some(fingerprint);
        let note = Note { purpose: Purpose::Upsert, key, fingerprint, target, is_known, at };
        Ok(Filled { batch: self.push(&view, note)?, ..Filled::default() })
    }

    fn begin_move(&mut self, change: Change<'_>) -> Result<Filled, RunError> {
        let Change::Move { key, fingerprint, canonical, old_target } = change else {
            return Err(RunError::Internal("only a moved row has an old target"));
        };
        let mut moved = Vec::new();
        Change::Upsert { kind: ChangeKind::Added, key, fingerprint, canonical, at: None }
            .encode(&mut moved);
        let batch = self.remove(Purpose::MoveRemoval, key, old_target)?;
        Ok(Filled { batch, moved: Some(moved), ..Filled::default() })
    }

    fn remove(
        &mut self,
        purpose: Purpose,
        key: &[u8],
        target: &str,
    ) -> Result<Option<(Batch, Ledger)>, RunError> {
        let operation = self.rules.removal.ok_or(RunError::Internal("only a mirror removes"))?;
        let mut record = std::mem::take(&mut self.removal);
        let names = if operation.has_attributes() { self.rules.clearable.as_slice() } else { &[] };
        let count = u16::try_from(names.len()).unwrap_or(u16::MAX);
        let details = match operation {
            OperationKind::ObjectDelete
            | OperationKind::ObjectClear
            | OperationKind::RelationshipDelete => {
                Details::Object { type_id: self.rules.object_type.as_deref() }
            }
            _ => Details::None,
        };
        let about = Target { kind: self.rules.target_kind, text: target };
        record.start(Header { operation, target: about, details }, count);
        for name in names {
            canonical::write_null(record.attribute(name));
        }
        let view = RecordView::parse(&record.canonical)
            .ok_or(RunError::Internal("a removal can't be read"))?;
        let kept = (!self.rules.target_is_key).then_some(target);
        let note = Note { purpose, key, fingerprint: None, target: kept, is_known: true, at: None };
        let pushed = self.push(&view, note);
        self.removal = record;
        pushed
    }

    fn push(
        &mut self,
        view: &RecordView<'_>,
        note: Note<'_>,
    ) -> Result<Option<(Batch, Ledger)>, RunError> {
        let lane = self.lanes.iter_mut().find(|lane| lane.builder.route().carries(view.operation));
        let lane = lane.ok_or(RunError::Internal("no request carries a planned operation"))?;
        let closed = lane
            .builder
            .push(view)
            .map_err(|_| RunError::Internal("a planned row does not fit in a request"))?
            .map(|batch| (batch, std::mem::take(&mut lane.notes)));
        if lane.notes.is_empty() {
            lane.opened_at = Some(Instant::now());
        }
        lane.notes.push(note);
        Ok(closed)
    }

    /// Takes back the memory of a batch that is done with.
    pub fn reuse(&mut self, batch: Batch) {
        let lane = self.lanes.iter_mut().find(|lane| lane.builder.route() == batch.route());
        if let Some(lane) = lane {
            lane.builder.reuse(batch);
        }
    }

    /// Closes the batches that are being filled and not empty.
    pub fn close(&mut self) -> Vec<(Batch, Ledger)> {
        self.lanes.iter_mut().filter_map(Lane::close).collect()
    }

    /// Returns when a batch that is being filled has waited long enough.
    pub fn close_at(&self) -> Option<Instant> {
        let opened_at = self.lanes.iter().filter_map(|lane| lane.opened_at).min();
        opened_at.map(|at| at + BATCH_OPEN_MAX)
    }

    /// Returns the least key among the batches that are being filled.
    pub fn first_key(&self) -> Option<&[u8]> {
        self.lanes.iter().filter_map(|lane| lane.notes.first_key()).min()
    }

    /// Takes note that a moved row's old target could not be removed: the row must not be sent.
    pub fn move_failed(&mut self, key: &[u8]) {
        self.failed_moves.insert(key.to_vec());
    }
}
