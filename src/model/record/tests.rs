//! Records read back as they were written, and what their bytes cover.

use proptest::prelude::*;

use super::*;
use crate::model::target::write_pair;
use crate::model::{EventId, EventKind, IdentifierKind, Platform};

fn header(operation: OperationKind, identifier: IdentifierKind, text: &str) -> Header<'_> {
    Header::plain(operation, Target::single(identifier, text))
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    let mut record = RecordBuf::default();
    let written = header(OperationKind::PersonUpdate, IdentifierKind::Email, "a@b.c");

    record.start(written, 2);
    canonical::write_json_text(record.attribute("a"), "[1,{\"x\":null}]").unwrap();
    canonical::write_string(record.attribute("b"), "text");
    let view = RecordView::parse(&record.canonical).unwrap();

    assert!(view.operation == OperationKind::PersonUpdate);
    assert!(view.target.is_same_as(&written.target));
    let attributes: Vec<String> = view
        .attributes
        .iter()
        .map(|(name, mut value)| {
            let mut json = Vec::new();
            canonical::to_json(&mut value, &mut json).unwrap();
            format!("{name}={}", String::from_utf8(json).unwrap())
        })
        .collect();
    assert_eq!(attributes, ["a=[1,{\"x\":null}]", "b=\"text\""]);
}

#[test]
fn the_operation_and_the_target_are_part_of_the_fingerprint() {
    let fingerprint = |operation, kind, text| {
        let mut record = RecordBuf::default();
        record.start(header(operation, kind, text), 0);
        record.fingerprint(Encoding::CURRENT)
    };
    let base = fingerprint(OperationKind::PersonIdentify, IdentifierKind::Id, "1");

    assert_ne!(base, fingerprint(OperationKind::PersonUpdate, IdentifierKind::Id, "1"));
    assert_ne!(base, fingerprint(OperationKind::PersonIdentify, IdentifierKind::Email, "1"));
    assert_ne!(base, fingerprint(OperationKind::PersonIdentify, IdentifierKind::Id, "2"));
}

/// Were they others, every person would be sent again after an upgrade.
#[test]
fn the_bytes_of_a_person_s_record_are_for_ever_these() {
    let mut record = RecordBuf::default();

    record.start(header(OperationKind::PersonIdentify, IdentifierKind::Email, "a@b.c"), 1);
    canonical::write_integer(record.attribute("n"), 7);

    assert_eq!(record.canonical, b"\x01\x02\x05a@b.c\x01\x00\x01n\x03\x017");
}

fn operations() -> impl Strategy<Value = OperationKind> {
    (1u8..=17).prop_map(|code| OperationKind::from_code(code).unwrap())
}

/// What a record of any operation may be made of.
type Parts = (OperationKind, (String, String), (String, u128), Option<i64>, (bool, bool));

fn parts() -> impl Strategy<Value = Parts> {
    (
        operations(),
        any::<(String, String)>(),
        any::<(String, u128)>(),
        any::<Option<i64>>(),
        any::<(bool, bool)>(),
    )
}

fn details<'p>(parts: &'p Parts) -> Details<'p> {
    let (operation, _, (name, id), at, (one, other)) = parts;
    match operation {
        OperationKind::DeviceAdd => Details::Device {
            platform: if *one { Platform::Ios } else { Platform::Android },
            last_used: *at,
        },
        OperationKind::EventTrack => Details::Event {
            kind: match (one, other) {
                (true, _) => EventKind::Event,
                (false, true) => EventKind::Page,
                (false, false) => EventKind::Screen,
            },
            name,
            id: EventId::from_bytes(id.to_be_bytes()),
            at: *at,
        },
        OperationKind::ObjectIdentify
        | OperationKind::ObjectDelete
        | OperationKind::ObjectClear
        | OperationKind::RelationshipAdd
        | OperationKind::RelationshipDelete => {
            Details::Object { type_id: (!name.is_empty() && *one).then_some(name.as_str()) }
        }
        _ => Details::None,
    }
}

proptest! {
    #[test]
    fn every_operation_reads_back_and_its_details_are_covered(parts in parts(), edited in parts()) {
        let write = |parts: &Parts| {
            let mut text = String::new();
            write_pair(&parts.1.0, &parts.1.1, &mut text);
            let target = Target { kind: TargetKind::pair(IdentifierKind::Id), text: &text };
            let mut record = RecordBuf::default();
            record.start(Header { operation: parts.0, target, details: details(parts) }, 1);
            canonical::write_string(record.attribute("a"), "b");
            record.canonical
        };
        let bytes = write(&parts);
        let view = RecordView::parse(&bytes).unwrap();

        prop_assert_eq!(view.operation, parts.0);
        prop_assert!(view.details == details(&parts));
        prop_assert_eq!(view.target.parts(), Some((parts.1.0.as_str(), Some(parts.1.1.as_str()))));
        prop_assert_eq!(view.attributes.iter().count(), 1);
        let is_same = parts.0 == edited.0 && parts.1 == edited.1 && details(&parts) == details(&edited);
        prop_assert_eq!(write(&edited) == bytes, is_same);
        for len in 0..bytes.len() {
            // Cut off anywhere, it is told or still a record, and never a panic.
            let _ = RecordView::parse(&bytes[..len]);
        }
    }

    #[test]
    fn rubbish_is_refused_without_a_panic(bytes: Vec<u8>) {
        let _ = RecordView::parse(&bytes);
    }
}
