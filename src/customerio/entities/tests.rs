//! The wire form of what is no person's own operation.

use insta::assert_snapshot;

use crate::customerio::operation::{item_size, oversize, write_item};
use crate::customerio::spec::UpdateTimestamps;
use crate::model::record::Header;
use crate::model::target::write_pair;
use crate::model::{
    Details, EventId, EventKind, IdentifierKind, OperationKind, Platform, RecordBuf, RecordView,
    Target, TargetKind, canonical,
};

const ACME: Details<'_> = Details::Object { type_id: Some("1") };
const OWN: Details<'_> = Details::Object { type_id: None };

/// Returns the item of an operation about a pair of these, or about the first alone.
fn wire(
    operation: OperationKind,
    (identifier, first, second): (IdentifierKind, &str, Option<&str>),
    details: Details<'_>,
    attributes: &[(&str, &str)],
) -> String {
    let mut text = first.to_owned();
    if let Some(second) = second {
        text.clear();
        write_pair(first, second, &mut text);
    }
    let kind = TargetKind { identifier, is_pair: second.is_some() };
    let mut record = RecordBuf::default();
    let count = u16::try_from(attributes.len()).unwrap();
    record.start(Header { operation, target: Target { kind, text: &text }, details }, count);
    for (name, json) in attributes {
        canonical::write_json_text(record.attribute(name), json).unwrap();
    }
    let view = RecordView::parse(&record.canonical).unwrap();
    let mut out = Vec::new();
    assert_eq!(write_item(&view, UpdateTimestamps::SendTime, &mut out), Ok(None));
    assert_eq!(item_size(&view, UpdateTimestamps::SendTime), Ok(out.len()));
    for limit in [out.len() - 1, out.len()] {
        let size = oversize(&record.canonical, UpdateTimestamps::SendTime, limit).unwrap();
        assert_eq!(size, (out.len() > limit).then_some(out.len()));
    }
    String::from_utf8(out).unwrap()
}

fn event(
    kind: EventKind,
    identifier: IdentifierKind,
    at: Option<i64>,
    data: &[(&str, &str)],
) -> String {
    let id = EventId::from_bytes([0x5a; 16]);
    let details = Details::Event { kind, name: "order \"placed\"", id, at };
    wire(OperationKind::EventTrack, (identifier, "42", None), details, data)
}

