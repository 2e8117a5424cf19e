//! Whatever a server answers to a batch: no item counts as accepted unless the answer says so, and
//! what is shown of it quotes nobody.
//!
//! The bytes are a status, a number of items and a body.

use ciosync::customerio::answer::{Answer, ItemError, of_batch};
use serde_json::Value;

const STATUSES: [u16; 8] = [200, 201, 202, 207, 299, 400, 413, 422];

/// Fails where the law does not hold for these bytes; may be given any.
pub fn check(data: &[u8]) {
    let [status, items, body @ ..] = data else { return };
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let item_count = usize::from(items % 40) + 1;
    let body_json: Option<Value> = serde_json::from_slice(body).ok();
    let is_object = body_json.as_ref().is_some_and(Value::is_object);

    match of_batch(status, body, item_count) {
        Err(_) => assert!(status < 300 && !is_object, "an answer was not read"),
        Ok(Answer::Accepted) => {
            assert!(status < 300 && status != 207 && is_object, "{status} accepted a batch");
            let body = body_json.unwrap();
            for errors in [&body["errors"], &body["meta"]["errors"], &body["meta"]["error"]] {
                let is_none = errors.is_null() || errors.as_array().is_some_and(Vec::is_empty);
                assert!(is_none, "errors were passed over");
            }
        }
        Ok(Answer::Partial { rejected }) => {
            assert!(status < 300 && is_object && !rejected.is_empty());
            assert!(rejected.is_sorted_by(|a, b| a.index < b.index), "an item is named twice");
            for error in &rejected {
                assert!(error.index < item_count, "an item that was not sent was refused");
                check_shown(error);
            }
        }
        Ok(Answer::Split { .. }) => assert!(item_count > 1, "a single item has no halves"),
        Ok(Answer::Refused(error)) => {
            assert_eq!((item_count, error.index), (1, 0), "items were refused together");
            check_shown(&error);
        }
    }
}

/// What may be shown anywhere is a code and the name of a field, never a sentence.
fn check_shown(error: &ItemError) {
    for (text, marks) in [(&error.reason, "_-"), (&error.field, "_-. ")] {
        let Some(text) = text else { continue };
        let is_plain = |c: char| c.is_alphanumeric() || marks.contains(c);
        assert!(text.len() <= 200 && text.chars().all(is_plain), "{text:?} is no name");
    }
    if let Some(text) = &error.vendor_text {
        let size = text.reveal().len();
        assert_eq!(format!("{text:?}"), format!("VendorText({size} bytes)"));
    }
}
