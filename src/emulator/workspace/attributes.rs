//! Attributes as one compact buffer per owner.
//!
//! Each entry is the name's number and the value's length, both as variable-length integers, then
//! the value's JSON. Eighteen attributes of a person take some 300 bytes, where a map of values
//! would take ten times as much.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::emulator::json::Entry;
use crate::emulator::workspace::names::{NameId, Names};

/// The attributes of a person, object or relationship.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes(Box<[u8]>);

/// One attribute to set, or to clear where there is no value.
#[derive(Debug, Clone)]
pub(crate) struct Change<'a> {
    pub(crate) name: NameId,
    pub(crate) value: Option<Cow<'a, str>>,
}

/// Which empty values clear an attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clearing {
    pub(crate) null: bool,
    pub(crate) empty_string: bool,
}

impl Clearing {
    /// Objects and relationships: documented. Source: Track API description, `object_attributes`.
    pub(crate) const BOTH: Self = Self { null: true, empty_string: true };

    /// Returns the value to set, or `None` where it clears.
    pub(crate) fn value<'a>(self, raw: &'a str) -> Option<Cow<'a, str>> {
        let clears = (self.null && raw == "null") || (self.empty_string && raw == "\"\"");
        (!clears).then_some(Cow::Borrowed(raw))
    }
}

impl Attributes {
    /// Returns the attributes in the order in which they were first set.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NameId, &str)> {
        let mut rest: &[u8] = &self.0;
        std::iter::from_fn(move || {
            let name = take_number(&mut rest)?;
            let length = take_number(&mut rest)? as usize;
            let (value, after) = rest.split_at_checked(length)?;
            rest = after;
            Some((NameId(name), std::str::from_utf8(value).unwrap_or_default()))
        })
    }

    /// Returns the JSON under a name.
    pub(crate) fn get(&self, name: NameId) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns the number of attributes.
    pub(crate) fn len(&self) -> usize {
        self.iter().count()
    }

    /// Returns the size kept, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.0.len()
    }

    /// Returns these attributes with the changes made; the last change of a name counts.
    pub(crate) fn changed(&self, changes: &mut Vec<Change<'_>>, scratch: &mut Vec<u8>) -> Self {
        // Stable, so that the last of equal names stays last; then it alone is kept.
        changes.sort_by_key(|change| change.name);
        changes.reverse();
        changes.dedup_by_key(|change| change.name);
        changes.reverse();

        scratch.clear();
        let mut used = vec![false; changes.len()];
        for (name, old) in self.iter() {
            let value = match changes.binary_search_by_key(&name, |change| change.name) {
                Ok(position) => {
                    used[position] = true;
                    changes[position].value.as_deref()
                }
                Err(_) => Some(old),
            };
            if let Some(value) = value {
                put(scratch, name, value);
            }
        }
        for (change, used) in changes.iter().zip(used) {
            if let (false, Some(value)) = (used, &change.value) {
                put(scratch, change.name, value);
            }
        }
        Self(scratch.as_slice().into())
    }

    /// Returns the attributes as a JSON object.
    pub(crate) fn to_json(&self, names: &Names) -> Map<String, Value> {
        self.iter()
            .map(|(name, raw)| {
                let value = serde_json::from_str(raw).unwrap_or(Value::Null);
                (names.name(name).to_owned(), value)
            })
            .collect()
    }
}

/// Returns the changes that `entries` ask for.
pub(crate) fn changes<'a>(
    names: &mut Names,
    entries: &'a [Entry<'_>],
    clearing: Clearing,
) -> Vec<Change<'a>> {
    entries
        .iter()
        .map(|entry| Change { name: names.intern(&entry.name), value: clearing.value(entry.value) })
        .collect()
}

fn put(buffer: &mut Vec<u8>, name: NameId, value: &str) {
    put_number(buffer, name.0);
    put_number(buffer, u32::try_from(value.len()).unwrap_or(u32::MAX));
    buffer.extend_from_slice(value.as_bytes());
}

fn put_number(buffer: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        buffer.push(number as u8 | 0x80);
        number >>= 7;
    }
    buffer.push(number as u8);
}

fn take_number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in (0..32).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: u32, value: Option<&str>) -> Change<'_> {
        Change { name: NameId(name), value: value.map(Cow::Borrowed) }
    }

    fn pairs(attributes: &Attributes) -> Vec<(u32, &str)> {
        attributes.iter().map(|(name, value)| (name.0, value)).collect()
    }

    #[test]
    fn what_is_not_mentioned_stays_and_what_is_cleared_goes() {
        let mut scratch = Vec::new();
        let before = Attributes::default()
            .changed(&mut vec![change(300, Some("1")), change(2, Some("\"x\""))], &mut scratch);

        let after =
            before.changed(&mut vec![change(2, None), change(7, Some("true"))], &mut scratch);

        assert_eq!(pairs(&before), [(2, "\"x\""), (300, "1")]);
        assert_eq!(pairs(&after), [(300, "1"), (7, "true")]);
    }

    #[test]
    fn the_last_of_repeated_names_counts() {
        let mut scratch = Vec::new();

        let attributes = Attributes::default()
            .changed(&mut vec![change(1, Some("1")), change(1, Some("2"))], &mut scratch);

        assert_eq!(pairs(&attributes), [(1, "2")]);
    }
}
