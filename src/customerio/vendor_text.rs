//! Customer.io's own words. They can quote a row's values, so they are kept apart from ours.

use std::fmt;

use serde_json::Value;

/// Longest text that is kept, in bytes.
const SIZE_BYTES_MAX: usize = 1_000;

/// A text of Customer.io's that is shown only where a person asked for values.
///
/// `Debug` shows its length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct VendorText(String);

impl VendorText {
    /// Returns the text, cut off after 1,000 bytes; `None` where it is empty.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.floor_char_boundary(SIZE_BYTES_MAX);
        let text = text.get(..end)?;
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Returns the text itself, which may quote a row.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns both texts in one.
    #[must_use]
    pub(super) fn and(mut self, more: &Self) -> Self {
        if self.0 != more.0 && self.0.len() < SIZE_BYTES_MAX {
            self.0.push_str("; ");
            self.0.push_str(&more.0);
        }
        self
    }
}

impl fmt::Debug for VendorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VendorText({} bytes)", self.0.len())
    }
}

/// Returns a vendor's code as it may be shown anywhere: one word of ASCII letters, digits, `_`
/// and `-`, at most 64 of them. A whole sentence could quote a value and gives `None`.
pub(super) fn code(value: Option<&Value>) -> Option<String> {
    const LENGTH_MAX: usize = 64;
    let text = value?.as_str()?;
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= LENGTH_MAX
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    is_word.then(|| text.to_owned())
}

/// Returns the field that a vendor names, as it may be shown anywhere: its first two parts
/// (`attributes.plan`), at most 200 bytes. What follows are keys inside a value, and those are
/// data, as is whatever does not look like a name: it gives `None`.
pub(super) fn field(value: Option<&Value>) -> Option<String> {
    const SIZE_BYTES_MAX: usize = 200;
    let text = value?.as_str()?;
    let end = text.match_indices('.').nth(1).map_or(text.len(), |(index, _)| index);
    let text = text.get(..end)?;
    let is_name = text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.len() <= SIZE_BYTES_MAX
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '));
    is_name.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn debug_output_shows_nothing_of_the_text() {
        let text = VendorText::new(" ann@example.com is taken ").unwrap();

        assert_eq!(format!("{text:?}"), "VendorText(24 bytes)");
        assert_eq!(text.reveal(), "ann@example.com is taken");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = VendorText::new(&"ü".repeat(1_000)).unwrap();

        assert_eq!(text.reveal().len(), SIZE_BYTES_MAX);
        assert_eq!(VendorText::new("  "), None);
    }

    #[test]
    fn only_words_pass_for_codes() {
        assert_eq!(code(Some(&json!("invalid"))).as_deref(), Some("invalid"));
        assert_eq!(code(Some(&json!("too_long-2"))).as_deref(), Some("too_long-2"));
        for text in ["", "ann@example.com", "must be a string", "4711", &"x".repeat(65)] {
            assert_eq!(code(Some(&json!(text))), None, "{text}");
        }
        assert_eq!(code(Some(&json!(7))), None);
        assert_eq!(code(None), None);
    }

    #[test]
    fn keys_inside_a_value_are_not_part_of_a_field() {
        for (text, shown) in [
            ("attributes.plan", Some("attributes.plan")),
            ("attributes.first name", Some("attributes.first name")),
            ("identifiers", Some("identifiers")),
            ("attributes.orders.4711.card", Some("attributes.orders")),
            ("attributes.ann@example", None),
            ("42", None),
            ("", None),
        ] {
            assert_eq!(field(Some(&json!(text))).as_deref(), shown, "{text}");
        }
    }
}
