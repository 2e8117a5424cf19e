//! Rules of form for every Rust file, tests included.

use super::files::{RustFile, compiled};
use super::tokens::Token;
use super::{Finding, assert_none};

/// Past it a file holds more than one noun; split by noun, tests first.
const LINES_MAX: usize = 400;
/// On the line of a `sleep(` in a test: why there is no condition to await.
const SLEEP_REASON: &str = "// sleep: ";

type Rule = fn(&RustFile) -> Vec<Finding>;

const RULES: [Rule; 6] = [is_short, says_what_it_is_for, steps_up_once, expects, is_run, awaits];

fn is_short(file: &RustFile) -> Vec<Finding> {
    let count = file.text.lines().count();
    let text = format!(
        "has {count} lines, {LINES_MAX} is the limit: move its tests out, then split by noun"
    );
    (count > LINES_MAX).then(|| Finding::new(&file.path, LINES_MAX, text)).into_iter().collect()
}

/// A module of the name `tests` has said it by its name.
fn says_what_it_is_for(file: &RustFile) -> Vec<Finding> {
    let text = "starts without `//!`: say what it is for and what it must not know";
    let is_said = file.text.starts_with("//!") || file.path.ends_with("/tests.rs");
    (!is_said).then(|| Finding::new(&file.path, 1, text)).into_iter().collect()
}

fn steps_up_once(file: &RustFile) -> Vec<Finding> {
    let text = "`super::super`: write the full path from `crate::`";
    at(file, &["super", "::", "super"], text)
}

fn expects(file: &RustFile) -> Vec<Finding> {
    let text = "`allow` stays when its cause is gone: write `#[expect(lint, reason = \"..\")]`";
    [&["#", "[", "allow", "("][..], &["#", "!", "[", "allow", "("], &[",", "allow", "("]]
        .into_iter()
        .flat_map(|pattern| at(file, pattern, text))
        .collect()
}

fn is_run(file: &RustFile) -> Vec<Finding> {
    at(file, &["#", "[", "ignore"], "an ignored test proves nothing: make it run, or remove it")
}

fn awaits(file: &RustFile) -> Vec<Finding> {
    let text = format!(
        "a test that sleeps is slow or flaky: await a condition, or end the line with `{SLEEP_REASON}..`"
    );
    windows(&file.tokens, &["sleep", "("])
        .filter(|token| file.is_test || token.is_test)
        .filter(|token| !file.line(token.line).contains(SLEEP_REASON))
        .map(|token| Finding::new(&file.path, token.line, text.as_str()))
        .collect()
}

fn at(file: &RustFile, pattern: &[&str], text: &str) -> Vec<Finding> {
    windows(&file.tokens, pattern).map(|token| Finding::new(&file.path, token.line, text)).collect()
}

/// Returns the first token of each place where the tokens read like the pattern.
fn windows<'t>(row: &'t [Token], pattern: &[&str]) -> impl Iterator<Item = &'t Token> {
    row.windows(pattern.len())
        .filter(|window| window.iter().map(|token| token.text.as_str()).eq(pattern.iter().copied()))
        .map(|window| &window[0])
}

fn count(text: &str, is_test: bool) -> usize {
    let file = RustFile::parse("src/model/row.rs", text, is_test);
    RULES.iter().map(|rule| rule(&file).len()).sum()
}

#[test]
fn every_file_keeps_the_rules_of_form() {
    let files = compiled();

    assert_none(files.iter().flat_map(|file| RULES.iter().flat_map(|rule| rule(file))).collect());
}

#[test]
fn each_rule_of_form_can_be_broken() {
    let long = format!("//! A.{}", "\n".repeat(LINES_MAX + 1));
    for text in [
        long.as_str(),
        "use std::fmt;",
        "//! A.\nuse super::super::x;",
        "//! A.\n#[allow(dead_code, reason = \"x\")]\nfn f() {}",
        "//! A.\n#![allow(dead_code)]",
        "//! A.\n#[cfg_attr(test, allow(dead_code))]\nfn f() {}",
        "//! A.\n#[test]\n#[ignore = \"slow\"]\nfn f() {}",
        "//! A.\n#[cfg(test)]\nmod tests { async fn f() { tokio::time::sleep(D).await } }",
    ] {
        assert_eq!(count(text, false), 1, "{text}");
    }
    assert_eq!(count("//! A.\nfn f() { sleep(D) }", true), 1);
}

#[test]
fn what_keeps_the_rules_of_form_is_left_alone() {
    assert_eq!(
        count("//! A.\nuse super::x;\n#[expect(dead_code, reason = \"x\")]\nfn f() {}", false),
        0
    );
    assert_eq!(count("//! A.\nasync fn f() { tokio::time::sleep(D).await }", false), 0);
    assert_eq!(count("//! A.\nfn f() { sleep(D) } // sleep: nothing to await.", true), 0);
    assert_eq!(count("//! A.\nconst T: &str = \"#[allow(x)] #[ignore] super::super\";", false), 0);
}
