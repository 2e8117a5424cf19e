//! Runs and guards as a resource's status tells them.

use jiff::Timestamp;

use super::age::{age, instant, took};
use super::table::{Table, grouped, pairs};
use crate::api::sync_status::{Blocked, CurrentRun, RunSummary};

/// Returns runs as a table, the one in progress first.
pub fn text(current: Option<&CurrentRun>, ended: &[RunSummary], now: Timestamp) -> String {
    let mut table = Table::new(&[
        "RUN",
        "TRIGGER",
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
        "REASON",
    ]);
    if let Some(run) = current {
        let started = run.started_at.as_ref().map(|at| at.0);
        let mut cells = vec![
            run.id.clone(),
            run.trigger.clone().unwrap_or_default(),
            run.phase.clone().unwrap_or_else(|| "Running".to_owned()),
            started.map(instant).unwrap_or_default(),
            started.map(|at| took(at, now)).unwrap_or_default(),
            run.rows_read.map(count).unwrap_or_default(),
        ];
        cells.extend([String::new(), String::new(), String::new()]);
        cells.push(run.delivered.map(count).unwrap_or_default());
        cells.extend([String::new(), String::new(), String::new()]);
        table.row(cells);
    }
    for run in ended {
        let started = run.started_at.as_ref().map(|at| at.0);
        let finished = run.finished_at.as_ref().map(|at| at.0);
        let mut cells = vec![
            run.id.clone(),
            run.trigger.clone().unwrap_or_default(),
            run.result.clone(),
            started.map(instant).unwrap_or_default(),
            started.zip(finished).map(|(from, to)| took(from, to)).unwrap_or_default(),
        ];
        let numbers = [
            run.rows_read,
            run.added,
            run.changed,
            run.removed,
            run.delivered,
            run.invalid,
            run.rejected,
        ];
        cells.extend(numbers.map(count));
        cells.push(run.reason.clone().unwrap_or_default());
        table.row(cells);
    }
    table.render()
}

/// Returns one line about a run in progress.
pub fn progress(run: &CurrentRun) -> String {
    let phase = run.phase.as_deref().unwrap_or("Running");
    let mut line = format!("run {}: {phase}", run.id);
    if let Some(rows) = run.rows_read {
        line += &format!(", {} rows read", count(rows));
    }
    if let Some(delivered) = run.delivered {
        let of = run.total.map(|total| format!(" of {}", count(total))).unwrap_or_default();
        line += &format!(", {}{of} delivered", count(delivered));
    }
    line
}

/// Returns which guard blocks the Sync `name`, since when, and what the plan would have done.
pub fn blocked(name: &str, blocked: &Blocked, now: Timestamp) -> String {
    let counts = &blocked.counts;
    let since = age(blocked.since.0, now);
    format!("{name} is blocked by {} since {since} ({})\n", blocked.guard, blocked.id)
        + &pairs(&[
            ("rows read", count(counts.rows_read)),
            ("added", count(counts.added)),
            ("changed", count(counts.changed)),
            ("removed", count(counts.removed)),
            ("invalid", count(counts.invalid)),
            ("rejected", count(counts.rejected)),
        ])
}

/// Returns a count as people read it. A status holds no negative ones; whoever wrote one meant none.
fn count(number: i64) -> String {
    grouped(u64::try_from(number).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
        serde_json::from_str(json).unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_run_in_progress_comes_first() {
        let current: CurrentRun = read(
            r#"{"id": "R3", "trigger": "schedule", "startedAt": "2026-11-24T11:59:58Z",
                "phase": "Delivering", "rowsRead": 12000, "delivered": 400, "total": 900}"#,
        );
        let ended: RunSummary = read(
            r#"{"id": "R2", "trigger": "request", "startedAt": "2026-11-24T11:45:00Z",
                "finishedAt": "2026-11-24T11:45:31Z", "result": "Blocked", "reason": "GuardTripped",
                "rowsRead": 1200, "removed": 640}"#,
        );

        insta::assert_snapshot!(text(Some(&current), &[ended], now()), @"
        RUN   TRIGGER    RESULT       STARTED                TOOK   ROWS     ADDED   CHANGED   REMOVED   DELIVERED   INVALID   REJECTED   REASON
        R3    schedule   Delivering   2026-11-24T11:59:58Z   2.0s   12,000                               400
        R2    request    Blocked      2026-11-24T11:45:00Z   31s    1,200    0       0         640       0           0         0          GuardTripped
        ");
        assert_eq!(
            progress(&current),
            "run R3: Delivering, 12,000 rows read, 400 of 900 delivered"
        );
    }

    #[test]
    fn a_guard_is_told_with_its_numbers() {
        let status: Blocked = read(
            r#"{"id": "R2", "since": "2026-11-24T10:00:00Z", "guard": "maxRemoved",
                "counts": {"rowsRead": 1200, "added": 3, "removed": 640}}"#,
        );

        insta::assert_snapshot!(blocked("growth/customers", &status, now()), @"
        growth/customers is blocked by maxRemoved since 120m (R2)
        rows read   1,200
        added       3
        changed     0
        removed     640
        invalid     0
        rejected    0
        ");
    }
}
