//! One value to what is sent for it: the rules of every kind, one function a type.
//!
//! A value that can't be converted makes its row invalid; the message names what was expected and
//! never what was found.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::civil;
use jiff::tz::TimeZone;

use super::spec::ValueType;
use super::template::write_text;
use crate::model::Value;
use crate::model::canonical;
use crate::model::number::{Number, SAFE_INTEGER_MAX, plain_spelling};
use crate::model::rejection::InvalidCode;

/// Unix seconds from here on are most likely milliseconds: the year 5138.
/// Customer.io takes them for seconds without a word.
const SECONDS_MAX: i64 = 100_000_000_000;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Why a value can't be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvertError {
    /// The code under which the row is counted.
    pub code: InvalidCode,
    /// What is wrong, in words that follow the attribute's name.
    pub message: &'static str,
}

const fn error(code: InvalidCode, message: &'static str) -> ConvertError {
    ConvertError { code, message }
}

const NO_NUMBER: ConvertError = error(InvalidCode::InvalidNumber, "is not a number");
const NO_INTEGER: ConvertError = error(InvalidCode::InvalidInteger, "is not a whole number");
const NO_BOOLEAN: ConvertError = error(InvalidCode::InvalidBoolean, "is neither true nor false");
const NO_TIMESTAMP: ConvertError = error(InvalidCode::InvalidTimestamp, "is not a date and time");
const INFINITE: ConvertError =
    error(InvalidCode::InvalidTimestamp, "is an infinite time; write nullif(…) in the query");
const MILLISECONDS: ConvertError =
    error(InvalidCode::InvalidTimestamp, "is beyond the year 5138; are these milliseconds?");
const NO_DATE: ConvertError = error(InvalidCode::InvalidDate, "is not a date");
const NO_TEXT: ConvertError = error(InvalidCode::InvalidText, "has no text");

/// Appends the canonical form of `value`, converted to `value_type` or sent as its own kind.
/// Local times are read in `time_zone`.
///
/// # Errors
/// Where the value is none of that type; what was appended must then be cut off.
#[inline]
pub fn convert(
    value: Value<'_>,
    value_type: Option<ValueType>,
    time_zone: &TimeZone,
    out: &mut Vec<u8>,
) -> Result<(), ConvertError> {
    if let Value::Undecodable(why) = value {
        return Err(error(InvalidCode::Undecodable, why));
    }
    match value_type {
        _ if matches!(value, Value::Null) => {
            canonical::write_null(out);
            Ok(())
        }
        None => own_kind(value, time_zone, out),
        Some(ValueType::Text) => text(value, out),
        Some(ValueType::Integer) => integer(value, out),
        Some(ValueType::Number) => number(value, out),
        Some(ValueType::Boolean) => boolean(value).map(|flag| canonical::write_bool(out, flag)),
        Some(ValueType::Timestamp) => {
            seconds(value, time_zone).map(|seconds| canonical::write_integer(out, seconds))
        }
        Some(ValueType::Date) => date(value, time_zone, out),
        Some(ValueType::Json) => match value {
            Value::Text(text) => json(text, out),
            other => own_kind(other, time_zone, out),
        },
    }
}

#[inline]
fn own_kind(value: Value<'_>, time_zone: &TimeZone, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    match value {
        Value::Null | Value::Undecodable(_) => canonical::write_null(out),
        Value::Bool(flag) => canonical::write_bool(out, flag),
        Value::Int(_) | Value::Decimal(_) => return number(value, out),
        Value::Float(number) => {
            // Infinities and what is not a number have no JSON: they are sent as null.
            canonical::write_float(out, number);
        }
        Value::Text(text) => canonical::write_string(out, text),
        Value::Bytes(bytes) => canonical::write_string(out, &BASE64.encode(bytes)),
        Value::Uuid(_) => return text(value, out),
        Value::Date(_) => return date(value, time_zone, out),
        Value::Timestamp(_) | Value::LocalTimestamp(_) => {
            canonical::write_integer(out, seconds(value, time_zone)?);
        }
        Value::Json(text) => return json(text, out),
    }
    Ok(())
}

