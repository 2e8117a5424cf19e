//! People: identify, delete, suppress, unsuppress.
//!
//! Source of the shapes: Track API v2, schemas `identify_person`, `person_delete`,
//! `person_suppress`, `person_unsuppress`.

use super::{write_null, write_person};
use crate::customerio::operation::{BadRecord, STAMP_BLANK};
use crate::customerio::spec::UpdateTimestamps;
use crate::model::{OperationKind, RecordView, canonical};

/// Appends an identify. Returns where its time stamp stands.
///
/// An update and a clear carry `_update`: Customer.io then never creates a person. Null removes
/// an attribute; an attribute that is not named stays as it is.
pub(crate) fn write_identify(
    record: &RecordView<'_>,
    timestamps: UpdateTimestamps,
    out: &mut Vec<u8>,
) -> Result<Option<usize>, BadRecord> {
    write_person("identify", record, record.target.text, out);
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

/// Appends an operation that names a person and says nothing more.
pub(crate) fn write_plain(action: &str, record: &RecordView<'_>, out: &mut Vec<u8>) {
    write_person(action, record, record.target.text, out);
    out.push(b'}');
}
