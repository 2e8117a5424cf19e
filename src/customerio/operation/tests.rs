//! The wire form of each operation, and the bound that spares writing it.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::customerio::testing::record;
use crate::model::record::Header;
use crate::model::{IdentifierKind, RecordBuf, Target, canonical};

fn written(record: &RecordBuf, timestamps: UpdateTimestamps) -> (String, Option<usize>) {
    let view = RecordView::parse(&record.canonical).unwrap();
    let mut out = Vec::new();
    let stamp = write_item(&view, timestamps, &mut out).unwrap();
    assert_eq!(item_size(&view, timestamps), Ok(out.len()));
    (String::from_utf8(out).unwrap(), stamp)
}

fn wire(operation: OperationKind) -> String {
    let attributes = [("plan", "\"pro\""), ("mrr_usd", "12.50"), ("left", "null")];
    written(&record(operation, "42", &attributes), UpdateTimestamps::SendTime).0
}

#[test]
fn identify_creates_or_updates_and_carries_the_time_of_sending() {
    assert_snapshot!(wire(OperationKind::PersonIdentify), @r#"{"type":"person","action":"identify","identifiers":{"id":"42"},"timestamp":1000000000,"attributes":{"left":null,"mrr_usd":12.5,"plan":"pro"}}"#);
}

#[test]
fn update_never_creates() {
    assert_snapshot!(wire(OperationKind::PersonUpdate), @r#"{"type":"person","action":"identify","identifiers":{"id":"42"},"timestamp":1000000000,"attributes":{"_update":true,"left":null,"mrr_usd":12.5,"plan":"pro"}}"#);
}

#[test]
fn clear_nulls_every_attribute_and_never_creates() {
    assert_snapshot!(wire(OperationKind::PersonClear), @r#"{"type":"person","action":"identify","identifiers":{"id":"42"},"timestamp":1000000000,"attributes":{"_update":true,"left":null,"mrr_usd":null,"plan":null}}"#);
}

#[test]
fn delete_suppress_and_unsuppress_name_the_person_and_nothing_more() {
    assert_snapshot!(wire(OperationKind::PersonDelete), @r#"{"type":"person","action":"delete","identifiers":{"id":"42"}}"#);
    assert_snapshot!(wire(OperationKind::PersonSuppress), @r#"{"type":"person","action":"suppress","identifiers":{"id":"42"}}"#);
    assert_snapshot!(wire(OperationKind::PersonUnsuppress), @r#"{"type":"person","action":"unsuppress","identifiers":{"id":"42"}}"#);
}

#[test]
fn every_kind_of_identifier_is_sent_as_a_string_under_its_own_name() {
    let kinds =
        [IdentifierKind::Id, IdentifierKind::Email, IdentifierKind::Phone, IdentifierKind::CioId];

    let sent = kinds.map(|kind| {
        let mut record = RecordBuf::default();
        record.start(Header::plain(OperationKind::PersonDelete, Target::single(kind, "7\"")), 0);
        written(&record, UpdateTimestamps::SendTime).0
    });

    for (sent, name) in sent.iter().zip(["id", "email", "phone", "cio_id"]) {
        assert!(sent.contains(&format!(r#""identifiers":{{"{name}":"7\""}}"#)), "{sent}");
    }
}

#[test]
fn a_time_stamp_stands_where_it_is_said_to_and_can_be_left_out() {
    let empty = record(OperationKind::PersonIdentify, "42", &[]);

    let (json, stamp) = written(&empty, UpdateTimestamps::SendTime);
    let start = stamp.unwrap();
    assert_eq!(&json.as_bytes()[start..start + STAMP_DIGITS], STAMP_BLANK);

    let (json, stamp) = written(&empty, UpdateTimestamps::Omit);
    assert_eq!(stamp, None);
    assert_snapshot!(json, @r#"{"type":"person","action":"identify","identifiers":{"id":"42"},"attributes":{}}"#);
}

#[test]
fn damaged_bytes_are_an_error_and_not_half_an_item() {
    let whole = record(OperationKind::PersonIdentify, "42", &[("a", "\"text\"")]);

    for len in 0..whole.canonical.len() {
        let cut = &whole.canonical[..len];
        let written =
            RecordView::parse(cut).map(|view| item_size(&view, UpdateTimestamps::SendTime));
        assert!(matches!(written, None | Some(Err(BadRecord))), "{len} bytes");
        assert_eq!(oversize(cut, UpdateTimestamps::SendTime, 1), Err(BadRecord));
    }
}

#[test]
fn an_item_over_the_limit_is_found_with_its_size() {
    let text = format!("\"{}\"", "x".repeat(1_000));
    let record = record(OperationKind::PersonIdentify, "42", &[("a", &text)]);
    let (json, _) = written(&record, UpdateTimestamps::SendTime);
    let oversize = |limit| oversize(&record.canonical, UpdateTimestamps::SendTime, limit).unwrap();

    assert_eq!(oversize(json.len()), None);
    assert_eq!(oversize(json.len() - 1), Some(json.len()));
    assert_eq!(oversize(32_000), None);
}

proptest! {
    #[test]
    fn the_bound_that_spares_writing_never_lets_a_large_item_pass(
        id in "\\PC{1,20}",
        names in proptest::collection::btree_set("[\\x00-\\x20a\"\\\\]{0,6}", 0..12),
        fill in prop_oneof![
            Just("null".to_owned()), Just("false".to_owned()), Just("[null,false,[],{}]".to_owned()),
            Just("\"\\u0000\\u0001\\n\"".to_owned()), Just("{\"\":false}".to_owned()),
        ],
    ) {
        let mut record = RecordBuf::default();
        let target = Target::single(IdentifierKind::CioId, &id);
        let header = Header::plain(OperationKind::PersonUpdate, target);
        record.start(header, u16::try_from(names.len()).unwrap());
        for name in &names {
            canonical::write_json_text(record.attribute(name), &fill).unwrap();
        }
        let (json, _) = written(&record, UpdateTimestamps::SendTime);

        for limit in [json.len() - 1, json.len()] {
            let size = oversize(&record.canonical, UpdateTimestamps::SendTime, limit).unwrap();
            prop_assert_eq!(size, (json.len() > limit).then_some(json.len()));
        }
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }
}
