//! People: identify, delete, suppress, unsuppress.
//!
//! Source of the shapes: Track API v2, schemas `identify_person`, `person_delete`,
//! `person_suppress`, `person_unsuppress`.

use crate::customerio::operation::{BadRecord, STAMP_BLANK};
use crate::customerio::spec::UpdateTimestamps;
use crate::model::{OperationKind, RecordView, Target, canonical};

/// Appends an identify. Returns where its time stamp stands.
///
/// An update and a clear carry `_update`: Customer.io then never creates a person. Null removes
/// an attribute; an attribute that is not named stays as it is.
pub(crate) fn write_identify(
    record: &RecordView<'_>,
    timestamps: UpdateTimestamps,
    out: &mut Vec<u8>,
) -> Result<Option<usize>, BadRecord> {
    write_opening(record.operation, record.target, out);
    let stamp = match timestamps {
        UpdateTimestamps::SendTime => {
            out.extend_from_slice(b",\"timestamp\":");
            let offset = out.len();
            out.extend_from_slice(STAMP_BLANK);
            Some(offset)
        }
        UpdateTimestamps::Omit => None,
    };
    out.extend_from_slice(b",\"attributes\":{");
    if record.operation != OperationKind::PersonIdentify {
        out.extend_from_slice(b"\"_update\":true");
        if !record.attributes.is_empty() {
            out.push(b',');
        }
    }
    let members = match record.operation {
        OperationKind::PersonClear => record.attributes.write_json_members(out, write_null),
        _ => record.attributes.write_json_members(out, canonical::to_json),
    };
    members.ok_or(BadRecord)?;
    out.extend_from_slice(b"}}");
    Ok(stamp)
}

fn write_null(value: &mut &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(b"null");
    canonical::skip(value)
}

/// Appends an operation that names a person and says nothing more.
pub(crate) fn write_plain(record: &RecordView<'_>, out: &mut Vec<u8>) {
    write_opening(record.operation, record.target, out);
    out.push(b'}');
}

/// Identifiers are always sent as strings: Customer.io takes numbers too, and a double would bend
/// long ones.
fn write_opening(operation: OperationKind, target: Target<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"person\",\"action\":\"");
    out.extend_from_slice(action(operation).as_bytes());
    out.extend_from_slice(b"\",\"identifiers\":{\"");
    out.extend_from_slice(target.kind.as_str().as_bytes());
    out.extend_from_slice(b"\":");
    canonical::write_json_string(out, target.text);
    out.push(b'}');
}

fn action(operation: OperationKind) -> &'static str {
    match operation {
        OperationKind::PersonIdentify
        | OperationKind::PersonUpdate
        | OperationKind::PersonClear => "identify",
        OperationKind::PersonDelete => "delete",
        OperationKind::PersonSuppress => "suppress",
        OperationKind::PersonUnsuppress => "unsuppress",
    }
}
