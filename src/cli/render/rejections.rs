//! Rows that were not accepted: counts first, then the rows.

use jiff::Timestamp;
use serde::Serialize;

use super::key::{Keys, key};
use super::table::{Table, grouped, printable};
use crate::cli::get::tally::Tally;
use crate::model::{Rejection, RejectionKind};
use crate::state::store::{RejectedRow, SyncState};

/// One row that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectionView {
    namespace: String,
    name: String,
    #[serde(flatten)]
    rejection: Rejection,
    /// Masked, unless a person asked for it.
    key: String,
    attempts: u32,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
    parked: bool,
    /// In how many runs it is tried again; `None` where it is not tried by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_in_runs: Option<u64>,
}

impl RejectionView {
    /// Returns the view of a row of the Sync of `state`.
    pub fn new(state: &SyncState, row: &RejectedRow, keys: Keys) -> Self {
        // Rows that we refused ourselves are looked at anew in every run.
        let is_tried = row.rejection.kind == RejectionKind::Rejected && !row.parked;
        let runs_until_due = row.due_run.saturating_sub(state.memo.run_number).max(1);
        Self {
            namespace: state.sync.namespace.clone(),
            name: state.sync.name.clone(),
            rejection: row.rejection.clone(),
            key: key(&row.key, state.memo.key_shape.as_ref(), keys),
            attempts: row.attempts,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            parked: row.parked,
            due_in_runs: is_tried.then_some(runs_until_due),
        }
    }

    /// Returns when the row is tried again.
    pub fn due(&self) -> String {
        match self.due_in_runs {
            Some(1) => "next run".to_owned(),
            Some(runs) => format!("in {runs} runs"),
            None if self.parked => "parked".to_owned(),
            None => "when fixed".to_owned(),
        }
    }

    /// Returns all that is known of the refusal as one line.
    pub fn sentence(&self) -> String {
        let Rejection { kind, code, field, message } = &self.rejection;
        let field = field.as_ref().map(|field| format!(" in {field}")).unwrap_or_default();
        let tries = match self.attempts {
            0 => String::new(),
            1 => ", after 1 try".to_owned(),
            tries => format!(", after {tries} tries"),
        };
        let then = match self.due_in_runs {
            Some(1) => "; due at the next run".to_owned(),
            Some(runs) => format!("; due in {runs} runs"),
            None if self.parked => "; parked".to_owned(),
            None => String::new(),
        };
        format!("{} {code}{field}: {message}{tries}{then}", kind.as_str())
    }
}

/// Rows of one Sync that were not accepted.
pub struct Listing {
    /// The Sync's name as a person would type it.
    pub name: String,
    /// All of them, counted.
    pub tally: Tally,
    /// The first of them.
    pub shown: Vec<RejectionView>,
}

/// Returns the counts for each code and the rows; says how many more there are, and what helps.
pub fn text(listing: &Listing) -> String {
    let mut counts = Table::new(&["ROWS", "KIND", "CODE", "PARKED"]);
    for code in listing.tally.codes() {
        counts.row(vec![
            format!("{}{}", grouped(code.rows), if code.at_limit { "+" } else { "" }),
            code.kind.as_str().to_owned(),
            code.code,
            grouped(code.parked),
        ]);
    }
    let mut rows = Table::new(&["KIND", "CODE", "FIELD", "KEY", "ATTEMPTS", "DUE", "MESSAGE"]);
    for view in &listing.shown {
        let Rejection { kind, code, field, message } = &view.rejection;
        rows.row(vec![
            kind.as_str().to_owned(),
            code.clone(),
            field.clone().unwrap_or_else(|| "-".to_owned()),
            view.key.clone(),
            view.attempts.to_string(),
            view.due(),
            message.clone(),
        ]);
    }
    let all = listing.tally.rows();
    let name = printable(&listing.name);
    let mut out = format!("{name}: {} not accepted\n", rows_of(all));
    out.push_str(&counts.render());
    out.push('\n');
    out.push_str(&rows.render());
    let more = all.saturating_sub(listing.shown.len() as u64);
    if more > 0 {
        out.push_str(&format!("… and {} more; -o json prints all\n", grouped(more)));
    }
    if listing.tally.parked() > 0 {
        out.push_str(&format!("parked rows are tried again after: ciosync retry {name}\n"));
    }
    out
}

