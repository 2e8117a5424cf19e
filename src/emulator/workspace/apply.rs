//! Operations taking effect, one by one.

use crate::emulator::operation::{NewDevice, NewEvent, Operation, PersonIdentifier};
use crate::emulator::settings::{NonUlidIds, Settings, UnknownParty};
use crate::emulator::workspace::events::Event;
use crate::emulator::workspace::people::{PersonKey, Slot};
use crate::emulator::workspace::suppression;
use crate::emulator::workspace::{DeliveryEvent, Failure, Workspace};

impl Workspace {
    /// Carries one operation out at `now` (unix seconds). Repeating one changes nothing, but for
    /// events without an id.
    pub(crate) fn apply(&mut self, operation: &Operation<'_>, settings: &Settings, now: i64) {
        match operation {
            Operation::IdentifyPerson(asked) => self.identify(asked, settings, now),
            Operation::DeletePerson(who) => self.delete_person(who),
            Operation::Suppress(who) => self.suppress(who),
            Operation::Unsuppress(who) => self.unsuppress(who),
            Operation::Event(event) => self.take_event(event, settings, now),
            Operation::AddDevice(device) => self.add_device(device, settings, now),
            Operation::DeleteDevice { who, token } => {
                if let Some(key) = self.people.find(who) {
                    self.devices.remove(key, token);
                }
            }
            Operation::RelatePerson { who, objects } => {
                self.relate_person(who, objects, settings, now);
            }
            Operation::Merge { primary, secondary } => {
                self.merge(primary, secondary, settings, now);
            }
            Operation::IdentifyObject { object, attributes, people } => {
                if let Some(key) = self.identify_object(object, attributes, settings, now) {
                    self.relate_object_to(key, people, settings, now);
                }
            }
            Operation::DeleteObject(object) => {
                if let Some(key) = self.objects.find(object) {
                    self.relationships.remove_object(key);
                    self.objects.remove(key);
                }
            }
            Operation::RelateObject { object, remove: false, people } => {
                self.relate_object(object, people, settings, now);
            }
            Operation::RelateObject { object, remove: true, people } => {
                self.part_object(object, people);
            }
            Operation::Delivery { id, name, device_token } => {
                self.deliveries.push(DeliveryEvent {
                    delivery_id: id.clone().into_owned(),
                    name: name.clone().into_owned(),
                    device_token: device_token.clone().into_owned(),
                    timestamp: now,
                });
            }
        }
    }

    /// Takes a person away with everything that is theirs; events stay in the history.
    pub(super) fn remove_person(&mut self, key: PersonKey) {
        self.devices.remove_all(key);
        self.relationships.remove_person(key);
        self.segments.part_from_all(key);
        self.people.remove(key);
    }

    fn delete_person(&mut self, who: &PersonIdentifier<'_>) {
        if let Some(key) = self.people.find(who) {
            self.remove_person(key);
        }
    }

    fn suppress(&mut self, who: &PersonIdentifier<'_>) {
        if let Some(slot) = suppression::slot(who) {
            self.suppressed.block(slot, who.value());
        }
        let Some(key) = self.people.find(who) else { return };
        for slot in [Slot::Id, Slot::Email, Slot::Phone] {
            if let Some(value) = self.people.value(key, slot) {
                self.suppressed.block(slot, value);
            }
        }
        self.remove_person(key);
    }

    fn unsuppress(&mut self, who: &PersonIdentifier<'_>) {
        if let Some(slot) = suppression::slot(who) {
            self.suppressed.free(slot, who.value());
        }
    }

    /// Returns the person, made now where that is the setting; `None` where nobody is meant.
    pub(super) fn find_or_make(
        &mut self,
        who: &PersonIdentifier<'_>,
        unknown: UnknownParty,
        now: i64,
    ) -> Option<PersonKey> {
        if let Some(key) = self.people.find(who) {
            return Some(key);
        }
        let slot = suppression::slot(who)?;
        match unknown {
            UnknownParty::Ignore => None,
            UnknownParty::Create => {
                let key = self.people.create(now);
                self.people.set(key, slot, Some(who.value()));
                Some(key)
            }
        }
    }

    fn take_event(&mut self, event: &NewEvent<'_>, settings: &Settings, now: i64) {
        if event.id.as_ref().is_some_and(|id| self.events.is_repeat(id)) {
            return;
        }
        if self.suppressed.blocks(&event.who) {
            self.fail_event("the person is suppressed", event, settings, now);
            return;
        }
        let anonymous_id = match &event.who {
            PersonIdentifier::Anonymous(value) => Some(Box::from(value.as_ref())),
            PersonIdentifier::Id(_)
            | PersonIdentifier::Email(_)
            | PersonIdentifier::Phone(_)
            | PersonIdentifier::CioId(_) => None,
        };
        let person = self.find_or_make(&event.who, settings.event_for_unknown_person, now);
        if person.is_none() && anonymous_id.is_none() {
            self.fail_event("no such person", event, settings, now);
            return;
        }
        if let Some(id) = &event.id {
            let other_too = settings.non_ulid_ids == NonUlidIds::Deduplicate;
            self.events.remember(id, other_too);
        }
        self.events.push(Event {
            kind: event.kind,
            name: event.name.as_ref().into(),
            id: event.id.as_deref().map(Box::from),
            person,
            anonymous_id,
            timestamp: event.timestamp.unwrap_or(now),
            data: event.data.into(),
        });
    }

    fn fail_event(
        &mut self,
        reason: &'static str,
        event: &NewEvent<'_>,
        settings: &Settings,
        now: i64,
    ) {
        let id = event.id.as_deref().filter(|_| settings.failed_events_keep_their_id);
        self.fail(Failure::event(reason, &event.name).under(id), &event.who, now);
    }

    fn add_device(&mut self, device: &NewDevice<'_>, settings: &Settings, now: i64) {
        if self.suppressed.blocks(&device.who) {
            self.fail(Failure::skipped("the person is suppressed"), &device.who, now);
            return;
        }
        match self.find_or_make(&device.who, settings.device_for_unknown_person, now) {
            Some(key) => self.devices.put(key, device, now),
            None => self.fail(Failure::skipped("no such person"), &device.who, now),
        }
    }

    /// Gives what an anonymous visitor did to the person who now carries their `anonymous_id`.
    pub(super) fn carry_over_anonymous(&mut self, key: PersonKey) {
        if let Some(anonymous_id) = self.people.value(key, Slot::AnonymousId) {
            self.events.carry_over(anonymous_id, key);
            self.relationships.carry_over(anonymous_id, key);
        }
    }

    /// Puts people into a segment or takes them out; returns `false` when there is no such segment.
    pub(crate) fn change_segment(
        &mut self,
        id: u32,
        (remove, people): (bool, &[PersonIdentifier<'_>]),
        settings: &Settings,
        now: i64,
    ) -> bool {
        if self.segments.get(id).is_none() {
            return false;
        }
        let unknown =
            if remove { UnknownParty::Ignore } else { settings.segment_for_unknown_person };
        for who in people {
            if self.suppressed.blocks(who) {
                continue;
            }
            match (self.find_or_make(who, unknown, now), remove) {
                (Some(key), true) => self.segments.part(id, key, now),
                (Some(key), false) => self.segments.add(id, key, now),
                (None, _) => {}
            }
        }
        true
    }
}
