//! Objects: identify, delete.
//!
//! Source of the shapes: Track API v2, schemas `object_identify`, `object_delete`. There is no time
//! of an update, and no word for "update only": by `cio_object_id` an object is never made.

use super::{write_null, write_object};
use crate::customerio::operation::BadRecord;
use crate::model::{OperationKind, RecordView, canonical};

/// Appends an identify. Null removes an attribute; one that is not named stays as it is.
pub(crate) fn write_identify(record: &RecordView<'_>, out: &mut Vec<u8>) -> Result<(), BadRecord> {
    out.extend_from_slice(b"{\"type\":\"object\",\"action\":\"identify\",");
    write_object(record, record.target.text, out)?;
    out.extend_from_slice(b",\"attributes\":{");
    let members = match record.operation {
        OperationKind::ObjectClear => record.attributes.write_json_members(out, write_null),
        _ => record.attributes.write_json_members(out, canonical::to_json),
    };
    members.ok_or(BadRecord)?;
    out.extend_from_slice(b"}}");
    Ok(())
}

/// Appends a delete, which takes the object's relationships along.
pub(crate) fn write_delete(record: &RecordView<'_>, out: &mut Vec<u8>) -> Result<(), BadRecord> {
    out.extend_from_slice(b"{\"type\":\"object\",\"action\":\"delete\",");
    write_object(record, record.target.text, out)?;
    out.push(b'}');
    Ok(())
}
