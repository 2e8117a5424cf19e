//! What is written beside the requests: one commit at a time, which takes along all that waits.

use futures_util::future::BoxFuture;

use super::{Delivery, DeliveryParts};
use crate::customerio::ItemError;
use crate::customerio::batch::Batch;
use crate::engine::commit::{Committer, Written};
use crate::engine::error::RunError;
use crate::engine::ledger::{Ledger, Note, Purpose};
use crate::state::store::StoredSegment;

/// What waits to be written, and what follows once it is.
pub(super) enum Unwritten {
    /// A batch that leaves only after it is written that its rows are in doubt.
    Doubted(Batch, Ledger),
    /// An answered batch, and which of its items were refused.
    Answered { id: u64, ledger: Ledger, refused: Vec<ItemError> },
    /// Rows that are remembered or forgotten without being sent.
    Silent(StoredSegment),
}

impl Unwritten {
    /// Returns the first key of a batch that has yet to leave.
    fn unsent_key(&self) -> Option<&[u8]> {
        match self {
            Self::Doubted(_, ledger) => ledger.first_key(),
            Self::Answered { .. } | Self::Silent(_) => None,
        }
    }
}

/// A commit under way, with what follows it.
pub(super) type Writing<'a> = BoxFuture<'a, (Vec<Unwritten>, Result<Written, RunError>)>;

impl Delivery<'_> {
    /// Begins to write what waits for it, where no commit is under way.
    pub(super) fn begin_write(&mut self) -> Result<(), RunError> {
        if matches!(self.failure, Some(RunError::State(_))) {
            // A store that failed once may take long to fail again, for each answer.
            self.unwritten.clear();
        }
        if !self.writing.is_empty() || self.unwritten.is_empty() {
            return Ok(());
        }
        let unwritten = std::mem::take(&mut self.unwritten);
        let count = unwritten.len();
        let (mut items, mut segments) = (Vec::new(), Vec::new());
        for item in unwritten {
            match &item {
                Unwritten::Doubted(..) if self.failure.is_some() => continue,
                Unwritten::Doubted(_, ledger) => {
                    segments.extend(self.parts.committer.doubt(ledger)?);
                }
                Unwritten::Answered { id, ledger, refused } => {
                    self.outstanding.retain(|(other, _)| other != id);
                    segments.extend(self.parts.committer.accepted(ledger, refused)?);
                }
                Unwritten::Silent(_) => {}
            }
            match item {
                Unwritten::Silent(segment) => segments.push(segment),
                item => items.push(item),
            }
        }
        self.writing_count = count;
        let outstanding = self.least_outstanding(&items);
        let write = self.parts.committer.write(segments, outstanding);
        self.writing.push(Box::pin(async move { (items, write.await) }));
        Ok(())
    }

    /// Returns the least key that may still be answered while `items` are written.
    fn least_outstanding(&self, items: &[Unwritten]) -> Option<Vec<u8>> {
        let in_flight = self.outstanding.iter().map(|(_, key)| key.as_slice());
        let waiting = self.waiting.iter().filter_map(|(_, ledger, _)| ledger.first_key());
        let doubted = items.iter().filter_map(Unwritten::unsent_key);
        let all = in_flight.chain(waiting).chain(doubted).chain(self.parts.filler.first_key());
        all.min().map(<[u8]>::to_vec)
    }

    /// Goes on with what was written.
    pub(super) async fn written(
        &mut self,
        items: Vec<Unwritten>,
        written: Result<Written, RunError>,
    ) -> Result<(), RunError> {
        self.writing_count = 0;
        self.parts.committer.written(&written?);
        for item in items {
            match item {
                Unwritten::Doubted(batch, ledger) if self.failure.is_none() => {
                    self.dispatch(batch, ledger, false);
                }
                Unwritten::Answered { ledger, refused, .. } => {
                    self.settle(&ledger, &refused).await?;
                }
                Unwritten::Doubted(..) | Unwritten::Silent(_) => {}
            }
        }
        self.report_progress();
        self.parts.refusals.check(&self.parts.guards)
    }

    /// Counts a batch as done and stores what was refused of it.
    async fn settle(&mut self, ledger: &Ledger, refused: &[ItemError]) -> Result<(), RunError> {
        let DeliveryParts { committer, rejected, refusals, filler, .. } = &mut self.parts;
        let settled = Committer::settled(ledger, refused, rejected);
        refusals.answered(ledger.len() as u64);
        let mut rows = Vec::new();
        for error in refused {
            let Some(note) = ledger.get(error.index) else { continue };
            refusals.refuse(error);
            rows.extend(Committer::refused(note, error, rejected));
            rejected.hold_back(note.key, note.at);
            if let Note { purpose: Purpose::MoveRemoval, key, .. } = note {
                filler.move_failed(key);
            }
        }
        committer.rejections(&rows, &settled).await
    }
}
