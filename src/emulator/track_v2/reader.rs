//! Reading fields: the value where it is right, a noted error where it is not.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::emulator::json::{self, Entry};
use crate::emulator::limits::Breach;
use crate::emulator::operation::PersonIdentifier;
use crate::emulator::settings::Settings;
use crate::emulator::track_v2::errors::FieldError;

/// Reads one item's fields and keeps what is wrong with them.
///
/// A method that returns `None` has noted an error, or was asked for an optional field.
pub(super) struct Reader<'s> {
    pub(super) settings: &'s Settings,
    pub(super) errors: Vec<FieldError>,
}

impl<'s> Reader<'s> {
    /// Returns a reader that has seen nothing yet.
    pub(super) fn new(settings: &'s Settings) -> Self {
        Self { settings, errors: Vec::new() }
    }

    /// Notes that a field is wrong.
    pub(super) fn invalid(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError::invalid(field, message));
    }

    /// Notes that a field is missing.
    pub(super) fn required(&mut self, field: impl Into<String>) {
        self.errors.push(FieldError::required(field));
    }

    /// Reads a required string that is not blank.
    pub(super) fn text<'a>(
        &mut self,
        raw: Option<&'a RawValue>,
        field: &str,
    ) -> Option<Cow<'a, str>> {
        let Some(raw) = raw else {
            self.required(field);
            return None;
        };
        let text = json::text(raw.get());
        match &text {
            None => self.invalid(field, "must be a string"),
            Some(text) if text.trim().is_empty() => self.invalid(field, "cannot be blank"),
            Some(_) => {}
        }
        text
    }

    /// Reads an id: a string or a number, neither blank nor too long.
    pub(super) fn identifier<'a>(&mut self, raw: &'a str, field: &str) -> Option<Cow<'a, str>> {
        self.bounded(raw, field, self.settings.limits.id_bytes)
    }

    fn bounded<'a>(&mut self, raw: &'a str, field: &str, limit: usize) -> Option<Cow<'a, str>> {
        let value = json::text_or_number(raw);
        match &value {
            None => self.invalid(field, "must be a string or a number"),
            Some(value) if value.trim().is_empty() => self.invalid(field, "cannot be blank"),
            Some(value) if value.len() > limit => {
                self.invalid(field, format!("cannot be longer than {limit} bytes"));
            }
            Some(_) => {}
        }
        value
    }

    /// Reads exactly one of the identifiers that a person can have.
    pub(super) fn one_person<'a>(
        &mut self,
        raw: Option<&'a RawValue>,
        (field, kinds): (&str, &[&str]),
    ) -> Option<PersonIdentifier<'a>> {
        let Some(raw) = raw else {
            self.required(field);
            return None;
        };
        let Some(entries) = json::entries(raw.get()) else {
            self.invalid(field, "must be an object");
            return None;
        };
        let [entry] = entries.as_slice() else {
            self.invalid(field, format!("must have exactly one of {}", kinds.join(", ")));
            return None;
        };
        let Some(kind) = kinds.iter().find(|kind| **kind == entry.name) else {
            self.invalid(field, format!("must have exactly one of {}", kinds.join(", ")));
            return None;
        };
        let field = format!("{field}.{kind}");
        let limits = &self.settings.limits;
        // The limit on ids is documented for ids alone; the others are values.
        let limit = if *kind == "id" { limits.id_bytes } else { limits.value_bytes };
        let value = self.bounded(entry.value, &field, limit)?;
        match *kind {
            "id" => Some(PersonIdentifier::Id(value)),
            "email" => {
                if self.settings.malformed_email_is_refused && !looks_like_email(&value) {
                    self.invalid(field, "must be an email address");
                }
                Some(PersonIdentifier::Email(value))
            }
            "phone" => {
                if !is_e164(&value) {
                    self.invalid(field, "must be a phone number in E.164 format");
                }
                Some(PersonIdentifier::Phone(value))
            }
            "anonymous_id" => Some(PersonIdentifier::Anonymous(value)),
            _ => Some(PersonIdentifier::CioId(value)),
        }
    }

    /// Reads an optional time in whole unix seconds.
    pub(super) fn timestamp(&mut self, raw: Option<&str>, field: &str) -> Option<i64> {
        let raw = raw?;
        let seconds = raw.parse().ok().filter(|seconds| *seconds >= 0);
        if seconds.is_none() {
            self.invalid(field, "must be a unix timestamp in seconds");
        }
        seconds
    }

    /// Reads an optional object of attributes and holds it against the limits.
    pub(super) fn attributes<'a>(
        &mut self,
        raw: Option<&'a RawValue>,
        field: &str,
    ) -> Vec<Entry<'a>> {
        let Some(raw) = raw else { return Vec::new() };
        let Some(entries) = json::entries(raw.get()) else {
            self.invalid(field, "must be an object");
            return Vec::new();
        };
        let limits = &self.settings.limits;
        for breach in limits.breaches(&entries, self.settings.nested_values_are_limited) {
            let error = match breach {
                Breach::TooMany => FieldError::invalid(
                    field,
                    format!("cannot have more than {} properties", limits.attributes),
                ),
                Breach::Name(name) => FieldError::invalid(
                    format!("{field}.{name}"),
                    format!("property name cannot be longer than {} bytes", limits.name_bytes),
                ),
                Breach::Value(name) => FieldError::invalid(
                    format!("{field}.{name}"),
                    format!("property value cannot be longer than {} bytes", limits.value_bytes),
                ),
            };
            self.errors.push(error);
        }
        entries
    }

    /// Reads the elements of an array; an absent one has none.
    pub(super) fn elements<'a>(&mut self, raw: Option<&'a RawValue>, field: &str) -> Vec<&'a str> {
        let Some(raw) = raw else { return Vec::new() };
        json::elements(raw.get()).unwrap_or_else(|| {
            self.invalid(field, "must be an array");
            Vec::new()
        })
    }
}

/// A leading `+` and up to 15 digits. Source: Track API description, `person_common`.
fn is_e164(value: &str) -> bool {
    value.strip_prefix('+').is_some_and(|digits| {
        (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn looks_like_email(value: &str) -> bool {
    value.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !value.contains(char::is_whitespace)
    })
}
