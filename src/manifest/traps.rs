//! Words that kubectl reads otherwise than they look.
//!
//! kubectl reads YAML 1.1: there `no` is false and `0123` is a number. A manifest must mean the
//! same on a laptop and in the cluster, so such words have to be written in quotes.

use crate::api::Finding;
use crate::manifest::lines::Plain;

/// Words that are true in YAML 1.1 only. Source: go.yaml.in/yaml/v2, which kubectl uses.
const TRUE_WORDS: [&str; 8] = ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON"];

/// Words that are false in YAML 1.1 only. Source: as above.
const FALSE_WORDS: [&str; 8] = ["n", "N", "no", "No", "NO", "off", "Off", "OFF"];

/// Returns what kubectl makes of a key or value that stands without quotes, if not the text itself.
pub(super) fn finding(plain: &Plain) -> Option<Finding> {
    let text = plain.text.as_str();
    let (read_as, meant) = if TRUE_WORDS.contains(&text) {
        ("true", "put it in quotes, or write true if that is meant")
    } else if FALSE_WORDS.contains(&text) {
        ("false", "put it in quotes, or write false if that is meant")
    } else if looks_like_a_number(text) {
        ("a number", "put it in quotes, or write the number without `_` and leading zeros")
    } else {
        return None;
    };
    let what = if plain.is_key { "the name" } else { "the value" };
    // The text itself is not shown: it may be the value of a Secret.
    Some(Finding::error(&plain.path, format!("kubectl reads {what} as {read_as}")).hint(meant))
}

/// Returns whether only YAML 1.1 takes the text for a number: `0123`, `1_000`.
fn looks_like_a_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let begins_with_digit = digits.starts_with(|first: char| first.is_ascii_digit());
    begins_with_digit
        && is_digits(digits)
        && (digits.contains('_') || (digits.len() > 1 && digits.starts_with('0')))
}
