//! One cell as the source gave it.

use std::fmt;

/// The kinds a source's column can have, by name of the value it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// True or false.
    Boolean,
    /// Whole numbers that fit 64 bits.
    Integer,
    /// Exact decimals of any precision.
    Decimal,
    /// Binary floating point numbers.
    Float,
    /// Text in UTF-8.
    Text,
    /// Raw bytes.
    Bytes,
    /// A UUID.
    Uuid,
    /// A calendar date.
    Date,
    /// An instant.
    Timestamp,
    /// A date and time of day without a zone.
    LocalTimestamp,
    /// A JSON document.
    Json,
    /// Decided cell by cell, as in SQLite and CSV.
    Dynamic,
    /// A type that has no meaning outside its database; a column of it can't be used.
    Unsupported,
}

impl ValueKind {
    /// Returns the kind's name as people read it in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Float => "float",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::LocalTimestamp => "timestamp without time zone",
            Self::Json => "json",
            Self::Dynamic => "dynamic",
            Self::Unsupported => "unsupported",
        }
    }
}

/// One cell of a row, borrowed from its batch.
///
/// `Debug` prints the kind and never the content: a value of a row must not reach a log.
#[derive(Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// SQL's null, or an empty cell where the source has no other way to say it.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// An exact decimal in ASCII, plain or with an exponent: `-12.50`, `1e400`.
    Decimal(&'a str),
    /// A floating point number; may be infinite or not a number.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// A UUID's 16 bytes, most significant first.
    Uuid([u8; 16]),
    /// Days since 1970-01-01. `i32::MAX` and `i32::MIN` stand for the infinities of PostgreSQL.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z. `i64::MAX` and `i64::MIN` stand for the infinities.
    Timestamp(i64),
    /// Microseconds since 1970-01-01T00:00:00 on a clock in an unnamed zone; infinities as above.
    LocalTimestamp(i64),
    /// A JSON document as text, not yet checked.
    Json(&'a str),
    /// A cell that the source could not decode; the text says why, in our words, without its content.
    Undecodable(&'static str),
}

impl Value<'_> {
    /// Returns the kind of this value, or `None` for null and for what could not be decoded.
    pub fn kind(&self) -> Option<ValueKind> {
        match self {
            Self::Null | Self::Undecodable(_) => None,
            Self::Bool(_) => Some(ValueKind::Boolean),
            Self::Int(_) => Some(ValueKind::Integer),
            Self::Decimal(_) => Some(ValueKind::Decimal),
            Self::Float(_) => Some(ValueKind::Float),
            Self::Text(_) => Some(ValueKind::Text),
            Self::Bytes(_) => Some(ValueKind::Bytes),
            Self::Uuid(_) => Some(ValueKind::Uuid),
            Self::Date(_) => Some(ValueKind::Date),
            Self::Timestamp(_) => Some(ValueKind::Timestamp),
            Self::LocalTimestamp(_) => Some(ValueKind::LocalTimestamp),
            Self::Json(_) => Some(ValueKind::Json),
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Value(null)"),
            Self::Undecodable(why) => write!(f, "Value(undecodable: {why})"),
            other => write!(f, "Value({})", other.kind().map_or("null", ValueKind::as_str)),
        }
    }
}
