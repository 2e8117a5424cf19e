//! Rows that were not accepted, counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pages::Pages;
use crate::engine::invalid::ROWS_PER_CODE_MAX;
use crate::model::{RejectionKind, SyncId};
use crate::state::StateStore;
use crate::state::store::RejectedRow;

/// How many rows the store keeps, for each code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    by_code: BTreeMap<(RejectionKind, String), CodeCounts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CodeCounts {
    rows: u64,
    parked: u64,
}

/// The rows of one code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeTally {
    /// Who refused them.
    pub kind: RejectionKind,
    /// The code.
    pub code: String,
    /// How many are kept.
    pub rows: u64,
    /// How many of them are no longer tried by themselves.
    pub parked: u64,
    /// Whether so many are kept as are kept at most: there may be more.
    pub at_limit: bool,
}

/// A count of rows, which may be the least there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many are kept.
    pub rows: u64,
    /// Whether there may be more.
    pub at_limit: bool,
}

impl Tally {
    /// Counts the rows of a Sync; holds a page of them in memory.
    ///
    /// # Errors
    /// Where the store can't be read.
    pub async fn read(store: &dyn StateStore, sync: &SyncId) -> anyhow::Result<Self> {
        let mut tally = Self::default();
        let mut pages = Pages::new(store, sync);
        loop {
            let rows = pages.next().await?;
            if rows.is_empty() {
                return Ok(tally);
            }
            rows.iter().for_each(|row| tally.add(row));
        }
    }

    /// Counts one row.
    pub fn add(&mut self, row: &RejectedRow) {
        let key = (row.rejection.kind, row.rejection.code.clone());
        let counts = self.by_code.entry(key).or_default();
        counts.rows += 1;
        counts.parked += u64::from(row.parked);
    }

    /// Returns the codes, the most frequent first.
    pub fn codes(&self) -> Vec<CodeTally> {
        let mut codes: Vec<CodeTally> = self
            .by_code
            .iter()
            .map(|((kind, code), counts)| CodeTally {
                kind: *kind,
                code: code.clone(),
                rows: counts.rows,
                parked: counts.parked,
                at_limit: counts.rows >= ROWS_PER_CODE_MAX as u64,
            })
            .collect();
        codes.sort_by_key(|code| std::cmp::Reverse(code.rows));
        codes
    }

    /// Returns how many rows of this kind are kept.
    pub fn of(&self, kind: RejectionKind) -> Count {
        self.codes().iter().filter(|code| code.kind == kind).fold(Count::default(), |sum, code| {
            Count { rows: sum.rows + code.rows, at_limit: sum.at_limit || code.at_limit }
        })
    }

    /// Returns how many rows are no longer tried by themselves.
    pub fn parked(&self) -> u64 {
        self.by_code.values().map(|counts| counts.parked).sum()
    }

    /// Returns how many rows are kept.
    pub fn rows(&self) -> u64 {
        self.by_code.values().map(|counts| counts.rows).sum()
    }
}