fn json(text: &str, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    canonical::write_json_text(out, text).map_err(|why| {
        let message = match why {
            canonical::JsonError::Invalid => "is not valid JSON",
            canonical::JsonError::TooDeep => "is JSON nested deeper than 64 levels",
            canonical::JsonError::NumberOutOfRange => "holds a number that is out of range",
        };
        error(InvalidCode::InvalidJson, message)
    })
}

fn text(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if let Value::Text(text) = value {
        canonical::write_string(out, text);
        return Ok(());
    }
    let mut buffer = String::new();
    if !write_text(value, &mut buffer) {
        return Err(NO_TEXT);
    }
    canonical::write_string(out, &buffer);
    Ok(())
}

fn number(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    match value {
        Value::Int(whole) if whole.unsigned_abs() <= SAFE_INTEGER_MAX => {
            canonical::write_integer(out, whole);
        }
        Value::Int(whole) => {
            let mut buffer = itoa::Buffer::new();
            write_by_value(&Number::parse(buffer.format(whole)).ok_or(NO_NUMBER)?, out);
        }
        Value::Float(float) => {
            canonical::write_float(out, float);
        }
        Value::Bool(flag) => canonical::write_integer(out, i64::from(flag)),
        Value::Decimal(text) => match plain_spelling(text.as_bytes()) {
            Some(spelling) => canonical::write_spelling(out, spelling),
            None => write_by_value(&Number::parse(text).ok_or(NO_NUMBER)?, out),
        },
        Value::Text(text) => write_by_value(&Number::parse(text.trim()).ok_or(NO_NUMBER)?, out),
        _ => return Err(NO_NUMBER),
    }
    Ok(())
}

/// A number that a double would bend is sent as a string, value by value, so that no digit of an
/// account number is lost on the way.
fn write_by_value(number: &Number<'_>, out: &mut Vec<u8>) {
    if number.is_safe_in_json() {
        canonical::write_number(out, number);
    } else {
        canonical::write_number_as_string(out, number);
    }
}

fn integer(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    match value {
        Value::Float(float) => {
            if !float.is_finite() || float.fract() != 0.0 {
                return Err(NO_INTEGER);
            }
            canonical::write_float(out, float);
        }
        Value::Decimal(text) | Value::Text(text) => {
            let number = Number::parse(text.trim()).ok_or(NO_INTEGER)?;
            if !number.is_whole() {
                return Err(NO_INTEGER);
            }
            write_by_value(&number, out);
        }
        Value::Int(_) | Value::Bool(_) => return self::number(value, out).map_err(|_| NO_INTEGER),
        _ => return Err(NO_INTEGER),
    }
    Ok(())
}

/// Returns the truth that a value tells: a boolean, 0 or 1, or one of the usual words.
///
/// # Errors
/// Where it tells none.
pub fn boolean(value: Value<'_>) -> Result<bool, ConvertError> {
    match value {
        Value::Bool(flag) => Ok(flag),
        Value::Int(0) => Ok(false),
        Value::Int(1) => Ok(true),
        Value::Decimal(text) | Value::Text(text) => {
            let text = text.trim();
            let is_one_of =
                |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
            if is_one_of(&["true", "t", "yes", "y", "1", "on"]) {
                Ok(true)
            } else if is_one_of(&["false", "f", "no", "n", "0", "off"]) {
                Ok(false)
            } else {
                Err(NO_BOOLEAN)
            }
        }
        _ => Err(NO_BOOLEAN),
    }
}

