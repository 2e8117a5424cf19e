//! What a plan prints: for a person, a program, or a pull request.

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::{Value, json};

use super::run::{changes, failure};
use super::table::grouped;
use crate::engine::preview::Sample;
use crate::engine::{Preview, RunError};
use crate::model::{ChangeKind, RunCounts, SyncId};

const GOOD: Style = AnsiColor::Green.on_default();
const WARN: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// What stands for a key that is not shown.
const MASK: &str = "•••";

const INDENT: &str = "            ";

/// One Sync's plan.
pub struct Planned {
    /// The Sync.
    pub sync: SyncId,
    /// Its entity.
    pub entity: String,
    /// Its behavior.
    pub behavior: String,
    /// The plan, or why there is none.
    pub result: Result<Preview, RunError>,
}

/// Returns how many changes would be delivered.
pub fn change_count(counts: &RunCounts) -> u64 {
    counts.added + counts.changed + counts.removed + counts.refreshed
}

fn sign(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "+",
        ChangeKind::Changed => "~",
        ChangeKind::Refreshed => "=",
        ChangeKind::Removed => "-",
    }
}

fn style(kind: ChangeKind) -> Style {
    match kind {
        ChangeKind::Added => GOOD,
        ChangeKind::Changed | ChangeKind::Refreshed => WARN,
        ChangeKind::Removed => BAD,
    }
}

fn sample_text(sample: &Sample, show_values: bool) -> String {
    if !show_values {
        return MASK.to_owned();
    }
    match &sample.attributes {
        Some(attributes) => format!("{}  {attributes}", sample.key),
        None => sample.key.clone(),
    }
}

/// Returns the remarks about a plan, a line each.
fn remarks(preview: &Preview) -> Vec<String> {
    let mut lines = Vec::new();
    if preview.is_first_run {
        lines.push("first run: nothing is remembered yet".to_owned());
    }
    if !preview.is_first_run && !preview.new_attributes.is_empty() {
        lines.push(format!("new attributes: {}", preview.new_attributes.join(", ")));
    }
    if !preview.left_behind.is_empty() {
        lines.push(format!(
            "no longer mapped, left as they are in Customer.io: {}",
            preview.left_behind.join(", ")
        ));
    }
    for (code, rows) in &preview.invalid_codes {
        lines.push(format!("{} invalid: {code}", grouped(*rows)));
    }
    lines
}

fn block(preview: &Preview) -> Option<String> {
    match &preview.tripped {
        Some(tripped) => Some(format!("blocked by guard {tripped}")),
        None if preview.needs_review => Some("waits for a review (initialRun: review)".to_owned()),
        None => None,
    }
}

/// Returns plans for a person.
pub fn text(all: &[Planned], show_values: bool) -> String {
    let mut out = String::new();
    for planned in all {
        let Planned { sync, entity, behavior, result } = planned;
        out += &format!("{:<12}{entity}   {behavior}\n", format!("{}  ", sync.name));
        match result {
            Ok(preview) => out += &preview_text(preview, show_values),
            Err(error) => out += &failure("error", error, show_values),
        }
    }
    out
}

fn preview_text(preview: &Preview, show_values: bool) -> String {
    let counts = &preview.counts;
    let mut out = format!("{INDENT}read {} rows\n", grouped(counts.rows_read));
    out += &format!("{INDENT}{}   {} unchanged\n", changes(counts), grouped(counts.unchanged));
    for sample in &preview.samples {
        let (style, sign) = (style(sample.kind), sign(sample.kind));
        let text = sample_text(sample, show_values);
        if show_values {
            out += &format!("{INDENT}  {style}{sign}{style:#} {text}\n");
        }
    }
    for remark in remarks(preview) {
        out += &format!("{INDENT}{remark}\n");
    }
    if let Some(block) = block(preview) {
        out += &format!("{INDENT}{BAD}{block}{BAD:#}\n");
    }
    out
}

/// Returns plans for a comment on a pull request.
pub fn markdown(all: &[Planned], show_values: bool) -> String {
    let mut out = String::from("### ciosync plan\n\n");
    out += "| Sync | Rows | Added | Changed | Removed | Refreshed | Invalid | |\n";
    out += "|---|--:|--:|--:|--:|--:|--:|---|\n";
    for Planned { sync, result, .. } in all {
        let cells = match result {
            Ok(preview) => {
                let RunCounts { rows_read, added, changed, removed, refreshed, invalid, .. } =
                    preview.counts;
                let numbers = [rows_read, added, changed, removed, refreshed, invalid].map(grouped);
                let state = block(preview).map_or_else(String::new, |block| format!("⛔ {block}"));
                format!("{} | {state}", numbers.join(" | "))
            }
            Err(error) => format!("| | | | | | ❌ {}", escaped(&error.to_string())),
        };
        out += &format!("| `{sync}` | {cells} |\n");
    }
    for Planned { sync, result, .. } in all {
        let Ok(preview) = result else { continue };
        let mut lines: Vec<String> =
            remarks(preview).iter().map(|it| format!("- {}", escaped(it))).collect();
        if show_values {
            lines.extend(preview.samples.iter().map(|sample| {
                format!("- `{} {}`", sign(sample.kind), sample_text(sample, true).replace('`', "'"))
            }));
        }
        if !lines.is_empty() {
            out += &format!("\n**`{sync}`**\n\n{}\n", lines.join("\n"));
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// A plan for a program.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanJson {
    sync: SyncId,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<RunCounts>,
    first_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<String>,
    invalid_codes: Vec<Value>,
    new_attributes: Vec<String>,
    left_behind: Vec<String>,
    samples: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Returns plans for a program. Keys and values only where a person asked for them.
pub fn json(all: &[Planned], show_values: bool) -> Vec<PlanJson> {
    all.iter().map(|planned| one_json(planned, show_values)).collect()
}

fn one_json(planned: &Planned, show_values: bool) -> PlanJson {
    let sync = planned.sync.clone();
    match &planned.result {
        Ok(preview) => PlanJson {
            sync,
            counts: Some(preview.counts),
            first_run: preview.is_first_run,
            blocked: block(preview),
            invalid_codes: preview
                .invalid_codes
                .iter()
                .map(|(code, rows)| json!({"code": code, "rows": rows}))
                .collect(),
            new_attributes: preview.new_attributes.clone(),
            left_behind: preview.left_behind.clone(),
            samples: preview.samples.iter().map(|it| sample_json(it, show_values)).collect(),
            error: None,
            reason: None,
            hint: None,
        },
        Err(error) => PlanJson {
            sync,
            counts: None,
            first_run: false,
            blocked: None,
            invalid_codes: Vec::new(),
            new_attributes: Vec::new(),
            left_behind: Vec::new(),
            samples: Vec::new(),
            error: Some(error.to_string()),
            reason: Some(error.reason().as_str()),
            hint: error.hint(),
        },
    }
}

fn sample_json(sample: &Sample, show_values: bool) -> Value {
    let change = match sample.kind {
        ChangeKind::Added => "added",
        ChangeKind::Changed => "changed",
        ChangeKind::Refreshed => "refreshed",
        ChangeKind::Removed => "removed",
    };
    if !show_values {
        return json!({"change": change, "key": MASK});
    }
    let attributes: Option<Value> =
        sample.attributes.as_deref().and_then(|text| serde_json::from_str(text).ok());
    json!({"change": change, "key": sample.key, "attributes": attributes})
}
