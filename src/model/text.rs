//! Values as text: the one spelling in which identifiers, keys and dates are sent.

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
    let Some(date) = date(days) else { return false };
    out.extend(date.map(char::from));
    true
}

/// Returns a date as `YYYY-MM-DD`; `None` where its year has not four digits.
pub fn date(days: i32) -> Option<[u8; 10]> {
    let (year, month, day) = civil(days)?;
    let digit = |number: u16| b'0' + (number % 10) as u8;
    Some([
        digit(year / 1000),
        digit(year / 100),
        digit(year / 10),
        digit(year),
        b'-',
        digit(month / 10),
        digit(month),
        b'-',
        digit(day / 10),
        digit(day),
    ])
}

/// Returns year, month and day, counted from 1970-01-01; `None` where the year has not four digits.
/// Source: <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
fn civil(days: i32) -> Option<(u16, u16, u16)> {
    const DAYS_FROM_YEAR_0: i32 = 719_468;
    const DAYS_OF_ERA: i32 = 146_097;
    // Years begin in March here, so that a leap day is the last of its year.
    let days = days.checked_add(DAYS_FROM_YEAR_0)?;
    let (era, day) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i32::from(month <= 2);
    let in_range = u16::try_from(year).ok().filter(|year| *year <= 9_999)?;
    Some((in_range, month as u16, day as u16))
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

#[cfg(test)]
mod tests {
    use jiff::civil::Date;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn dates_are_those_of_the_calendar(days in -800_000i32..3_000_000) {
            let epoch = Date::constant(1970, 1, 1);
            let date = epoch.checked_add(jiff::Span::new().days(i64::from(days))).ok();
            let expected = date.filter(|date| date.year() >= 0).map(|date| date.to_string());
            let mut text = String::new();

            let written = write_date(days, &mut text);

            prop_assert_eq!(written.then_some(text), expected);
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_dates_and_what_lies_beyond_is_none() {
        let text = |days| {
            let mut text = String::new();
            write_date(days, &mut text).then_some(text)
        };

        assert_eq!(text(0).as_deref(), Some("1970-01-01"));
        assert_eq!(text(11_016).as_deref(), Some("2000-02-29"));
        assert_eq!(text(2_932_896).as_deref(), Some("9999-12-31"));
        assert_eq!(text(-719_528).as_deref(), Some("0000-01-01"));
        for beyond in [2_932_897, -719_529, i32::MAX, i32::MIN] {
            assert_eq!(text(beyond), None);
        }
    }
}
