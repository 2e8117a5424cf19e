//! What one row, or one remembered row that left the source, comes to.

use super::planner::{Planner, Scratch};
use crate::diff::{Met, Present, Verdict, judge};
use crate::engine::change::Change;
use crate::engine::error::RunError;
use crate::engine::rejected::{Due, SUPPRESSED_CODE};
use crate::engine::targets::Counted;
use crate::model::{
    ChangeKind, Entry, EntryBuf, Fingerprint, RecordView, Rejection, RejectionKind, Target,
};
use crate::state::EntryChunk;

pub(super) const UNREADABLE_RECORD: RunError = RunError::Internal("a mapped record can't be read");

impl Planner {
    /// A row that can't be sent still holds its key, and the target remembered for it.
    pub(super) fn hold_invalid(&mut self, rejection: Rejection, met: Met) -> Result<(), RunError> {
        let key = self.pending.record.key.clone();
        let rows = self.pending.rows;
        // An invalid row was seen: what was rejected under its key is no longer what it was.
        self.rejected.due(&key, None);
        self.rejected.invalid(&key, self.pending.at);
        self.refuse(key, rejection, rows);
        let Met::Entry(index) = met else { return Ok(()) };
        if let Some(content) = &mut self.content {
            content.hold(rows);
        }
        let Some(entry) = self.chunk.get(index) else { return Ok(()) };
        if entry.write_target(self.mapper.key_shape(), &mut self.scratch.target).is_some() {
            let target = Target { kind: self.mapper.target_kind(), text: &self.scratch.target };
            self.targets.present(target, entry.key, Counted::HolderOnly)?;
        }
        self.scratch.change.clear();
        self.note_return(met);
        self.push_change()
    }

    pub(super) fn judge_pending(&mut self, met: Met) -> Result<(), RunError> {
        if self.rules.appends {
            return self.judge_event(met);
        }
        let record = &self.pending.record;
        let view = RecordView::parse(&record.canonical).ok_or(UNREADABLE_RECORD)?;
        if let Some(content) = &mut self.content {
            content.push(&view)?;
        }
        let fingerprint = record.fingerprint(self.rules.encoding);
        let entry = match met {
            Met::Entry(index) => self.chunk.get(index),
            Met::Nothing | Met::NeedsChunk => None,
        };
        let remembered = match &entry {
            // One key, one target: no need to spell it.
            Some(entry) if entry.target.is_none() && self.mapper.target_is_key() => {
                Some((entry, view.target.text))
            }
            Some(entry) => {
                entry
                    .write_target(self.mapper.key_shape(), &mut self.scratch.target)
                    .ok_or(RunError::Internal("a remembered key can't be read"))?;
                Some((entry, self.scratch.target.as_str()))
            }
            None => None,
        };
        let present = Present {
            canonical: &record.canonical,
            fingerprint,
            encoding: self.rules.encoding,
            target: view.target,
        };
        let verdict = judge(&present, remembered);
        let is_as_accepted = matches!(verdict, Verdict::Unchanged | Verdict::Outdated);
        if is_as_accepted && self.rejected.recover(&record.key) {
            self.planned.settled.push(record.key.clone());
        }
        let is_sent_again = is_as_accepted
            && (self.rules.sends_again(&record.key)
                || self.rejected.was_refused(&record.key, fingerprint));
        let due = match verdict {
            Verdict::Unchanged | Verdict::Outdated if !is_sent_again => {
                if self.rejected.settle(&record.key) {
                    self.planned.settled.push(record.key.clone());
                }
                Due::Fresh
            }
            Verdict::Moved => self.due_to_move(fingerprint),
            _ => self.rejected.due(&record.key, Some(fingerprint)),
        };
        let judged = Judged { verdict, due, fingerprint, is_sent_again, met };
        self.note_return_of_duplicate(&judged)?;
        let counted = self.planned_change(judged)?;
        if self.targets.gathers_present() {
            let record = &self.pending.record;
            let view = RecordView::parse(&record.canonical).ok_or(UNREADABLE_RECORD)?;
            self.targets.present(view.target, &record.key, counted)?;
            if verdict == Verdict::Moved && due == Due::Waiting {
                // Until it is accepted, the row holds the person whom the snapshot knows it by.
                let old = Target { kind: view.target.kind, text: &self.scratch.target };
                self.targets.present(old, &record.key, Counted::HolderOnly)?;
            }
        }
        self.push_change()
    }

