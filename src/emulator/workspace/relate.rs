//! Objects, and their relationships with people.

use serde_json::json;

use crate::emulator::json::Entry;
use crate::emulator::operation::{ObjectIdentifier, ObjectLinks, PersonIdentifier, PersonLink};
use crate::emulator::settings::{Settings, UnknownParty};
use crate::emulator::workspace::attributes::{Attributes, Clearing, changes};
use crate::emulator::workspace::objects::ObjectKey;
use crate::emulator::workspace::people::PersonKey;
use crate::emulator::workspace::{Failure, Workspace};

impl Workspace {
    /// Adds or updates an object; `None` where it was named by a `cio_object_id` nobody has.
    pub(super) fn identify_object(
        &mut self,
        object: &ObjectIdentifier<'_>,
        attributes: &[Entry<'_>],
        settings: &Settings,
        now: i64,
    ) -> Option<ObjectKey> {
        let key = self.find_or_make_object(object, UnknownParty::Create, now)?;
        let mut changes = changes(&mut self.names, attributes, Clearing::BOTH);
        let known = self.objects.get(key)?;
        let changed = known.attributes.changed(&mut changes, &mut self.scratch);
        if is_too_much(&changed, settings) {
            let reason = "the object would have too many attributes";
            let failure = Failure::object(known.type_id, reason, json!({}));
            self.fail_for_nobody(failure, now);
        } else if let Some(object) = self.objects.get_mut(key) {
            object.attributes = changed;
        }
        Some(key)
    }

    fn find_or_make_object(
        &mut self,
        object: &ObjectIdentifier<'_>,
        unknown: UnknownParty,
        now: i64,
    ) -> Option<ObjectKey> {
        if let Some(key) = self.objects.find(object) {
            return Some(key);
        }
        match (object, unknown) {
            (ObjectIdentifier::Typed { type_id, id }, UnknownParty::Create) => {
                Some(self.objects.create(*type_id, id))
            }
            (ObjectIdentifier::Typed { type_id, .. }, UnknownParty::Ignore) => {
                let failure = Failure::relationship(*type_id, "no such object", json!({}));
                self.fail_for_nobody(failure, now);
                None
            }
            (ObjectIdentifier::CioObjectId(_), _) => {
                self.fail_for_nobody(Failure::skipped("no object has this cio_object_id"), now);
                None
            }
        }
    }

    /// Relates a person to objects, or parts them.
    pub(super) fn relate_person(
        &mut self,
        who: &PersonIdentifier<'_>,
        objects: &ObjectLinks<'_>,
        settings: &Settings,
        now: i64,
    ) {
        if self.suppressed.blocks(who) {
            self.fail(Failure::skipped("the person is suppressed"), who, now);
            return;
        }
        let unknown =
            if objects.remove { UnknownParty::Ignore } else { settings.relationship_to_unknown };
        match self.find_or_make(who, unknown, now) {
            Some(key) => self.relate_person_to(key, objects, settings, now),
            None => self.fail(Failure::skipped("no such person"), who, now),
        }
    }

    /// Relates a known person to objects, or parts them.
    pub(super) fn relate_person_to(
        &mut self,
        person: PersonKey,
        objects: &ObjectLinks<'_>,
        settings: &Settings,
        now: i64,
    ) {
        for link in &objects.links {
            if objects.remove {
                if let Some(object) = self.objects.find(&link.object) {
                    self.relationships.remove(object, person);
                }
            } else if let Some(object) =
                self.find_or_make_object(&link.object, settings.relationship_to_unknown, now)
            {
                self.put_relationship(object, person, (&link.attributes, settings), now);
            }
        }
    }

    /// Relates an object to people; the object comes into being where that is the setting.
    pub(super) fn relate_object(
        &mut self,
        object: &ObjectIdentifier<'_>,
        people: &[PersonLink<'_>],
        settings: &Settings,
        now: i64,
    ) {
        if let Some(key) = self.find_or_make_object(object, settings.relationship_to_unknown, now) {
            self.relate_object_to(key, people, settings, now);
        }
    }

    /// Relates a known object to people.
    pub(super) fn relate_object_to(
        &mut self,
        object: ObjectKey,
        people: &[PersonLink<'_>],
        settings: &Settings,
        now: i64,
    ) {
        for link in people {
            if self.suppressed.blocks(&link.person) {
                self.fail(Failure::skipped("the person is suppressed"), &link.person, now);
                continue;
            }
            let person = self.find_or_make(&link.person, settings.relationship_to_unknown, now);
            match (person, &link.person) {
                (Some(person), _) => {
                    self.put_relationship(object, person, (&link.attributes, settings), now);
                }
                (None, PersonIdentifier::Anonymous(anonymous_id)) => {
                    let mut changes = changes(&mut self.names, &link.attributes, Clearing::BOTH);
                    let attributes = Attributes::default().changed(&mut changes, &mut self.scratch);
                    self.relationships.put_anonymous(object, anonymous_id, attributes);
                }
                (None, _) => {
                    let type_id = self.objects.get(object).map_or(0, |object| object.type_id);
                    let failure = Failure::relationship(type_id, "no such person", json!({}));
                    self.fail(failure, &link.person, now);
                }
            }
        }
    }

    /// Parts an object from people.
    pub(super) fn part_object(&mut self, object: &ObjectIdentifier<'_>, people: &[PersonLink<'_>]) {
        let Some(object) = self.objects.find(object) else { return };
        for link in people {
            match (self.people.find(&link.person), &link.person) {
                (Some(person), _) => {
                    self.relationships.remove(object, person);
                }
                (None, PersonIdentifier::Anonymous(anonymous_id)) => {
                    self.relationships.remove_anonymous(object, anonymous_id);
                }
                (None, _) => {}
            }
        }
    }

    fn put_relationship(
        &mut self,
        object: ObjectKey,
        person: PersonKey,
        (attributes, settings): (&[Entry<'_>], &Settings),
        now: i64,
    ) {
        let mut changes = changes(&mut self.names, attributes, Clearing::BOTH);
        let before = self.relationships.get(object, person).cloned().unwrap_or_default();
        let changed = before.changed(&mut changes, &mut self.scratch);
        if is_too_much(&changed, settings) {
            let type_id = self.objects.get(object).map_or(0, |object| object.type_id);
            let reason = "the relationship would have too many attributes";
            self.fail_for(Failure::relationship(type_id, reason, json!({})), person, now);
            self.relationships.put(object, person, before);
        } else {
            self.relationships.put(object, person, changed);
        }
    }
}

fn is_too_much(attributes: &Attributes, settings: &Settings) -> bool {
    attributes.len() > settings.limits.attributes
        || attributes.size_bytes() > settings.limits.object_bytes
}
