//! What is inside, in the shapes that tests and the door read.

use serde::Serialize;
use serde_json::Value;

use crate::emulator::json;
use crate::emulator::workspace::Workspace;
use crate::emulator::workspace::collections::Collection;
use crate::emulator::workspace::devices::Device;
use crate::emulator::workspace::events::Event;
use crate::emulator::workspace::objects::{ObjectKey, Objects};
use crate::emulator::workspace::people::{PersonKey, Slot};
use crate::emulator::workspace::segments::Segment;

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonView {
    /// The id, if any.
    pub id: Option<String>,
    /// The e-mail as it was written, if any.
    pub email: Option<String>,
    /// The phone number, if any.
    pub phone: Option<String>,
    /// The workspace's own id.
    pub cio_id: String,
    /// Every attribute with the type it was sent in, identifiers (but `cio_id`) among them.
    pub attributes: Value,
    /// Whether the person gets no messages.
    pub unsubscribed: bool,
    /// When the profile was made, in unix seconds.
    pub created_at: i64,
    /// The timestamp of the latest edit, in unix seconds.
    pub edited_at: i64,
}

/// A device and its owner.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceView {
    /// The owner's id, e-mail or `cio_id`, the first there is.
    pub person: String,
    /// The token.
    pub token: String,
    /// `ios` or `android`.
    pub platform: String,
    /// When it was last used, in unix seconds.
    pub last_used: i64,
    /// The device's own attributes.
    pub attributes: Value,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventView {
    /// Whose it is: id, e-mail or `cio_id`; none for a visitor, or once the person is deleted.
    pub person: Option<String>,
    /// The visitor, for an anonymous event.
    pub anonymous_id: Option<String>,
    /// `event`, `page` or `screen`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The id by which repeats are found, if any.
    pub id: Option<String>,
    /// When it happened, in unix seconds.
    pub timestamp: i64,
    /// The event's data.
    pub data: Value,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObjectView {
    /// The type's id, as the API writes it.
    pub object_type_id: String,
    /// The id within the type.
    pub object_id: String,
    /// The workspace's own id.
    pub cio_object_id: String,
    /// Every attribute with the type it was sent in.
    pub attributes: Value,
}

/// A relationship.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RelationshipView {
    /// The object's type.
    pub object_type_id: String,
    /// The object.
    pub object_id: String,
    /// The person: id, e-mail or `cio_id`.
    pub person: String,
    /// The relationship's own attributes.
    pub attributes: Value,
}

/// A manual segment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentView {
    /// The id.
    pub id: u32,
    /// The name.
    pub name: String,
    /// Who is in it: ids, e-mails or `cio_id`s, sorted.
    pub members: Vec<String>,
}

/// A collection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CollectionView {
    /// The id.
    pub id: u32,
    /// The name.
    pub name: String,
    /// The whole content.
    pub content: Value,
}

/// A report about a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryEventView {
    /// The message.
    pub delivery_id: String,
    /// `opened`, `converted` or `delivered`.
    pub name: String,
    /// The device it happened on.
    pub device_token: String,
    /// When the report arrived, in unix seconds.
    pub timestamp: i64,
}

impl Workspace {
    /// Returns a person as others see them; `None` once they are gone.
    pub(crate) fn person_view(&self, key: PersonKey) -> Option<PersonView> {
        let person = self.people.get(key)?;
        let mut attributes = person.attributes.to_json(&self.names);
        for slot in [Slot::Id, Slot::Email, Slot::Phone, Slot::AnonymousId] {
            if let Some(value) = self.people.value(key, slot) {
                attributes.insert(slot.name().to_owned(), Value::from(value));
            }
        }
        let owned = |value: &Option<Box<str>>| value.as_deref().map(str::to_owned);
        Some(PersonView {
            id: owned(&person.id),
            email: owned(&person.email),
            phone: owned(&person.phone),
            cio_id: self.people.cio_id(key),
            unsubscribed: self.is_unsubscribed(key),
            attributes: Value::Object(attributes),
            created_at: person.created_at,
            edited_at: person.edited_at,
        })
    }

    /// Whether a person gets no messages: `true` in any case, 1 and "1" say so, all else does not.
    pub(crate) fn is_unsubscribed(&self, key: PersonKey) -> bool {
        let raw = self
            .names
            .id("unsubscribed")
            .and_then(|name| self.people.get(key)?.attributes.get(name))
            .map(json::display);
        raw.is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true"))
    }

    /// Returns what a person is best called: id, e-mail or `cio_id`, the first there is.
    pub(crate) fn label(&self, key: PersonKey) -> String {
        self.people
            .value(key, Slot::Id)
            .or_else(|| self.people.value(key, Slot::Email))
            .map_or_else(|| self.people.cio_id(key), str::to_owned)
    }

    /// Returns a device as others see it.
    pub(crate) fn device_view(&self, owner: PersonKey, device: &Device) -> DeviceView {
        DeviceView {
            person: self.label(owner),
            token: device.token.to_string(),
            platform: device.platform.to_string(),
            last_used: device.last_used,
            attributes: serde_json::from_str(&device.attributes).unwrap_or(Value::Null),
        }
    }

    /// Returns an event as others see it.
    pub(crate) fn event_view(&self, event: &Event) -> EventView {
        let living = event.person.filter(|key| self.people.get(*key).is_some());
        EventView {
            person: living.map(|key| self.label(key)),
            anonymous_id: event.anonymous_id.as_deref().map(str::to_owned),
            kind: event.kind.name().to_owned(),
            name: event.name.to_string(),
            id: event.id.as_deref().map(str::to_owned),
            timestamp: event.timestamp,
            data: serde_json::from_str(&event.data).unwrap_or(Value::Null),
        }
    }

    /// Returns an object as others see it.
    pub(crate) fn object_view(&self, key: ObjectKey) -> Option<ObjectView> {
        let object = self.objects.get(key)?;
        Some(ObjectView {
            object_type_id: object.type_id.to_string(),
            object_id: object.id.to_string(),
            cio_object_id: Objects::cio_object_id(key),
            attributes: Value::Object(object.attributes.to_json(&self.names)),
        })
    }

    /// Returns every relationship as others see it, by object.
    pub(crate) fn relationship_views(&self) -> Vec<RelationshipView> {
        self.relationships
            .iter()
            .filter_map(|(object, person, attributes)| {
                let object = self.objects.get(object)?;
                Some(RelationshipView {
                    object_type_id: object.type_id.to_string(),
                    object_id: object.id.to_string(),
                    person: self.label(person),
                    attributes: Value::Object(attributes.to_json(&self.names)),
                })
            })
            .collect()
    }

    /// Returns a segment as others see it.
    pub(crate) fn segment_view(&self, segment: &Segment) -> SegmentView {
        let mut members: Vec<String> = segment.members.iter().map(|key| self.label(*key)).collect();
        members.sort();
        SegmentView { id: segment.id, name: segment.name.clone(), members }
    }
}

impl CollectionView {
    /// Returns a collection as others see it.
    pub(crate) fn of(collection: &Collection) -> Self {
        Self {
            id: collection.id,
            name: collection.name.clone(),
            content: collection.content.clone(),
        }
    }
}
