//! Items of type `person`.

use crate::emulator::json;
use crate::emulator::operation::{
    EventKind, IdentifierChange, IdentifyPerson, NewDevice, NewEvent, ObjectLink, ObjectLinks,
    Operation, PersonIdentifier,
};
use crate::emulator::settings::NonUlidIds;
use crate::emulator::track_v2::item::Item;
use crate::emulator::track_v2::reader::Reader;
use crate::emulator::ulid;

/// What can name a person. Source: Track API description, `person_common`.
const PERSON: (&str, &[&str]) = ("identifiers", &["id", "email", "phone", "cio_id"]);

/// Events may also come from somebody who has not identified themselves; seen in clients, not in
/// the description.
const VISITOR: (&str, &[&str]) =
    ("identifiers", &["id", "email", "phone", "cio_id", "anonymous_id"]);

/// A merge knows no phone numbers. Source: Track API description, `person_merge`.
const PRIMARY: (&str, &[&str]) = ("primary", &["id", "email", "cio_id"]);
const SECONDARY: (&str, &[&str]) = ("secondary", &["id", "email", "cio_id"]);

const PLATFORMS: [&str; 2] = ["ios", "android"];

impl Reader<'_> {
    /// Reads the person an item is about.
    pub(super) fn person<'a>(&mut self, item: &Item<'a>) -> Option<PersonIdentifier<'a>> {
        self.one_person(item.identifiers, PERSON)
    }

    /// Reads `identify`.
    pub(super) fn identify_person<'a>(&mut self, item: &Item<'a>) -> Option<Operation<'a>> {
        let who = self.person(item);
        let attributes = self.attributes(item.attributes, "attributes");
        let timestamp = self.timestamp(item.timestamp.map(|raw| raw.get()), "timestamp");
        let links = self.object_links(item);
        let mut asked = match IdentifyPerson::new(who?, attributes) {
            Ok(asked) => asked,
            Err(name) => {
                self.invalid(format!("attributes.{name}"), "must be a string or a number");
                return None;
            }
        };
        let limit = self.settings.limits.id_bytes;
        if matches!(&asked.id, IdentifierChange::Set(id) if id.len() > limit) {
            self.invalid("attributes.id", format!("cannot be longer than {limit} bytes"));
        }
        asked.timestamp = timestamp.or(asked.timestamp);
        if !links.is_empty() {
            asked.relationships = Some(ObjectLinks { remove: false, links });
        }
        Some(Operation::IdentifyPerson(Box::new(asked)))
    }

    /// Reads `event`, `page` and `screen`.
    pub(super) fn event<'a>(&mut self, item: &Item<'a>, kind: EventKind) -> Option<Operation<'a>> {
        let who = self.one_person(item.identifiers, VISITOR);
        let name = self.text(item.name, "name");
        let limit = self.settings.limits.event_name_bytes;
        if name.as_ref().is_some_and(|name| name.trim().len() > limit) {
            self.invalid("name", format!("cannot be longer than {limit} bytes"));
        }
        let id = item.id.and_then(|raw| self.text(Some(raw), "id"));
        if self.settings.non_ulid_ids == NonUlidIds::Refuse
            && id.as_ref().is_some_and(|id| ulid::parse(id).is_none())
        {
            self.invalid("id", "must be a valid ULID");
        }
        let timestamp = self.timestamp(item.timestamp.map(|raw| raw.get()), "timestamp");
        let data = item.attributes.map_or("{}", |raw| raw.get());
        if json::kind(data) != json::Kind::Object {
            self.invalid("attributes", "must be an object");
        }
        // Spaces around an event's name are dropped. Source: Track API description.
        let name = match name? {
            std::borrow::Cow::Borrowed(name) => name.trim().into(),
            std::borrow::Cow::Owned(name) => name.trim().to_owned().into(),
        };
        Some(Operation::Event(NewEvent { who: who?, kind, name, id, timestamp, data }))
    }

    /// Reads `add_device`.
    pub(super) fn add_device<'a>(&mut self, item: &Item<'a>) -> Option<Operation<'a>> {
        let who = self.person(item);
        let Some(device) = item.device else {
            self.required("device");
            return None;
        };
        let Some(device) = json::entries(device.get()) else {
            self.invalid("device", "must be an object");
            return None;
        };
        let token = self.device_token(&device);
        let platform = json::member(&device, "platform").map(json::text);
        match &platform {
            None => self.required("device.platform"),
            Some(Some(platform)) if PLATFORMS.contains(&&**platform) => {}
            Some(_) => self.invalid("device.platform", "must be ios or android"),
        }
        let last_used = self.timestamp(json::member(&device, "last_used"), "device.last_used");
        let attributes = json::member(&device, "attributes").unwrap_or("{}");
        if json::kind(attributes) != json::Kind::Object {
            self.invalid("device.attributes", "must be an object");
        }
        Some(Operation::AddDevice(NewDevice {
            who: who?,
            token: token?,
            platform: platform??,
            last_used,
            attributes,
        }))
    }

    /// Reads `delete_device`.
    pub(super) fn delete_device<'a>(&mut self, item: &Item<'a>) -> Option<Operation<'a>> {
        let who = self.person(item);
        let Some(device) = item.device else {
            self.required("device");
            return None;
        };
        let device = json::entries(device.get()).unwrap_or_default();
        let token = self.device_token(&device);
        Some(Operation::DeleteDevice { who: who?, token: token? })
    }

    fn device_token<'a>(
        &mut self,
        device: &[json::Entry<'a>],
    ) -> Option<std::borrow::Cow<'a, str>> {
        let Some(raw) = json::member(device, "token") else {
            self.required("device.token");
            return None;
        };
        let token = json::text(raw).filter(|token| !token.trim().is_empty());
        if token.is_none() {
            self.invalid("device.token", "must be a string that is not blank");
        }
        token
    }

    /// Reads `add_relationships` and `delete_relationships`.
    pub(super) fn relate_person<'a>(
        &mut self,
        item: &Item<'a>,
        remove: bool,
    ) -> Option<Operation<'a>> {
        let who = self.person(item);
        if item.cio_relationships.is_none() {
            self.required("cio_relationships");
        }
        let links = self.object_links(item);
        Some(Operation::RelatePerson { who: who?, objects: ObjectLinks { remove, links } })
    }

    fn object_links<'a>(&mut self, item: &Item<'a>) -> Vec<ObjectLink<'a>> {
        let mut links = Vec::new();
        let elements = self.elements(item.cio_relationships, "cio_relationships");
        for (position, raw) in elements.into_iter().enumerate() {
            let field = format!("cio_relationships[{position}]");
            let Some((identifiers, attributes)) = self.link(raw, &field) else { continue };
            if let Some(object) = self.object_from(&identifiers, &format!("{field}.identifiers")) {
                links.push(ObjectLink { object, attributes });
            }
        }
        links
    }

    /// Reads `merge`.
    pub(super) fn merge<'a>(&mut self, item: &Item<'a>) -> Option<Operation<'a>> {
        let primary = self.one_person(item.primary, PRIMARY);
        let secondary = self.one_person(item.secondary, SECONDARY);
        Some(Operation::Merge { primary: primary?, secondary: secondary? })
    }
}
