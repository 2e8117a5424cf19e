//! The canonical form of what would be sent: hashed for the fingerprint, spooled, and turned into
//! JSON only when it is sent.
//!
//! Equal JSON has equal bytes: the tags are JSON's kinds, a number has one spelling, the members
//! of an object are sorted by name. Strings and numbers carry their length, so no two different
//! values share their bytes. No JSON tree is built per row.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::number::{self, Number};
use super::{text, varint};

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const NUMBER: u8 = 3;
const STRING: u8 = 4;
const ARRAY: u8 = 5;
const OBJECT: u8 = 6;

/// Deepest nesting of a JSON value that is accepted; serde_json itself ends at 128.
const DEPTH_MAX: usize = 64;

/// Why a JSON text was refused. Tells nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON.
    #[error("is not valid JSON")]
    Invalid,
    /// Nested deeper than 64 levels.
    #[error("is nested deeper than 64 levels")]
    TooDeep,
    /// A number whose exponent is beyond reason.
    #[error("holds a number that is out of range")]
    NumberOutOfRange,
}

/// Appends null.
#[inline]
pub fn write_null(out: &mut Vec<u8>) {
    out.push(NULL);
}

/// Appends true or false.
#[inline]
pub fn write_bool(out: &mut Vec<u8>, flag: bool) {
    out.push(if flag { TRUE } else { FALSE });
}

/// Appends text.
#[inline]
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(STRING);
    varint::write_bytes(out, text.as_bytes());
}

/// Appends a whole number as a JSON number.
pub fn write_integer(out: &mut Vec<u8>, value: i64) {
    out.push(NUMBER);
    varint::write_bytes(out, itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a number in its one spelling, as [`number::plain_spelling`] gives it.
#[inline]
pub fn write_spelling(out: &mut Vec<u8>, spelling: &[u8]) {
    out.push(NUMBER);
    varint::write_bytes(out, spelling);
}

/// Appends a decimal as a JSON number in its one spelling.
pub fn write_number(out: &mut Vec<u8>, value: &Number<'_>) {
    write_spelled(out, NUMBER, |text| value.write_json(text));
}

/// Appends a decimal as a JSON string in its one spelling, for numbers a double would bend.
pub fn write_number_as_string(out: &mut Vec<u8>, value: &Number<'_>) {
    write_spelled(out, STRING, |text| {
        if !value.write_plain(text) {
            value.write_json(text);
        }
    });
}

/// Appends a date as a string `YYYY-MM-DD`; appends nothing and returns `false` where its year has
/// not four digits.
pub fn write_date(out: &mut Vec<u8>, days: i32) -> bool {
    let Some(date) = text::date(days) else { return false };
    out.push(STRING);
    varint::write_bytes(out, &date);
    true
}

/// Appends a finite double as a JSON number; null where it is infinite or not a number,
/// and then returns `false`.
pub fn write_float(out: &mut Vec<u8>, value: f64) -> bool {
    if !value.is_finite() {
        write_null(out);
        return false;
    }
    write_spelled(out, NUMBER, |text| {
        number::write_json_float(text, value);
    });
    true
}

/// Numbers are short, so their length is a single byte nearly always: its place is kept free.
fn write_spelled(out: &mut Vec<u8>, tag: u8, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[tag, 0]);
    let start = out.len();
    write(out);
    let len = out.len() - start;
    match (u8::try_from(len), out.get_mut(start - 1)) {
        (Ok(short @ 0..0x80), Some(place)) => *place = short,
        _ => {
            let mut prefix = Vec::new();
            varint::write(&mut prefix, len as u64);
            out.splice(start - 1..start, prefix);
        }
    }
}

/// Appends a JSON text in canonical form.
///
/// # Errors
/// Where the text is not JSON, is nested too deep, or holds a number beyond reason; what was
/// appended until then must be cut off by the caller.
pub fn write_json_text(out: &mut Vec<u8>, text: &str) -> Result<(), JsonError> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| JsonError::Invalid)?;
    write_raw(out, raw.get(), 0)
}

fn write_raw(out: &mut Vec<u8>, text: &str, depth: usize) -> Result<(), JsonError> {
    if depth > DEPTH_MAX {
        return Err(JsonError::TooDeep);
    }
    match text.bytes().next() {
        Some(b'n') => write_null(out),
        Some(b't') => write_bool(out, true),
        Some(b'f') => write_bool(out, false),
        Some(b'"') => {
            let text: Cow<'_, str> = read_string(text)?;
            write_string(out, &text);
        }
        Some(b'[') => {
            let items = read_container(text, Container::Array)?;
            out.push(ARRAY);
            varint::write(out, items.len() as u64);
            for (_, item) in items {
                write_raw(out, item, depth + 1)?;
            }
        }
        Some(b'{') => {
            let mut members = read_container(text, Container::Object)?;
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            members.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    earlier.1 = later.1;
                }
                same
            });
            out.push(OBJECT);
            varint::write(out, members.len() as u64);
            for (name, member) in members {
                varint::write_bytes(out, name.as_bytes());
                write_raw(out, member, depth + 1)?;
            }
        }
        _ => {
            let number = Number::parse(text).ok_or(JsonError::NumberOutOfRange)?;
            write_number(out, &number);
        }
    }
    Ok(())
}

