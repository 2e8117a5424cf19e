//! The guards as written: numbers or percents that stop a run before it sends.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::customerio::spec::Behavior;

/// What the schema accepts as a percent.
const PERCENT_PATTERN: &str = r"^(100|[0-9]{1,2}(\.[0-9]{1,3})?)%$";

/// A number of rows, or a percent of the rows that the guard speaks of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// So many rows.
    Rows(u64),
    /// So many hundredths; 0 to 100.
    Percent(f64),
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refusal = || format!("`{text}` is neither a number nor a percent such as 5%");
        let number = text.strip_suffix('%').ok_or_else(refusal)?;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let percent: f64 = number.parse().map_err(|_| refusal())?;
        if !plain || percent > 100.0 {
            return Err(refusal());
        }
        Ok(Self::Percent(percent))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Rows(rows) => serializer.serialize_u64(*rows),
            Self::Percent(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LimitVisitor)
    }
}

struct LimitVisitor;

impl Visitor<'_> for LimitVisitor {
    type Value = Limit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of rows, or a percent such as 5%")
    }

    fn visit_u64<E: serde::de::Error>(self, rows: u64) -> Result<Limit, E> {
        Ok(Limit::Rows(rows))
    }

    fn visit_i64<E: serde::de::Error>(self, rows: i64) -> Result<Limit, E> {
        u64::try_from(rows).map(Limit::Rows).map_err(|_| E::custom("a limit is not negative"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Limit, E> {
        text.parse().map_err(E::custom)
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "minimum": 0,
            "pattern": PERCENT_PATTERN,
            "maxLength": 8,
        })
    }
}

/// Limits that stop a run before it sends. A number of rows, or a percent such as `5%`; percents
/// never trip on 10 rows or fewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct GuardsSpec {
    /// Most rows that may be removed, of the rows delivered so far. For `delete` and `suppress`
    /// every row that they would newly act on counts, and only a number is allowed. Default: 5% for
    /// mirror; 1000 for delete and suppress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_removed: Option<Limit>,
    /// Most rows that may be added, of the rows delivered so far; from the second run on.
    /// Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_added: Option<Limit>,
    /// Most rows that may change (added ones not included), of the rows delivered so far; from the
    /// second run on. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_changed: Option<Limit>,
    /// Fewest rows that the model must return. Default: 1 for mirror, else none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub min_rows: Option<u64>,
    /// Most rows that may be refused before sending, of the rows read. Default: 5%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_invalid: Option<Limit>,
    /// Most rows that Customer.io may refuse, of those it answered; looked at from 1,000 answers on
    /// and at the end. Default: 5%.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rejected: Option<Limit>,
}

impl GuardsSpec {
    /// Returns the guards with the defaults that hold for a behavior; what is still `None` never
    /// trips.
    #[must_use]
    pub fn with_defaults(self, behavior: Behavior) -> Self {
        let max_removed = match behavior {
            Behavior::Mirror => Some(Limit::Percent(5.0)),
            Behavior::Delete | Behavior::Suppress => Some(Limit::Rows(1000)),
            Behavior::UpdateOrCreate
            | Behavior::UpdateOnly
            | Behavior::Append
            | Behavior::Unsuppress => None,
        };
        Self {
            max_removed: self.max_removed.or(max_removed),
            max_added: self.max_added,
            max_changed: self.max_changed,
            min_rows: self.min_rows.or((behavior == Behavior::Mirror).then_some(1)),
            max_invalid: self.max_invalid.or(Some(Limit::Percent(5.0))),
            max_rejected: self.max_rejected.or(Some(Limit::Percent(5.0))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_percent() {
        let read = |json: &str| serde_json::from_str::<Limit>(json);

        assert_eq!(read("1000").unwrap(), Limit::Rows(1000));
        assert_eq!(read("\"2.5%\"").unwrap(), Limit::Percent(2.5));
        assert!(read("-1").is_err());
        assert!(read("\"101%\"").is_err());
        assert!(read("\"many\"").is_err());
    }

    #[test]
    fn a_mirror_may_remove_five_percent_unless_it_says_otherwise() {
        let written = GuardsSpec { max_removed: Some(Limit::Rows(7)), ..GuardsSpec::default() };

        let default = GuardsSpec::default().with_defaults(Behavior::Mirror);

        assert_eq!(default.max_removed, Some(Limit::Percent(5.0)));
        assert_eq!(default.min_rows, Some(1));
        assert_eq!(written.with_defaults(Behavior::Mirror).max_removed, Some(Limit::Rows(7)));
    }
}
