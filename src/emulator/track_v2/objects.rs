//! Items of type `object` and `delivery`.

use serde_json::value::RawValue;

use crate::emulator::json::{self, Entry};
use crate::emulator::operation::{ObjectIdentifier, Operation, PersonIdentifier, PersonLink};
use crate::emulator::track_v2::item::Item;
use crate::emulator::track_v2::reader::Reader;

/// What can name a person of an object: no phone. Source: Track API description,
/// `v2_cio_relationships`.
const PEOPLE: &[&str] = &["id", "email", "cio_id"];
const VISITORS: &[&str] = &["anonymous_id"];

/// What can be reported about a message. Source: Track API description, `delivery_operations`.
const DELIVERY_NAMES: [&str; 3] = ["opened", "converted", "delivered"];

impl Reader<'_> {
    /// Reads the object an item is about.
    pub(super) fn object<'a>(&mut self, item: &Item<'a>) -> Option<ObjectIdentifier<'a>> {
        let Some(raw) = item.identifiers else {
            self.required("identifiers");
            return None;
        };
        let Some(entries) = json::entries(raw.get()) else {
            self.invalid("identifiers", "must be an object");
            return None;
        };
        self.object_from(&entries, "identifiers")
    }

    /// Reads an object's identifiers: a type and an id, or the workspace's own id.
    pub(super) fn object_from<'a>(
        &mut self,
        entries: &[Entry<'a>],
        field: &str,
    ) -> Option<ObjectIdentifier<'a>> {
        let member = |name| json::member(entries, name);
        let (type_id, id) =
            match (member("object_type_id"), member("object_id"), member("cio_object_id")) {
                (Some(type_id), Some(id), None) => (type_id, id),
                (None, None, Some(own)) => {
                    let own = self.identifier(own, &format!("{field}.cio_object_id"))?;
                    return Some(ObjectIdentifier::CioObjectId(own));
                }
                _ => {
                    let message = "must have either object_type_id and object_id, or cio_object_id";
                    self.invalid(field, message);
                    return None;
                }
            };
        let id = self.identifier(id, &format!("{field}.object_id"));
        let type_id = self.object_type(type_id, &format!("{field}.object_type_id"));
        Some(ObjectIdentifier::Typed { type_id: type_id?, id: id? })
    }

    fn object_type(&mut self, raw: &str, field: &str) -> Option<u32> {
        let number = json::text_or_number(raw).and_then(|text| text.parse::<u32>().ok());
        let Some(number) = number.filter(|number| *number >= 1) else {
            self.invalid(field, "must be an integer formatted as a string");
            return None;
        };
        let known = self.settings.object_types.len();
        if self.settings.unknown_object_type_is_refused && number as usize > known {
            self.invalid(field, "no such object type");
            return None;
        }
        Some(number)
    }

    /// Reads one element of `cio_relationships`: its identifiers and attributes.
    pub(super) fn link<'a>(
        &mut self,
        raw: &'a str,
        field: &str,
    ) -> Option<(Vec<Entry<'a>>, Vec<Entry<'a>>)> {
        let Some(link) = json::entries(raw) else {
            self.invalid(field, "must be an object");
            return None;
        };
        let Some(identifiers) = json::member(&link, "identifiers").and_then(json::entries) else {
            self.invalid(format!("{field}.identifiers"), "must be an object");
            return None;
        };
        let raw = json::member(&link, "relationship_attributes").filter(|raw| *raw != "null");
        let attributes = match raw {
            None => Vec::new(),
            Some(raw) => {
                // Already known to be JSON, so that only its kind can be wrong.
                let raw: Option<&RawValue> = serde_json::from_str(raw).ok();
                self.attributes(raw, &format!("{field}.relationship_attributes"))
            }
        };
        Some((identifiers, attributes))
    }

    /// Reads `identify`.
    pub(super) fn identify_object<'a>(&mut self, item: &Item<'a>) -> Option<Operation<'a>> {
        let object = self.object(item);
        let attributes = self.object_attributes(item);
        let people = self.person_links(item, PEOPLE);
        Some(Operation::IdentifyObject { object: object?, attributes, people })
    }

    /// Reads `identify_anonymous`; the visitor is in the relationships, or beside them.
    pub(super) fn identify_anonymous<'a>(&mut self, item: &Item<'a>) -> Option<Operation<'a>> {
        let object = self.object(item);
        let attributes = self.object_attributes(item);
        let mut people = self.person_links(item, VISITORS);
        if let Some(raw) = item.anonymous_id {
            let visitor = self.identifier(raw.get(), "anonymous_id")?;
            let person = PersonIdentifier::Anonymous(visitor);
            people.push(PersonLink { person, attributes: Vec::new() });
        }
        Some(Operation::IdentifyObject { object: object?, attributes, people })
    }

    fn object_attributes<'a>(&mut self, item: &Item<'a>) -> Vec<Entry<'a>> {
        let attributes = self.attributes(item.attributes, "attributes");
        let limit = self.settings.limits.object_bytes;
        if item.attributes.is_some_and(|raw| raw.get().len() > limit) {
            self.invalid("attributes", format!("cannot be longer than {limit} bytes"));
        }
        attributes
    }

    /// Reads `add_relationships` and `delete_relationships`.
    pub(super) fn relate_object<'a>(
        &mut self,
        item: &Item<'a>,
        remove: bool,
    ) -> Option<Operation<'a>> {
        let object = self.object(item);
        if item.cio_relationships.is_none() {
            self.required("cio_relationships");
        }
        let people = self.person_links(item, PEOPLE);
        Some(Operation::RelateObject { object: object?, remove, people })
    }

    fn person_links<'a>(&mut self, item: &Item<'a>, kinds: &[&str]) -> Vec<PersonLink<'a>> {
        let mut links = Vec::new();
        let elements = self.elements(item.cio_relationships, "cio_relationships");
        for (position, raw) in elements.into_iter().enumerate() {
            let field = format!("cio_relationships[{position}]");
            let Some((_, attributes)) = self.link(raw, &field) else { continue };
            let identifiers = json::entries(raw)
                .and_then(|link| json::member(&link, "identifiers"))
                .and_then(|identifiers| serde_json::from_str::<&RawValue>(identifiers).ok());
            let field = format!("{field}.identifiers");
            if let Some(person) = self.one_person(identifiers, (&field, kinds)) {
                links.push(PersonLink { person, attributes });
            }
        }
        links
    }

    /// Reads an event of a delivery.
    pub(super) fn delivery<'a>(&mut self, item: &Item<'a>) -> Option<Operation<'a>> {
        let id = item
            .identifiers
            .and_then(|raw| json::entries(raw.get()))
            .and_then(|entries| json::member(&entries, "id"))
            .and_then(json::text);
        if id.is_none() {
            self.required("identifiers.id");
        }
        let name = self.text(item.name, "name");
        if name.as_ref().is_some_and(|name| !DELIVERY_NAMES.contains(&&**name)) {
            self.invalid("name", "must be one of opened, converted, delivered");
        }
        let device_token = item
            .attributes
            .and_then(|raw| json::entries(raw.get()))
            .and_then(|entries| json::member(&entries, "device_token"))
            .and_then(json::text);
        if device_token.is_none() {
            self.required("attributes.device_token");
        }
        Some(Operation::Delivery { id: id?, name: name?, device_token: device_token? })
    }
}
