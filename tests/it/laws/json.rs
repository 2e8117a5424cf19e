//! JSON from a warehouse's columns, and the canonical form of it: what is taken is JSON, says the
//! same afterwards, and has one spelling.

use ciosync::model::canonical::{self, JsonError};
use serde_json::Value;

/// Fails where the law does not hold for these bytes; may be given any.
pub fn check(data: &[u8]) {
    check_canonical(data);
    if let Ok(text) = std::str::from_utf8(data) {
        check_text(text);
    }
}

/// Bytes that may come back from a damaged spool.
fn check_canonical(bytes: &[u8]) {
    let (mut read, mut skipped) = (bytes, bytes);
    let mut json = Vec::new();
    if canonical::to_json(&mut read, &mut json).is_some() {
        assert_eq!(canonical::skip(&mut skipped), Some(()), "what can be read can be skipped");
        assert_eq!(read.len(), skipped.len(), "both take the same bytes");
    } else {
        let _ = canonical::skip(&mut skipped);
    }
}

fn check_text(text: &str) {
    let value: Result<Value, _> = serde_json::from_str(text);
    let mut bytes = Vec::new();
    match canonical::write_json_text(&mut bytes, text) {
        Err(JsonError::Invalid) => return assert!(value.is_err(), "JSON was refused"),
        Err(JsonError::TooDeep | JsonError::NumberOutOfRange) => return,
        Ok(()) => {}
    }
    let json = spelled(&bytes);
    let mut again = Vec::new();
    canonical::write_json_text(&mut again, &json).unwrap();
    assert!(again == bytes, "the canonical form of the canonical form differs");
    if let Ok(value) = value {
        let read: Value = serde_json::from_str(&json).unwrap();
        assert!(without_numbers(read) == without_numbers(value), "it says something else");
    }
}

fn spelled(canonical: &[u8]) -> String {
    let (mut input, mut json) = (canonical, Vec::new());
    canonical::to_json(&mut input, &mut json).unwrap();
    assert!(input.is_empty(), "bytes are left over");
    String::from_utf8(json).unwrap()
}

/// The judge reads numbers as doubles of one sort or another; ours keep every digit.
fn without_numbers(value: Value) -> Value {
    match value {
        Value::Number(_) => Value::from(0),
        Value::Array(items) => items.into_iter().map(without_numbers).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, without_numbers(value))).collect()
        }
        other => other,
    }
}
