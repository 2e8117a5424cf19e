//! One attribute of a compiled mapping: where its value comes from and what becomes of it.

use jiff::tz::TimeZone;

use super::consent::ConsentKind;
use super::convert::{ConvertError, convert};
use super::spec::{Nulls, ValueType};
use super::template::Template;
use crate::model::OperationKind;
use crate::model::limits::{self, ATTRIBUTE_VALUE_BYTES_MAX};
use crate::model::rejection::InvalidCode;
use crate::model::{RecordBuf, Rejection, Row, Value};

/// The day of joining, of a person and of an object.
const CREATED_AT: &str = "created_at";

/// A person's attributes that a null must never clear, consent besides.
const NEVER_NULLED: [&str; 6] = ["id", "email", "phone", "cio_id", "anonymous_id", CREATED_AT];

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
    /// The same, as records have it.
    pub encoded_name: Box<[u8]>,
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
    /// What its name means.
    pub meaning: Meaning,
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

/// What an attribute's name means for Customer.io, beside consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// Whether it is a person's e-mail address, which Customer.io takes for an identifier.
    pub is_email: bool,
    /// Whether a null may clear it.
    pub may_be_nulled: bool,
    /// Whether its value has a limit of its own, as all but those of an event's data have.
    pub is_limited: bool,
}

impl Meaning {
    /// Returns what attribute `name` means in what is sent as `operation`.
    pub fn of(name: &str, operation: OperationKind) -> Self {
        let mut meaning = Self { is_email: false, may_be_nulled: true, is_limited: true };
        if is_about_person(operation) {
            meaning.is_email = name == "email";
            meaning.may_be_nulled =
                !NEVER_NULLED.contains(&name) && ConsentKind::of(name).is_none();
        } else if operation == OperationKind::ObjectIdentify {
            meaning.may_be_nulled = name != CREATED_AT;
        } else if matches!(operation, OperationKind::EventTrack | OperationKind::CollectionReplace)
        {
            meaning.is_limited = false;
        }
        meaning
    }
}

/// Returns whether the attributes are those of a person, some of which are identifiers or consent.
pub fn is_about_person(operation: OperationKind) -> bool {
    matches!(operation, OperationKind::PersonIdentify | OperationKind::PersonUpdate)
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
                record.encoded_attribute(&self.encoded_name).extend_from_slice(canonical);
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
        let Meaning { is_email, may_be_nulled, is_limited } = self.meaning;
        if (is_null && (self.nulls == Nulls::Omit || !may_be_nulled))
            || (matches!(value, Value::Text("")) && !may_be_nulled)
        {
            return Ok(Written::default());
        }
        let is_non_finite = matches!(value, Value::Float(number) if !number.is_finite());
        if let Value::Text(address) = value
            && is_email
            && !limits::is_plausible_email(address)
        {
            return Err(self.rejection(ConvertError {
                code: InvalidCode::InvalidEmail,
                message: "is not an e-mail address",
            }));
        }
        let start = record.canonical.len();
        let out = record.encoded_attribute(&self.encoded_name);
        let value_start = out.len();
        let converted = convert(value, self.value_type, &self.time_zone, out);
        // The limit is on the value; its tag and length take at most three bytes more.
        let too_long = || ConvertError {
            code: InvalidCode::ValueTooLong,
            message: "is longer than the 1,000 bytes that Customer.io accepts",
        };
        let long = is_limited && out.len() - value_start > ATTRIBUTE_VALUE_BYTES_MAX + 3;
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
