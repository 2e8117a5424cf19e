//! What a run prints.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::table::{Table, grouped};
use crate::engine::{Pipeline, RunError, RunOutcome};
use crate::model::{RunCounts, RunReport, RunResult, SyncId};

const BAD: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// Lines below a Sync's name begin here, so that several Syncs read as a list.
const INDENT: &str = "            ";

/// Codes of invalid rows that are named in the summary.
const CODES_SHOWN: usize = 3;

/// Returns how long a run took.
pub fn took(report: &RunReport) -> Duration {
    report.finished_at.duration_since(report.started_at).try_into().unwrap_or_default()
}

/// Returns a duration in seconds, with a tenth where that says something.
pub fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0..100 => format!("{:.1}s", duration.as_secs_f64()),
        seconds => format!("{}s", grouped(seconds)),
    }
}

/// Returns the line that opens a Sync's part.
pub fn opening(pipeline: &Pipeline) -> String {
    let Pipeline { sync, entity, behavior, .. } = pipeline;
    format!("{:<12}{entity}   {behavior}\n", format!("{}  ", sync.name))
}

/// Returns what one run did, or why it did not.
pub fn outcome(outcome: &RunOutcome, show_values: bool) -> String {
    let RunOutcome { report, error, .. } = outcome;
    let counts = &report.counts;
    let mut out = String::new();
    if error.is_none() || counts.rows_read > 0 {
        out += &format!("{INDENT}read {} rows\n", grouped(counts.rows_read));
        out += &format!("{INDENT}{}\n", changes(counts));
    }
    if counts.delivered > 0 {
        let took = took(report);
        let rate = counts.delivered as f64 / took.as_secs_f64().max(0.001);
        out += &format!(
            "{INDENT}delivered {} in {} requests, {} ({}/s)\n",
            grouped(counts.delivered),
            grouped(counts.requests),
            seconds(took),
            grouped(rate as u64)
        );
    }
    if let Some(error) = error {
        out += &failure(report.result.as_str(), error, show_values);
    }
    if error.is_none() && !report.message.is_empty() {
        out += &format!("{INDENT}{HINT}note{HINT:#}: {}\n", report.message);
    }
    if show_values {
        for text in &outcome.vendor_texts {
            out += &format!("{INDENT}refused: {text}\n");
        }
    }
    out
}

/// Returns what stopped a Sync, what to do, and all complaints where the spec doesn't fit.
pub fn failure(word: &str, error: &RunError, show_values: bool) -> String {
    let explained = |message: &str, hint: Option<&str>| {
        let hint = hint.map(|hint| format!("{INDENT}  {HINT}{hint}{HINT:#}\n"));
        format!("{INDENT}{BAD}{word}{BAD:#}: {message}\n{}", hint.unwrap_or_default())
    };
    if let RunError::Mapping(complaints) = error {
        let lines = complaints
            .iter()
            .map(|it| explained(&format!("spec.{}: {}", it.path, it.message), it.hint.as_deref()));
        return lines.collect();
    }
    let mut out = explained(&error.to_string(), error.hint().as_deref());
    match error.vendor_text() {
        Some(text) if show_values => out += &format!("{INDENT}  in its own words: {text}\n"),
        Some(_) => out += &format!("{INDENT}  (--show-values shows it in its own words)\n"),
        None => {}
    }
    out
}

/// Returns a plan's numbers in one line.
pub fn changes(counts: &RunCounts) -> String {
    let mut parts = vec![
        format!("+ {} added", grouped(counts.added)),
        format!("{} changed", grouped(counts.changed)),
        format!("{} removed", grouped(counts.removed)),
    ];
    let further = [
        (counts.refreshed, "refreshed"),
        (counts.missing, "missing"),
        (counts.kept, "kept"),
        (counts.retried, "retried"),
        (counts.invalid, "invalid"),
        (counts.rejected, "rejected"),
    ];
    let told = further.iter().filter(|(count, _)| *count > 0);
    parts.extend(told.map(|(count, what)| format!("{} {what}", grouped(*count))));
    parts.join("   ")
}

