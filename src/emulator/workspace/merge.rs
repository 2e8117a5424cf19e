//! Merge: one person takes over what another had, and the other is gone.

use crate::emulator::operation::PersonIdentifier;
use crate::emulator::settings::Settings;
use crate::emulator::workspace::attributes::Change;
use crate::emulator::workspace::people::{PersonKey, Slot};
use crate::emulator::workspace::{Failure, Workspace};

impl Workspace {
    /// Merges `secondary` into `primary`; nothing happens unless both exist and differ.
    pub(super) fn merge(
        &mut self,
        primary: &PersonIdentifier<'_>,
        secondary: &PersonIdentifier<'_>,
        settings: &Settings,
        now: i64,
    ) {
        let Some(primary_key) = self.people.find(primary) else {
            self.fail(Failure::skipped("merge: the primary person does not exist"), primary, now);
            return;
        };
        match self.people.find(secondary) {
            Some(secondary_key) if secondary_key != primary_key => {
                self.merge_people(primary_key, secondary_key, settings, now);
            }
            Some(_) => {}
            None => {
                let reason = "merge: the secondary person does not exist";
                self.fail(Failure::skipped(reason), secondary, now);
            }
        }
    }

    /// Merges two people of the workspace.
    ///
    /// What the primary lacks, or has empty, comes from the secondary; so do devices, events,
    /// relationships and segments. Source: "merging duplicate people".
    pub(super) fn merge_people(
        &mut self,
        primary: PersonKey,
        secondary: PersonKey,
        settings: &Settings,
        now: i64,
    ) {
        for segment in self.segments.part_from_all(secondary) {
            self.segments.add(segment, primary, now);
        }
        for device in self.devices.remove_all(secondary) {
            self.devices.put_device(primary, device);
        }
        for (object, attributes) in self.relationships.remove_person(secondary) {
            if self.relationships.get(object, primary).is_none() {
                self.relationships.put(object, primary, attributes);
            }
        }
        self.events.reassign(secondary, primary);

        let Some(gone) = self.people.remove(secondary) else { return };
        let identifiers = [
            (Slot::Id, gone.id.as_deref()),
            (Slot::Email, gone.email.as_deref()),
            (Slot::Phone, gone.phone.as_deref()),
            (Slot::AnonymousId, gone.anonymous_id.as_deref()),
        ];
        for (slot, value) in identifiers {
            if value.is_some() && self.people.value(primary, slot).is_none() {
                self.people.set(primary, slot, value);
            }
        }

        let Some(person) = self.people.get_mut(primary) else { return };
        let mut changes: Vec<Change<'_>> = gone
            .attributes
            .iter()
            .filter(|(name, _)| {
                person.attributes.get(*name).is_none_or(|value| matches!(value, "null" | "\"\""))
            })
            .map(|(name, value)| Change { name, value: Some(value.into()) })
            .collect();
        changes.truncate(settings.limits.attributes.saturating_sub(person.attributes.len()));
        person.attributes = person.attributes.changed(&mut changes, &mut self.scratch);
        person.edited_at = person.edited_at.max(gone.edited_at);
    }
}