#[test]
fn events_carry_their_name_their_id_and_their_own_time() {
    let data = [("price", "29.99"), ("tags", "[\"a\",null]")];
    assert_snapshot!(event(EventKind::Event, IdentifierKind::Id, Some(1_772_013_598), &data), @r#"{"type":"person","action":"event","identifiers":{"id":"42"},"name":"order \"placed\"","id":"2TB9D5MPJTB9D5MPJTB9D5MPJT","timestamp":1772013598,"attributes":{"price":29.99,"tags":["a",null]}}"#);
    assert_snapshot!(event(EventKind::Page, IdentifierKind::Email, None, &[]), @r#"{"type":"person","action":"page","identifiers":{"email":"42"},"name":"order \"placed\"","id":"2TB9D5MPJTB9D5MPJTB9D5MPJT","attributes":{}}"#);
    assert_snapshot!(event(EventKind::Screen, IdentifierKind::AnonymousId, Some(0), &[]), @r#"{"type":"person","action":"screen","identifiers":{"anonymous_id":"42"},"name":"order \"placed\"","id":"2TB9D5MPJTB9D5MPJTB9D5MPJT","timestamp":0,"attributes":{}}"#);
}

#[test]
fn devices_are_added_with_text_attributes_and_deleted_by_their_token() {
    let device = (IdentifierKind::Id, "42", Some("to:ken"));
    let details = Details::Device { platform: Platform::Ios, last_used: Some(1_713_484_800) };
    let attributes = [("a", "\"1\""), ("b", "true"), ("c", "[1,\"\\u0001\"]"), ("d", "null")];
    assert_snapshot!(wire(OperationKind::DeviceAdd, device, details, &attributes), @r#"{"type":"person","action":"add_device","identifiers":{"id":"42"},"device":{"token":"to:ken","platform":"ios","last_used":1713484800,"attributes":{"a":"1","b":"true","c":"[1,\"\\u0001\"]","d":null}}}"#);
    let details = Details::Device { platform: Platform::Android, last_used: None };
    assert_snapshot!(wire(OperationKind::DeviceAdd, device, details, &[]), @r#"{"type":"person","action":"add_device","identifiers":{"id":"42"},"device":{"token":"to:ken","platform":"android"}}"#);
    assert_snapshot!(wire(OperationKind::DeviceDelete, device, Details::None, &[]), @r#"{"type":"person","action":"delete_device","identifiers":{"id":"42"},"device":{"token":"to:ken"}}"#);
}

#[test]
fn objects_are_named_by_type_and_id_or_by_customer_io_s_own_id() {
    let typed = (IdentifierKind::ObjectId, "acme", None);
    let own = (IdentifierKind::CioObjectId, "ob1", None);
    let attributes = [("name", "\"Acme\""), ("seats", "50")];
    assert_snapshot!(wire(OperationKind::ObjectIdentify, typed, ACME, &attributes), @r#"{"type":"object","action":"identify","identifiers":{"object_type_id":"1","object_id":"acme"},"attributes":{"name":"Acme","seats":50}}"#);
    assert_snapshot!(wire(OperationKind::ObjectIdentify, own, OWN, &attributes), @r#"{"type":"object","action":"identify","identifiers":{"cio_object_id":"ob1"},"attributes":{"name":"Acme","seats":50}}"#);
    assert_snapshot!(wire(OperationKind::ObjectClear, typed, ACME, &attributes), @r#"{"type":"object","action":"identify","identifiers":{"object_type_id":"1","object_id":"acme"},"attributes":{"name":null,"seats":null}}"#);
    assert_snapshot!(wire(OperationKind::ObjectDelete, typed, ACME, &[]), @r#"{"type":"object","action":"delete","identifiers":{"object_type_id":"1","object_id":"acme"}}"#);
    assert_snapshot!(wire(OperationKind::ObjectDelete, own, OWN, &[]), @r#"{"type":"object","action":"delete","identifiers":{"cio_object_id":"ob1"}}"#);
}

#[test]
fn relationships_are_said_of_the_person() {
    let pair = (IdentifierKind::Email, "a@b.c", Some("acme"));
    let role = [("role", "\"admin\"")];
    assert_snapshot!(wire(OperationKind::RelationshipAdd, pair, ACME, &role), @r#"{"type":"person","action":"add_relationships","identifiers":{"email":"a@b.c"},"cio_relationships":[{"identifiers":{"object_type_id":"1","object_id":"acme"},"relationship_attributes":{"role":"admin"}}]}"#);
    assert_snapshot!(wire(OperationKind::RelationshipAdd, pair, OWN, &[]), @r#"{"type":"person","action":"add_relationships","identifiers":{"email":"a@b.c"},"cio_relationships":[{"identifiers":{"cio_object_id":"acme"}}]}"#);
    assert_snapshot!(wire(OperationKind::RelationshipDelete, pair, ACME, &[]), @r#"{"type":"person","action":"delete_relationships","identifiers":{"email":"a@b.c"},"cio_relationships":[{"identifiers":{"object_type_id":"1","object_id":"acme"}}]}"#);
}

#[test]
fn a_member_of_a_segment_is_an_id_and_nothing_more() {
    let person = (IdentifierKind::Id, "4\"2", None);
    assert_snapshot!(wire(OperationKind::SegmentAdd, person, Details::None, &[]), @r#""4\"2""#);
    assert_snapshot!(wire(OperationKind::SegmentRemove, person, Details::None, &[]), @r#""4\"2""#);
}