/// How a Sync ended in this command, whether it ran or not.
pub struct Ended {
    /// The Sync.
    pub sync: SyncId,
    /// Its run; `None` where it was skipped.
    pub outcome: Option<RunOutcome>,
    /// Why it was skipped.
    pub skipped: Option<String>,
}

impl Ended {
    fn result(&self) -> RunResult {
        self.outcome.as_ref().map_or(RunResult::Skipped, |outcome| outcome.report.result)
    }
}

/// Returns the closing table over all Syncs.
pub fn table(all: &[Ended]) -> String {
    let mut table = Table::new(&[
        "NAME", "READY", "STATUS", "ROWS", "ADDED", "CHANGED", "REMOVED", "INVALID", "REJECTED",
        "TOOK",
    ]);
    for ended in all {
        let result = ended.result();
        let Some(RunOutcome { report, .. }) = &ended.outcome else {
            let mut cells = vec![ended.sync.name.clone(), "False".to_owned()];
            cells.push(format!("{} ({})", result.as_str(), ended.skipped.as_deref().unwrap_or("")));
            table.row(cells);
            continue;
        };
        let status = report.reason.map_or(result.as_str(), crate::model::Reason::as_str);
        let RunCounts { rows_read, added, changed, removed, invalid, rejected, .. } = report.counts;
        let ready = if result.ended_well() { "True" } else { "False" };
        let mut cells = vec![ended.sync.name.clone(), ready.to_owned(), status.to_owned()];
        cells.extend([rows_read, added, changed, removed, invalid, rejected].map(grouped));
        cells.push(seconds(took(report)));
        table.row(cells);
    }
    table.render()
}

/// Returns the lines about rows that were not accepted, with the command that shows them.
pub fn rejections(all: &[Ended], state: &str) -> String {
    let mut out = String::new();
    for ended in all {
        let Some(outcome) = &ended.outcome else { continue };
        let RunCounts { invalid, rejected, .. } = outcome.report.counts;
        let name = &ended.sync.name;
        if invalid > 0 {
            let codes: Vec<String> = outcome
                .invalid_codes
                .iter()
                .take(CODES_SHOWN)
                .map(|(code, count)| format!("{} {code}", grouped(*count)))
                .collect();
            let rows = plural(invalid, "invalid row");
            out +=
                &format!("{rows}: {} (ciosync get rejections {name}{state})\n", codes.join(", "));
        }
        if rejected > 0 {
            let rows = plural(rejected, "rejected row");
            out += &format!("{rows} (ciosync get rejections {name}{state})\n");
        }
    }
    out
}

fn plural(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A run for a program.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunJson<'a> {
    #[serde(flatten)]
    report: Option<&'a RunReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<SkippedJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invalid_codes: Vec<CodeJson<'a>>,
}

#[derive(Serialize)]
struct SkippedJson<'a> {
    sync: &'a SyncId,
    result: RunResult,
    why: &'a str,
}

#[derive(Serialize)]
struct CodeJson<'a> {
    code: &'a str,
    rows: u64,
}

/// Returns a run for a program.
pub fn json(ended: &Ended) -> RunJson<'_> {
    let outcome = ended.outcome.as_ref();
    let codes = outcome.map(|it| it.invalid_codes.as_slice()).unwrap_or_default();
    RunJson {
        report: outcome.map(|it| &it.report),
        skipped: ended.skipped.as_deref().map(|why| SkippedJson {
            sync: &ended.sync,
            result: RunResult::Skipped,
            why,
        }),
        hint: outcome.and_then(|it| it.error.as_ref()?.hint()),
        invalid_codes: codes.iter().map(|(code, rows)| CodeJson { code, rows: *rows }).collect(),
    }
}
