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
use super::varint;

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
pub fn write_null(out: &mut Vec<u8>) {
    out.push(NULL);
}

/// Appends true or false.
pub fn write_bool(out: &mut Vec<u8>, flag: bool) {
    out.push(if flag { TRUE } else { FALSE });
}

/// Appends text.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(STRING);
    varint::write_bytes(out, text.as_bytes());
}

/// Appends a whole number as a JSON number.
pub fn write_integer(out: &mut Vec<u8>, value: i64) {
    out.push(NUMBER);
    varint::write_bytes(out, itoa::Buffer::new().format(value).as_bytes());
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

/// Numbers are short, so their length is a single byte nearly always: written first, mended after.
fn write_spelled(out: &mut Vec<u8>, tag: u8, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let start = out.len();
    write(out);
    let len = out.len() - start;
    let mut prefix = Vec::with_capacity(2);
    varint::write(&mut prefix, len as u64);
    out.splice(start..start, prefix);
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
        STRING => write_json_string(out, std::str::from_utf8(varint::read_bytes(input)?).ok()?),
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
                write_json_string(out, std::str::from_utf8(varint::read_bytes(input)?).ok()?);
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
    const HEX: [u8; 16] = *b"0123456789abcdef";
    // Nearly all text needs no escape and is copied in one go.
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(index) = rest.iter().position(|byte| escape(*byte) != 0) {
        let (plain, from_escape) = rest.split_at(index);
        out.extend_from_slice(plain);
        let Some((&byte, after)) = from_escape.split_first() else { break };
        let letter = escape(byte);
        out.extend_from_slice(&[b'\\', letter]);
        if letter == b'u' {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0x0f)]];
            out.extend_from_slice(b"00");
            out.extend_from_slice(&digits);
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Returns what follows the backslash for this byte in a JSON string; zero where none is needed.
fn escape(byte: u8) -> u8 {
    const ESCAPES: [u8; 256] = {
        let mut escapes = [0; 256];
        let mut control = 0;
        while control < 0x20 {
            escapes[control] = b'u';
            control += 1;
        }
        escapes[b'\n' as usize] = b'n';
        escapes[b'\r' as usize] = b'r';
        escapes[b'\t' as usize] = b't';
        escapes[b'"' as usize] = b'"';
        escapes[b'\\' as usize] = b'\\';
        escapes
    };
    // There is an entry for every byte, so this can't miss.
    ESCAPES[usize::from(byte)]
}

#[cfg(test)]
mod tests;
