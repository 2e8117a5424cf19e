//! Events of people and of visitors: event, page, screen.
//!
//! Source of the shapes: Track API v2, schemas `person_event`, `person_page`, `person_screen`.
//! That a visitor is named by `anonymous_id` is what clients of others send; the description
//! doesn't say so for version 2.

use super::write_person;
use crate::customerio::operation::BadRecord;
use crate::model::{Details, RecordView, canonical};

/// Appends an event. It carries the row's own time, and the id by which Customer.io drops repeats:
/// without one, each delivery counts.
pub(crate) fn write(record: &RecordView<'_>, out: &mut Vec<u8>) -> Result<(), BadRecord> {
    let Details::Event { kind, name, id, at } = record.details else { return Err(BadRecord) };
    write_person(kind.as_str(), record, record.target.text, out);
    out.extend_from_slice(b",\"name\":");
    canonical::write_json_string(out, name);
    out.extend_from_slice(b",\"id\":\"");
    id.write_ulid(out);
    out.push(b'"');
    if let Some(seconds) = at {
        out.extend_from_slice(b",\"timestamp\":");
        out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    }
    out.extend_from_slice(b",\"attributes\":{");
    record.attributes.write_json_members(out, canonical::to_json).ok_or(BadRecord)?;
    out.extend_from_slice(b"}}");
    Ok(())
}
