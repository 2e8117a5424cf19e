//! Suppression: the profile goes, and its identifiers are blocked until they are freed.

use std::collections::HashSet;

use crate::emulator::operation::PersonIdentifier;
use crate::emulator::workspace::people::{Slot, folded};

/// The blocked identifiers.
#[derive(Debug, Default)]
pub(crate) struct Suppressed {
    values: HashSet<(&'static str, String)>,
}

impl Suppressed {
    /// Blocks an identifier.
    pub(crate) fn block(&mut self, slot: Slot, value: &str) {
        self.values.insert(key(slot, value));
    }

    /// Frees an identifier; the profile does not come back.
    pub(crate) fn free(&mut self, slot: Slot, value: &str) {
        self.values.remove(&key(slot, value));
    }

    /// Whether `value` is blocked in that slot.
    pub(crate) fn holds(&self, slot: Slot, value: &str) -> bool {
        // Nearly every workspace has nobody suppressed; then the hot path makes no key.
        !self.values.is_empty() && self.values.contains(&key(slot, value))
    }

    /// Whether the identifier is blocked.
    pub(crate) fn blocks(&self, who: &PersonIdentifier<'_>) -> bool {
        slot(who).is_some_and(|slot| self.holds(slot, who.value()))
    }

    /// Returns the blocked identifiers as (kind, value), sorted.
    pub(crate) fn list(&self) -> Vec<(&'static str, String)> {
        let mut list: Vec<_> = self.values.iter().cloned().collect();
        list.sort();
        list
    }
}

/// Returns the slot in which an identifier can be blocked.
pub(crate) fn slot(who: &PersonIdentifier<'_>) -> Option<Slot> {
    match who {
        PersonIdentifier::Id(_) => Some(Slot::Id),
        PersonIdentifier::Email(_) => Some(Slot::Email),
        PersonIdentifier::Phone(_) => Some(Slot::Phone),
        PersonIdentifier::CioId(_) | PersonIdentifier::Anonymous(_) => None,
    }
}

fn key(slot: Slot, value: &str) -> (&'static str, String) {
    let value = if slot == Slot::Email { folded(value).into_owned() } else { value.to_owned() };
    (slot.name(), value)
}
