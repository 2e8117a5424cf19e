//! Durations as they are written in a resource: Go-style text such as `15m` or `1h30m`.
//!
//! Kubernetes users write durations this way; everything past parsing holds a plain
//! [`Duration`].

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use thiserror::Error;

/// What the schema of a duration accepts; the same as Flux and others use.
const PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$";

/// Longest text of a duration, in characters.
const TEXT_LENGTH_MAX: usize = 32;

/// Longest duration: ten years, so that adding it to an instant cannot leave the calendar.
const LENGTH_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// Units from large to small, with their length in nanoseconds.
const UNITS: [(&str, u128); 4] =
    [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000)];

/// A duration written the Go way: `500ms`, `15m`, `1h30m`. At most ten years, whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(
    /// Never above ten years: guaranteed by parsing and by the constructors.
    Duration,
);

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    /// The text is empty.
    #[error("a duration is empty")]
    Empty,
    /// A number has no unit, or something that is none.
    #[error("`{text}` is not a duration: {found}")]
    Malformed {
        /// What was written.
        text: String,
        /// What is wrong with it.
        found: String,
    },
    /// Longer than ten years.
    #[error("`{text}` is longer than ten years")]
    TooLong {
        /// What was written.
        text: String,
    },
}

impl DurationError {
    /// Returns what to write instead.
    pub fn hint(&self) -> &'static str {
        "write numbers with the units h, m, s and ms, such as 15m, 1h30m or 500ms; a week is 168h"
    }
}

impl GoDuration {
    /// Returns a duration of so many whole minutes, for defaults.
    pub const fn from_mins(minutes: u32) -> Self {
        Self(Duration::from_secs(minutes as u64 * 60))
    }

    /// Returns a duration of so many whole seconds (at most 136 years fit, ten are sensible).
    pub const fn from_secs(seconds: u32) -> Self {
        Self(Duration::from_secs(seconds as u64))
    }

    /// Returns the length.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        if text.is_empty() {
            return Err(DurationError::Empty);
        }
        let too_long = || DurationError::TooLong { text: text.to_owned() };
        let mut total_ns: u128 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let (part_ns, after) = leading_part(text, rest)?;
            total_ns = total_ns.checked_add(part_ns).ok_or_else(too_long)?;
            rest = after;
        }
        let milliseconds = u64::try_from(total_ns / 1_000_000).map_err(|_| too_long())?;
        let length = Duration::from_millis(milliseconds);
        if length > LENGTH_MAX {
            return Err(too_long());
        }
        Ok(Self(length))
    }
}

/// Splits off one `number unit` and returns its nanoseconds and what follows.
fn leading_part<'a>(text: &str, rest: &'a str) -> Result<(u128, &'a str), DurationError> {
    let malformed =
        |found: String| DurationError::Malformed { text: text.chars().take(40).collect(), found };
    let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, after) = rest.split_at(number_end);
    if number.is_empty() {
        return Err(malformed("a number is missing".into()));
    }
    let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
    let (unit, after) = after.split_at(unit_end);
    let Some((_, unit_ns)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(malformed(match unit {
            "" => format!("`{number}` has no unit"),
            other => format!("`{other}` is no unit"),
        }));
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let bad_number = || malformed(format!("`{number}` is no number"));
    if fraction.contains('.') || (number.contains('.') && fraction.is_empty()) {
        return Err(bad_number());
    }
    let whole: u128 = whole.parse().map_err(|_| bad_number())?;
    let too_long = || DurationError::TooLong { text: text.to_owned() };
    let whole_ns = whole.checked_mul(*unit_ns).ok_or_else(too_long)?;
    let (mut scale_ns, mut fraction_ns) = (*unit_ns, 0);
    for digit in fraction.bytes() {
        scale_ns /= 10;
        fraction_ns += u128::from(digit - b'0') * scale_ns;
    }
    let part_ns = whole_ns.checked_add(fraction_ns).ok_or_else(too_long)?;
    Ok((part_ns, after))
}

impl fmt::Display for GoDuration {
    /// Writes the shortest Go-style text, such as `1h30m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest_ns = self.0.as_nanos();
        if rest_ns < 1_000_000 {
            return f.write_str("0s");
        }
        for (unit, unit_ns) in UNITS {
            let count = rest_ns / unit_ns;
            rest_ns %= unit_ns;
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for GoDuration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "GoDuration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": PATTERN, "maxLength": TEXT_LENGTH_MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn go_style_texts_are_read() {
        let read = |text: &str| text.parse::<GoDuration>().unwrap().get();

        assert_eq!(read("15m"), Duration::from_secs(900));
        assert_eq!(read("1h30m"), Duration::from_secs(5400));
        assert_eq!(read("500ms"), Duration::from_millis(500));
        assert_eq!(read("1.5h"), Duration::from_secs(5400));
        assert_eq!(read("0s"), Duration::ZERO);
    }

    #[test]
    fn what_is_no_duration_is_refused_with_its_reason() {
        let refusal = |text: &str| text.parse::<GoDuration>().unwrap_err().to_string();

        assert_eq!(refusal("15"), "`15` is not a duration: `15` has no unit");
        assert_eq!(refusal("7d"), "`7d` is not a duration: `d` is no unit");
        assert_eq!(refusal("m"), "`m` is not a duration: a number is missing");
        assert_eq!(refusal("1.2.3s"), "`1.2.3s` is not a duration: `1.2.3` is no number");
        assert_eq!(refusal("90000h"), "`90000h` is longer than ten years");
        assert_eq!(refusal(""), "a duration is empty");
    }

    proptest! {
        #[test]
        fn writing_and_reading_gives_the_same(milliseconds in 0u64..10_000_000_000) {
            let duration = GoDuration(Duration::from_millis(milliseconds));

            prop_assert_eq!(duration.to_string().parse::<GoDuration>().unwrap(), duration);
        }
    }
}
