//! One item: which type and action it is, and what is wrong with it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::emulator::json;
use crate::emulator::operation::{EventKind, Operation};
use crate::emulator::settings::Settings;
use crate::emulator::track_v2::errors::FieldError;
use crate::emulator::track_v2::reader::Reader;

/// An item's fields as they were written. `null` counts as absent.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) identifiers: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) attributes: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) cio_relationships: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) device: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) primary: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) secondary: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) anonymous_id: Option<&'a RawValue>,
}

/// Reads and checks an item.
///
/// # Errors
///
/// Everything that is wrong with it; never an empty list.
pub(super) fn read<'a>(
    raw: &'a str,
    settings: &Settings,
) -> Result<Operation<'a>, Vec<FieldError>> {
    if raw.len() > settings.limits.item_bytes {
        let message = format!("must be smaller than {} bytes", settings.limits.item_bytes);
        return Err(vec![FieldError::invalid("", message)]);
    }
    let item: Item<'a> = match serde_json::from_str(raw) {
        Ok(item) => item,
        Err(_) => return Err(vec![FieldError::invalid("", "must be a JSON object")]),
    };
    let mut reader = Reader::new(settings);
    let operation = operation(&item, &mut reader);
    match operation {
        Some(operation) if reader.errors.is_empty() => Ok(operation),
        Some(_) | None => Err(reader.errors),
    }
}

/// Whether an item has this value among its identifiers, or those of a merge.
pub(super) fn is_about(raw: &str, value: &str) -> bool {
    let Ok(item) = serde_json::from_str::<Item<'_>>(raw) else { return false };

    [item.identifiers, item.primary, item.secondary].into_iter().flatten().any(|identifiers| {
        json::entries(identifiers.get()).unwrap_or_default().iter().any(|entry| {
            json::text_or_number(entry.value).is_some_and(|identifier| identifier == value)
        })
    })
}

fn operation<'a>(item: &Item<'a>, reader: &mut Reader<'_>) -> Option<Operation<'a>> {
    let kind = reader.text(item.kind, "type");
    let action = reader.text(item.action, "action");
    let (kind, action) = (kind?, action?);
    match (&*kind, &*action) {
        ("person", "identify") => reader.identify_person(item),
        ("person", "delete") => reader.person(item).map(Operation::DeletePerson),
        ("person", "suppress") => reader.person(item).map(Operation::Suppress),
        ("person", "unsuppress") => reader.person(item).map(Operation::Unsuppress),
        ("person", "event") => reader.event(item, EventKind::Event),
        ("person", "page") => reader.event(item, EventKind::Page),
        ("person", "screen") => reader.event(item, EventKind::Screen),
        ("person", "add_device") => reader.add_device(item),
        ("person", "delete_device") => reader.delete_device(item),
        ("person", "add_relationships") => reader.relate_person(item, false),
        ("person", "delete_relationships") => reader.relate_person(item, true),
        ("person", "merge") => reader.merge(item),
        ("object", "identify") => reader.identify_object(item),
        ("object", "identify_anonymous") => reader.identify_anonymous(item),
        ("object", "delete") => reader.object(item).map(Operation::DeleteObject),
        ("object", "add_relationships") => reader.relate_object(item, false),
        ("object", "delete_relationships") => reader.relate_object(item, true),
        ("delivery", "event") => reader.delivery(item),
        ("person" | "object" | "delivery", _) => {
            reader.invalid("action", format!("is not an action of a {kind}"));
            None
        }
        _ => {
            reader.invalid("type", "must be one of person, object, delivery");
            None
        }
    }
}
