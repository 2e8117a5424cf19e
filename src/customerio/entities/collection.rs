//! Rows of a collection, which is replaced as a whole.
//!
//! Source of the shape: App API, `/v1/collections`, property `data`: an array of objects.

use crate::customerio::operation::BadRecord;
use crate::model::{RecordView, canonical};

/// Appends a row.
pub(crate) fn write_row(record: &RecordView<'_>, out: &mut Vec<u8>) -> Result<(), BadRecord> {
    out.push(b'{');
    record.attributes.write_json_members(out, canonical::to_json).ok_or(BadRecord)?;
    out.push(b'}');
    Ok(())
}
