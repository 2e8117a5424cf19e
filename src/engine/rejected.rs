//! The life of a row that Customer.io refused: due at the next run, then after 2, 4, 8 … runs,
//! parked after 8 tries, due at once when it changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::invalid::{ROWS_PER_CODE_MAX, row_number};
use crate::model::{Fingerprint, Rejection, RejectionKind};
use crate::state::store::RejectedRow;

/// Tries after which a row is no longer tried by itself.
const ATTEMPTS_MAX: u32 = 8;

/// The code of a row whose person we suppressed ourselves.
pub const SUPPRESSED_CODE: &str = "Suppressed";

/// What the codes of failures begin with that were reported after a change was accepted.
pub const LATE_FAILURE: &str = "LateFailure";

/// Returns whether a row failed after it was accepted.
pub fn is_late(row: &RejectedRow) -> bool {
    row.rejection.code.starts_with(LATE_FAILURE)
}

/// Whether a row that was refused before may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It was never refused, or it changed since.
    Fresh,
    /// It was refused as it stands, and is due again.
    Retry,
    /// It was refused as it stands, and must wait.
    Waiting,
}

/// How long a late failure stays known once its row was accepted again: that alone proves nothing,
/// and only a row that is known has its tries counted on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Probation {
    /// Until the next run finds that what was accepted stands.
    #[default]
    OneRun,
    /// It doesn't: a run that reads by a cursor may never see the row again.
    None,
}

struct Known {
    row: RejectedRow,
    seen: bool,
}

struct Invalid {
    code: String,
    seen: bool,
}

/// What is known of refused rows at the start of a run, and what the run adds. Shared by its
/// planning and delivering halves, which may overlap.
#[derive(Default)]
pub struct RejectedRows {
    run_number: u64,
    probation: Probation,
    /// Whether any row is known by its key, as mostly none is: then nobody waits for the lock, which
    /// is asked about each row.
    knows_any: AtomicBool,
    known: Mutex<KnownRows>,
}

#[derive(Default)]
struct KnownRows {
    by_key: HashMap<Vec<u8>, Known>,
    by_code: HashMap<String, usize>,
    held_back: Option<i64>,
    /// Rows that an earlier run refused by itself and this one has not, by their keys.
    invalid: HashMap<Vec<u8>, Invalid>,
    invalid_from: Option<i64>,
    /// Late failures that were settled in this run: if they fail once more, their tries go on.
    recovered: HashMap<Vec<u8>, RejectedRow>,
}

impl RejectedRows {
    /// Returns the ledger of run `run_number`, which knows `rows`.
    pub fn new(run_number: u64, rows: Vec<RejectedRow>) -> Self {
        let mut known = KnownRows::default();
        for row in rows {
            if row.rejection.kind == RejectionKind::Rejected {
                *known.by_code.entry(row.rejection.code.clone()).or_default() += 1;
                known.by_key.insert(row.key.clone(), Known { row, seen: false });
            } else {
                // The numbers of rows without a key begin anew with each read.
                let seen = row_number(&row.key).is_some();
                known.invalid.insert(row.key, Invalid { code: row.rejection.code, seen });
            }
        }
        let knows_any = AtomicBool::new(!known.by_key.is_empty());
        Self { run_number, probation: Probation::default(), knows_any, known: Mutex::new(known) }
    }

    /// Returns the ledger with another probation.
    #[must_use]
    pub fn with_probation(self, probation: Probation) -> Self {
        Self { probation, ..self }
    }

