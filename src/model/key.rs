//! Primary keys as bytes whose order is the order in which sources must give their rows.
//!
//! Columns follow each other; each takes a form that compares bytewise as its values compare:
//! numbers by value, text by its UTF-8 bytes, dates and instants by time. The bytes follow the
//! value, not the type: `7` from an `int` column and `7.00` from a `numeric` one are one key.
//! The form of numbers is the one SQLite 4 designed for its keys (`key_encoding.wiki`).

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::value::{Value, ValueKind};

/// Most columns that a primary key may have.
pub const COLUMNS_MAX: usize = 8;

/// Longest key that is accepted, in encoded bytes. Customer.io's identifiers end at 150.
pub const KEY_BYTES_MAX: usize = 1_000;

const ZERO: u8 = 0x15;
const SMALL_POSITIVE: u8 = 0x16;
const MEDIUM_POSITIVE: u8 = 0x17;
const LARGE_POSITIVE: u8 = 0x22;
const SMALL_NEGATIVE: u8 = 0x14;
const MEDIUM_NEGATIVE: u8 = 0x13;
const LARGE_NEGATIVE: u8 = 0x08;
const MEDIUM_EXPONENT_MAX: i64 = 10;

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
            encode_column(*kind, value, column, column == last, out)?;
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
            decode_column(*kind, &mut input, last, out)?;
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

/// Appends the text of one value as it is sent in an identifier: the same text as that of a key.
/// Returns `false` where the value has no such text (null, floating point, JSON, infinities).
pub fn write_value_text(value: Value<'_>, out: &mut String) -> bool {
    match value {
        Value::Bool(flag) => out.push_str(if flag { "true" } else { "false" }),
        Value::Int(number) => out.push_str(itoa::Buffer::new().format(number)),
        Value::Decimal(text) => {
            let mut digits = Vec::new();
            let written = Number::parse(text).is_some_and(|number| number.write_plain(&mut digits));
            let Ok(digits) = std::str::from_utf8(&digits) else { return false };
            out.push_str(digits);
            return written;
        }
        Value::Text(text) => out.push_str(text),
        Value::Bytes(bytes) => write_hex(bytes, out),
        Value::Uuid(bytes) => write_uuid(bytes, out),
        Value::Date(days) => return write_date(days, out),
        Value::Timestamp(micros) => return write_timestamp(micros, true, out),
        Value::LocalTimestamp(micros) => return write_timestamp(micros, false, out),
        Value::Null | Value::Float(_) | Value::Json(_) | Value::Undecodable(_) => return false,
    }
    true
}

fn encode_column(
    kind: KeyKind,
    value: Value<'_>,
    column: usize,
    last: bool,
    out: &mut Vec<u8>,
) -> Result<(), KeyError> {
    match (kind, value) {
        (_, Value::Null) => return Err(KeyError::Null { column }),
        (_, Value::Undecodable(why)) => return Err(KeyError::Unusable { column, why }),
        (KeyKind::Number, Value::Int(number)) => {
            let mut buffer = itoa::Buffer::new();
            let text = buffer.format(number);
            if let Some(number) = Number::parse(text) {
                encode_number(&number, out);
            }
        }
        (KeyKind::Number, Value::Decimal(text)) => {
            let number = Number::parse(text)
                .ok_or(KeyError::Unusable { column, why: "is not a finite number" })?;
            encode_number(&number, out);
        }
        (KeyKind::Text, Value::Text(text)) => encode_bytes(text.as_bytes(), last, out),
        (KeyKind::Bytes, Value::Bytes(bytes)) => encode_bytes(bytes, last, out),
        (KeyKind::Uuid, Value::Uuid(bytes)) => out.extend_from_slice(&bytes),
        (KeyKind::Boolean, Value::Bool(flag)) => out.push(u8::from(flag)),
        (KeyKind::Date, Value::Date(i32::MIN | i32::MAX))
        | (KeyKind::Timestamp, Value::Timestamp(i64::MIN | i64::MAX))
        | (KeyKind::LocalTimestamp, Value::LocalTimestamp(i64::MIN | i64::MAX)) => {
            return Err(KeyError::Unusable { column, why: "is an infinite time" });
        }
        (KeyKind::Date, Value::Date(days)) => {
            out.extend_from_slice(&(days.cast_unsigned() ^ (1 << 31)).to_be_bytes());
        }
        (KeyKind::Timestamp, Value::Timestamp(micros))
        | (KeyKind::LocalTimestamp, Value::LocalTimestamp(micros)) => {
            out.extend_from_slice(&(micros.cast_unsigned() ^ (1 << 63)).to_be_bytes());
        }
        (_, other) => {
            let found = other.kind().unwrap_or(ValueKind::Unsupported);
            return Err(KeyError::WrongKind { column, found });
        }
    }
    Ok(())
}

