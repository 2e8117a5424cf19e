//! The `{identifier}` of a path, whose kind is told by its shape.

use std::borrow::Cow;

use crate::emulator::limits::Limits;
use crate::emulator::operation::PersonIdentifier;

/// Returns the person a path names: `cio_…`, an e-mail address, or else an id (a phone number too).
///
/// # Errors
///
/// A message when it is blank or too long.
pub(super) fn from_path<'a>(
    value: &'a str,
    limits: &Limits,
) -> Result<PersonIdentifier<'a>, String> {
    if value.trim().is_empty() {
        return Err("id attribute cannot be an empty string".to_owned());
    }
    match value.strip_prefix("cio_") {
        Some(cio_id) => Ok(PersonIdentifier::CioId(Cow::Borrowed(cio_id))),
        None if value.contains('@') => Ok(PersonIdentifier::Email(Cow::Borrowed(value))),
        None if value.len() > limits.id_bytes => {
            Err(format!("id cannot be longer than {} bytes", limits.id_bytes))
        }
        None => Ok(PersonIdentifier::Id(Cow::Borrowed(value))),
    }
}
