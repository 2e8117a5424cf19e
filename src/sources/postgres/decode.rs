//! PostgreSQL's binary formats, from the bytes of the socket straight into a batch.
//!
//! The formats are those of each type's `…send` function; the driver's own decoders would build
//! values that are taken apart again at once.

use crate::model::{RowBatch, Value};

/// Microseconds and days from 1970-01-01 to 2000-01-01, from which PostgreSQL counts.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;

/// How a column's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    /// As [`Codec::Numeric`], where what is not a finite number can't be.
    NumericKey,
    Text,
    Json,
    Jsonb,
    Bytea,
    Uuid,
    Date,
    Timestamp,
    Timestamptz,
}

/// The server sent bytes that are not of the format that it announced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Appends the value in `bytes` to the batch. What is of the right format but can't be a value
/// (text that is not UTF-8) becomes [`Value::Undecodable`].
#[inline]
pub(super) fn push(codec: Codec, bytes: &[u8], batch: &mut RowBatch) -> Result<(), Malformed> {
    let value = match codec {
        Codec::Bool => Value::Bool(u8::from_be_bytes(fixed(bytes)?) != 0),
        Codec::Int2 => Value::Int(i16::from_be_bytes(fixed(bytes)?).into()),
        Codec::Int4 => Value::Int(i32::from_be_bytes(fixed(bytes)?).into()),
        Codec::Int8 => Value::Int(i64::from_be_bytes(fixed(bytes)?)),
        Codec::Float4 => Value::Float(widened(f32::from_be_bytes(fixed(bytes)?))),
        Codec::Float8 => Value::Float(f64::from_be_bytes(fixed(bytes)?)),
        Codec::Numeric | Codec::NumericKey => return push_numeric(codec, bytes, batch),
        Codec::Text => utf8(bytes, Value::Text),
        Codec::Json => utf8(bytes, Value::Json),
        Codec::Jsonb => match bytes.split_first() {
            Some((1, text)) => utf8(text, Value::Json),
            _ => return Err(Malformed),
        },
        Codec::Bytea => Value::Bytes(bytes),
        Codec::Uuid => Value::Uuid(fixed(bytes)?),
        Codec::Date => date(i32::from_be_bytes(fixed(bytes)?)),
        Codec::Timestamp => micros(i64::from_be_bytes(fixed(bytes)?), Value::LocalTimestamp),
        Codec::Timestamptz => micros(i64::from_be_bytes(fixed(bytes)?), Value::Timestamp),
    };
    batch.push(value);
    Ok(())
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| Malformed)
}

fn utf8<'a>(bytes: &'a [u8], value: fn(&'a str) -> Value<'a>) -> Value<'a> {
    match std::str::from_utf8(bytes) {
        Ok(text) => value(text),
        Err(_) => Value::Undecodable("is not valid UTF-8"),
    }
}

/// The double that a person reads in the single: 0.1, not 0.10000000149011612.
fn widened(single: f32) -> f64 {
    if !single.is_finite() {
        return single.into();
    }
    ryu::Buffer::new().format_finite(single).parse().unwrap_or_else(|_| single.into())
}

fn date(days: i32) -> Value<'static> {
    match days {
        i32::MAX | i32::MIN => Value::Date(days),
        days => days
            .checked_add(EPOCH_DAYS)
            .map_or(Value::Undecodable("is a date beyond any calendar"), Value::Date),
    }
}

fn micros(micros: i64, value: fn(i64) -> Value<'static>) -> Value<'static> {
    match micros {
        i64::MAX | i64::MIN => value(micros),
        micros => micros
            .checked_add(EPOCH_MICROS)
            .filter(|micros| *micros != i64::MAX)
            .map_or(Value::Undecodable("is a time after the year 294246"), value),
    }
}

/// `numeric`: count of digits, weight of the first, sign, digits to show after the point; then the
/// digits in base 10,000.
struct Numeric<'a> {
    weight: i16,
    sign: u16,
    scale: u16,
    digits: &'a [u8],
}

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const POSITIVE_INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

fn push_numeric(codec: Codec, bytes: &[u8], batch: &mut RowBatch) -> Result<(), Malformed> {
    let numeric = Numeric::parse(bytes)?;
    let special = match numeric.sign {
        0 | NEGATIVE => {
            batch.push_decimal_with(|out| numeric.write(out));
            return Ok(());
        }
        NAN => f64::NAN,
        POSITIVE_INFINITY => f64::INFINITY,
        NEGATIVE_INFINITY => f64::NEG_INFINITY,
        _ => return Err(Malformed),
    };
    batch.push(match codec {
        Codec::NumericKey => Value::Undecodable("is not a finite number"),
        _ => Value::Float(special),
    });
    Ok(())
}