/// The last column needs no end mark: the key's end is one, and sorts before any longer key.
fn encode_bytes(bytes: &[u8], last: bool, out: &mut Vec<u8>) {
    if last {
        out.extend_from_slice(bytes);
        return;
    }
    for byte in bytes {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

fn encode_number(number: &Number<'_>, out: &mut Vec<u8>) {
    if number.is_zero() {
        out.push(ZERO);
        return;
    }
    let exponent = (number.point() + 1).div_euclid(2);
    let invert = if number.is_negative() { 0xff } else { 0 };
    let (tag, tail) = match (exponent, number.is_negative()) {
        (..=0, false) => (SMALL_POSITIVE, Some(!exponent_bits(exponent))),
        (1..=MEDIUM_EXPONENT_MAX, false) => (MEDIUM_POSITIVE + exponent as u8, None),
        (_, false) => (LARGE_POSITIVE, Some(exponent_bits(exponent))),
        (..=0, true) => (SMALL_NEGATIVE, Some(exponent_bits(exponent))),
        (1..=MEDIUM_EXPONENT_MAX, true) => (MEDIUM_NEGATIVE - exponent as u8, None),
        (_, true) => (LARGE_NEGATIVE, Some(!exponent_bits(exponent))),
    };
    out.push(tag);
    if let Some(bits) = tail {
        out.extend_from_slice(&bits.to_be_bytes());
    }
    let mut pending = (number.point().rem_euclid(2) == 1).then_some(0);
    let first = out.len();
    for digit in number.digits() {
        match pending.take() {
            None => pending = Some(digit),
            Some(tens) => out.push((2 * (10 * tens + digit) + 1) ^ invert),
        }
    }
    if let Some(tens) = pending {
        out.push((2 * (10 * tens) + 1) ^ invert);
    }
    if out.len() > first
        && let Some(end) = out.last_mut()
    {
        *end ^= 1;
    }
}

fn exponent_bits(exponent: i64) -> u32 {
    u32::try_from(exponent.abs()).unwrap_or(u32::MAX)
}

fn decode_column(kind: KeyKind, input: &mut &[u8], last: bool, out: &mut String) -> Option<()> {
    match kind {
        KeyKind::Number => decode_number(input, out),
        KeyKind::Text => {
            let bytes = take_bytes(input, last)?;
            out.push_str(std::str::from_utf8(&bytes).ok()?);
            Some(())
        }
        KeyKind::Bytes => {
            write_hex(&take_bytes(input, last)?, out);
            Some(())
        }
        KeyKind::Uuid => {
            write_uuid(take(input)?, out);
            Some(())
        }
        KeyKind::Boolean => {
            out.push_str(if take::<1>(input)? == [0] { "false" } else { "true" });
            Some(())
        }
        KeyKind::Date => {
            let days = (u32::from_be_bytes(take(input)?) ^ (1 << 31)).cast_signed();
            write_date(days, out).then_some(())
        }
        KeyKind::Timestamp | KeyKind::LocalTimestamp => {
            let micros = (u64::from_be_bytes(take(input)?) ^ (1 << 63)).cast_signed();
            write_timestamp(micros, kind == KeyKind::Timestamp, out).then_some(())
        }
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = input.split_first_chunk::<N>()?;
    *input = rest;
    Some(*head)
}

fn take_bytes(input: &mut &[u8], last: bool) -> Option<Vec<u8>> {
    if last {
        return Some(std::mem::take(input).to_vec());
    }
    let mut bytes = Vec::new();
    loop {
        match take::<1>(input)? {
            [0] => match take::<1>(input)? {
                [0] => return Some(bytes),
                [0xff] => bytes.push(0),
                _ => return None,
            },
            [byte] => bytes.push(byte),
        }
    }
}

fn decode_number(input: &mut &[u8], out: &mut String) -> Option<()> {
    let [tag] = take::<1>(input)?;
    let (negative, exponent) = match tag {
        ZERO => {
            out.push('0');
            return Some(());
        }
        SMALL_POSITIVE => (false, -i64::from(!u32::from_be_bytes(take(input)?))),
        LARGE_POSITIVE => (false, i64::from(u32::from_be_bytes(take(input)?))),
        SMALL_NEGATIVE => (true, -i64::from(u32::from_be_bytes(take(input)?))),
        LARGE_NEGATIVE => (true, i64::from(!u32::from_be_bytes(take(input)?))),
        tag if tag > MEDIUM_POSITIVE && tag < LARGE_POSITIVE => {
            (false, i64::from(tag - MEDIUM_POSITIVE))
        }
        tag if tag > LARGE_NEGATIVE && tag < MEDIUM_NEGATIVE => {
            (true, i64::from(MEDIUM_NEGATIVE - tag))
        }
        _ => return None,
    };
    let mut digits = Vec::new();
    loop {
        let [byte] = take::<1>(input)?;
        let byte = if negative { !byte } else { byte };
        let pair = byte / 2;
        if pair > 99 {
            return None;
        }
        digits.push(b'0' + pair / 10);
        digits.push(b'0' + pair % 10);
        if byte % 2 == 0 {
            break;
        }
    }
    let leading = usize::from(digits.first() == Some(&b'0'));
    let trailing = usize::from(digits.last() == Some(&b'0'));
    let significant = digits.get(leading..digits.len() - trailing)?;
    let number = Number::from_parts(negative, significant, 2 * exponent - leading as i64);
    let mut text = Vec::new();
    if !number.write_plain(&mut text) {
        return None;
    }
    out.push_str(std::str::from_utf8(&text).ok()?);
    Some(())
}

fn write_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0f] {
            out.push(char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0')));
        }
    }
}

fn write_uuid(bytes: [u8; 16], out: &mut String) {
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        write_hex(&[*byte], out);
    }
}

/// Appends a date as `YYYY-MM-DD`; `false` where its year has not four digits.
pub fn write_date(days: i32, out: &mut String) -> bool {
    let epoch = Date::constant(1970, 1, 1);
    let span = jiff::Span::new().try_days(i64::from(days));
    let Ok(date) = span.and_then(|span| epoch.checked_add(span)) else { return false };
    if date.year() < 0 {
        return false;
    }
    use fmt::Write as _;
    write!(out, "{date}").is_ok()
}

/// Appends microseconds since 1970 in RFC 3339, with a `Z` for an instant and without for a local
/// time; `false` where the year has not four digits.
pub fn write_timestamp(micros: i64, instant: bool, out: &mut String) -> bool {
    let Ok(timestamp) = jiff::Timestamp::from_microsecond(micros) else { return false };
    use fmt::Write as _;
    let text = timestamp.to_string();
    if text.starts_with('-') {
        return false;
    }
    let text = if instant { text.as_str() } else { text.trim_end_matches('Z') };
    write!(out, "{text}").is_ok()
}

#[cfg(test)]
mod tests;