/// Returns unix seconds, rounded down. Local times are read in `time_zone`.
///
/// # Errors
/// Where the value is no time, infinite, or most likely in milliseconds.
pub fn seconds(value: Value<'_>, time_zone: &TimeZone) -> Result<i64, ConvertError> {
    let seconds = match value {
        Value::Timestamp(i64::MAX | i64::MIN)
        | Value::LocalTimestamp(i64::MAX | i64::MIN)
        | Value::Date(i32::MAX | i32::MIN) => return Err(INFINITE),
        Value::Timestamp(micros) => micros.div_euclid(MICROS_PER_SECOND),
        Value::LocalTimestamp(micros) => local_seconds(micros, time_zone)?,
        Value::Date(days) => {
            local_seconds(i64::from(days) * SECONDS_PER_DAY * MICROS_PER_SECOND, time_zone)?
        }
        Value::Int(seconds) => seconds,
        Value::Decimal(text) => floor_seconds(text).ok_or(NO_TIMESTAMP)?,
        Value::Float(float) if float.is_finite() && float.abs() < SECONDS_MAX as f64 * 1e4 => {
            float.floor() as i64
        }
        Value::Text(text) => parse_seconds(text.trim(), time_zone)?,
        _ => return Err(NO_TIMESTAMP),
    };
    if seconds.abs() >= SECONDS_MAX {
        return Err(MILLISECONDS);
    }
    Ok(seconds)
}

fn floor_seconds(text: &str) -> Option<i64> {
    let number: f64 = Number::parse(text).and_then(|_| text.parse().ok())?;
    (number.abs() < SECONDS_MAX as f64 * 1e4).then(|| number.floor() as i64)
}

/// Reads an instant (`2026-03-01T10:00:00+01:00`), a local time, a date, or unix seconds.
fn parse_seconds(text: &str, time_zone: &TimeZone) -> Result<i64, ConvertError> {
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Ok(timestamp.as_microsecond().div_euclid(MICROS_PER_SECOND));
    }
    if let Ok(local) = text.parse::<civil::DateTime>() {
        return civil_seconds(local, time_zone);
    }
    floor_seconds(text).ok_or(NO_TIMESTAMP)
}

fn local_seconds(micros: i64, time_zone: &TimeZone) -> Result<i64, ConvertError> {
    if *time_zone == TimeZone::UTC {
        return Ok(micros.div_euclid(MICROS_PER_SECOND));
    }
    let as_if_utc = jiff::Timestamp::from_microsecond(micros).map_err(|_| NO_TIMESTAMP)?;
    civil_seconds(TimeZone::UTC.to_datetime(as_if_utc), time_zone)
}

/// A local time that the clock skipped is read after the gap, one that it repeated as the first.
fn civil_seconds(local: civil::DateTime, time_zone: &TimeZone) -> Result<i64, ConvertError> {
    let timestamp = time_zone.to_timestamp(local).map_err(|_| NO_TIMESTAMP)?;
    Ok(timestamp.as_microsecond().div_euclid(MICROS_PER_SECOND))
}

fn date(value: Value<'_>, time_zone: &TimeZone, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if let Value::Date(days) = value {
        return canonical::write_date(out, days).then_some(()).ok_or(NO_DATE);
    }
    let mut text = String::with_capacity(10);
    let written = match value {
        Value::Timestamp(micros) => {
            let instant = jiff::Timestamp::from_microsecond(micros).map_err(|_| NO_DATE)?;
            push_date(time_zone.to_datetime(instant).date(), &mut text)
        }
        Value::LocalTimestamp(micros) => {
            let as_if_utc = jiff::Timestamp::from_microsecond(micros).map_err(|_| NO_DATE)?;
            push_date(TimeZone::UTC.to_datetime(as_if_utc).date(), &mut text)
        }
        Value::Text(written) => {
            let written = written.trim();
            let date = match written.parse::<jiff::Timestamp>() {
                Ok(instant) => time_zone.to_datetime(instant).date(),
                Err(_) => written.parse::<civil::Date>().map_err(|_| NO_DATE)?,
            };
            push_date(date, &mut text)
        }
        _ => false,
    };
    if !written {
        return Err(NO_DATE);
    }
    canonical::write_string(out, &text);
    Ok(())
}

