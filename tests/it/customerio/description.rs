//! What we send against the vendor's own description of version 2, where that is at hand.
//!
//! The description is the vendor's, so it is no part of this repository. Its path is
//! `CIOSYNC_TRACK_OPENAPI`, or `../shared/specs/customerio-track-openapi.json` beside the package.

use std::path::PathBuf;

use serde_json::Value;

use super::*;

/// Schema keywords that say nothing about what is valid.
const NOTES: [&str; 5] = ["title", "description", "example", "default", "discriminator"];

fn description() -> Option<Value> {
    let path = std::env::var_os("CIOSYNC_TRACK_OPENAPI").map_or_else(
        || {
            let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
            package.join("../shared/specs/customerio-track-openapi.json")
        },
        PathBuf::from,
    );
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// Judges a value by a schema. Knows the keywords that operations on people use, and fails on any
/// other, so that none is passed over in silence.
fn complaints(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        let fine = match keyword.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                found.extend(complaints(root, root.pointer(pointer).unwrap(), value, at));
                true
            }
            "allOf" => {
                for part in rule.as_array().unwrap() {
                    found.extend(complaints(root, part, value, at));
                }
                true
            }
            "oneOf" | "anyOf" => {
                let parts = rule.as_array().unwrap().iter();
                let fitting = parts.filter(|part| complaints(root, part, value, at).is_empty());
                let count = fitting.count();
                if keyword == "oneOf" { count == 1 } else { count > 0 }
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                other => panic!("the description uses the type {other}"),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(member) = value.get(name) {
                        found.extend(complaints(root, schema, member, &format!("{at}.{name}")));
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (name, member) in value.as_object().unwrap() {
                    if !known.is_some_and(|known| known.contains_key(name)) {
                        found.extend(complaints(root, rule, member, &format!("{at}.{name}")));
                    }
                }
                true
            }
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap()),
            note if NOTES.contains(&note) || note.starts_with("x-") => true,
            other => panic!("the description uses the keyword {other} at {at}"),
        };
        if !fine {
            found.push(format!("{at} breaks {keyword}: {rule}"));
        }
    }
    found
}

fn item(operation: OperationKind, timestamps: UpdateTimestamps) -> Value {
    let mut builder = BatchBuilder::new(SizeLimitsSpec::default(), timestamps);
    let record = record(operation, "42");
    builder.push(&RecordView::parse(&record.canonical).unwrap()).unwrap();
    let body: Value = serde_json::from_slice(builder.finish().unwrap().body()).unwrap();
    body["batch"][0].clone()
}

#[test]
#[expect(clippy::print_stderr, reason = "a comparison that is left out says so")]
fn every_operation_fits_the_vendors_description() {
    let Some(root) = description() else {
        eprintln!("the vendor's description is not at hand: nothing was compared");
        return;
    };
    for (operation, schema) in [
        (OperationKind::PersonIdentify, "identify_person"),
        (OperationKind::PersonUpdate, "identify_person"),
        (OperationKind::PersonClear, "identify_person"),
        (OperationKind::PersonDelete, "person_delete"),
        (OperationKind::PersonSuppress, "person_suppress"),
        (OperationKind::PersonUnsuppress, "person_unsuppress"),
    ] {
        let schema = &root["components"]["schemas"][schema];
        for timestamps in [UpdateTimestamps::SendTime, UpdateTimestamps::Omit] {
            let item = item(operation, timestamps);

            assert_eq!(complaints(&root, schema, &item, "item"), Vec::<String>::new());

            let mut broken = item.clone();
            broken["identifiers"] = serde_json::json!({"id": "42", "email": "a@b.c"});
            assert_ne!(complaints(&root, schema, &broken, "item"), Vec::<String>::new());
        }
    }
}
