//! Guards: limits that stop a run before it sends.

use std::fmt;

use crate::model::{OperationKind, RunCounts};

/// Percentages never trip on so few rows: a share of a handful says nothing.
const PERCENT_ROWS_MIN: u64 = 10;

/// How far an approved plan may grow before it counts as another one, in percent.
const APPROVAL_GROWTH_PERCENT: u64 = 10;

/// A number of rows, or a share of some.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// So many rows.
    Rows(u64),
    /// So many of a hundred.
    Percent(f64),
}

impl Limit {
    /// Returns whether `actual` rows are more than this allows of `base`.
    pub fn is_exceeded(self, actual: u64, base: u64) -> bool {
        match self {
            Self::Rows(rows) => actual > rows,
            Self::Percent(percent) => {
                actual > PERCENT_ROWS_MIN && actual as f64 > base as f64 * percent / 100.0
            }
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// The limits of one Sync, defaults filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Guards {
    /// Rows that left the source, of the snapshot's; for `delete` and `suppress` the rows they
    /// would newly act on.
    pub max_removed: Option<Limit>,
    /// Rows that came, of the snapshot's; looked at once a run has ended well.
    pub max_added: Option<Limit>,
    /// Rows that changed, of the snapshot's; looked at once a run has ended well.
    pub max_changed: Option<Limit>,
    /// Fewest rows that the source must give.
    pub min_rows: Option<u64>,
    /// Rows that we refuse, of those read.
    pub max_invalid: Option<Limit>,
    /// Rows that Customer.io refuses, of those answered.
    pub max_rejected: Option<Limit>,
}

/// What the guards look at when the whole plan is known.
#[derive(Clone, Copy, Debug)]
pub struct GuardInput<'a> {
    /// The plan's numbers.
    pub counts: &'a RunCounts,
    /// Rows in the snapshot before the run.
    pub snapshot_rows: u64,
    /// Whether no run has ended well yet.
    pub is_first_run: bool,
    /// What rows of the source are sent as.
    pub operation: OperationKind,
    /// The counts that a person approved.
    pub approved: Option<&'a RunCounts>,
}

/// A guard that stops the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Tripped {
    /// The guard, as the spec writes it.
    pub guard: &'static str,
    /// What it allows.
    pub limit: String,
    /// What the plan has.
    pub actual: u64,
    /// Of how many; `None` where the limit is no share.
    pub base: u64,
    /// What the rows are, in words for the message.
    pub what: &'static str,
}

impl fmt::Display for Tripped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { guard, limit, actual, base, what } = self;
        match *guard {
            "minRows" => write!(f, "{guard} {limit}: {actual} {what}"),
            _ => write!(f, "{guard} {limit}: {actual} of {base} {what}"),
        }
    }
}

impl Guards {
    /// Returns whether a guard needs the whole plan before anything may be sent, on a first run.
    pub fn need_whole_plan(&self) -> bool {
        self.max_removed.is_some()
            || self.max_added.is_some()
            || self.max_changed.is_some()
            || self.min_rows.is_some()
    }

