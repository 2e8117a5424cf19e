//! Manual segments: named sets of people.

use std::collections::{BTreeMap, BTreeSet};

use crate::emulator::workspace::people::PersonKey;

/// One manual segment.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) members: BTreeSet<PersonKey>,
    /// When it was made and last changed, in unix seconds.
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// Every segment by its id.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    by_id: BTreeMap<u32, Segment>,
    last_id: u32,
}

impl Segments {
    /// Returns every segment, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.by_id.values()
    }

    /// Returns one segment.
    pub(crate) fn get(&self, id: u32) -> Option<&Segment> {
        self.by_id.get(&id)
    }

    /// Makes an empty segment.
    pub(crate) fn create(&mut self, name: &str, description: &str, now: i64) -> &Segment {
        self.last_id += 1;
        self.by_id.entry(self.last_id).or_insert(Segment {
            id: self.last_id,
            name: name.to_owned(),
            description: description.to_owned(),
            members: BTreeSet::new(),
            created_at: now,
            updated_at: now,
        })
    }

    /// Takes a segment away; returns whether there was one.
    pub(crate) fn remove(&mut self, id: u32) -> bool {
        self.by_id.remove(&id).is_some()
    }

    /// Puts a person into a segment.
    pub(crate) fn add(&mut self, id: u32, person: PersonKey, now: i64) {
        if let Some(segment) = self.by_id.get_mut(&id)
            && segment.members.insert(person)
        {
            segment.updated_at = now;
        }
    }

    /// Takes a person out of a segment.
    pub(crate) fn part(&mut self, id: u32, person: PersonKey, now: i64) {
        if let Some(segment) = self.by_id.get_mut(&id)
            && segment.members.remove(&person)
        {
            segment.updated_at = now;
        }
    }

    /// Takes a person out of every segment; returns which they were in.
    pub(crate) fn part_from_all(&mut self, person: PersonKey) -> Vec<u32> {
        self.by_id
            .values_mut()
            .filter_map(|segment| segment.members.remove(&person).then_some(segment.id))
            .collect()
    }

    /// Returns the segments a person is in.
    pub(crate) fn of(&self, person: PersonKey) -> impl Iterator<Item = &Segment> {
        self.by_id.values().filter(move |segment| segment.members.contains(&person))
    }
}
