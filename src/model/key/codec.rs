//! The bytes of one column of a key, and back.
//!
//! The form of numbers is the one SQLite 4 designed for its keys (`key_encoding.wiki`): a tag for
//! sign and size, then pairs of decimal digits, the last one even.

use super::{KeyError, KeyKind};
use crate::model::number::Number;
use crate::model::text::{write_date, write_hex, write_timestamp, write_uuid};
use crate::model::value::{Value, ValueKind};

const ZERO: u8 = 0x15;
const SMALL_POSITIVE: u8 = 0x16;
const MEDIUM_POSITIVE: u8 = 0x17;
const LARGE_POSITIVE: u8 = 0x22;
const SMALL_NEGATIVE: u8 = 0x14;
const MEDIUM_NEGATIVE: u8 = 0x13;
const LARGE_NEGATIVE: u8 = 0x08;
const MEDIUM_EXPONENT_MAX: i64 = 10;

pub(super) fn encode_column(
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

pub(super) fn decode_column(
    kind: KeyKind,
    input: &mut &[u8],
    last: bool,
    out: &mut String,
) -> Option<()> {
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