    fn known(&self) -> MutexGuard<'_, KnownRows> {
        // Nothing panics while it holds the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is known, where any row is known by its key.
    fn known_if_any(&self) -> Option<MutexGuard<'_, KnownRows>> {
        self.knows_any.load(Ordering::Acquire).then(|| self.known())
    }

    /// Says whether the row of `key` may be sent; `fingerprint` is `None` for a removal.
    pub fn due(&self, key: &[u8], fingerprint: Option<Fingerprint>) -> Due {
        let Some(mut rows) = self.known_if_any() else { return Due::Fresh };
        let Some(known) = rows.by_key.get_mut(key) else { return Due::Fresh };
        known.seen = true;
        if known.row.fingerprint != fingerprint.map(Fingerprint::to_bytes) {
            return Due::Fresh;
        }
        if known.row.parked || known.row.due_run > self.run_number {
            return Due::Waiting;
        }
        Due::Retry
    }

    /// Returns whether Customer.io refused to accept the row of `key`, which is not settled yet.
    pub fn is_refused(&self, key: &[u8]) -> bool {
        let Some(rows) = self.known_if_any() else { return false };
        rows.by_key.get(key).is_some_and(|known| !is_late(&known.row))
    }

    /// Returns whether the row of `key` was refused before and is not accepted since.
    pub fn knows(&self, key: &[u8]) -> bool {
        self.known().by_key.contains_key(key)
    }

    /// Returns whether the row of `key` was refused as `fingerprint` says it stands: of a row that
    /// equals what was accepted, sending it again was. One that failed late equals it only after
    /// it was accepted again.
    pub fn was_refused(&self, key: &[u8], fingerprint: Fingerprint) -> bool {
        let Some(rows) = self.known_if_any() else { return false };
        rows.by_key.get(key).is_some_and(|known| {
            known.row.fingerprint == Some(fingerprint.to_bytes()) && !is_late(&known.row)
        })
    }

    /// Takes note that the row of `key` was refused and returns what is to be stored; `None` where
    /// so many rows of this code are stored already that this one is only counted.
    pub fn refused(
        &self,
        key: &[u8],
        fingerprint: Option<Fingerprint>,
        rejection: Rejection,
        now: Timestamp,
    ) -> Option<RejectedRow> {
        let mut rows = self.known();
        let fingerprint = fingerprint.map(Fingerprint::to_bytes);
        let recovered = rows.recovered.remove(key);
        let earlier = rows.by_key.get(key).map(|known| &known.row);
        let is_stored = earlier.is_some();
        let earlier = earlier.or(recovered.as_ref());
        let same = earlier.filter(|row| row.fingerprint == fingerprint);
        let attempts = same.map_or(0, |row| row.attempts) + 1;
        let row = RejectedRow {
            key: key.to_vec(),
            fingerprint,
            attempts,
            first_seen_at: same.map_or(now, |row| row.first_seen_at),
            last_seen_at: now,
            due_run: self.run_number + pause_runs(attempts),
            parked: attempts >= ATTEMPTS_MAX || rejection.code == SUPPRESSED_CODE,
            rejection,
        };
        if !is_stored {
            let count = rows.by_code.entry(row.rejection.code.clone()).or_default();
            if *count >= ROWS_PER_CODE_MAX {
                return None;
            }
            *count += 1;
        }
        rows.by_key.insert(key.to_vec(), Known { row: row.clone(), seen: true });
        self.knows_any.store(true, Ordering::Release);
        Some(row)
    }

    /// Takes note that the row of `key`, whose cursor is `at`, is refused or waits: while it is
    /// still tried by itself, it must be read again.
    pub fn hold_back(&self, key: &[u8], at: Option<i64>) {
        let Some(at) = at else { return };
        let mut rows = self.known();
        if rows.by_key.get(key).is_none_or(|known| !known.row.parked) {
            rows.held_back = Some(rows.held_back.map_or(at, |held_back| held_back.min(at)));
        }
    }

    /// Returns the smallest cursor of a row that is still tried, in unix microseconds.
    pub fn held_back(&self) -> Option<i64> {
        self.known().held_back
    }

    /// Returns whether an earlier run refused rows by itself that this one has not.
    pub fn has_invalid(&self) -> bool {
        !self.known().invalid.is_empty()
    }

    /// Takes note that the row of `key`, whose cursor is `at`, is invalid.
    pub fn invalid(&self, key: &[u8], at: Option<i64>) {
        let mut rows = self.known();
        rows.invalid.remove(key);
        rows.invalid_from = rows.invalid_from.into_iter().chain(at).min();
    }

    /// Takes note that the row of `key` was read and is not invalid, whatever it was before.
    pub fn valid(&self, key: &[u8]) {
        if let Some(invalid) = self.known().invalid.get_mut(key) {
            invalid.seen = true;
        }
    }

    /// Returns the smallest cursor of an invalid row, in unix microseconds.
    pub fn invalid_from(&self) -> Option<i64> {
        self.known().invalid_from
    }

    /// Returns the codes of rows that an earlier run refused by itself and this one has not read.
    pub fn unread_invalid(&self) -> Vec<String> {
        let rows = self.known();
        rows.invalid.values().filter(|row| !row.seen).map(|row| row.code.clone()).collect()
    }

    /// Returns the keys of rows that were invalid and are no longer; where `reads_all`, what was
    /// not read left the source.
    pub fn mended(&self, reads_all: bool) -> Vec<Vec<u8>> {
        let rows = self.known();
        let is_mended =
            |key: &[u8], row: &Invalid| (row.seen || reads_all) && !rows.by_key.contains_key(key);
        let mended = rows.invalid.iter().filter(|(key, row)| is_mended(key, row));
        mended.map(|(key, _)| key.clone()).collect()
    }

    /// Takes the row of `key` off the ledger because it equals what was accepted; says whether it
    /// was there.
    pub fn settle(&self, key: &[u8]) -> bool {
        let Some(mut rows) = self.known_if_any() else { return false };
        let Some((key, known)) = rows.by_key.remove_entry(key) else { return false };
        if is_late(&known.row) {
            rows.recovered.insert(key, known.row);
        }
        true
    }

    /// Takes a row that failed late off the ledger because it was accepted since; says whether it
    /// was there.
    pub fn recover(&self, key: &[u8]) -> bool {
        self.is_known_late(key) && self.settle(key)
    }

    /// Takes the row of `key` off the ledger because it was accepted, unless it is on probation;
    /// says whether it was taken.
    pub fn accept(&self, key: &[u8]) -> bool {
        let is_kept = self.probation == Probation::OneRun && self.is_known_late(key);
        !is_kept && self.settle(key)
    }

    fn is_known_late(&self, key: &[u8]) -> bool {
        let Some(rows) = self.known_if_any() else { return false };
        rows.by_key.get(key).is_some_and(|known| is_late(&known.row))
    }

    /// Returns the keys of rows that this run has not seen: they left the source.
    pub fn unseen(&self) -> Vec<Vec<u8>> {
        let rows = self.known();
        rows.by_key.iter().filter(|(_, known)| !known.seen).map(|(key, _)| key.clone()).collect()
    }

    /// Returns how many rows are no longer tried by themselves.
    pub fn parked(&self) -> u64 {
        self.known().by_key.values().filter(|known| known.row.parked).count() as u64
    }
}

