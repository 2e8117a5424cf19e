//! The mapping as it is written in a Sync: which column becomes which attribute.
//!
//! Texts only: what they mean together is worked out when the mapping is compiled.

use schemars::JsonSchema;
use serde::de::{Deserializer, Error as _, Unexpected};
use serde::{Deserialize, Serialize, Serializer};

use super::template::{Template, TemplateError};

/// One attribute and where its value comes from: a column, a constant or a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("anyOf" = [
        {"required": ["from"]}, {"required": ["constant"]}, {"required": ["template"]}
    ]),
    extend("x-kubernetes-validations" = [
        {
            "rule": "[has(self.from), has(self.constant), has(self.template)].filter(x, x).size() <= 1",
            "message": "a mapping has exactly one of from, constant and template: make one mapping for each"
        },
        {
            "rule": "has(self.from) || has(self.to)",
            "message": "a constant or template needs `to`: the name of the attribute in Customer.io"
        }
    ])
)]
pub struct MappingSpec {
    /// Column of the model that gives the value. Exactly one of `from`, `constant`, `template`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub from: Option<String>,
    /// The same value for every row: a string, converted by `type`. `null` clears the attribute,
    /// for example before its mapping is taken away. Needs `to`.
    #[serde(
        default,
        deserialize_with = "present_constant",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<String>", length(max = 1000))]
    pub constant: Option<ConstantSpec>,
    /// A text with columns in it, such as `{{first_name}} {{last_name}}`. A null column is empty;
    /// when all are null the value is null. Needs `to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000))]
    pub template: Option<String>,
    /// Name of the attribute in Customer.io, at most 150 bytes. Default: the column's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 150))]
    pub to: Option<String>,
    /// What the value is converted to: text, integer, number, boolean, timestamp (unix seconds),
    /// date (`YYYY-MM-DD`) or json. Default: the column's own kind.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub value_type: Option<ValueType>,
    /// Time zone of timestamps that carry none, such as `Europe/Berlin`. Default: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: Option<String>,
    /// `overwrite` lets consent (`unsubscribed`, `cio_subscription_preferences…`) flow both ways.
    /// Default: only the opt-out is sent, so nobody is subscribed by accident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentPolicy>,
}

impl MappingSpec {
    /// Returns the attribute's name: `to`, else the column's.
    pub fn attribute(&self) -> Option<&str> {
        self.to.as_deref().or(self.from.as_deref())
    }

    /// Returns what is wrong with the template, if there is one.
    pub fn template_error(&self) -> Option<TemplateError> {
        Template::parse(self.template.as_deref()?).err()
    }
}

/// A constant as written: `constant: null` differs from no constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConstantSpec {
    /// `constant: null`, which clears the attribute.
    Null,
    /// A string, converted by the mapping's type.
    Text(String),
}

impl Serialize for ConstantSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// Reads a constant that is there, null or not; an absent one never gets here.
fn present_constant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ConstantSpec>, D::Error> {
    match Option::<String>::deserialize(deserializer) {
        Ok(None) => Ok(Some(ConstantSpec::Null)),
        Ok(Some(text)) => Ok(Some(ConstantSpec::Text(text))),
        Err(_) => {
            Err(D::Error::invalid_type(Unexpected::Other("another kind"), &"a string or null"))
        }
    }
}

/// What a value is converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum ValueType {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// A number with or without fraction.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An instant, sent as unix seconds.
    Timestamp,
    /// A day, sent as `YYYY-MM-DD`.
    Date,
    /// Nested JSON.
    Json,
}

/// What may happen to a person's consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum ConsentPolicy {
    /// What the column says is sent, opt-in included.
    Overwrite,
}

/// What happens to the columns that the spec uses nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum UnmappedColumns {
    /// They are not sent.
    #[default]
    Ignore,
    /// Each becomes an attribute of its own name.
    Include,
}

/// What happens to a null in a mapped column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Nulls {
    /// It is sent and clears the attribute.
    #[default]
    Send,
    /// The attribute is left out.
    Omit,
}
