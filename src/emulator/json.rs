//! JSON read without copying: values stay slices of the request's body.
//!
//! A batch of a thousand people is parsed in well under the time it takes to send, which keeps the
//! emulator from being what a benchmark measures.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// One member of a JSON object: its name, and its value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// The member's name.
    pub(crate) name: Cow<'a, str>,
    /// The member's value, as JSON.
    pub(crate) value: &'a str,
}

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Bool,
    Null,
    Object,
    Array,
}

/// Returns what a valid JSON value is, by its first character.
pub(crate) fn kind(raw: &str) -> Kind {
    match raw.as_bytes().first() {
        Some(b'"') => Kind::Text,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

/// Returns the text of a JSON string, borrowed where nothing is escaped; `None` for anything else.
pub(crate) fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }

    Some(Cow::Borrowed(inner))
}

/// Returns the text of a JSON string or number, which is what identifiers may be.
pub(crate) fn text_or_number(raw: &str) -> Option<Cow<'_, str>> {
    match kind(raw) {
        Kind::Text => text(raw),
        Kind::Number => Some(Cow::Borrowed(raw)),
        Kind::Bool | Kind::Null | Kind::Object | Kind::Array => None,
    }
}

/// Returns a JSON value as the App API shows it: text without quotes, everything else as written.
pub(crate) fn display(raw: &str) -> String {
    text(raw).map_or_else(|| raw.to_owned(), Cow::into_owned)
}

/// Returns the members of a JSON object in the order written, or `None` when it is not an object.
pub(crate) fn entries(raw: &str) -> Option<Vec<Entry<'_>>> {
    serde_json::from_str::<Members<'_>>(raw).ok().and_then(|members| members.0)
}

/// Returns the elements of a JSON array as written, or `None` when it is not an array.
pub(crate) fn elements(raw: &str) -> Option<Vec<&str>> {
    let elements = serde_json::from_str::<Vec<&RawValue>>(raw).ok()?;

    Some(elements.into_iter().map(RawValue::get).collect())
}

/// Returns the value under `name`, the last where it is repeated.
pub(crate) fn member<'a>(entries: &[Entry<'a>], name: &str) -> Option<&'a str> {
    entries.iter().rev().find(|entry| entry.name == name).map(|entry| entry.value)
}

/// The members of an object; nothing when the value is not an object.
struct Members<'a>(Option<Vec<Entry<'a>>>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("any JSON value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(24);
                while let Some(Name(name)) = map.next_key()? {
                    let value: &'de RawValue = map.next_value()?;
                    entries.push(Entry { name, value: value.get() });
                }
                Ok(Members(Some(entries)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Members(None))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A member's name, borrowed where nothing is escaped (serde's own `Cow` always copies).
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_spelling() {
        let entries = entries(r#"{"b":1.50,"\u0061":"x","c":{"d":[1, 2]}}"#).unwrap();

        let read: Vec<_> = entries.iter().map(|entry| (&*entry.name, entry.value)).collect();
        assert_eq!(read, [("b", "1.50"), ("a", "\"x\""), ("c", r#"{"d":[1, 2]}"#)]);
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for raw in ["[1]", "1", "null", "\"x\"", "{\"a\":}"] {
            assert_eq!(entries(raw), None, "{raw}");
        }
    }

    #[test]
    fn identifiers_are_strings_or_numbers() {
        assert_eq!(text_or_number("\"a\\u00e9\"").as_deref(), Some("aé"));
        assert_eq!(text_or_number("42").as_deref(), Some("42"));
        assert_eq!(text_or_number("true"), None);
        assert_eq!(text_or_number("null"), None);
    }
}
