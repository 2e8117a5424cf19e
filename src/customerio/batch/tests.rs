//! What batches promise: nothing lost, nothing doubled, limits kept, halves without rewriting.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::customerio::testing::record;
use crate::model::{OperationKind, RecordBuf};

fn limits(item_bytes: u32, batch_bytes: u32) -> SizeLimitsSpec {
    SizeLimitsSpec { item_bytes, batch_bytes }
}

fn fill(records: &[RecordBuf], limits: SizeLimitsSpec) -> Vec<Batch> {
    let mut builder = BatchBuilder::new(limits, UpdateTimestamps::SendTime);
    let mut batches = Vec::new();
    for record in records {
        let view = RecordView::parse(&record.canonical).unwrap();
        batches.extend(builder.push(&view).unwrap());
    }
    batches.extend(builder.finish());
    assert!(builder.finish().is_none());
    batches
}

fn items(batch: &Batch) -> Vec<Value> {
    let body: Value = serde_json::from_slice(batch.body()).unwrap();
    let items = body["batch"].as_array().unwrap().clone();
    assert_eq!(items.len(), batch.len());
    items
}

fn people(count: usize) -> Vec<RecordBuf> {
    (0..count)
        .map(|id| record(OperationKind::PersonIdentify, &id.to_string(), &[("a", "1")]))
        .collect()
}

fn stamps(batch: &Batch) -> Vec<i64> {
    items(batch).iter().filter_map(|item| item["timestamp"].as_i64()).collect()
}

#[test]
fn a_record_that_does_not_fit_starts_the_next_batch() {
    let size = fill(&people(2), limits(1_000, 10_000))[0].body().len();
    let size = u32::try_from(size).unwrap();

    let exact = fill(&people(4), limits(1_000, size));
    let tight = fill(&people(4), limits(1_000, size - 1));

    assert_eq!(exact.iter().map(Batch::len).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(tight.iter().map(Batch::len).collect::<Vec<_>>(), [1, 1, 1, 1]);
}

#[test]
fn a_record_over_the_limit_is_refused_and_leaves_the_builder_as_it_was() {
    let large = format!("\"{}\"", "x".repeat(500));
    let large = record(OperationKind::PersonIdentify, "large", &[("a", &large)]);
    let mut builder = BatchBuilder::new(limits(400, 5_000), UpdateTimestamps::SendTime);
    let small = people(2);
    let push = |builder: &mut BatchBuilder, record: &RecordBuf| {
        builder.push(&RecordView::parse(&record.canonical).unwrap())
    };

    assert!(push(&mut builder, &small[0]).unwrap().is_none());
    let refused = push(&mut builder, &large).unwrap_err();
    assert!(push(&mut builder, &small[1]).unwrap().is_none());

    assert!(matches!(refused, PushError::TooLarge { size_bytes: 501.. }));
    let batch = builder.finish().unwrap();
    let ids: Vec<_> = items(&batch).iter().map(|item| item["identifiers"]["id"].clone()).collect();
    assert_eq!(ids, ["0", "1"]);
}

#[test]
fn a_batch_of_the_smallest_items_ends_at_the_limit_of_items() {
    let records: Vec<_> =
        (0..=ITEMS_MAX).map(|_| record(OperationKind::PersonDelete, "1", &[])).collect();

    let batches = fill(&records, limits(32_000, 10_000_000));

    assert_eq!(batches.iter().map(Batch::len).collect::<Vec<_>>(), [ITEMS_MAX, 1]);
}

#[test]
fn a_stamp_reaches_every_item_that_carries_a_time_and_only_those() {
    let mut records = people(2);
    records.push(record(OperationKind::PersonDelete, "9", &[]));
    records.push(record(OperationKind::PersonClear, "8", &[("a", "1000000000")]));
    let mut batch = fill(&records, limits(1_000, 10_000)).remove(0);
    let before = items(&batch);

    batch.stamp(1_772_013_598, Instant::now());

    assert_eq!(stamps(&batch), [1_772_013_598; 3]);
    for (mut before, mut after) in before.into_iter().zip(items(&batch)) {
        before.as_object_mut().unwrap().remove("timestamp");
        after.as_object_mut().unwrap().remove("timestamp");
        assert_eq!(before, after);
    }
}

#[test]
fn a_stamp_is_renewed_only_when_it_is_older_than_30_seconds() {
    let mut batch = fill(&people(1), limits(1_000, 10_000)).remove(0);
    let now = Instant::now();
    assert!(batch.is_stamp_due(now));

    batch.stamp(1_772_013_598, now);

    assert!(!batch.is_stamp_due(now + STAMP_AGE_MAX));
    assert!(batch.is_stamp_due(now + STAMP_AGE_MAX + Duration::from_millis(1)));
}

#[test]
fn a_body_on_the_wire_is_not_changed_by_a_later_stamp() {
    let mut batch = fill(&people(2), limits(1_000, 10_000)).remove(0);
    batch.stamp(1_772_013_598, Instant::now());
    let wire = batch.wire();

    batch.stamp(1_772_013_633, Instant::now());

    let sent: Value = serde_json::from_slice(&wire).unwrap();
    assert_eq!(sent["batch"][1]["timestamp"], 1_772_013_598);
    assert_eq!(stamps(&batch), [1_772_013_633; 2]);
}

#[test]
fn halves_are_stamped_anew() {
    let mut batch = fill(&people(3), limits(1_000, 10_000)).remove(0);
    let now = Instant::now();
    batch.stamp(1_772_013_598, now);

    let (mut first, mut second) = batch.split().unwrap();

    assert!(first.is_stamp_due(now) && second.is_stamp_due(now));
    first.stamp(1_772_013_600, now);
    second.stamp(1_772_013_601, now);
    assert_eq!(stamps(&first), [1_772_013_600]);
    assert_eq!(stamps(&second), [1_772_013_601; 2]);
}

#[test]
fn memory_that_is_used_again_leaves_no_trace_and_none_is_taken_from_a_body_on_the_wire() {
    let mut builder = BatchBuilder::new(limits(1_000, 2_000), UpdateTimestamps::SendTime);
    let mut on_the_wire = Vec::new();
    let mut reused = Vec::new();
    for record in &people(200) {
        let closed = builder.push(&RecordView::parse(&record.canonical).unwrap()).unwrap();
        let Some(batch) = closed else { continue };
        reused.extend(items(&batch));
        if reused.len() % 3 == 0 {
            on_the_wire.push((batch.wire(), batch.body().to_vec()));
        }
        builder.reuse(batch);
    }
    reused.extend(items(&builder.finish().unwrap()));

    let fresh: Vec<_> = fill(&people(200), limits(1_000, 2_000)).iter().flat_map(items).collect();
    assert_eq!(reused, fresh);
    assert!(!on_the_wire.is_empty());
    assert!(on_the_wire.iter().all(|(body, was)| body == was));
}

#[test]
fn debug_output_shows_no_item() {
    let batch = fill(&people(2), limits(1_000, 10_000)).remove(0);

    assert!(format!("{batch:?}").starts_with("Batch(2 items, "));
}

fn split_to_the_end(batch: &Batch, singles: &mut Vec<Value>) {
    match batch.split() {
        Some((first, second)) => {
            assert_eq!(first.len(), batch.len() / 2);
            split_to_the_end(&first, singles);
            split_to_the_end(&second, singles);
        }
        None => singles.extend(items(batch)),
    }
}

/// What a record is made of.
type Parts = (OperationKind, String, BTreeMap<String, String>);

fn any_parts() -> impl Strategy<Value = Parts> {
    let operation = prop_oneof![
        Just(OperationKind::PersonIdentify),
        Just(OperationKind::PersonUpdate),
        Just(OperationKind::PersonClear),
        Just(OperationKind::PersonDelete),
    ];
    let json = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        ".{0,40}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    (operation, ".{1,12}", proptest::collection::btree_map("[a-z\"]{1,4}", json, 0..6))
}