impl<'a> Numeric<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (header, digits) = bytes.split_first_chunk::<8>().ok_or(Malformed)?;
        let [c0, c1, w0, w1, s0, s1, d0, d1] = *header;
        let count = usize::from(u16::from_be_bytes([c0, c1]));
        let is_digit =
            |pair: &[u8]| fixed::<2>(pair).map(u16::from_be_bytes).is_ok_and(|d| d < 10_000);
        if digits.len() != 2 * count || !digits.chunks(2).all(is_digit) {
            return Err(Malformed);
        }
        Ok(Self {
            weight: i16::from_be_bytes([w0, w1]),
            sign: u16::from_be_bytes([s0, s1]),
            scale: u16::from_be_bytes([d0, d1]),
            digits,
        })
    }

    /// Returns the four decimal digits at 10,000 to the power of `weight`.
    fn group(&self, weight: i32) -> u16 {
        let index = usize::try_from(i32::from(self.weight) - weight).ok();
        let pair = index.and_then(|index| self.digits.get(2 * index..2 * index + 2));
        pair.and_then(|pair| pair.try_into().ok()).map_or(0, u16::from_be_bytes)
    }

    /// Appends the number as the server itself prints it.
    fn write(&self, out: &mut String) {
        if self.sign == NEGATIVE {
            out.push('-');
        }
        let first = i32::from(self.weight);
        if first < SHORT_GROUPS && usize::from(self.scale) <= SHORT_DIGITS {
            self.write_short(first, out);
        } else {
            self.write_long(first, out);
        }
    }

    /// Appends a number without its sign, group by group.
    fn write_long(&self, first: i32, out: &mut String) {
        out.push_str(itoa::Buffer::new().format(if first < 0 { 0 } else { self.group(first) }));
        for weight in (0..first).rev() {
            push_digits(self.group(weight), 4, out);
        }
        let mut left = usize::from(self.scale);
        if left > 0 {
            out.push('.');
        }
        let mut weight = -1;
        while left > 0 {
            push_digits(self.group(weight), left.min(4), out);
            left -= left.min(4);
            weight -= 1;
        }
    }

    /// Does the same, sooner, for a number of so few digits that both sides of its point are whole numbers.
    fn write_short(&self, first: i32, out: &mut String) {
        let mut weight = first.max(-1);
        let mut groups = |end: i32| {
            let mut sum = 0u64;
            while weight > end {
                sum = sum * 10_000 + u64::from(self.group(weight));
                weight -= 1;
            }
            sum
        };
        out.push_str(itoa::Buffer::new().format(groups(-1)));
        let scale = usize::from(self.scale);
        if scale == 0 {
            return;
        }
        let group_count = scale.div_ceil(4);
        let mut fraction = groups(-1 - group_count as i32);
        for _ in scale..4 * group_count {
            fraction /= 10;
        }
        let mut text = [b'.'; SHORT_DIGITS + 1];
        for digit in text.iter_mut().skip(1).take(scale).rev() {
            *digit = b'0' + (fraction % 10) as u8;
            fraction /= 10;
        }
        let text = text.get(..=scale).unwrap_or_default();
        out.push_str(std::str::from_utf8(text).unwrap_or_default());
    }
}

/// Groups and digits that a whole number of 64 bits always holds.
const SHORT_GROUPS: i32 = 4;
const SHORT_DIGITS: usize = 16;

