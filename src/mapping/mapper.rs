//! A compiled mapping, applied row by row.

use super::attribute::{Attribute, may_be_nulled};
use super::error::RowError;
use crate::model::key::KeyError;
use crate::model::limits::{self, IDENTIFIER_BYTES_MAX};
use crate::model::rejection::InvalidCode;
use crate::model::text::write_value_text;
use crate::model::{
    IdentifierKind, KeyShape, OperationKind, RecordBuf, Rejection, Row, Target, Value,
};

/// Turns rows of one query into records. Costs no allocation per row.
pub struct Mapper {
    pub(super) operation: OperationKind,
    pub(super) key_columns: Vec<usize>,
    pub(super) key_names: Vec<String>,
    pub(super) key_shape: KeyShape,
    pub(super) identifier: IdentifierKind,
    pub(super) identifier_column: usize,
    pub(super) identifier_name: String,
    /// Sorted by name.
    pub(super) attributes: Vec<Attribute>,
    pub(super) target_is_key: bool,
    pub(super) identifier_text: String,
    pub(super) template_text: String,
    pub(super) non_finite_count: u64,
}

impl Mapper {
    /// Returns the kinds of the key's columns.
    pub fn key_shape(&self) -> &KeyShape {
        &self.key_shape
    }

    /// Returns which identifier names the people.
    pub fn identifier(&self) -> IdentifierKind {
        self.identifier
    }

    /// Returns whether the identifier's text is always the key's, so that it need not be kept.
    pub fn target_is_key(&self) -> bool {
        self.target_is_key
    }

    /// Returns how many numbers so far were infinite or not a number and became null: JSON has no
    /// word for them.
    pub fn non_finite_count(&self) -> u64 {
        self.non_finite_count
    }

    /// Returns the names of the attributes, sorted.
    pub fn attribute_names(&self) -> Vec<String> {
        self.attributes.iter().map(|attribute| attribute.name.clone()).collect()
    }

    /// Returns the names of the attributes that `onRemove: clear` sets to null.
    pub fn clearable_names(&self) -> Vec<String> {
        self.attribute_names().into_iter().filter(|name| may_be_nulled(name)).collect()
    }

    /// Replaces `key` by the row's primary key.
    ///
    /// # Errors
    /// Where the row has no usable key, or one of another kind than the rows before.
    pub fn map_key(&self, row: Row<'_>, key: &mut Vec<u8>) -> Result<(), RowError> {
        let values = self.key_columns.iter().map(|index| row.value(*index));
        self.key_shape.encode(values, key).map_err(|error| self.key_error(error))
    }

    fn key_error(&self, error: KeyError) -> RowError {
        let name = |column: usize| self.key_names.get(column).map_or("", String::as_str);
        match error {
            KeyError::Null { column } => RowError::Invalid(Rejection::invalid(
                InvalidCode::NullKey,
                Some(name(column)),
                format!("primary key column `{}` is null", name(column)),
            )),
            KeyError::Unusable { column, why } => RowError::Invalid(Rejection::invalid(
                InvalidCode::InvalidKey,
                Some(name(column)),
                format!("primary key column `{}` {why}", name(column)),
            )),
            KeyError::WrongKind { column, found } => RowError::KeyKind {
                column: name(column).to_owned(),
                expected: self.key_shape.0.get(column).map_or("", |kind| kind.as_str()),
                found,
            },
        }
    }

    /// Replaces the canonical bytes of `record` by what would be sent for `row`.
    ///
    /// # Errors
    /// Why the row can't be sent; `record` is then unspecified.
    pub fn map_record(&mut self, row: Row<'_>, record: &mut RecordBuf) -> Result<(), Rejection> {
        let text = identifier_text(
            row.value(self.identifier_column),
            self.identifier,
            &self.identifier_name,
            &mut self.identifier_text,
        )?;
        record.start(self.operation, Target { kind: self.identifier, text }, 0);
        let mut count = 0u16;
        for attribute in &self.attributes {
            let written = attribute.write(row, record, &mut self.template_text)?;
            count += written.count;
            self.non_finite_count += u64::from(written.is_non_finite);
        }
        record.set_attribute_count(count);
        Ok(())
    }
}

fn identifier_text<'t>(
    value: Value<'t>,
    kind: IdentifierKind,
    column: &str,
    buffer: &'t mut String,
) -> Result<&'t str, Rejection> {
    let invalid = |code, what: &str| {
        Rejection::invalid(code, Some(column), format!("identifier column `{column}` {what}"))
    };
    let text = match value {
        Value::Null => return Err(invalid(InvalidCode::MissingIdentifier, "is null")),
        Value::Text(text) => text,
        other => {
            buffer.clear();
            if !write_value_text(other, buffer) {
                return Err(invalid(InvalidCode::InvalidIdentifier, "has no text"));
            }
            buffer.as_str()
        }
    };
    if text.trim().is_empty() {
        return Err(invalid(InvalidCode::MissingIdentifier, "is empty"));
    }
    if text.len() > IDENTIFIER_BYTES_MAX {
        return Err(invalid(InvalidCode::InvalidIdentifier, "is longer than 150 bytes"));
    }
    if kind == IdentifierKind::Email && !limits::is_plausible_email(text) {
        return Err(invalid(InvalidCode::InvalidEmail, "is not an e-mail address"));
    }
    Ok(text)
}
