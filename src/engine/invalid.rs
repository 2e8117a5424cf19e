//! The rows that we refuse in one run: counted always, kept one by one up to a limit.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::Rejection;
use crate::state::store::RejectedRow;

/// Most rows that are kept one by one, for each code. The rest are counted.
pub const ROWS_PER_CODE_MAX: usize = 10_000;

/// The front of the number that stands for a row without a usable key. No UTF-8 text and no
/// encoded number begins like this.
const NO_KEY_PREFIX: [u8; 2] = [0xff, 0xff];

/// An invalid row has no run of its own at which it is due, unless `retry` made it due at once.
const NOT_DUE: u64 = 1;

/// Returns the bytes under which row `number` of a read is kept when it has no usable key.
pub fn numbered_key(number: u64) -> Vec<u8> {
    [&NO_KEY_PREFIX[..], &number.to_be_bytes()].concat()
}

/// Returns the number of a row without a usable key; `None` for any other key.
pub fn row_number(key: &[u8]) -> Option<u64> {
    let number = key.strip_prefix(&NO_KEY_PREFIX)?;
    Some(u64::from_be_bytes(number.try_into().ok()?))
}

/// The invalid rows of one run.
#[derive(Default)]
pub struct InvalidRows {
    rows: Vec<RejectedRow>,
    by_code: HashMap<String, u64>,
    /// Rows that an earlier run refused and that this one has not read.
    unread: u64,
}

impl InvalidRows {
    /// Takes note of a refusal of `row_count` rows that share a key.
    pub fn add(&mut self, key: Vec<u8>, rejection: Rejection, row_count: u64, now: Timestamp) {
        let count = match self.by_code.get_mut(&rejection.code) {
            Some(count) => count,
            None => self.by_code.entry(rejection.code.clone()).or_default(),
        };
        let is_kept = *count < ROWS_PER_CODE_MAX as u64;
        *count += row_count;
        if !is_kept {
            return;
        }
        self.rows.push(RejectedRow {
            key,
            fingerprint: None,
            rejection,
            attempts: 0,
            first_seen_at: now,
            last_seen_at: now,
            due_run: NOT_DUE,
            parked: false,
        });
    }

    /// Returns how many rows were refused for each code, the most frequent first.
    pub fn codes(&self) -> Vec<(String, u64)> {
        let mut codes: Vec<_> =
            self.by_code.iter().map(|(code, count)| (code.clone(), *count)).collect();
        codes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        codes
    }

    /// Takes note of rows with these codes that earlier runs refused and this one has not read.
    /// They are stored already, and together with them too many rows are only counted too.
    pub fn add_unread(&mut self, codes: Vec<String>) {
        self.unread = codes.len() as u64;
        if !codes.is_empty() {
            self.rows.truncate(ROWS_PER_CODE_MAX.saturating_sub(codes.len()));
        }
        for code in codes {
            *self.by_code.entry(code).or_default() += 1;
        }
    }

    /// Returns how many rows earlier runs refused that this one has not read.
    pub fn unread(&self) -> u64 {
        self.unread
    }

    /// Returns the rows that are kept.
    pub fn rows(&self) -> &[RejectedRow] {
        &self.rows
    }
}
