//! The JSON of each entity's operations, one module an entity.

use crate::customerio::operation::BadRecord;
use crate::model::{Details, RecordView, canonical};

pub(super) mod collection;
pub(super) mod device;
pub(super) mod event;
pub(super) mod object;
pub(super) mod person;
pub(super) mod relationship;

/// Appends the front of an item about a person: all but the closing brace.
///
/// Identifiers are always sent as strings: Customer.io takes numbers too, and a double would bend
/// long ones.
fn write_person(action: &str, record: &RecordView<'_>, person: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"person\",\"action\":\"");
    out.extend_from_slice(action.as_bytes());
    out.extend_from_slice(b"\",\"identifiers\":{\"");
    out.extend_from_slice(record.target.kind.identifier.as_str().as_bytes());
    out.extend_from_slice(b"\":");
    canonical::write_json_string(out, person);
    out.push(b'}');
}

/// Returns both halves of the record's target.
fn pair<'a>(record: &RecordView<'a>) -> Result<(&'a str, &'a str), BadRecord> {
    match record.target.parts() {
        Some((person, Some(second))) => Ok((person, second)),
        Some((_, None)) | None => Err(BadRecord),
    }
}

/// Appends the identifiers of an object: by type and id, or by Customer.io's own id.
fn write_object(record: &RecordView<'_>, id: &str, out: &mut Vec<u8>) -> Result<(), BadRecord> {
    let Details::Object { type_id } = record.details else { return Err(BadRecord) };
    out.extend_from_slice(b"\"identifiers\":{");
    match type_id {
        Some(type_id) => {
            out.extend_from_slice(b"\"object_type_id\":");
            canonical::write_json_string(out, type_id);
            out.extend_from_slice(b",\"object_id\":");
        }
        None => out.extend_from_slice(b"\"cio_object_id\":"),
    }
    canonical::write_json_string(out, id);
    out.push(b'}');
    Ok(())
}

/// Appends a null in the place of a value.
fn write_null(value: &mut &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(b"null");
    canonical::skip(value)
}

#[cfg(test)]
mod tests;
