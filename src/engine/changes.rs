//! The planned changes as they will be carried out: the spool with the overrides laid over it.

use super::change::Change;
use super::error::RunError;
use super::targets::Override;
use crate::model::ChangeKind;
use crate::spill::{SortedReader, SpoolReader};

/// What a planned change comes to.
#[derive(Clone, Copy, PartialEq)]
pub enum Action<'a> {
    /// As it was planned.
    Planned(Change<'a>),
    /// A moved row whose old target nobody holds: remove that one first.
    MoveAfterRemoval(Change<'a>),
    /// A moved row whose old target somebody else holds, as an upsert: send it, remove nobody.
    MoveOnly(Change<'a>),
    /// Nothing.
    Nothing,
}

/// Reads planned changes in order of their keys.
pub struct Changes {
    spool: SpoolReader,
    overrides: Option<SortedReader>,
    ahead: Option<(Vec<u8>, Override)>,
}

impl Changes {
    /// Returns the changes of a spool; `overrides` are there once the plan is whole.
    pub fn new(spool: SpoolReader, overrides: Option<SortedReader>) -> Result<Self, RunError> {
        let mut changes = Self { spool, overrides, ahead: None };
        changes.advance()?;
        Ok(changes)
    }

    fn advance(&mut self) -> Result<(), RunError> {
        self.ahead = None;
        if let Some(overrides) = &mut self.overrides
            && let Some((key, byte)) = overrides.next()?
        {
            let kind = Override::from_bytes(byte)
                .ok_or(RunError::Internal("an override can't be read"))?;
            self.ahead = Some((key.to_vec(), kind));
        }
        Ok(())
    }

    /// Returns whether nothing can be read right now, though more may come.
    pub fn is_momentarily_empty(&self) -> bool {
        self.spool.is_momentarily_empty()
    }

    /// Returns the next action; `None` after the last. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// Where the plan broke or its temporary files can't be read.
    pub async fn next(&mut self) -> Result<Option<Action<'_>>, RunError> {
        const UNREADABLE: RunError = RunError::Internal("a planned change can't be read");
        let Self { spool, overrides, ahead } = self;
        let Some(bytes) = spool.next().await? else { return Ok(None) };
        let change = Change::decode(bytes).ok_or(UNREADABLE)?;
        let mut found = None;
        while let Some((key, kind)) = ahead
            && key.as_slice() <= change.key()
        {
            if key.as_slice() == change.key() {
                // A row may have two changes, and the override is for both.
                found = Some(*kind);
                break;
            }
            *ahead = match overrides.as_mut().map(SortedReader::next).transpose()?.flatten() {
                Some((key, byte)) => {
                    Some((key.to_vec(), Override::from_bytes(byte).ok_or(UNREADABLE)?))
                }
                None => None,
            };
        }
        Ok(Some(apply(change, found)))
    }
}

fn apply(change: Change<'_>, found: Option<Override>) -> Action<'_> {
    match (found, change) {
        // That a row is in the source again, or can't be found, is so though it is not sent.
        (Some(Override::Duplicate), Change::Note { .. }) => Action::Planned(change),
        (Some(Override::Duplicate), _) | (_, Change::Note { if_duplicate: true, .. }) => {
            Action::Nothing
        }
        (Some(Override::RemovalHeld), change) => {
            Action::Planned(Change::Forget { key: change.key() })
        }
        (Some(Override::MoveFree), Change::Move { .. }) => Action::MoveAfterRemoval(change),
        (_, Change::Move { key, fingerprint, canonical, .. }) => Action::MoveOnly(Change::Upsert {
            kind: ChangeKind::Changed,
            key,
            fingerprint,
            canonical,
            at: None,
        }),
        (_, change) => Action::Planned(change),
    }
}
