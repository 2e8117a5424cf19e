//! Devices: add, delete.
//!
//! Source of the shapes: Track API v2, schemas `person_add_device`, `person_delete_device`.

use super::{pair, write_person};
use crate::customerio::operation::BadRecord;
use crate::model::{Details, RecordView, canonical};

/// Appends the device of a person, added or changed.
pub(crate) fn write_add(record: &RecordView<'_>, out: &mut Vec<u8>) -> Result<(), BadRecord> {
    let (person, token) = pair(record)?;
    let Details::Device { platform, last_used } = record.details else { return Err(BadRecord) };
    write_person("add_device", record, person, out);
    out.extend_from_slice(b",\"device\":{\"token\":");
    canonical::write_json_string(out, token);
    out.extend_from_slice(b",\"platform\":\"");
    out.extend_from_slice(platform.as_str().as_bytes());
    out.push(b'"');
    if let Some(seconds) = last_used {
        out.extend_from_slice(b",\"last_used\":");
        out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    }
    if !record.attributes.is_empty() {
        out.extend_from_slice(b",\"attributes\":{");
        record.attributes.write_json_members(out, write_text).ok_or(BadRecord)?;
        out.push(b'}');
    }
    out.extend_from_slice(b"}}");
    Ok(())
}

/// Appends a value as text: the attributes of a device are of no other type. A null stays one.
/// Source: Track API description, `device_object_common`, "additionalProperties: string".
fn write_text(value: &mut &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut json = Vec::new();
    canonical::to_json(value, &mut json)?;
    if json.first() == Some(&b'"') || json == b"null" {
        out.extend_from_slice(&json);
    } else {
        canonical::write_json_string(out, std::str::from_utf8(&json).ok()?);
    }
    Some(())
}

/// Appends the removal of a device from a person.
pub(crate) fn write_delete(record: &RecordView<'_>, out: &mut Vec<u8>) -> Result<(), BadRecord> {
    let (person, token) = pair(record)?;
    write_person("delete_device", record, person, out);
    out.extend_from_slice(b",\"device\":{\"token\":");
    canonical::write_json_string(out, token);
    out.extend_from_slice(b"}}");
    Ok(())
}
