//! The history of runs.

use super::age::{instant, took};
use super::table::{Table, grouped, printable};
use crate::model::{Reason, RunReport};

/// One run, with its Sync's name as a person would type it.
pub struct RunLine<'a> {
    /// The name.
    pub name: String,
    /// The run.
    pub run: &'a RunReport,
}

/// Returns the runs as a table; without their Sync's name where all are of one that was named. The
/// newest run's own words follow where it did not end well.
pub fn text(lines: &[RunLine<'_>], is_one: bool) -> String {
    let head = [
        "SYNC",
        "ID",
        "RESULT",
        "STARTED",
        "TOOK",
        "ROWS",
        "ADDED",
        "CHANGED",
        "REMOVED",
        "DELIVERED",
        "INVALID",
        "REJECTED",
        "REQUESTS",
        "REASON",
    ];
    let from = usize::from(is_one);
    let mut table = Table::new(head.get(from..).unwrap_or_default());
    for RunLine { name, run } in lines {
        let counts = &run.counts;
        let mut cells = vec![
            name.clone(),
            run.id.to_string(),
            run.result.as_str().to_owned(),
            instant(run.started_at),
            took(run.started_at, run.finished_at),
        ];
        let numbers = [
            counts.rows_read,
            counts.added,
            counts.changed,
            counts.removed,
            counts.delivered,
            counts.invalid,
            counts.rejected,
            counts.requests,
        ];
        cells.extend(numbers.map(grouped));
        cells.push(run.reason.map_or("", Reason::as_str).to_owned());
        table.row(cells.split_off(from));
    }
    let mut out = table.render();
    if let Some(RunLine { name, run }) = lines.first()
        && !run.result.ended_well()
        && !run.message.is_empty()
    {
        out.push_str(&format!("{name}: {}\n", printable(&run.message)));
    }
    out
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{RunCounts, RunId, RunResult, SyncId};

    #[test]
    fn the_last_run_says_why_it_did_not_end_well() {
        let run = |id: &str, result, reason, message: &str| RunReport {
            id: RunId(id.to_owned()),
            sync: SyncId::new("default", "customers"),
            trigger: None,
            request: None,
            started_at: Timestamp::from_second(1_763_923_500).unwrap(),
            finished_at: Timestamp::from_millisecond(1_763_923_500_532).unwrap(),
            result,
            reason,
            message: message.to_owned(),
            counts: RunCounts { rows_read: 5_000, delivered: 4_998, ..RunCounts::default() },
        };
        let failed = run("run-2", RunResult::Failed, Some(Reason::Timeout), "the hour was over");
        let well = run("run-1", RunResult::Succeeded, None, "");
        let line = |run| RunLine { name: "customers".to_owned(), run };

        insta::assert_snapshot!(text(&[line(&failed), line(&well)], true), @"
        ID      RESULT      STARTED                TOOK   ROWS    ADDED   CHANGED   REMOVED   DELIVERED   INVALID   REJECTED   REQUESTS   REASON
        run-2   Failed      2025-11-23T18:45:00Z   0.5s   5,000   0       0         0         4,998       0         0          0          Timeout
        run-1   Succeeded   2025-11-23T18:45:00Z   0.5s   5,000   0       0         0         4,998       0         0          0
        customers: the hour was over
        ");
        assert!(text(&[line(&well)], false).starts_with("SYNC        ID      RESULT"));
    }
}
