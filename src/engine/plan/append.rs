//! What a row that is an event comes to: each is sent once, for the life of its Sync.

use super::planner::Planner;
use crate::diff::Met;
use crate::engine::change::Change;
use crate::engine::error::RunError;
use crate::engine::rejected::Due;
use crate::model::{ChangeKind, EntryBuf};

const MICROS: i64 = 1_000_000;

impl Planner {
    /// An event that was sent is never sent again, though its row has changed since: Customer.io
    /// would drop it as a repeat, or count it twice.
    pub(super) fn judge_event(&mut self, met: Met) -> Result<(), RunError> {
        let entry = match met {
            Met::Entry(index) => self.chunk.get(index),
            Met::Nothing | Met::NeedsChunk => None,
        };
        let is_known = entry.is_some();
        // Without a fingerprint it was refused late, and is yet to be sent.
        let was_sent = entry.is_some_and(|entry| entry.fingerprint.is_some());
        let record = &self.pending.record;
        let (key, at) = (record.key.as_slice(), self.pending.at);
        self.scratch.change.clear();
        if was_sent || (!is_known && self.was_forgotten() && !self.rejected.knows(key)) {
            if self.rejected.settle(key) {
                self.planned.settled.push(key.to_vec());
            }
            self.planned.counts.unchanged += 1;
            self.keep_known(met);
            return self.push_change();
        }
        let fingerprint = record.fingerprint(self.rules.encoding);
        let due = self.rejected.due(key, Some(fingerprint));
        let counts = &mut self.planned.counts;
        if due == Due::Waiting {
            self.rejected.hold_back(key, at);
            counts.rejected += 1;
            return Ok(());
        }
        counts.retried += u64::from(due == Due::Retry);
        let change = if self.rules.baseline {
            counts.unchanged += 1;
            Change::Remember { key, fingerprint, target: None, at }
        } else {
            let (kind, count) = match is_known {
                true => (ChangeKind::Changed, &mut counts.changed),
                false => (ChangeKind::Added, &mut counts.added),
            };
            *count += 1;
            Change::Upsert { kind, key, fingerprint, canonical: &record.canonical, at }
        };
        change.encode(&mut self.scratch.change);
        self.push_change()
    }

    /// An event that was sent stays known for as long as its row may be read: by its newest cursor.
    fn keep_known(&mut self, met: Met) {
        let Met::Entry(index) = met else { return };
        let Some(entry) = self.chunk.get(index) else { return };
        let (Some(fingerprint), Some(read_at)) = (entry.fingerprint, entry.flags.read_at) else {
            return;
        };
        let at = self.pending.at.filter(|at| at.div_euclid(MICROS) > i64::from(read_at));
        if at.is_some() {
            Change::Remember { key: entry.key, fingerprint, target: None, at }
                .encode(&mut self.scratch.change);
        }
    }

    /// Returns whether what was sent from so long ago is no longer remembered.
    fn was_forgotten(&self) -> bool {
        match (self.pending.at, self.rules.forgotten_before) {
            (Some(at), Some(before)) => at < before.as_microsecond(),
            (None, _) | (_, None) => false,
        }
    }

    /// An event whose row was not read stays known, unless its row is never read again.
    pub(super) fn forget_event(&mut self, entry: &EntryBuf) -> Result<(), RunError> {
        let is_past = match (entry.flags.read_at, self.rules.forget_before) {
            (Some(at), Some(before)) => i64::from(at) < before.as_second(),
            (None, _) | (_, None) => false,
        };
        if !is_past {
            return Ok(());
        }
        Change::Forget { key: &entry.key }.encode(&mut self.scratch.change);
        self.push_change()
    }
}
