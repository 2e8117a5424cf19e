//! What was sent against what is shown: every value of the App API is text.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::number::Number;
use crate::model::{IdentifierKind, RecordView, Target, canonical};

/// The attribute that holds a person's subscriptions, as the text of an object.
const PREFERENCES: &str = "cio_subscription_preferences";

/// An attribute that is not as it was sent.
///
/// Has no `Debug`: values are data.
#[derive(Clone, PartialEq, Eq)]
pub struct AttributeDifference {
    /// The attribute.
    pub name: String,
    /// What was sent, as JSON.
    pub sent: String,
    /// What is shown; `None` where it is not set.
    pub shown: Option<String>,
}

/// Returns the attributes of a record that are shown with another value.
pub(super) fn differences(
    record: &RecordView<'_>,
    shown: &BTreeMap<String, String>,
) -> Vec<AttributeDifference> {
    let mut differences = Vec::new();
    for (name, value) in record.attributes.iter() {
        let mut json = Vec::new();
        let mut rest = value;
        if canonical::to_json(&mut rest, &mut json).is_none() {
            continue;
        }
        let Ok(sent) = String::from_utf8(json) else { continue };
        let text = shown_value(name, shown);
        if !is_same(name, (&sent, value), text.as_deref()) {
            differences.push(AttributeDifference { name: name.to_owned(), sent, shown: text });
        }
    }
    differences
}

/// Returns what is shown under a name. One subscription topic is a part of a larger text.
fn shown_value(name: &str, shown: &BTreeMap<String, String>) -> Option<String> {
    let path = name.strip_prefix(PREFERENCES).and_then(|rest| rest.strip_prefix('.'));
    let Some(path) = path else { return shown.get(name).cloned() };
    let preferences: Value = serde_json::from_str(shown.get(PREFERENCES)?).ok()?;
    let found = path.split('.').try_fold(&preferences, |value, part| value.get(part))?;
    Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}

/// Says whether a text is how a value that was sent is shown. `sent` is its JSON and its canonical
/// bytes.
fn is_same(name: &str, (sent, bytes): (&str, &[u8]), shown: Option<&str>) -> bool {
    let shown_text = shown.unwrap_or_default();
    match sent.bytes().next() {
        // What is nulled or emptied is not set any more, or shown as one of these.
        Some(b'n') => matches!(shown_text, "" | "null"),
        Some(b't' | b'f') => shown_text.eq_ignore_ascii_case(sent),
        Some(b'"') => {
            let Ok(text) = serde_json::from_str::<String>(sent) else { return false };
            let as_email = |text| Target::single(IdentifierKind::Email, text);
            text == shown_text
                || name == "email" && as_email(&text).is_same_as(&as_email(shown_text))
        }
        Some(b'[' | b'{') => {
            let mut again = Vec::new();
            canonical::write_json_text(&mut again, shown_text).is_ok() && again == bytes
        }
        _ => {
            let mut again = Vec::new();
            let Some(number) = Number::parse(shown_text) else { return false };
            canonical::write_number(&mut again, &number);
            again == bytes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Header;
    use crate::model::{OperationKind, RecordBuf};

    fn names(sent: &[(&str, &str)], shown: &[(&str, &str)]) -> Vec<String> {
        let mut record = RecordBuf::default();
        let target = Target::single(IdentifierKind::Id, "1");
        let count = u16::try_from(sent.len()).unwrap();
        record.start(Header::plain(OperationKind::PersonIdentify, target), count);
        for (name, json) in sent {
            canonical::write_json_text(record.attribute(name), json).unwrap();
        }
        let shown =
            shown.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let view = RecordView::parse(&record.canonical).unwrap();
        differences(&view, &shown).into_iter().map(|difference| difference.name).collect()
    }

    #[test]
    fn a_value_is_the_same_whatever_text_stands_for_it() {
        for (sent, shown) in [
            ("\"pro\"", "pro"),
            ("7", "7"),
            ("7.50", "7.5"),
            ("7", "7.0"),
            ("true", "true"),
            ("null", ""),
            ("\"\"", ""),
            ("{\"a\":[1,2],\"b\":null}", "{\"b\": null, \"a\": [1, 2]}"),
            ("\"A\\u00e9\"", "Aé"),
        ] {
            assert!(names(&[("x", sent)], &[("x", shown)]).is_empty(), "{sent} {shown}");
        }
    }

    #[test]
    fn another_value_differs_and_so_does_one_that_is_not_set() {
        for (sent, shown) in [
            ("\"pro\"", "free"),
            ("\"pro\"", "Pro"),
            ("7", "8"),
            ("7", "seven"),
            ("true", "false"),
            ("null", "still there"),
            ("[1]", "[2]"),
            ("[1]", "not json"),
        ] {
            assert_eq!(names(&[("x", sent)], &[("x", shown)]), ["x"], "{sent} {shown}");
        }
        assert_eq!(names(&[("x", "\"pro\""), ("y", "null")], &[]), ["x"]);
    }

    #[test]
    fn an_e_mail_is_the_same_in_any_case_and_a_topic_is_found_inside() {
        let topic = "cio_subscription_preferences.topics.topic_1";
        let preferences = [("cio_subscription_preferences", "{\"topics\":{\"topic_1\":false}}")];

        assert!(names(&[("email", "\"A@b.c\"")], &[("email", "a@B.c")]).is_empty());
        assert!(names(&[(topic, "false")], &preferences).is_empty());
        assert_eq!(names(&[(topic, "true")], &preferences), [topic]);
    }
}
