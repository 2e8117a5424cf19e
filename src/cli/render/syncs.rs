//! Syncs as `kubectl get syncs` shows them, as far as the store knows them.

use jiff::Timestamp;
use serde::Serialize;

use super::age::age;
use super::table::{Table, grouped, printable};
use crate::cli::get::tally::{CodeTally, Count, Tally};
use crate::model::{RejectionKind, RunReport, RunResult};
use crate::state::store::{Blocked, SyncMemo, SyncState};

/// What stands where nothing is known.
const NOTHING: &str = "-";

/// All that is known of a Sync, but its rows.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncView {
    #[serde(skip)]
    typed: String,
    namespace: String,
    name: String,
    /// `True`, `False` or `Unknown`, as the condition Ready has it.
    ready: &'static str,
    /// A result or a reason; `None` where no run is known.
    status: Option<&'static str>,
    snapshot_rows: u64,
    invalid_rows: u64,
    rejected_rows: u64,
    parked_rows: u64,
    rejection_codes: Vec<CodeTally>,
    last_run: Option<RunReport>,
    #[serde(flatten)]
    memo: SyncMemo,
    #[serde(skip)]
    tally: Tally,
}

impl SyncView {
    /// Returns the view of a Sync whose name a person would type as `typed`; `runs` newest first.
    pub fn new(typed: String, state: SyncState, runs: &[RunReport], tally: Tally) -> Self {
        let (ready, status) = standing(runs);
        Self {
            typed,
            namespace: state.sync.namespace,
            name: state.sync.name,
            ready,
            status,
            snapshot_rows: state.segment_rows,
            invalid_rows: tally.of(RejectionKind::Invalid).rows,
            rejected_rows: tally.of(RejectionKind::Rejected).rows,
            parked_rows: tally.parked(),
            rejection_codes: tally.codes(),
            last_run: runs.first().cloned(),
            memo: state.memo,
            tally,
        }
    }
}

/// Returns Ready and why. A run that a person ended, or that never began, leaves both as they were.
fn standing(runs: &[RunReport]) -> (&'static str, Option<&'static str>) {
    let changes_nothing = |result| matches!(result, RunResult::Cancelled | RunResult::Skipped);
    let Some(run) = runs.iter().find(|run| !changes_nothing(run.result)) else {
        return ("Unknown", runs.first().map(|run| run.result.as_str()));
    };
    match run.result {
        RunResult::Succeeded | RunResult::NoChanges | RunResult::PartiallySucceeded => {
            ("True", Some(run.result.as_str()))
        }
        RunResult::Interrupted => ("Unknown", Some(run.result.as_str())),
        RunResult::Blocked | RunResult::Failed | RunResult::Cancelled | RunResult::Skipped => {
            let reason = run.reason.map_or(run.result.as_str(), |reason| reason.as_str());
            ("False", Some(reason))
        }
    }
}

