//! One attribute of a compiled mapping: where its value comes from and what becomes of it.

use jiff::tz::TimeZone;

use super::consent::ConsentKind;
use super::convert::{ConvertError, convert};
use super::spec::{Nulls, ValueType};
use super::template::Template;
use crate::model::limits::{self, ATTRIBUTE_VALUE_BYTES_MAX};
use crate::model::rejection::InvalidCode;
use crate::model::{RecordBuf, Rejection, Row, Value};

/// Attributes that a null must never clear: identifiers, the day of joining, and consent.
const NEVER_NULLED: [&str; 6] = ["id", "email", "phone", "cio_id", "anonymous_id", "created_at"];

/// Where an attribute's value comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A column, by its place in the row.
    Column(usize),
    /// The same canonical value for every row.
    Constant(Vec<u8>),
    /// A text with columns in it.
    Template(Template),
}

/// An attribute ready to be written.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name in Customer.io.
    pub name: String,
    /// Where its value comes from.
    pub origin: Origin,
    /// What the value is converted to; `None` for its own kind.
    pub value_type: Option<ValueType>,
    /// The zone of local times.
    pub time_zone: TimeZone,
    /// What becomes of nulls.
    pub nulls: Nulls,
    /// Set where only the opt-out is sent.
    pub consent: Option<ConsentKind>,
    /// Whether it is an e-mail address, which Customer.io takes for an identifier.
    pub is_email: bool,
}

/// What writing an attribute came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// How many attributes were written: none where it is left out.
    pub count: u16,
    /// Whether a number that JSON can't say (infinite, or not a number) was written as null.
    pub is_non_finite: bool,
}

impl Written {
    fn plain(count: u16) -> Self {
        Self { count, is_non_finite: false }
    }
}

/// Returns whether a null may clear the attribute of that name.
pub fn may_be_nulled(name: &str) -> bool {
    !NEVER_NULLED.contains(&name) && ConsentKind::of(name).is_none()
}

impl Attribute {
    /// Appends the attribute for `row` to `record`. `text` is a buffer to reuse.
    ///
    /// # Errors
    /// Where the row can't be sent because of this attribute.
    pub fn write(
        &self,
        row: Row<'_>,
        record: &mut RecordBuf,
        text: &mut String,
    ) -> Result<Written, Rejection> {
        let value = match &self.origin {
            Origin::Column(index) => row.value(*index),
            Origin::Constant(canonical) => {
                record.attribute(&self.name).extend_from_slice(canonical);
                return Ok(Written::plain(1));
            }
            Origin::Template(template) => match template.render(row, text) {
                Ok(true) => Value::Text(text.as_str()),
                Ok(false) => Value::Null,
                Err(column) => {
                    let message = format!("column `{column}` has no text for the template");
                    return Err(Rejection::invalid(
                        InvalidCode::InvalidText,
                        Some(&self.name),
                        message,
                    ));
                }
            },
        };
        if let Some(consent) = self.consent {
            return consent
                .write_opt_out(&self.name, value, record)
                .map(Written::plain)
                .map_err(|error| self.rejection(error));
        }
        self.write_value(value, record)
    }

    fn write_value(&self, value: Value<'_>, record: &mut RecordBuf) -> Result<Written, Rejection> {
        let is_null = matches!(value, Value::Null);
        if (is_null && (self.nulls == Nulls::Omit || !may_be_nulled(&self.name)))
            || (matches!(value, Value::Text("")) && !may_be_nulled(&self.name))
        {
            return Ok(Written::default());
        }
        let is_non_finite = matches!(value, Value::Float(number) if !number.is_finite());
        if let Value::Text(address) = value
            && self.is_email
            && !limits::is_plausible_email(address)
        {
            return Err(self.rejection(ConvertError {
                code: InvalidCode::InvalidEmail,
                message: "is not an e-mail address",
            }));
        }
        let start = record.canonical.len();
        let out = record.attribute(&self.name);
        let value_start = out.len();
        let converted = convert(value, self.value_type, &self.time_zone, out);
        // The limit is on the value; its tag and length take at most three bytes more.
        let too_long = || ConvertError {
            code: InvalidCode::ValueTooLong,
            message: "is longer than the 1,000 bytes that Customer.io accepts",
        };
        let long = out.len() - value_start > ATTRIBUTE_VALUE_BYTES_MAX + 3;
        converted
            .and_then(
                |()| if long { Err(too_long()) } else { Ok(Written { count: 1, is_non_finite }) },
            )
            .map_err(|error| {
                record.canonical.truncate(start);
                self.rejection(error)
            })
    }

    fn rejection(&self, error: ConvertError) -> Rejection {
        let message = format!("attribute `{}` {}", self.name, error.message);
        Rejection::invalid(error.code, Some(&self.name), message)
    }
}