    /// Returns the first guard that the plan trips.
    pub fn check(&self, input: &GuardInput<'_>) -> Option<Tripped> {
        let GuardInput { counts, snapshot_rows, is_first_run, operation, approved } = *input;
        let approved_up_to = |count: fn(&RunCounts) -> u64| {
            approved.map(|counts| {
                let count = count(counts);
                count + (count * APPROVAL_GROWTH_PERCENT).div_ceil(100)
            })
        };
        let tripped = |guard, limit: Limit, count: fn(&RunCounts) -> u64, base, what| {
            let actual = count(counts);
            let allowed = approved_up_to(count).is_some_and(|up_to| actual <= up_to);
            (limit.is_exceeded(actual, base) && !allowed).then(|| Tripped {
                guard,
                limit: limit.to_string(),
                actual,
                base,
                what,
            })
        };
        if let Some(rows) = self.min_rows
            && counts.rows_read < rows
            && approved.is_none_or(|approved| counts.rows_read < approved.rows_read)
        {
            let limit = rows.to_string();
            let what = "rows were read";
            return Some(Tripped {
                guard: "minRows",
                limit,
                actual: counts.rows_read,
                base: 0,
                what,
            });
        }
        if let Some(limit) = self.max_invalid
            && let Some(found) = tripped(
                "maxInvalid",
                limit,
                |c| c.invalid,
                counts.rows_read,
                "rows read are invalid",
            )
        {
            return Some(found);
        }
        if let Some(limit) = self.max_removed {
            let (count, what): (fn(&RunCounts) -> u64, _) = if operation.removes_target() {
                (|c| c.added + c.changed + c.refreshed, "known rows would be deleted or suppressed")
            } else {
                (|c| c.removed, "remembered rows left the source")
            };
            if let Some(found) = tripped("maxRemoved", limit, count, snapshot_rows, what) {
                return Some(found);
            }
        }
        if is_first_run {
            return None;
        }
        let added = self.max_added.and_then(|limit| {
            tripped("maxAdded", limit, |c| c.added, snapshot_rows, "remembered rows are new")
        });
        added.or_else(|| {
            self.max_changed.and_then(|limit| {
                tripped(
                    "maxChanged",
                    limit,
                    |c| c.changed,
                    snapshot_rows,
                    "remembered rows changed",
                )
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard_of(
        guards: Guards,
        counts: RunCounts,
        first: bool,
        approved: Option<&RunCounts>,
    ) -> Option<&'static str> {
        let input = GuardInput {
            counts: &counts,
            snapshot_rows: 1_000,
            is_first_run: first,
            operation: OperationKind::PersonIdentify,
            approved,
        };
        guards.check(&input).map(|tripped| tripped.guard)
    }

    fn removed(removed: u64) -> RunCounts {
        RunCounts { removed, rows_read: 1_000, ..RunCounts::default() }
    }

    #[test]
    fn a_share_is_of_the_snapshot_and_never_of_a_handful() {
        let five = Guards { max_removed: Some(Limit::Percent(5.0)), ..Guards::default() };
        let zero = Guards { max_removed: Some(Limit::Percent(0.0)), ..Guards::default() };

        assert_eq!(guard_of(five, removed(50), false, None), None);
        assert_eq!(guard_of(five, removed(51), false, None), Some("maxRemoved"));
        assert_eq!(guard_of(zero, removed(10), false, None), None);
        assert_eq!(guard_of(zero, removed(11), false, None), Some("maxRemoved"));
    }

    #[test]
    fn a_number_is_exact() {
        let none = Guards { max_removed: Some(Limit::Rows(0)), ..Guards::default() };

        assert_eq!(guard_of(none, removed(0), false, None), None);
        assert_eq!(guard_of(none, removed(1), false, None), Some("maxRemoved"));
    }

    #[test]
    fn an_approval_holds_for_its_counts_and_a_tenth_more() {
        let guards = Guards { max_removed: Some(Limit::Rows(1)), ..Guards::default() };
        let approved = removed(100);

        assert_eq!(guard_of(guards, removed(110), false, Some(&approved)), None);
        assert_eq!(guard_of(guards, removed(111), false, Some(&approved)), Some("maxRemoved"));
    }

    #[test]
    fn growth_is_judged_only_once_there_is_something_to_grow_from() {
        let guards = Guards {
            max_added: Some(Limit::Rows(5)),
            max_changed: Some(Limit::Rows(5)),
            ..Guards::default()
        };
        let added = RunCounts { added: 6, ..RunCounts::default() };
        let changed = RunCounts { changed: 6, ..RunCounts::default() };

        assert_eq!(guard_of(guards, added, true, None), None);
        assert_eq!(guard_of(guards, added, false, None), Some("maxAdded"));
        assert_eq!(guard_of(guards, changed, false, None), Some("maxChanged"));
    }

    #[test]
    fn too_few_rows_stop_a_run() {
        let guards = Guards { min_rows: Some(1), ..Guards::default() };

        assert_eq!(guard_of(guards, RunCounts::default(), true, None), Some("minRows"));
        assert_eq!(guard_of(guards, removed(0), true, None), None);
    }
}
