//! The events, and the ids by which repeats are found.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::emulator::operation::EventKind;
use crate::emulator::ulid;
use crate::emulator::workspace::people::PersonKey;

/// One event that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) name: Box<str>,
    pub(crate) id: Option<Box<str>>,
    /// Whose event it is; nobody's while the anonymous person has not identified themselves.
    pub(crate) person: Option<PersonKey>,
    pub(crate) anonymous_id: Option<Box<str>>,
    /// When it happened, in unix seconds.
    pub(crate) timestamp: i64,
    /// The event's data, as JSON.
    pub(crate) data: Box<str>,
}

/// Every event in the order taken.
#[derive(Debug, Default)]
pub(crate) struct Events {
    taken: Vec<Event>,
    ulids: HashSet<u128>,
    other_ids: HashSet<Box<str>>,
    repeats: u64,
    anonymous: HashMap<Box<str>, Vec<usize>>,
}

impl Events {
    /// Returns every event in the order taken.
    pub(crate) fn taken(&self) -> &[Event] {
        &self.taken
    }

    /// Returns how many repeats were dropped.
    pub(crate) fn repeats(&self) -> u64 {
        self.repeats
    }

    /// Returns the number of events by name.
    pub(crate) fn count_by_name(&self) -> BTreeMap<String, u64> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for event in &self.taken {
            *counts.entry(&event.name).or_default() += 1;
        }
        counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
    }

    /// Whether an event of this id was taken before, in the whole workspace; counts it then.
    ///
    /// A ULID is found in either case of its letters.
    pub(crate) fn is_repeat(&mut self, id: &str) -> bool {
        let is_known = match ulid::parse(id) {
            Some(bits) => self.ulids.contains(&bits),
            None => self.other_ids.contains(id),
        };
        self.repeats += u64::from(is_known);
        is_known
    }

    /// Remembers the id of an event that is taken; one that is no ULID only when `other_too`.
    pub(crate) fn remember(&mut self, id: &str, other_too: bool) {
        match ulid::parse(id) {
            Some(bits) => drop(self.ulids.insert(bits)),
            None if other_too => drop(self.other_ids.insert(id.into())),
            None => {}
        }
    }

    /// Takes an event.
    pub(crate) fn push(&mut self, event: Event) {
        if let (None, Some(anonymous_id)) = (event.person, &event.anonymous_id) {
            self.anonymous.entry(anonymous_id.clone()).or_default().push(self.taken.len());
        }
        self.taken.push(event);
    }

    /// Gives the events of an anonymous visitor to the person they turned out to be.
    pub(crate) fn carry_over(&mut self, anonymous_id: &str, key: PersonKey) {
        for position in self.anonymous.remove(anonymous_id).unwrap_or_default() {
            if let Some(event) = self.taken.get_mut(position) {
                event.person = Some(key);
            }
        }
    }

    /// Gives every event of one person to another.
    pub(crate) fn reassign(&mut self, from: PersonKey, to: PersonKey) {
        for event in &mut self.taken {
            if event.person == Some(from) {
                event.person = Some(to);
            }
        }
    }
}
