//! Operations as Customer.io reads them: one record becomes one item of a version 2 batch, or one id
//! among those of a segment.
//!
//! JSON is written straight from the canonical bytes, without a JSON tree.

use super::entities::{collection, device, event, object, person, relationship};
use super::spec::UpdateTimestamps;
use crate::model::{OperationKind, RecordView, canonical};

/// Digits of a time stamp inside an item. Unix seconds have ten of them from 2001 to 2286, so a
/// stamp is replaced in place.
pub const STAMP_DIGITS: usize = 10;

/// What stands in an item until its batch is stamped: the smallest number of ten digits.
pub(super) const STAMP_BLANK: &[u8; STAMP_DIGITS] = b"1000000000";

/// Largest growth of a canonical byte that becomes JSON: a control character becomes `\u0001`,
/// `false` takes one byte of canonical form and five of JSON, a comma included six; as text, which
/// the attributes of a device are, eight.
const JSON_GROWTH_MAX: usize = 8;

/// Bytes of an item that are neither names nor values: at most this many. The longest frame is that
/// of a relationship.
const ITEM_FRAME_BYTES_MAX: usize = 240;

/// Canonical bytes that are no record: damage, or an error of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record's canonical bytes can't be read")]
pub struct BadRecord;

/// Appends the record's item to `out`. Returns where its time stamp stands, counted from the start
/// of `out`; `None` where the operation carries none.
///
/// # Errors
/// Where the canonical bytes are damaged; what was appended until then must be cut off.
pub fn write_item(
    record: &RecordView<'_>,
    timestamps: UpdateTimestamps,
    out: &mut Vec<u8>,
) -> Result<Option<usize>, BadRecord> {
    match record.operation {
        OperationKind::PersonIdentify
        | OperationKind::PersonUpdate
        | OperationKind::PersonClear => person::write_identify(record, timestamps, out),
        OperationKind::PersonDelete => {
            person::write_plain("delete", record, out);
            Ok(None)
        }
        OperationKind::PersonSuppress => {
            person::write_plain("suppress", record, out);
            Ok(None)
        }
        OperationKind::PersonUnsuppress => {
            person::write_plain("unsuppress", record, out);
            Ok(None)
        }
        OperationKind::ObjectIdentify | OperationKind::ObjectClear => {
            object::write_identify(record, out).map(|()| None)
        }
        OperationKind::ObjectDelete => object::write_delete(record, out).map(|()| None),
        OperationKind::RelationshipAdd => relationship::write_add(record, out).map(|()| None),
        OperationKind::RelationshipDelete => relationship::write_delete(record, out).map(|()| None),
        OperationKind::DeviceAdd => device::write_add(record, out).map(|()| None),
        OperationKind::DeviceDelete => device::write_delete(record, out).map(|()| None),
        OperationKind::EventTrack => event::write(record, out).map(|()| None),
        OperationKind::SegmentAdd | OperationKind::SegmentRemove => {
            canonical::write_json_string(out, record.target.text);
            Ok(None)
        }
        OperationKind::CollectionReplace => collection::write_row(record, out).map(|()| None),
    }
}

/// Returns the size of the record's item in bytes of JSON, by writing it.
///
/// # Errors
/// Where the canonical bytes are damaged.
pub fn item_size(
    record: &RecordView<'_>,
    timestamps: UpdateTimestamps,
) -> Result<usize, BadRecord> {
    let mut out = Vec::new();
    write_item(record, timestamps, &mut out)?;
    Ok(out.len())
}

/// Returns the item's size in bytes of JSON where it is over `limit_bytes`, `None` where it fits.
///
/// Ordinary records are told by the length of their canonical bytes alone; JSON is written only
/// for those that could be too large.
///
/// # Errors
/// Where a record has to be written and its canonical bytes are damaged.
pub fn oversize(
    canonical: &[u8],
    timestamps: UpdateTimestamps,
    limit_bytes: usize,
) -> Result<Option<usize>, BadRecord> {
    if canonical.len() * JSON_GROWTH_MAX + ITEM_FRAME_BYTES_MAX <= limit_bytes {
        return Ok(None);
    }
    let record = RecordView::parse(canonical).ok_or(BadRecord)?;
    let size = item_size(&record, timestamps)?;
    Ok((size > limit_bytes).then_some(size))
}

#[cfg(test)]
mod tests;
