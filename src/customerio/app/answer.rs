//! What the App API's answers are made of, read with care: no field is promised.

use serde_json::Value;

/// Why an answer could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// No JSON object: a proxy's page, or half an answer.
    NoObject,
    /// JSON, but not the App API's.
    Strange(&'static str),
}

/// Reads a body that must be a JSON object.
pub(super) fn object(body: &[u8]) -> Result<Value, Unread> {
    serde_json::from_slice(body).ok().filter(Value::is_object).ok_or(Unread::NoObject)
}

/// Returns the text of an identifier: a string or a number, and neither null nor empty.
pub(super) fn identifier(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns a whole number, which may be written as a string.
pub(super) fn number(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Returns the token of the next page; `None` after the last one.
pub(super) fn next(body: &Value) -> Option<String> {
    identifier(body.get("next"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn identifiers_are_strings_or_numbers_and_never_empty() {
        assert_eq!(identifier(Some(&json!("a"))).as_deref(), Some("a"));
        assert_eq!(identifier(Some(&json!(7))).as_deref(), Some("7"));
        for none in [json!(""), json!(null), json!([1]), json!(true)] {
            assert_eq!(identifier(Some(&none)), None, "{none}");
        }
    }

    #[test]
    fn the_last_page_has_no_token_however_it_says_so() {
        assert_eq!(next(&json!({"next": "abc"})).as_deref(), Some("abc"));
        for last in [json!({}), json!({"next": ""}), json!({"next": null})] {
            assert_eq!(next(&last), None, "{last}");
        }
    }
}
