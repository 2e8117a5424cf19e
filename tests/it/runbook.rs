//! The runbook knows every reason that a condition can name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The page of the runbook.
const PAGE: &str = "docs/operations/runbook.md";
/// Where the reasons are written down, as `Self::Timeout => "Timeout",`.
const REASONS: &str = "src/model/disposition.rs";

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_runbook_has_a_heading_for_every_reason_and_for_nothing_else() {
    let reasons: BTreeSet<String> = text(REASONS)
        .lines()
        .filter_map(|line| {
            line.trim().strip_prefix("Self::")?.split_once(" => \"")?.1.strip_suffix("\",")
        })
        .map(str::to_owned)
        .collect();
    let headings: BTreeSet<String> = text(PAGE)
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .flat_map(|heading| heading.split(", "))
        .map(str::to_owned)
        .collect();

    assert!(reasons.len() > 20, "{reasons:?}");
    assert_eq!(headings, reasons);
}