    pub(super) fn push_change(&mut self) -> Result<(), RunError> {
        if !self.scratch.change.is_empty() {
            self.change_count += 1;
            self.spool.put(&self.scratch.change)?;
        }
        Ok(())
    }

    /// Puts down that a row is in the source again, where it was noted to be missing.
    fn note_return(&mut self, met: Met) {
        let Some(mut entry) = missing_entry(&self.chunk, met) else { return };
        self.planned.has_returned = true;
        entry.flags.missing_since = None;
        Change::Note { entry, if_duplicate: false }.encode(&mut self.scratch.change);
    }

    /// Puts the same down of a row that is to be sent, should it prove a duplicate and stay behind.
    fn note_return_of_duplicate(&mut self, judged: &Judged) -> Result<(), RunError> {
        if judged.is_untouched() || !self.targets.gathers_present() {
            return Ok(());
        }
        let Some(mut entry) = missing_entry(&self.chunk, judged.met) else { return Ok(()) };
        entry.flags.missing_since = None;
        Change::Note { entry, if_duplicate: true }.encode(&mut self.scratch.change);
        self.push_change()
    }

    /// A moved row waits for whichever was refused: the removal of its old target, or itself.
    fn due_to_move(&self, fingerprint: Fingerprint) -> Due {
        let key = &self.pending.record.key;
        match self.rejected.due(key, None) {
            Due::Fresh => self.rejected.due(key, Some(fingerprint)),
            due => due,
        }
    }

    /// Counts what was judged and encodes the change it asks for into the scratch; empty for none.
    fn planned_change(&mut self, judged: Judged) -> Result<Counted, RunError> {
        let is_untouched = judged.is_untouched();
        let Judged { verdict, due, fingerprint, is_sent_again, met } = judged;
        self.scratch.change.clear();
        let was_missing = missing_entry(&self.chunk, met).is_some();
        self.planned.has_returned |= was_missing;
        if is_untouched {
            self.note_return(met);
        }
        let record = &self.pending.record;
        let (key, canonical) = (record.key.as_slice(), record.canonical.as_slice());
        let target_is_key = self.mapper.target_is_key();
        let remember = |out: &mut Vec<u8>| -> Result<(), RunError> {
            let view = RecordView::parse(canonical).ok_or(UNREADABLE_RECORD)?;
            let target = (!target_is_key).then_some(view.target.text);
            Change::Remember { key, fingerprint, target, at: None }.encode(out);
            Ok(())
        };
        let counts = &mut self.planned.counts;
        if due == Due::Waiting {
            self.rejected.hold_back(key, self.pending.at);
            counts.rejected += 1;
            return Ok(Counted::Waiting);
        }
        counts.retried += u64::from(due == Due::Retry);
        let (kind, counted) = match verdict {
            Verdict::Added if self.rules.baseline => {
                counts.unchanged += 1;
                remember(&mut self.scratch.change)?;
                return Ok(Counted::Unchanged);
            }
            Verdict::Added => (ChangeKind::Added, Counted::Added),
            Verdict::Changed => (ChangeKind::Changed, Counted::Changed),
            Verdict::Moved if self.pipeline.on_remove.is_none() => {
                (ChangeKind::Changed, Counted::Changed)
            }
            Verdict::Moved => {
                let old_target = self.scratch.target.as_str();
                let old = Target { kind: self.mapper.target_kind(), text: old_target };
                self.targets.moved(old, key)?;
                Change::Move { key, fingerprint, canonical, old_target }
                    .encode(&mut self.scratch.change);
                return Ok(Counted::Moved);
            }
            Verdict::Unchanged | Verdict::Outdated if is_sent_again => {
                (ChangeKind::Refreshed, Counted::Refreshed)
            }
            Verdict::Unchanged => {
                counts.unchanged += 1;
                return Ok(Counted::Unchanged);
            }
            Verdict::Outdated => {
                counts.unchanged += 1;
                remember(&mut self.scratch.change)?;
                return Ok(Counted::Unchanged);
            }
            Verdict::Suppressed if due == Due::Retry => (ChangeKind::Changed, Counted::Changed),
            Verdict::Suppressed => {
                counts.rejected += 1;
                let row = self.rejected.refused(
                    key,
                    Some(fingerprint),
                    suppressed_rejection(),
                    self.rules.now,
                );
                self.planned.suppressed.extend(row);
                return Ok(Counted::Waiting);
            }
        };
        match kind {
            ChangeKind::Added => counts.added += 1,
            ChangeKind::Changed | ChangeKind::Removed => counts.changed += 1,
            ChangeKind::Refreshed => counts.refreshed += 1,
        }
        // Should Customer.io refuse it, what is known of the row must not say that it is missing.
        let kind = if was_missing { ChangeKind::Changed } else { kind };
        let at = self.pending.at;
        Change::Upsert { kind, key, fingerprint, canonical, at }.encode(&mut self.scratch.change);
        Ok(counted)
    }