/// Returns the table, and under it what keeps Syncs from being ready.
pub fn text(views: &[SyncView], now: Timestamp) -> String {
    let mut table = Table::new(&[
        "NAME",
        "READY",
        "STATUS",
        "LAST SUCCESS",
        "ROWS",
        "INVALID",
        "REJECTED",
        "PARKED",
    ]);
    for view in views {
        let last_success = view.memo.last_success_at.map(|at| age(at, now));
        table.row(vec![
            view.typed.clone(),
            view.ready.to_owned(),
            view.status.unwrap_or(NOTHING).to_owned(),
            last_success.unwrap_or_else(|| NOTHING.to_owned()),
            grouped(view.snapshot_rows),
            at_least(view.tally.of(RejectionKind::Invalid)),
            at_least(view.tally.of(RejectionKind::Rejected)),
            grouped(view.parked_rows),
        ]);
    }
    let mut out = table.render();
    for line in views.iter().filter_map(|view| trouble(view, now)) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn at_least(count: Count) -> String {
    format!("{}{}", grouped(count.rows), if count.at_limit { "+" } else { "" })
}

/// Returns what keeps a Sync from being ready, and the way on where we know one.
fn trouble(view: &SyncView, now: Timestamp) -> Option<String> {
    let name = &view.typed;
    if let Some(Blocked { id, since, guard, counts, approved }) = &view.memo.blocked {
        let way_on = match approved {
            true => format!("{id} is approved, so the next run may pass"),
            false => format!("approve with: ciosync run -f PATH --approve {id}"),
        };
        return Some(format!(
            "{name} is blocked by {guard} for {}: {} added, {} changed, {} removed; {way_on}",
            age(*since, now),
            grouped(counts.added),
            grouped(counts.changed),
            grouped(counts.removed),
        ));
    }
    let run = view.last_run.as_ref()?;
    let says_why = !run.result.ended_well() && !run.message.is_empty();
    says_why.then(|| format!("{name}: {}", printable(&run.message)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Reason, RunCounts, RunId, SyncId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn report(result: RunResult, reason: Option<Reason>, message: &str) -> RunReport {
        RunReport {
            id: RunId("run-1".to_owned()),
            sync: SyncId::new("default", "customers"),
            trigger: None,
            request: None,
            started_at: at(0),
            finished_at: at(1),
            result,
            reason,
            message: message.to_owned(),
            counts: RunCounts::default(),
        }
    }

    fn view(name: &str, memo: SyncMemo, runs: &[RunReport]) -> SyncView {
        let sync = SyncId::new("default", name);
        let state = SyncState { sync, memo, segment_rows: 4_998, epoch: 3 };
        SyncView::new(name.to_owned(), state, runs, Tally::default())
    }

    #[test]
    fn the_table_says_how_things_stand_and_the_lines_below_what_to_do() {
        let well = SyncMemo { last_success_at: Some(at(100_000 - 240)), ..SyncMemo::default() };
        let blocked = SyncMemo {
            last_success_at: Some(at(100_000 - 26 * 3_600)),
            blocked: Some(Blocked {
                id: RunId("run-7".to_owned()),
                since: at(100_000 - 25 * 3_600),
                guard: "maxRemoved".to_owned(),
                counts: RunCounts { removed: 3_100, ..RunCounts::default() },
                approved: false,
            }),
            ..SyncMemo::default()
        };
        let guard = report(RunResult::Blocked, Some(Reason::GuardTripped), "too many");
        let failed =
            report(RunResult::Failed, Some(Reason::SourceNotReady), "the source can't be reached");

        let views = [
            view("customers", well, &[report(RunResult::Succeeded, None, "")]),
            view("churn", blocked, &[guard]),
            view("orders", SyncMemo::default(), &[failed]),
            view("new", SyncMemo::default(), &[]),
        ];

        insta::assert_snapshot!(text(&views, at(100_000)), @"
        NAME        READY     STATUS           LAST SUCCESS   ROWS    INVALID   REJECTED   PARKED
        customers   True      Succeeded        4m             4,998   0         0          0
        churn       False     GuardTripped     26h            4,998   0         0          0
        orders      False     SourceNotReady   -              4,998   0         0          0
        new         Unknown   -                -              4,998   0         0          0
        churn is blocked by maxRemoved for 25h: 0 added, 0 changed, 3,100 removed; approve with: ciosync run -f PATH --approve run-7
        orders: the source can't be reached
        ");
    }

    #[test]
    fn a_cancelled_run_leaves_ready_as_it_was() {
        let cancelled = || report(RunResult::Cancelled, None, "");
        let failed = report(RunResult::Failed, None, "");

        assert_eq!(standing(&[cancelled(), failed]), ("False", Some("Failed")));
        assert_eq!(
            standing(&[cancelled(), report(RunResult::NoChanges, None, "")]),
            ("True", Some("NoChanges"))
        );
        assert_eq!(standing(&[cancelled()]), ("Unknown", Some("Cancelled")));
        assert_eq!(standing(&[report(RunResult::Interrupted, None, "")]).0, "Unknown");
        assert_eq!(standing(&[]), ("Unknown", None));
    }
}
