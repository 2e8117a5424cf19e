//! Holds the house together: who may know whom, which room may use which crate, and the few rules
//! of form that the compiler and clippy don't check. The tables are what ARCHITECTURE.md draws.

mod files;
mod form;
mod paths;
mod rooms;
mod tokens;

use std::path::Path;

/// One broken rule, with its place and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    text: String,
}

impl Finding {
    fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, text: text.into() }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails with every finding in order of place, so that one run shows all the work.
#[track_caller]
fn assert_none(mut findings: Vec<Finding>) {
    findings.sort();
    let lines: Vec<String> = findings
        .iter()
        .map(|Finding { path, line, text }| format!("  {path}:{line}: {text}"))
        .collect();
    assert!(lines.is_empty(), "{} rules are broken:\n{}", lines.len(), lines.join("\n"));
}