fn made((operation, id, attributes): &Parts) -> RecordBuf {
    let attributes: Vec<_> =
        attributes.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect();
    record(*operation, id, &attributes)
}

proptest! {
    #[test]
    fn batches_hold_every_record_once_in_order_within_the_limits(
        parts in proptest::collection::vec(any_parts(), 1..60),
        batch_bytes in 2_100u32..6_000,
    ) {
        let records: Vec<RecordBuf> = parts.iter().map(made).collect();
        let expected: Vec<Value> =
            records.iter().flat_map(|record| {
                items(&fill(std::slice::from_ref(record), limits(2_000, 2_100))[0])
            }).collect();

        let batches = fill(&records, limits(2_000, batch_bytes));

        let mut sent = Vec::new();
        let mut singles = Vec::new();
        for batch in &batches {
            prop_assert!(batch.body().len() <= batch_bytes as usize);
            sent.extend(items(batch));
            split_to_the_end(batch, &mut singles);
        }
        prop_assert_eq!(&sent, &expected);
        prop_assert_eq!(&singles, &expected);
    }
}

fn ids(batch: &Batch) -> Vec<String> {
    let body: Value = serde_json::from_slice(batch.body()).unwrap();
    serde_json::from_value(body["ids"].clone()).unwrap()
}

fn split_ids(batch: &Batch, singles: &mut Vec<String>) {
    match batch.split() {
        Some((first, second)) => {
            assert_eq!((first.route(), second.route()), (batch.route(), batch.route()));
            split_ids(&first, singles);
            split_ids(&second, singles);
        }
        None => singles.extend(ids(batch)),
    }
}

#[test]
fn members_of_a_segment_and_all_else_go_by_routes_of_their_own() {
    let route = |is_removal| Route::Segment { id: 7, identifier: IdentifierKind::Id, is_removal };

    assert!(route(false).carries(OperationKind::SegmentAdd));
    assert!(route(true).carries(OperationKind::SegmentRemove));
    assert!(!route(true).carries(OperationKind::SegmentAdd));
    assert!(!route(false).carries(OperationKind::PersonIdentify));
    assert!(!Route::Batch.carries(OperationKind::SegmentRemove));
    assert!(Route::Batch.carries(OperationKind::EventTrack));
}

proptest! {
    #[test]
    fn members_of_a_segment_are_told_once_in_order_and_can_be_halved_to_the_end(
        members in proptest::collection::vec(".{1,12}", 1..400), batch_bytes in 2_100u32..4_000,
    ) {
        let route = Route::Segment { id: 7, identifier: IdentifierKind::Id, is_removal: false };
        let limits = limits(2_000, batch_bytes);
        let mut builder = BatchBuilder::on_route(route, limits, UpdateTimestamps::SendTime);
        let mut batches = Vec::new();
        for member in &members {
            let record = record(OperationKind::SegmentAdd, member, &[]);
            batches.extend(builder.push(&RecordView::parse(&record.canonical).unwrap()).unwrap());
        }
        batches.extend(builder.finish());

        let (mut sent, mut singles) = (Vec::new(), Vec::new());
        for batch in &mut batches {
            prop_assert!(batch.body().len() <= batch_bytes as usize);
            batch.stamp(1_772_013_598, Instant::now());
            sent.extend(ids(batch));
            split_ids(batch, &mut singles);
        }
        prop_assert_eq!(&sent, &members);
        prop_assert_eq!(&singles, &members);
    }
}