/// Appends the first `count` of four decimal digits.
fn push_digits(group: u16, count: usize, out: &mut String) {
    let digits = [group / 1000, group / 100 % 10, group / 10 % 10, group % 10];
    let text = digits.map(|digit| b'0' + digit as u8);
    let text = text.get(..count).unwrap_or(&text);
    out.push_str(std::str::from_utf8(text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Codec; 16] = [
        Codec::Bool,
        Codec::Int2,
        Codec::Int4,
        Codec::Int8,
        Codec::Float4,
        Codec::Float8,
        Codec::Numeric,
        Codec::NumericKey,
        Codec::Text,
        Codec::Json,
        Codec::Jsonb,
        Codec::Bytea,
        Codec::Uuid,
        Codec::Date,
        Codec::Timestamp,
        Codec::Timestamptz,
    ];

    /// Shows what was decoded: `Debug` of a value hides it.
    fn decoded(codec: Codec, bytes: &[u8]) -> String {
        let mut batch = RowBatch::new(1);
        if push(codec, bytes, &mut batch).is_err() {
            return "malformed".to_owned();
        }
        match batch.row(0).unwrap().value(0) {
            Value::Bool(flag) => flag.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Decimal(text) | Value::Text(text) | Value::Json(text) => text.to_owned(),
            Value::Date(days) => days.to_string(),
            Value::Timestamp(micros) | Value::LocalTimestamp(micros) => micros.to_string(),
            other => format!("{other:?}"),
        }
    }

    fn numeric(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> String {
        let header = [digits.len() as u16, weight.cast_unsigned(), sign, scale];
        let bytes: Vec<u8> =
            header.iter().chain(digits).flat_map(|word| word.to_be_bytes()).collect();
        decoded(Codec::Numeric, &bytes)
    }

    #[test]
    fn numerics_are_spelled_exactly_as_the_server_spells_them() {
        assert_eq!(numeric(0, 0, 0, &[]), "0");
        assert_eq!(numeric(0, 0, 2, &[]), "0.00");
        assert_eq!(numeric(0, NEGATIVE, 2, &[12, 5000]), "-12.50");
        assert_eq!(numeric(2, 0, 0, &[1]), "100000000");
        assert_eq!(numeric(1, 0, 3, &[1, 2, 3450]), "10002.345");
        assert_eq!(numeric(-2, 0, 7, &[70]), "0.0000007");
        assert_eq!(numeric(0, NAN, 0, &[]), "NaN");
        assert_eq!(numeric(0, NEGATIVE_INFINITY, 0, &[]), "-inf");
        assert_eq!(numeric(0, 0, 0, &[10_000]), "malformed");
        assert_eq!(numeric(0, 0x1234, 0, &[]), "malformed");
    }

    #[test]
    fn a_single_reads_as_the_number_that_was_written() {
        for (single, expected) in [
            (0.1f32, "0.1"),
            (-3.4e38, "-340000000000000000000000000000000000000"),
            (f32::NAN, "NaN"),
        ] {
            assert_eq!(decoded(Codec::Float4, &single.to_be_bytes()), expected);
        }
    }

    #[test]
    fn times_that_no_clock_of_ours_holds_are_undecodable_and_infinities_stay() {
        let last = 9_223_371_331_199_999_999i64;
        assert!(decoded(Codec::Timestamp, &last.to_be_bytes()).contains("undecodable"));
        assert_eq!(decoded(Codec::Timestamp, &i64::MIN.to_be_bytes()), i64::MIN.to_string());
        assert_eq!(decoded(Codec::Timestamptz, &0i64.to_be_bytes()), "946684800000000");
        assert_eq!(decoded(Codec::Date, &(-10_957i32).to_be_bytes()), "0");
        assert_eq!(decoded(Codec::Date, &i32::MAX.to_be_bytes()), i32::MAX.to_string());
    }

    #[test]
    fn jsonb_begins_with_its_version() {
        assert_eq!(decoded(Codec::Jsonb, b"\x01{}"), "{}");
        assert_eq!(decoded(Codec::Jsonb, b"\x02{}"), "malformed");
    }

    proptest! {
        #[test]
        fn a_short_number_has_the_text_of_a_long_one(
            weight in -6i16..4, scale in 0u16..=16,
            // The server begins with no group of zeros.
            first in 1u16..10_000,
            others in proptest::collection::vec(0u16..10_000, 0..8),
        ) {
            let groups = [&[first], others.as_slice()].concat();
            let digits: Vec<u8> = groups.iter().flat_map(|group| group.to_be_bytes()).collect();
            let number = Numeric { weight, sign: 0, scale, digits: &digits };
            let (mut short, mut long) = (String::new(), String::new());

            number.write_short(weight.into(), &mut short);
            number.write_long(weight.into(), &mut long);

            prop_assert_eq!(short, long);
        }

        #[test]
        fn rubbish_is_refused_and_a_value_is_exactly_one_cell(bytes: Vec<u8>) {
            for codec in ALL {
                let mut batch = RowBatch::new(1);
                let pushed = push(codec, &bytes, &mut batch).is_ok();
                prop_assert_eq!(batch.len(), usize::from(pushed));
            }
        }
    }
}
