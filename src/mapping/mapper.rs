//! A compiled mapping, applied row by row.

use super::attribute::Attribute;
use super::error::RowError;
use super::subject::Subject;
use crate::model::key::KeyError;
use crate::model::rejection::InvalidCode;
use crate::model::{KeyShape, OperationKind, RecordBuf, Rejection, Row, TargetKind};

/// Turns rows of one query into records. Costs no allocation per row.
pub struct Mapper {
    pub(super) subject: Subject,
    pub(super) key_columns: Vec<usize>,
    pub(super) key_names: Vec<String>,
    pub(super) key_shape: KeyShape,
    /// Sorted by name.
    pub(super) attributes: Vec<Attribute>,
    pub(super) target_is_key: bool,
    pub(super) template_text: String,
    pub(super) non_finite_count: u64,
}

impl Mapper {
    /// Returns the kinds of the key's columns.
    pub fn key_shape(&self) -> &KeyShape {
        &self.key_shape
    }

    /// Returns what the targets of the rows are.
    pub fn target_kind(&self) -> TargetKind {
        self.subject.kind
    }

    /// Returns whether the target need not be kept: its text is always the key's, or nothing is
    /// ever asked of it again, as of an event's.
    pub fn target_is_key(&self) -> bool {
        self.target_is_key
    }

    /// Returns whether rows are events, of which many may be about one person.
    pub fn makes_events(&self) -> bool {
        self.subject.operation == OperationKind::EventTrack
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
        let clearable = self.attributes.iter().filter(|attribute| attribute.meaning.may_be_nulled);
        clearable.map(|attribute| attribute.name.clone()).collect()
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

    /// Replaces the canonical bytes of `record`, which holds the row's key already, by what would be
    /// sent for `row`.
    ///
    /// # Errors
    /// Why the row can't be sent; `record` is then unspecified.
    pub fn map_record(&mut self, row: Row<'_>, record: &mut RecordBuf) -> Result<(), Rejection> {
        self.subject.start(row, &self.key_shape, record)?;
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