fn read_string(text: &str) -> Result<Cow<'_, str>, JsonError> {
    struct Text;
    impl<'de> Visitor<'de> for Text {
        type Value = Cow<'de, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(text))
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Cow::Owned(text.to_owned()))
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_str(Text).map_err(|_| JsonError::Invalid)
}

#[derive(Clone, Copy)]
enum Container {
    Array,
    Object,
}

/// The members of an array or object, one level deep, each as its own text.
type Members<'de> = Vec<(Cow<'de, str>, &'de str)>;

fn read_container(text: &str, container: Container) -> Result<Members<'_>, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    container.deserialize(&mut deserializer).map_err(|_| JsonError::Invalid)
}

impl<'de> DeserializeSeed<'de> for Container {
    type Value = Members<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        match self {
            Self::Array => deserializer.deserialize_seq(self),
            Self::Object => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Container {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(item) = seq.next_element::<&'de RawValue>()? {
            members.push((Cow::Borrowed(""), item.get()));
        }
        Ok(members)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<&'de RawValue>()? {
            let name = read_string(name.get()).map_err(serde::de::Error::custom)?;
            members.push((name, map.next_value::<&'de RawValue>()?.get()));
        }
        Ok(members)
    }
}

/// Takes one canonical value off the front of `input` and appends it to `out` as JSON.
/// Returns `None` where the bytes are not canonical.
pub fn to_json(input: &mut &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (&tag, rest) = input.split_first()?;
    *input = rest;
    match tag {
        NULL => out.extend_from_slice(b"null"),
        FALSE => out.extend_from_slice(b"false"),
        TRUE => out.extend_from_slice(b"true"),
        NUMBER => out.extend_from_slice(varint::read_bytes(input)?),
        STRING => write_quoted(out, varint::read_bytes(input)?),
        ARRAY => {
            let count = varint::read(input)?;
            out.push(b'[');
            for index in 0..count {
                if index > 0 {
                    out.push(b',');
                }
                to_json(input, out)?;
            }
            out.push(b']');
        }
        OBJECT => {
            let count = varint::read(input)?;
            out.push(b'{');
            for index in 0..count {
                if index > 0 {
                    out.push(b',');
                }
                write_quoted(out, varint::read_bytes(input)?);
                out.push(b':');
                to_json(input, out)?;
            }
            out.push(b'}');
        }
        _ => return None,
    }
    Some(())
}

/// Takes one canonical value off the front of `input`. Returns `None` where the bytes are not
/// canonical.
pub fn skip(input: &mut &[u8]) -> Option<()> {
    let (&tag, rest) = input.split_first()?;
    *input = rest;
    match tag {
        NULL | FALSE | TRUE => {}
        NUMBER | STRING => {
            varint::read_bytes(input)?;
        }
        ARRAY => {
            for _ in 0..varint::read(input)? {
                skip(input)?;
            }
        }
        OBJECT => {
            for _ in 0..varint::read(input)? {
                varint::read_bytes(input)?;
                skip(input)?;
            }
        }
        _ => return None,
    }
    Some(())
}

/// Appends text as a JSON string, quoted and escaped.
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    write_quoted(out, text.as_bytes());
}

/// Appends UTF-8 as [`write_json_string`]. What stands in canonical bytes was text when it was
/// written, and is not looked at again.
pub(super) fn write_quoted(out: &mut Vec<u8>, bytes: &[u8]) {
    // Nearly all text needs no escape and is copied in one go. That is found out without an early
    // end, which lets the compiler look at many bytes at once.
    let any_escaped = bytes.iter().fold(false, |any, &byte| any | is_escaped(byte));
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    if any_escaped {
        write_escaped(out, bytes);
    } else {
        out.extend_from_slice(bytes);
    }
    out.push(b'"');
}

fn is_escaped(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

fn write_escaped(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for run in text.chunk_by(|a, b| !is_escaped(*a) && !is_escaped(*b)) {
        match *run {
            [b'\n'] => out.extend_from_slice(b"\\n"),
            [b'\r'] => out.extend_from_slice(b"\\r"),
            [b'\t'] => out.extend_from_slice(b"\\t"),
            [byte @ (b'"' | b'\\')] => out.extend_from_slice(&[b'\\', byte]),
            [byte @ 0..0x20] => {
                let low = HEX.get(usize::from(byte & 0x0f)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), low]);
            }
            _ => out.extend_from_slice(run),
        }
    }
}

#[cfg(test)]
mod tests;
