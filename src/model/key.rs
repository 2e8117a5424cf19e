//! Primary keys as bytes whose order is the order in which sources must give their rows.
//!
//! Columns follow each other; each takes a form that compares bytewise as its values compare:
//! numbers by value, text by its UTF-8 bytes, dates and instants by time. The bytes follow the
//! value, not the type: `7` from an `int` column and `7.00` from a `numeric` one are one key.
//! The bytes themselves are made in [`codec`].

mod codec;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::value::{Value, ValueKind};

/// Most columns that a primary key may have.
pub const COLUMNS_MAX: usize = 8;

/// Longest key that is accepted, in encoded bytes. Customer.io's identifiers end at 150.
pub const KEY_BYTES_MAX: usize = 1_000;

/// The kinds of value that a key's column may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyKind {
    /// Whole numbers and exact decimals.
    Number,
    /// Text, ordered by its UTF-8 bytes.
    Text,
    /// UUIDs.
    Uuid,
    /// False before true.
    Boolean,
    /// Calendar dates.
    Date,
    /// Instants.
    Timestamp,
    /// Dates with a time of day, without a zone.
    LocalTimestamp,
    /// Raw bytes.
    Bytes,
}

impl KeyKind {
    /// Returns the kind that keys of such a column have; `None` where such values make no key.
    pub fn of(kind: ValueKind) -> Option<Self> {
        match kind {
            ValueKind::Integer | ValueKind::Decimal => Some(Self::Number),
            ValueKind::Text => Some(Self::Text),
            ValueKind::Uuid => Some(Self::Uuid),
            ValueKind::Boolean => Some(Self::Boolean),
            ValueKind::Date => Some(Self::Date),
            ValueKind::Timestamp => Some(Self::Timestamp),
            ValueKind::LocalTimestamp => Some(Self::LocalTimestamp),
            ValueKind::Bytes => Some(Self::Bytes),
            ValueKind::Float | ValueKind::Json | ValueKind::Dynamic | ValueKind::Unsupported => {
                None
            }
        }
    }

    /// Returns a kind of column that has such keys.
    pub fn value_kind(self) -> ValueKind {
        match self {
            Self::Number => ValueKind::Integer,
            Self::Text => ValueKind::Text,
            Self::Uuid => ValueKind::Uuid,
            Self::Boolean => ValueKind::Boolean,
            Self::Date => ValueKind::Date,
            Self::Timestamp => ValueKind::Timestamp,
            Self::LocalTimestamp => ValueKind::LocalTimestamp,
            Self::Bytes => ValueKind::Bytes,
        }
    }

    /// Returns the kind's name as people read it in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::LocalTimestamp => "timestamp without time zone",
            Self::Bytes => "bytes",
        }
    }
}

/// Why a row has no usable key. Carries the place of the key's column, never a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A column of the key is null.
    #[error("the primary key is null")]
    Null {
        /// Index within the primary key's columns.
        column: usize,
    },
    /// A value of another kind than the column's first one: the whole run must stop.
    #[error("the primary key holds values of several kinds")]
    WrongKind {
        /// Index within the primary key's columns.
        column: usize,
        /// What this row holds there.
        found: ValueKind,
    },
    /// A value that cannot be written as a key: not a number, infinite, or too long.
    #[error("the primary key {why}")]
    Unusable {
        /// Index within the primary key's columns.
        column: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// The kinds of a primary key's columns, in order: what makes two keys comparable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyShape(pub Vec<KeyKind>);

impl KeyShape {
    /// Replaces `out` by the key of a row whose key columns hold `values`.
    ///
    /// # Errors
    /// Where a value is null, of another kind, or cannot be a key; `out` is then unspecified.
    pub fn encode<'v>(
        &self,
        values: impl IntoIterator<Item = Value<'v>>,
        out: &mut Vec<u8>,
    ) -> Result<(), KeyError> {
        out.clear();
        let last = self.0.len().saturating_sub(1);
        for ((column, kind), value) in self.0.iter().enumerate().zip(values) {
            codec::encode_column(*kind, value, column, column == last, out)?;
            if out.len() > KEY_BYTES_MAX {
                return Err(KeyError::Unusable { column, why: "is longer than 1,000 bytes" });
            }
        }
        Ok(())
    }

    /// Appends the text of column `index` of `key`, as it is sent: numbers plain, times in RFC 3339.
    /// Returns `None` where the bytes are not a key of this shape.
    pub fn write_text(&self, key: &[u8], index: usize, out: &mut String) -> Option<()> {
        let mut input = key;
        for (column, kind) in self.0.iter().enumerate() {
            let last = column + 1 == self.0.len();
            let start = out.len();
            codec::decode_column(*kind, &mut input, last, out)?;
            if column == index {
                return Some(());
            }
            out.truncate(start);
        }
        None
    }

    /// Returns the whole key as a person reads it, columns separated by commas.
    pub fn display(&self, key: &[u8]) -> String {
        let mut out = String::new();
        for index in 0..self.0.len() {
            if index > 0 {
                out.push_str(", ");
            }
            if self.write_text(key, index, &mut out).is_none() {
                return "unreadable key".to_owned();
            }
        }
        out
    }
}

impl fmt::Display for KeyShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, kind) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(kind.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
