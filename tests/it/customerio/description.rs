//! What we send against the vendor's own description of version 2, where that is at hand.
//!
//! The description is the vendor's, so it is no part of this repository. Its path is
//! `CIOSYNC_TRACK_OPENAPI`, or `../shared/specs/customerio-track-openapi.json` beside the package.

use std::path::PathBuf;

use ciosync::customerio::Route;
use ciosync::model::{Details, EventId, EventKind, Platform, TargetKind};
use serde_json::Value;

use super::*;

/// Schema keywords that say nothing about what is valid.
const NOTES: [&str; 6] =
    ["title", "description", "example", "default", "discriminator", "readOnly"];

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

/// Judges a value by a schema. Knows the keywords that our operations use, and fails on any other, so
/// that none is passed over in silence.
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
            "items" => {
                for (index, element) in value.as_array().unwrap().iter().enumerate() {
                    found.extend(complaints(root, rule, element, &format!("{at}[{index}]")));
                }
                true
            }
            "minItems" => value.as_array().unwrap().len() as u64 >= rule.as_u64().unwrap(),
            "maxItems" => value.as_array().unwrap().len() as u64 <= rule.as_u64().unwrap(),
            "format" => rule != "ULID" || ulid::Ulid::from_string(value.as_str().unwrap()).is_ok(),
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

/// Returns the item of an operation about a person and something of theirs, or about an object.
fn other_item(
    operation: OperationKind,
    target: Target<'_>,
    details: Details<'_>,
    has_attributes: bool,
) -> Value {
    let mut record = RecordBuf::default();
    record.start(Header { operation, target, details }, u16::from(has_attributes) * 2);
    if has_attributes {
        canonical::write_bool(record.attribute("active"), true);
        canonical::write_null(record.attribute("note"));
    }
    let mut builder = BatchBuilder::new(SizeLimitsSpec::default(), UpdateTimestamps::SendTime);
    builder.push(&RecordView::parse(&record.canonical).unwrap()).unwrap();
    let body: Value = serde_json::from_slice(builder.finish().unwrap().body()).unwrap();
    body["batch"][0].clone()
}

fn event(kind: EventKind) -> Details<'static> {
    let id = EventId::from_bytes([0xff; 16]);
    Details::Event { kind, name: "order placed", id, at: Some(1_772_013_598) }
}

#[test]
fn operations_on_all_else_fit_it_too() {
    let Some(root) = description() else { return };
    let pair = Target { kind: TargetKind::pair(IdentifierKind::Id), text: "2:42token" };
    let person = Target::single(IdentifierKind::Email, "ann@example.com");
    let (object, own) = (
        Target::single(IdentifierKind::ObjectId, "acme"),
        Target::single(IdentifierKind::CioObjectId, "obb7fd050101"),
    );
    let (typed, untyped) =
        (Details::Object { type_id: Some("1") }, Details::Object { type_id: None });
    let device = Details::Device { platform: Platform::Ios, last_used: Some(1_713_484_800) };
    use OperationKind as Op;
    for (operation, target, details, has_attributes, schema) in [
        (Op::ObjectIdentify, object, typed, true, "object_identify"),
        (Op::ObjectIdentify, own, untyped, true, "object_identify"),
        (Op::ObjectClear, object, typed, true, "object_identify"),
        (Op::ObjectDelete, object, typed, false, "object_delete"),
        (Op::ObjectDelete, own, untyped, false, "object_delete"),
        (Op::RelationshipAdd, pair, typed, true, "person_add_relationships"),
        (Op::RelationshipAdd, pair, untyped, false, "person_add_relationships"),
        (Op::RelationshipDelete, pair, typed, false, "person_delete_relationships"),
        (Op::DeviceAdd, pair, device, false, "person_add_device"),
        (Op::DeviceDelete, pair, Details::None, false, "person_delete_device"),
        (Op::EventTrack, person, event(EventKind::Event), true, "person_event"),
        (Op::EventTrack, person, event(EventKind::Page), true, "person_page"),
        (Op::EventTrack, person, event(EventKind::Screen), true, "person_screen"),
    ] {
        let item = other_item(operation, target, details, has_attributes);
        let schema = &root["components"]["schemas"][schema];

        assert_eq!(complaints(&root, schema, &item, "item"), Vec::<String>::new(), "{item}");

        let mut broken = item.clone();
        broken["action"] = "other".into();
        assert_ne!(complaints(&root, schema, &broken, "item"), Vec::<String>::new());
    }
}

#[test]
fn members_of_a_segment_fit_it_a_thousand_at_a_time() {
    let Some(root) = description() else { return };
    for (is_removal, call) in [(false, "add_customers"), (true, "remove_customers")] {
        let route = Route::Segment { id: 7, identifier: IdentifierKind::Id, is_removal };
        let limits = SizeLimitsSpec::default();
        let mut builder = BatchBuilder::on_route(route, limits, UpdateTimestamps::SendTime);
        let operation =
            if is_removal { OperationKind::SegmentRemove } else { OperationKind::SegmentAdd };
        let mut record = RecordBuf::default();
        let mut batches = Vec::new();
        for id in 0..1_001 {
            let text = id.to_string();
            record.start(Header::plain(operation, Target::single(IdentifierKind::Id, &text)), 0);
            let view = RecordView::parse(&record.canonical).unwrap();
            batches.extend(builder.push(&view).unwrap());
        }
        batches.extend(builder.finish());
        let path = format!("/api/v1/segments/{{segment_id}}/{call}");
        let schema =
            &root["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert!(schema.is_object());

        assert_eq!(batches.iter().map(Batch::len).collect::<Vec<_>>(), [1_000, 1]);
        for batch in &batches {
            let body: Value = serde_json::from_slice(batch.body()).unwrap();
            assert_eq!(complaints(&root, schema, &body, "body"), Vec::<String>::new());
        }
    }
}