/// Runs to wait after so many tries: 1, 2, 4, 8 …
fn pause_runs(attempts: u32) -> u64 {
    1 << attempts.saturating_sub(1).min(ATTEMPTS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"k";

    fn print(number: u8) -> Option<Fingerprint> {
        Some(Fingerprint::from_bytes([number; 16]))
    }

    fn rejection(code: &str) -> Rejection {
        Rejection {
            kind: RejectionKind::Rejected,
            code: code.into(),
            field: None,
            message: String::new(),
        }
    }

    #[test]
    fn a_refused_row_is_tried_after_growing_pauses_and_then_parked() {
        let mut stored: Vec<RejectedRow> = Vec::new();
        let mut tried = Vec::new();

        for run in 1..=300 {
            let ledger = RejectedRows::new(run, stored.clone());
            if ledger.due(KEY, print(1)) != Due::Waiting {
                tried.push(run);
                stored = vec![
                    ledger.refused(KEY, print(1), rejection("x"), Timestamp::UNIX_EPOCH).unwrap(),
                ];
            }
        }

        assert_eq!(tried, [1, 2, 4, 8, 16, 32, 64, 128]);
        assert!(stored[0].parked);
    }

    #[test]
    fn a_changed_row_is_due_at_once_and_counts_its_tries_anew() {
        let first = RejectedRows::new(1, Vec::new());
        let row = first.refused(KEY, print(1), rejection("x"), Timestamp::UNIX_EPOCH).unwrap();
        let second = RejectedRows::new(1, vec![row]);

        assert_eq!(second.due(KEY, print(1)), Due::Waiting);
        assert_eq!(second.due(KEY, print(2)), Due::Fresh);
        let again = second.refused(KEY, print(2), rejection("x"), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(again.attempts, 1);
    }

    #[test]
    fn rows_that_left_the_source_are_told_and_settled_ones_are_gone() {
        let first = RejectedRows::new(1, Vec::new());
        let row = |key: &[u8]| {
            first.refused(key, print(1), rejection("x"), Timestamp::UNIX_EPOCH).unwrap()
        };
        let ledger = RejectedRows::new(2, vec![row(b"a"), row(b"b"), row(b"c")]);

        ledger.due(b"a", print(1));
        assert!(ledger.settle(b"b"));

        assert_eq!(ledger.unseen(), [b"c".to_vec()]);
    }
}