fn push_date(date: civil::Date, out: &mut String) -> bool {
    use std::fmt::Write as _;
    date.year() >= 0 && write!(out, "{date}").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_of(
        value: Value<'_>,
        value_type: Option<ValueType>,
        zone: &str,
    ) -> Result<String, ConvertError> {
        let mut bytes = Vec::new();
        convert(value, value_type, &TimeZone::get(zone).unwrap(), &mut bytes)?;
        let mut json = Vec::new();
        canonical::to_json(&mut bytes.as_slice(), &mut json).unwrap();
        Ok(String::from_utf8(json).unwrap())
    }

    fn own(value: Value<'_>) -> String {
        json_of(value, None, "UTC").unwrap()
    }

    #[test]
    fn each_kind_is_sent_as_customer_io_expects_it() {
        for (value, expected) in [
            (Value::Int(-7), "-7"),
            (Value::Int(9_007_199_254_740_993), "\"9007199254740993\""),
            (Value::Decimal("1.10"), "1.1"),
            (Value::Decimal("12345678901234567.89"), "\"12345678901234567.89\""),
            (Value::Float(0.1 + 0.2), "0.30000000000000004"),
            (Value::Float(f64::NAN), "null"),
            (Value::Bool(true), "true"),
            (Value::Bytes(&[0xff, 0]), "\"/wA=\""),
            (Value::Uuid([0; 16]), "\"00000000-0000-0000-0000-000000000000\""),
            (Value::Date(0), "\"1970-01-01\""),
            (Value::Timestamp(-1), "-1"),
            (Value::LocalTimestamp(1_500_000), "1"),
            (Value::Json("{\"b\":1.0,\"a\":[]}"), "{\"a\":[],\"b\":1}"),
        ] {
            assert_eq!(own(value), expected);
        }
    }

    #[test]
    fn a_type_converts_what_can_be_and_refuses_the_rest() {
        use ValueType::{Boolean, Date, Integer, Number, Text, Timestamp};
        for (value, value_type, expected) in [
            (Value::Text(" 12.50 "), Number, Ok("12.5")),
            (Value::Text("twelve"), Number, Err(InvalidCode::InvalidNumber)),
            (Value::Decimal("3.00"), Integer, Ok("3")),
            (Value::Text("3.5"), Integer, Err(InvalidCode::InvalidInteger)),
            (Value::Text("TRUE"), Boolean, Ok("true")),
            (Value::Int(2), Boolean, Err(InvalidCode::InvalidBoolean)),
            (Value::Int(42), Text, Ok("\"42\"")),
            (Value::Text("2026-03-01T10:00:00+01:00"), Timestamp, Ok("1772355600")),
            (Value::Text("2026-03-01 10:00:00"), Timestamp, Ok("1772359200")),
            (Value::Text("2026-03-01"), Timestamp, Ok("1772323200")),
            (Value::Text("1772355600"), Timestamp, Ok("1772355600")),
            (Value::Text("2026-13-01"), Timestamp, Err(InvalidCode::InvalidTimestamp)),
            (Value::Int(1_772_355_600_000), Timestamp, Err(InvalidCode::InvalidTimestamp)),
            (Value::Timestamp(i64::MAX), Timestamp, Err(InvalidCode::InvalidTimestamp)),
            (Value::Text("2026-02-30"), Date, Err(InvalidCode::InvalidDate)),
            (Value::Text("2026-02-28"), Date, Ok("\"2026-02-28\"")),
            (Value::Text("[1,"), ValueType::Json, Err(InvalidCode::InvalidJson)),
        ] {
            let converted = json_of(value, Some(value_type), "UTC").map_err(|error| error.code);
            assert_eq!(converted, expected.map(str::to_owned), "{value_type:?}");
        }
    }

    #[test]
    fn local_times_are_read_in_the_mapping_s_zone_through_both_changes_of_the_clock() {
        let seconds =
            |text| json_of(Value::Text(text), Some(ValueType::Timestamp), "Europe/Berlin").unwrap();

        assert_eq!(seconds("2026-01-15 12:00:00"), "1768474800");
        assert_eq!(seconds("2026-07-15 12:00:00"), "1784109600");
        // 02:30 does not exist on 2026-03-29 and exists twice on 2026-10-25.
        assert_eq!(seconds("2026-03-29 02:30:00"), "1774747800");
        assert_eq!(seconds("2026-10-25 02:30:00"), "1792888200");
    }
}
