//! Answers as the vendor describes them, and as they have been seen or must be feared.

use proptest::prelude::*;

use super::*;

fn read(status: u16, body: &str, item_count: usize) -> Result<Answer, Unreadable> {
    of_batch(status, body.as_bytes(), item_count)
}

fn split(cause: SplitCause) -> Result<Answer, Unreadable> {
    Ok(Answer::Split { cause })
}

#[test]
fn an_empty_object_accepts_every_item() {
    for body in ["{}", "{}\n", "{\"errors\":[]}", "{\"errors\":null}"] {
        assert_eq!(read(200, body, 3), Ok(Answer::Accepted), "{body}");
    }
}

#[test]
fn what_is_no_json_object_accepts_nothing() {
    for body in ["", "<html>Sign in</html>", "{\"errors\":[", "[]", "\"ok\"", "null"] {
        for item_count in [1, 3] {
            assert_eq!(read(200, body, item_count), Err(Unreadable), "{body}");
        }
    }
}

#[test]
fn errors_with_an_index_refuse_those_items_alone_under_any_2xx() {
    let body = r#"{"errors":[{"batch_index":2,"reason":"invalid","field":"attributes.plan",
        "message":"property value cannot be longer than 1000 bytes"},{"batch_index":0}]}"#;

    for status in [200, 202, 207] {
        let Ok(Answer::Partial { rejected }) = read(status, body, 3) else { panic!("{status}") };

        assert_eq!(rejected.iter().map(|error| error.index).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(rejected[0], ItemError::new(status));
        assert_eq!(rejected[1].reason.as_deref(), Some("invalid"));
        assert_eq!(rejected[1].field.as_deref(), Some("attributes.plan"));
        let text = rejected[1].vendor_text.as_ref().unwrap().reveal();
        assert_eq!(text, "property value cannot be longer than 1000 bytes");
    }
}

#[test]
fn several_errors_of_one_item_become_one() {
    let body = r#"{"errors":[{"batch_index":1,"message":"first"},
        {"batch_index":1,"reason":"invalid","field":"attributes.a","message":"second"}]}"#;

    let Ok(Answer::Partial { rejected }) = read(207, body, 2) else { panic!("not partial") };

    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].reason.as_deref(), Some("invalid"));
    assert_eq!(rejected[0].vendor_text.as_ref().unwrap().reveal(), "first; second");
}

#[test]
fn an_error_without_a_usable_index_leaves_nothing_accepted() {
    for body in [
        r#"{"errors":[{"batch_index":1},{"reason":"invalid"}]}"#,
        r#"{"errors":[{"batch_index":3}]}"#,
        r#"{"errors":[{"batch_index":-1}]}"#,
        r#"{"errors":[{"batch_index":"1"}]}"#,
        r#"{"errors":[{"batch_index":1.5}]}"#,
        r#"{"errors":[{"batch_index":null}]}"#,
        r#"{"errors":["failed"]}"#,
        r#"{"errors":"failed"}"#,
        r#"{"errors":{"batch_index":7}}"#,
        r#"{"meta":{"error":"failed"}}"#,
        r#"{"meta":{"errors":["failed"]}}"#,
    ] {
        for status in [200, 207] {
            assert_eq!(read(status, body, 3), split(SplitCause::NoUsableIndex), "{body}");
        }
    }
    assert_eq!(read(207, "{}", 3), split(SplitCause::NoUsableIndex));
}

#[test]
fn a_refused_batch_is_split_until_the_item_is_alone() {
    let body = r#"{"errors":[{"reason":"invalid","field":"identifiers.id","message":"too long"}]}"#;

    assert_eq!(read(400, body, 2), split(SplitCause::RefusedAsAWhole));
    assert_eq!(read(422, body, 2), split(SplitCause::RefusedAsAWhole));
    assert_eq!(read(413, "<html>", 2), split(SplitCause::TooLarge));
    let Ok(Answer::Refused(error)) = read(400, body, 1) else { panic!("not refused") };
    assert_eq!(error.field.as_deref(), Some("identifiers.id"));
    assert_eq!(read(413, "<html>", 1), Ok(Answer::Refused(ItemError::new(413))));
}

#[test]
fn the_words_of_version_1_are_kept_for_who_asks() {
    let body = r#"{"meta":{"errors":["id attribute must be present","and more"]}}"#;

    let Ok(Answer::Refused(error)) = read(400, body, 1) else { panic!("not refused") };

    let text = error.vendor_text.unwrap();
    assert_eq!(text.reveal(), "id attribute must be present; and more");
    assert_eq!(error.reason, None);
}

#[test]
fn a_reason_that_is_a_sentence_is_no_code() {
    let body = r#"{"errors":[{"batch_index":0,"reason":"ann@example.com is taken"}]}"#;

    let Ok(Answer::Partial { rejected }) = read(207, body, 1) else { panic!("not partial") };

    assert_eq!(rejected[0].reason, None);
    assert_eq!(rejected[0].vendor_text.as_ref().unwrap().reveal(), "ann@example.com is taken");
    assert!(!format!("{rejected:?}").contains("ann@"));
}

proptest! {
    #[test]
    fn any_set_of_indexes_is_refused_exactly(
        indexes in proptest::collection::vec(0usize..50, 1..80),
    ) {
        let errors: Vec<_> =
            indexes.iter().map(|index| serde_json::json!({"batch_index": index})).collect();
        let body = serde_json::json!({"errors": errors}).to_string();

        let Ok(Answer::Partial { rejected }) = read(207, &body, 50) else { panic!("not partial") };

        let mut expected = indexes;
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(rejected.iter().map(|error| error.index).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn no_answer_panics(status in 200u16..600, body: Vec<u8>, item_count in 1usize..5) {
        let _ = of_batch(status, &body, item_count);
        let _ = vendor_text_of(status, &body);
    }
}