fn rows_of(count: u64) -> String {
    if count == 1 { "1 row was".to_owned() } else { format!("{} rows were", grouped(count)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::invalid::numbered_key;
    use crate::model::{KeyKind, KeyShape, SyncId};
    use crate::state::store::SyncMemo;

    fn state() -> SyncState {
        let key_shape = Some(KeyShape(vec![KeyKind::Text]));
        let memo = SyncMemo { key_shape, run_number: 10, ..SyncMemo::default() };
        SyncState { sync: SyncId::new("default", "customers"), memo, segment_rows: 0, epoch: 1 }
    }

    fn row(key: &[u8], kind: RejectionKind, code: &str, due_run: u64) -> RejectedRow {
        RejectedRow {
            key: key.to_vec(),
            fingerprint: None,
            rejection: Rejection {
                kind,
                code: code.to_owned(),
                field: (kind == RejectionKind::Rejected).then(|| "email".to_owned()),
                message: "the row was refused".to_owned(),
            },
            attempts: u32::from(kind == RejectionKind::Rejected),
            first_seen_at: Timestamp::UNIX_EPOCH,
            last_seen_at: Timestamp::UNIX_EPOCH,
            due_run,
            parked: due_run == 99,
        }
    }

    fn listing(keys: Keys) -> Listing {
        let rows = [
            row(b"ann", RejectionKind::Rejected, "invalid", 11),
            row(b"bob", RejectionKind::Rejected, "invalid", 14),
            row(b"eve", RejectionKind::Rejected, "invalid", 99),
            row(&numbered_key(7), RejectionKind::Invalid, "NullKey", 0),
        ];
        let mut tally = Tally::default();
        rows.iter().for_each(|row| tally.add(row));
        let shown = rows.iter().map(|row| RejectionView::new(&state(), row, keys)).collect();
        Listing { name: "customers".to_owned(), tally, shown }
    }

    #[test]
    fn counts_come_first_then_the_rows() {
        insta::assert_snapshot!(text(&listing(Keys::Shown)), @"
        customers: 4 rows were not accepted
        ROWS   KIND       CODE      PARKED
        3      rejected   invalid   1
        1      invalid    NullKey   0

        KIND       CODE      FIELD   KEY     ATTEMPTS   DUE          MESSAGE
        rejected   invalid   email   ann     1          next run     the row was refused
        rejected   invalid   email   bob     1          in 4 runs    the row was refused
        rejected   invalid   email   eve     1          parked       the row was refused
        invalid    NullKey   -       row 7   0          when fixed   the row was refused
        parked rows are tried again after: ciosync retry customers
        ");
    }

    #[test]
    fn without_being_asked_no_key_is_shown() {
        let listing = listing(Keys::Masked);

        let printed = text(&listing) + &serde_json::to_string(&listing.shown).unwrap();

        for key in ["ann", "bob", "eve"] {
            assert!(!printed.contains(key), "{printed}");
        }
        assert!(printed.contains("row 7"), "{printed}");
    }

    #[test]
    fn a_row_that_became_due_is_tried_in_the_next_run() {
        let due = |run| {
            RejectionView::new(
                &state(),
                &row(b"k", RejectionKind::Rejected, "x", run),
                Keys::Masked,
            )
            .due()
        };

        assert_eq!([0, 10, 11, 12].map(due), ["next run", "next run", "next run", "in 2 runs"]);
    }

    #[test]
    fn a_long_list_says_how_much_longer_it_is() {
        let mut listing = listing(Keys::Masked);
        listing.shown.truncate(1);

        assert!(text(&listing).contains("… and 3 more; -o json prints all\n"));
    }
}
