use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

fn canonical(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_json_text(&mut out, text).unwrap();
    out
}

fn back(canonical: &[u8]) -> String {
    let mut out = Vec::new();
    let mut input = canonical;
    to_json(&mut input, &mut out).unwrap();
    assert!(input.is_empty());
    String::from_utf8(out).unwrap()
}

#[test]
fn equal_documents_have_equal_bytes_and_others_have_not() {
    let reference = canonical(r#"{"a":1,"b":[1.5,null,"x"]}"#);

    for same in
        [r#"{ "b" : [1.50, null, "x"], "a" : 1.0 }"#, r#"{"a":10e-1,"b":[15e-1,null,"\u0078"]}"#]
    {
        assert_eq!(canonical(same), reference, "{same}");
    }
    for other in
        [r#"{"a":"1","b":[1.5,null,"x"]}"#, r#"{"a":1,"b":[null,1.5,"x"]}"#, r#"{"a":1}"#, "[]"]
    {
        assert_ne!(canonical(other), reference, "{other}");
    }
}

#[test]
fn the_last_of_two_members_of_one_name_counts_as_in_every_reader() {
    assert_eq!(back(&canonical(r#"{"a":1,"b":2,"a":3}"#)), r#"{"a":3,"b":2}"#);
}

#[test]
fn numbers_keep_every_digit() {
    let text = "[12345678901234567890123456789.5,1e400]";

    assert_eq!(back(&canonical(text)), "[1.23456789012345678901234567895e+28,1e+400]");
}

#[test]
fn what_is_no_json_or_too_deep_is_refused() {
    let mut out = Vec::new();
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));

    assert_eq!(write_json_text(&mut out, "{'a':1}"), Err(JsonError::Invalid));
    assert_eq!(write_json_text(&mut out, "1 2"), Err(JsonError::Invalid));
    assert_eq!(write_json_text(&mut out, ""), Err(JsonError::Invalid));
    assert_eq!(write_json_text(&mut out, &deep), Err(JsonError::TooDeep));
}

#[test]
fn what_stands_around_an_escape_is_kept() {
    let mut out = Vec::new();
    write_json_string(&mut out, "\"é\\\n\r\t mid \u{0}\u{1f}/\u{7f}");

    let expected = "\"\\\"é\\\\\\n\\r\\t mid \\u0000\\u001f/\u{7f}\"";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC*|[\\x00-\\x1f\"\\\\]*".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            proptest::collection::btree_map("\\PC{0,5}", inner, 0..6)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_document_survives_the_trip(document in any_json()) {
        let bytes = canonical(&document.to_string());
        let text = back(&bytes);
        let mut rest = bytes.as_slice();

        prop_assert!(serde_json::from_str::<Json>(&text).is_ok());
        prop_assert_eq!(canonical(&text), bytes.clone());
        prop_assert_eq!(skip(&mut rest), Some(()));
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn strings_are_escaped_as_json_wants_them(text in "\\PC*|[\\x00-\\x7f]*") {
        let mut out = Vec::new();
        write_json_string(&mut out, &text);

        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }

    #[test]
    fn rubbish_is_refused_without_a_panic(bytes: Vec<u8>) {
        let _ = to_json(&mut bytes.as_slice(), &mut Vec::new());
        let _ = skip(&mut bytes.as_slice());
    }
}
