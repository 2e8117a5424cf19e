//! Values as text: the one spelling in which identifiers, keys and dates are sent.

use jiff::civil::Date;

use super::number::Number;
use super::value::Value;

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

/// Appends bytes in lower-case hexadecimal.
pub fn write_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0f] {
            out.push(char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0')));
        }
    }
}

/// Appends a UUID in its usual form.
pub fn write_uuid(bytes: [u8; 16], out: &mut String) {
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
    use std::fmt::Write as _;
    write!(out, "{date}").is_ok()
}

/// Appends microseconds since 1970 in RFC 3339, with a `Z` for an instant and without for a local
/// time; `false` where the year has not four digits.
pub fn write_timestamp(micros: i64, instant: bool, out: &mut String) -> bool {
    let Ok(timestamp) = jiff::Timestamp::from_microsecond(micros) else { return false };
    use std::fmt::Write as _;
    let text = timestamp.to_string();
    if text.starts_with('-') {
        return false;
    }
    let text = if instant { text.as_str() } else { text.trim_end_matches('Z') };
    write!(out, "{text}").is_ok()
}
