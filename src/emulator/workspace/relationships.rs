//! Who belongs to what, with the attributes of belonging.

use std::collections::{BTreeMap, BTreeSet};

use crate::emulator::workspace::attributes::Attributes;
use crate::emulator::workspace::objects::ObjectKey;
use crate::emulator::workspace::people::PersonKey;

/// Every relationship, findable from both ends.
#[derive(Debug, Default)]
pub(crate) struct Relationships {
    pairs: BTreeMap<(ObjectKey, PersonKey), Attributes>,
    of_person: BTreeSet<(PersonKey, ObjectKey)>,
    anonymous: BTreeMap<(Box<str>, ObjectKey), Attributes>,
}

impl Relationships {
    /// Returns the number of relationships between people and objects.
    pub(crate) fn count(&self) -> usize {
        self.pairs.len()
    }

    /// Returns every relationship between a person and an object.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ObjectKey, PersonKey, &Attributes)> {
        self.pairs.iter().map(|((object, person), attributes)| (*object, *person, attributes))
    }

    /// Returns the objects that a person belongs to.
    pub(crate) fn of_person(&self, person: PersonKey) -> Vec<ObjectKey> {
        self.of_person
            .range((person, ObjectKey(0))..=(person, ObjectKey(u32::MAX)))
            .map(|(_, object)| *object)
            .collect()
    }

    /// Returns the attributes of one relationship.
    pub(crate) fn get(&self, object: ObjectKey, person: PersonKey) -> Option<&Attributes> {
        self.pairs.get(&(object, person))
    }

    /// Makes a relationship, or changes its attributes.
    pub(crate) fn put(&mut self, object: ObjectKey, person: PersonKey, attributes: Attributes) {
        self.pairs.insert((object, person), attributes);
        self.of_person.insert((person, object));
    }

    /// Parts a person from an object; returns the attributes there were.
    pub(crate) fn remove(&mut self, object: ObjectKey, person: PersonKey) -> Option<Attributes> {
        self.of_person.remove(&(person, object));
        self.pairs.remove(&(object, person))
    }

    /// Parts an object from everybody.
    pub(crate) fn remove_object(&mut self, object: ObjectKey) {
        let people: Vec<PersonKey> = self
            .pairs
            .range((object, PersonKey(0))..=(object, PersonKey(u32::MAX)))
            .map(|((_, person), _)| *person)
            .collect();
        for person in people {
            self.remove(object, person);
        }
        self.anonymous.retain(|(_, related), _| *related != object);
    }

    /// Parts a person from everything; returns what they belonged to.
    pub(crate) fn remove_person(&mut self, person: PersonKey) -> Vec<(ObjectKey, Attributes)> {
        self.of_person(person)
            .into_iter()
            .filter_map(|object| Some((object, self.remove(object, person)?)))
            .collect()
    }

    /// Relates an object to somebody who has not identified themselves yet.
    pub(crate) fn put_anonymous(
        &mut self,
        object: ObjectKey,
        anonymous_id: &str,
        attributes: Attributes,
    ) {
        self.anonymous.insert((anonymous_id.into(), object), attributes);
    }

    /// Parts an object from somebody who has not identified themselves yet.
    pub(crate) fn remove_anonymous(&mut self, object: ObjectKey, anonymous_id: &str) {
        self.anonymous.remove(&(anonymous_id.into(), object));
    }

    /// Returns the number of relationships that wait for somebody to identify themselves.
    pub(crate) fn anonymous_count(&self) -> usize {
        self.anonymous.len()
    }

    /// Gives what an anonymous visitor belonged to, to the person they turned out to be.
    pub(crate) fn carry_over(&mut self, anonymous_id: &str, person: PersonKey) {
        if self.anonymous.is_empty() {
            return;
        }
        let from: Box<str> = anonymous_id.into();
        let keys: Vec<_> = self
            .anonymous
            .range((from.clone(), ObjectKey(0))..=(from, ObjectKey(u32::MAX)))
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            if let Some(attributes) = self.anonymous.remove(&key) {
                self.put(key.1, person, attributes);
            }
        }
    }
}
