//! A primary key as a person types it, column by column.

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::model::number::Number;
use crate::model::{KeyKind, KeyShape, Value};

const DAY_SECONDS: i64 = 86_400;

/// Returns the encoded key whose columns have these texts.
///
/// # Errors
/// Where there are more or fewer texts than columns, or one of them is not of its column's kind.
/// The text itself is shown: the person typed it.
pub fn encode(shape: &KeyShape, columns: &[String], texts: &[String]) -> anyhow::Result<Vec<u8>> {
    if texts.len() != shape.0.len() {
        bail!(
            "the primary key has {} ({}), {} given; name them in order",
            count(shape.0.len(), "column"),
            described(shape, columns),
            match texts.len() {
                1 => "1 was".to_owned(),
                given => format!("{given} were"),
            },
        );
    }
    let mut bytes: Vec<Vec<u8>> = Vec::new();
    for (kind, text) in shape.0.iter().zip(texts) {
        bytes.push(if *kind == KeyKind::Bytes { hex_bytes(text)? } else { Vec::new() });
    }
    let mut values = Vec::new();
    for ((kind, text), bytes) in shape.0.iter().zip(texts).zip(&bytes) {
        values.push(value(*kind, text, bytes)?);
    }
    let mut key = Vec::new();
    shape.encode(values, &mut key)?;
    Ok(key)
}

fn value<'a>(kind: KeyKind, text: &'a str, bytes: &'a [u8]) -> anyhow::Result<Value<'a>> {
    Ok(match kind {
        KeyKind::Number if Number::parse(text).is_some() => Value::Decimal(text),
        KeyKind::Number => bail!("`{text}` is no number: write it such as 42 or -1.5"),
        KeyKind::Text => Value::Text(text),
        KeyKind::Uuid => Value::Uuid(uuid(text)?),
        KeyKind::Boolean => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => bail!("`{text}` is no boolean: write true or false"),
        },
        KeyKind::Date => Value::Date(days(text)?),
        KeyKind::Timestamp => {
            let instant: Timestamp = text.parse().with_context(|| {
                format!("`{text}` is no instant: write it such as 2026-11-23T18:45:00Z")
            })?;
            Value::Timestamp(instant.as_microsecond())
        }
        KeyKind::LocalTimestamp => Value::LocalTimestamp(local_micros(text)?),
        KeyKind::Bytes => Value::Bytes(bytes),
    })
}

fn uuid(text: &str) -> anyhow::Result<[u8; 16]> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let bytes = plain_hex(&digits).and_then(|bytes| bytes.try_into().ok());
    bytes.with_context(|| {
        format!("`{text}` is no UUID: write it such as 0198c4d2-5c1e-7e6a-b1f0-3c5d7a9e1b2f")
    })
}

/// Days since 1970-01-01.
fn days(text: &str) -> anyhow::Result<i32> {
    let date: Date = text
        .parse()
        .with_context(|| format!("`{text}` is no date: write it such as 2026-11-23"))?;
    let midnight = date.to_zoned(TimeZone::UTC)?.timestamp();
    Ok(i32::try_from(midnight.as_second().div_euclid(DAY_SECONDS))?)
}

/// Microseconds since 1970-01-01T00:00:00 on the clock that the text is read from.
fn local_micros(text: &str) -> anyhow::Result<i64> {
    // A civil date and time drops an offset without a word.
    let has_zone = text.ends_with(['Z', 'z', ']'])
        || text.split_once(['T', 't', ' ']).is_some_and(|(_, time)| time.contains(['+', '-']));
    let parsed = text.parse::<DateTime>().ok().filter(|_| !has_zone);
    let local = parsed.with_context(|| {
        format!("`{text}` is no timestamp without time zone: write it such as 2026-11-23T18:45:00")
    })?;
    Ok(local.to_zoned(TimeZone::UTC)?.timestamp().as_microsecond())
}

/// Hexadecimal digits, with or without the `\x` or `0x` in front that databases print.
fn hex_bytes(text: &str) -> anyhow::Result<Vec<u8>> {
    let digits = text.strip_prefix("\\x").or_else(|| text.strip_prefix("0x")).unwrap_or(text);
    plain_hex(digits).with_context(|| {
        format!(
            "`{text}` is not made of bytes: write two hexadecimal digits for each, such as 0aff"
        )
    })
}

fn plain_hex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

fn described(shape: &KeyShape, columns: &[String]) -> String {
    let kinds = shape.0.iter().enumerate();
    let parts: Vec<String> = kinds
        .map(|(index, kind)| match columns.get(index) {
            Some(column) => format!("{column}: {}", kind.as_str()),
            None => kind.as_str().to_owned(),
        })
        .collect();
    parts.join(", ")
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: KeyKind, text: &str) -> anyhow::Result<String> {
        let shape = KeyShape(vec![kind]);
        let key = encode(&shape, &[], &[text.to_owned()])?;
        Ok(shape.display(&key))
    }

    #[test]
    fn a_text_of_each_kind_becomes_the_key_that_reads_the_same() {
        for (kind, text, shown) in [
            (KeyKind::Number, "7.00", "7"),
            (KeyKind::Number, "-12.5", "-12.5"),
            (KeyKind::Text, "", ""),
            (KeyKind::Text, "ann@example.com", "ann@example.com"),
            (
                KeyKind::Uuid,
                "0198C4D25C1E7E6AB1F03C5D7A9E1B2F",
                "0198c4d2-5c1e-7e6a-b1f0-3c5d7a9e1b2f",
            ),
            (KeyKind::Boolean, "true", "true"),
            (KeyKind::Date, "1969-12-31", "1969-12-31"),
            (KeyKind::Timestamp, "2026-11-23T19:45:00.5+01:00", "2026-11-23T18:45:00.5Z"),
            (KeyKind::LocalTimestamp, "2026-11-23 18:45:00", "2026-11-23T18:45:00"),
            (KeyKind::Bytes, "\\x0aFF", "0aff"),
        ] {
            assert_eq!(one(kind, text).unwrap(), shown, "{text}");
        }
    }

    #[test]
    fn a_text_of_another_kind_is_refused_with_what_to_write() {
        for (kind, text) in [
            (KeyKind::Number, "seven"),
            (KeyKind::Uuid, "0198c4d2"),
            (KeyKind::Boolean, "yes"),
            (KeyKind::Date, "23.11.2026"),
            (KeyKind::Timestamp, "2026-11-23T18:45:00"),
            (KeyKind::LocalTimestamp, "2026-11-23T18:45:00Z"),
            (KeyKind::LocalTimestamp, "2026-11-23T18:45:00+01:00"),
            (KeyKind::Bytes, "0af"),
        ] {
            let err = one(kind, text).unwrap_err().to_string();

            assert!(err.starts_with(&format!("`{text}` is no")), "{err}");
            assert!(err.contains(": write "), "{err}");
        }
    }

    #[test]
    fn another_number_of_columns_is_refused_naming_them() {
        let shape = KeyShape(vec![KeyKind::Number, KeyKind::Text]);
        let columns = ["account_id".to_owned(), "role".to_owned()];

        let err = encode(&shape, &columns, &["7".to_owned()]).unwrap_err();

        assert_eq!(
            err.to_string(),
            "the primary key has 2 columns (account_id: number, role: text), 1 was given; \
             name them in order"
        );
    }
}
