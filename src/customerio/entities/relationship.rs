//! Relationships between people and objects: add, delete.
//!
//! Source of the shapes: Track API v2, schemas `person_add_relationships`,
//! `person_delete_relationships`. The same can be said of the object's side, which takes no phone
//! number; one of the two is enough.

use super::{pair, write_object, write_person};
use crate::customerio::operation::BadRecord;
use crate::model::{RecordView, canonical};

/// Appends a relationship, made or changed. Null removes an attribute of it.
pub(crate) fn write_add(record: &RecordView<'_>, out: &mut Vec<u8>) -> Result<(), BadRecord> {
    write_opening("add_relationships", record, out)?;
    if !record.attributes.is_empty() {
        out.extend_from_slice(b",\"relationship_attributes\":{");
        record.attributes.write_json_members(out, canonical::to_json).ok_or(BadRecord)?;
        out.push(b'}');
    }
    out.extend_from_slice(b"}]}");
    Ok(())
}

/// Appends the end of a relationship.
pub(crate) fn write_delete(record: &RecordView<'_>, out: &mut Vec<u8>) -> Result<(), BadRecord> {
    write_opening("delete_relationships", record, out)?;
    out.extend_from_slice(b"}]}");
    Ok(())
}

fn write_opening(
    action: &str,
    record: &RecordView<'_>,
    out: &mut Vec<u8>,
) -> Result<(), BadRecord> {
    let (person, object) = pair(record)?;
    write_person(action, record, person, out);
    out.extend_from_slice(b",\"cio_relationships\":[{");
    write_object(record, object, out)
}