    /// Turns entries whose rows left the source into removals.
    pub(super) fn flush_departed(&mut self) -> Result<(), RunError> {
        if self.departed.is_empty() {
            return Ok(());
        }
        let mut departed = std::mem::take(&mut self.departed);
        for entry in departed.drain(..) {
            self.remove(&entry)?;
        }
        self.departed = departed;
        Ok(())
    }

    fn remove(&mut self, entry: &EntryBuf) -> Result<(), RunError> {
        if self.rules.appends {
            return self.forget_event(entry);
        }
        if entry.flags.suppressed || self.rules.is_first_run || self.rules.has_cursor {
            return Ok(());
        }
        let counts = &mut self.planned.counts;
        if self.pipeline.on_remove.is_none() {
            counts.removed += 1;
            Change::Forget { key: &entry.key }.encode(&mut self.scratch.change);
        } else {
            let Scratch { change, target: text } = &mut self.scratch;
            entry
                .as_entry()
                .write_target(self.mapper.key_shape(), text)
                .ok_or(RunError::Internal("a remembered key can't be read"))?;
            let target = Target { kind: self.mapper.target_kind(), text };
            match self.rejected.due(&entry.key, None) {
                Due::Waiting => {
                    counts.rejected += 1;
                    return Ok(());
                }
                Due::Retry => counts.retried += 1,
                Due::Fresh if !self.rules.is_missing_long_enough(entry.flags.missing_since) => {
                    counts.missing += 1;
                    // Until it is removed, the row holds its person.
                    self.targets.present(target, &entry.key, Counted::HolderOnly)?;
                    return self.note_missing(entry);
                }
                Due::Fresh => {}
            }
            counts.removed += 1;
            self.targets.removal(target, &entry.key)?;
            Change::Remove { key: &entry.key, target: text }.encode(change);
        }
        self.push_change()
    }

    /// Puts down when a row was first found missing.
    fn note_missing(&mut self, entry: &EntryBuf) -> Result<(), RunError> {
        if entry.flags.missing_since.is_some() {
            return Ok(());
        }
        let mut entry = entry.as_entry();
        entry.flags.missing_since = Some(self.rules.now_seconds());
        Change::Note { entry, if_duplicate: false }.encode(&mut self.scratch.change);
        self.push_change()
    }
}

/// Returns what is remembered of a row, where it was noted to be missing.
fn missing_entry(chunk: &EntryChunk, met: Met) -> Option<Entry<'_>> {
    let Met::Entry(index) = met else { return None };
    chunk.get(index).filter(|entry| entry.flags.missing_since.is_some())
}

/// A pending row, judged.
struct Judged {
    verdict: Verdict,
    due: Due,
    fingerprint: Fingerprint,
    /// Whether the row equals what was accepted and is sent all the same.
    is_sent_again: bool,
    met: Met,
}

impl Judged {
    /// Returns whether neither what was sent nor what is remembered of it changes.
    fn is_untouched(&self) -> bool {
        self.due == Due::Waiting || (self.verdict == Verdict::Unchanged && !self.is_sent_again)
    }
}

fn suppressed_rejection() -> Rejection {
    Rejection {
        kind: RejectionKind::Rejected,
        code: SUPPRESSED_CODE.to_owned(),
        field: None,
        message: "this Sync suppressed the person; Customer.io would ignore the row. Unsuppress \
                  the person and run `ciosync retry`"
            .to_owned(),
    }
}
