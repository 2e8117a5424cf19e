//! What `verify` prints.

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::key::{Keys, key};
use super::run::RunJson;
use super::table::{Table, grouped, printable};
use crate::engine::verify::{DIFFERENCES_MAX, Difference, DifferingRow, Verified, VerifyCounts};
use crate::model::SyncId;

const HINT: Style = AnsiColor::Cyan.on_default();

/// Rows that a person is shown.
const ROWS_SHOWN: usize = 100;

/// Names of attributes in one cell.
const NAMES_SHOWN: usize = 8;

/// What of the rows is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Their keys.
    pub keys: Keys,
    /// Whether the values that differ are.
    pub values: bool,
}

/// Returns what was found, for a person.
pub fn text(name: &str, verified: &Verified, shown: Shown) -> String {
    let VerifyCounts { checked, equal, differing, missing, unexpected, .. } = verified.counts;
    let mut parts = vec![format!("{} equal", grouped(equal))];
    let further = [
        (differing, "differing"),
        (missing, "missing"),
        (unexpected, "unexpected"),
        (verified.counts.unreached, "not there to be updated"),
    ];
    let told = further.iter().filter(|(count, _)| *count > 0);
    parts.extend(told.map(|(count, what)| format!("{} {what}", grouped(*count))));
    let mut out =
        format!("{}: {} read back: {}\n", printable(name), rows(checked), parts.join(", "));
    if verified.counts.not_current > 0 {
        out += &format!(
            "{} not looked at: the source has them otherwise than they were accepted, so the next \
             run sends them\n",
            rows(verified.counts.not_current)
        );
    }
    if verified.counts.unasked > 0 {
        out += &format!("{} can't be asked for by name\n", rows(verified.counts.unasked));
    }
    if !verified.rows.is_empty() {
        out.push('\n');
        out += &table(verified, shown).render();
    }
    let more = verified.counts.differences().saturating_sub(ROWS_SHOWN as u64);
    if more > 0 {
        out += &format!(
            "… and {} more; -o json prints the first {}\n",
            grouped(more),
            grouped(DIFFERENCES_MAX as u64)
        );
    }
    out
}

/// Returns what a person may do about differences.
pub fn advice() -> String {
    format!("{HINT}--repair makes them due again and sends them{HINT:#}\n")
}

fn table(verified: &Verified, shown: Shown) -> Table {
    let columns: &[&str] = if shown.values {
        &["KEY", "FOUND", "ATTRIBUTE", "SENT", "SHOWN"]
    } else {
        &["KEY", "FOUND", "ATTRIBUTES"]
    };
    let mut table = Table::new(columns);
    for row in verified.rows.iter().take(ROWS_SHOWN) {
        let (key, found) = (key_of(verified, row, shown), word(&row.difference).to_owned());
        let Difference::Attributes(attributes) = &row.difference else {
            let mut cells = vec![key, found];
            cells.resize(columns.len(), "-".to_owned());
            table.row(cells);
            continue;
        };
        if shown.values {
            for attribute in attributes {
                let text = attribute.shown.clone().unwrap_or_else(|| "not set".to_owned());
                table.row(vec![
                    key.clone(),
                    found.clone(),
                    attribute.name.clone(),
                    attribute.sent.clone(),
                    text,
                ]);
            }
            continue;
        }
        let names: Vec<&str> =
            attributes.iter().take(NAMES_SHOWN).map(|attribute| attribute.name.as_str()).collect();
        let more = attributes.len().saturating_sub(NAMES_SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        table.row(vec![key, found, format!("{}{more}", names.join(", "))]);
    }
    table
}

fn key_of(verified: &Verified, row: &DifferingRow, shown: Shown) -> String {
    key(&row.key, verified.memo.key_shape.as_ref(), shown.keys)
}

fn word(difference: &Difference) -> &'static str {
    match difference {
        Difference::Missing => "missing",
        Difference::Unexpected => "unexpected",
        Difference::Attributes(_) => "differs",
    }
}

fn rows(count: u64) -> String {
    format!("{} row{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// What was found, for a program.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyJson<'a> {
    sync: &'a SyncId,
    rows_read: u64,
    checked: u64,
    equal: u64,
    differing: u64,
    missing: u64,
    unexpected: u64,
    unreached: u64,
    not_current: u64,
    unasked: u64,
    rows: Vec<RowJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunJson<'a>>,
}

#[derive(Serialize)]
struct RowJson<'a> {
    key: String,
    found: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<AttributeJson<'a>>,
}

#[derive(Serialize)]
struct AttributeJson<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<&'a str>,
}

/// Returns what was found, for a program; `run` is the one that repaired.
pub fn json<'a>(
    sync: &'a SyncId,
    verified: &'a Verified,
    shown: Shown,
    run: Option<RunJson<'a>>,
) -> VerifyJson<'a> {
    let counts = verified.counts;
    let attributes = |row: &'a DifferingRow| match &row.difference {
        Difference::Attributes(attributes) => attributes
            .iter()
            .map(|attribute| AttributeJson {
                name: &attribute.name,
                sent: shown.values.then_some(attribute.sent.as_str()),
                shown: attribute.shown.as_deref().filter(|_| shown.values),
            })
            .collect(),
        Difference::Missing | Difference::Unexpected => Vec::new(),
    };
    VerifyJson {
        sync,
        rows_read: counts.rows_read,
        checked: counts.checked,
        equal: counts.equal,
        differing: counts.differing,
        missing: counts.missing,
        unexpected: counts.unexpected,
        unreached: counts.unreached,
        not_current: counts.not_current,
        unasked: counts.unasked,
        rows: verified
            .rows
            .iter()
            .map(|row| RowJson {
                key: key_of(verified, row, shown),
                found: word(&row.difference),
                attributes: attributes(row),
            })
            .collect(),
        run,
    }
}
