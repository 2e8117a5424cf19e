//! Identify: the rules by which a person is found, made, renamed and changed.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::emulator::json::Entry;
use crate::emulator::operation::{IdentifierChange, IdentifyPerson, PersonIdentifier};
use crate::emulator::settings::{NewIdForKnownEmail, Settings, StaleUpdates};
use crate::emulator::workspace::attributes::{Change, Clearing};
use crate::emulator::workspace::people::{PersonKey, Slot, folded};
use crate::emulator::workspace::{Failure, Workspace};

/// The attribute that holds a person's subscriptions, as an object of topics.
const PREFERENCES: &str = "cio_subscription_preferences";

impl Workspace {
    /// Adds or updates a person. Whatever stands in the way is an activity, never an answer.
    pub(super) fn identify(&mut self, asked: &IdentifyPerson<'_>, settings: &Settings, now: i64) {
        if self.is_suppressed(asked) {
            self.fail(Failure::skipped("the person is suppressed"), &asked.who, now);
            return;
        }
        let known = self.people.find(&asked.who);
        let found = known.or_else(|| self.adoptable(asked, settings));
        if let Some(key) = found.filter(|key| self.is_stale(*key, asked, settings)) {
            self.fail_for(Failure::skipped("older than the profile's latest edit"), key, now);
            return;
        }
        let Some(key) = found.or_else(|| self.make(asked, now)) else { return };
        if let (None, Some(slot)) = (known, own_slot(&asked.who)) {
            self.people.set(key, slot, Some(asked.who.value()));
        }

        let key = self.set_identifiers(key, asked, settings, now);
        self.set_attributes(key, &asked.attributes, settings, now);
        if let Some(person) = self.people.get_mut(key) {
            person.edited_at = person.edited_at.max(asked.timestamp.unwrap_or(now));
        }
        if let Some(objects) = &asked.relationships {
            self.relate_person_to(key, objects, settings, now);
        }
    }

    fn is_suppressed(&self, asked: &IdentifyPerson<'_>) -> bool {
        let blocked = |slot, change: &IdentifierChange<'_>| match change {
            IdentifierChange::Set(value) => self.suppressed.holds(slot, value),
            IdentifierChange::Absent | IdentifierChange::Clear => false,
        };

        self.suppressed.blocks(&asked.who)
            || blocked(Slot::Id, &asked.id)
            || blocked(Slot::Email, &asked.email)
            || blocked(Slot::Phone, &asked.phone)
    }

    fn is_stale(&self, key: PersonKey, asked: &IdentifyPerson<'_>, settings: &Settings) -> bool {
        settings.stale_updates == StaleUpdates::Drop
            && asked
                .timestamp
                .zip(self.people.get(key))
                .is_some_and(|(timestamp, person)| timestamp < person.edited_at)
    }

    /// Finds a person by an identifier in the attributes, who lacks the one they are named by.
    fn adoptable(&self, asked: &IdentifyPerson<'_>, settings: &Settings) -> Option<PersonKey> {
        let slot = own_slot(&asked.who)?;
        let body =
            [(Slot::Id, &asked.id), (Slot::Email, &asked.email), (Slot::Phone, &asked.phone)];
        let key = body.into_iter().find_map(|(slot, change)| match change {
            IdentifierChange::Set(value) => self.people.by(slot, value),
            IdentifierChange::Absent | IdentifierChange::Clear => None,
        })?;
        let lacking = self.people.value(key, slot).is_none()
            || (slot == Slot::Id
                && settings.new_id_for_known_email == NewIdForKnownEmail::Reassign);
        lacking.then_some(key)
    }

    fn make(&mut self, asked: &IdentifyPerson<'_>, now: i64) -> Option<PersonKey> {
        if own_slot(&asked.who).is_none() {
            self.fail(Failure::skipped("no person has this cio_id"), &asked.who, now);
            return None;
        }
        if asked.update_only {
            let failure = Failure::attributes("_update: no person matches", tried(asked));
            self.fail(failure, &asked.who, now);
            return None;
        }
        Some(self.people.create(now))
    }

    /// Sets the identifiers in the attributes as far as allowed; returns who carries them now.
    fn set_identifiers(
        &mut self,
        key: PersonKey,
        asked: &IdentifyPerson<'_>,
        settings: &Settings,
        now: i64,
    ) -> PersonKey {
        let by_cio_id = matches!(asked.who, PersonIdentifier::CioId(_));
        let mut key = key;
        for (slot, change) in [
            (Slot::Id, &asked.id),
            (Slot::Email, &asked.email),
            (Slot::Phone, &asked.phone),
            (Slot::AnonymousId, &asked.anonymous_id),
        ] {
            let wanted = match change {
                IdentifierChange::Absent => continue,
                IdentifierChange::Clear => None,
                IdentifierChange::Set(value) => Some(value.as_ref()),
            };
            let changeable = by_cio_id
                || slot == Slot::AnonymousId
                || (slot == Slot::Email && settings.email_changes_by_id);
            key = self.set_identifier(key, (slot, wanted), (changeable, settings), now);
        }
        self.carry_over_anonymous(key);
        key
    }

    fn set_identifier(
        &mut self,
        key: PersonKey,
        (slot, wanted): (Slot, Option<&str>),
        (changeable, settings): (bool, &Settings),
        now: i64,
    ) -> PersonKey {
        let current = self.people.value(key, slot);
        let same = match (current, wanted) {
            (Some(current), Some(wanted)) if slot == Slot::Email => {
                folded(current) == folded(wanted)
            }
            (current, wanted) => current == wanted,
        };
        if same {
            return key;
        }
        let other = wanted.and_then(|value| self.people.by(slot, value));
        if let Some(other) =
            other.filter(|other| settings.auto_merge && self.are_halves(key, *other))
        {
            return self.merge_older_first(key, other, settings, now);
        }
        let reason = match (other, current) {
            (Some(_), _) => "the identifier belongs to another person",
            (None, Some(_)) if !changeable => "an identifier once set changes only by cio_id",
            (None, _) => {
                self.people.set(key, slot, wanted);
                return key;
            }
        };
        let data = json!({ slot.name(): {"from": current, "to": wanted} });
        self.fail_for(Failure::attributes(reason, data), key, now);
        key
    }

    /// Whether two people each lack what the other has: one only an id, the other only an e-mail.
    fn are_halves(&self, one: PersonKey, other: PersonKey) -> bool {
        let has = |key| {
            (
                self.people.value(key, Slot::Id).is_some(),
                self.people.value(key, Slot::Email).is_some(),
            )
        };
        matches!(
            (has(one), has(other)),
            ((true, false), (false, true)) | ((false, true), (true, false))
        )
    }

    fn merge_older_first(
        &mut self,
        one: PersonKey,
        other: PersonKey,
        settings: &Settings,
        now: i64,
    ) -> PersonKey {
        let age = |key| (self.people.get(key).map(|person| person.created_at), key);
        let (primary, secondary) = if age(one) <= age(other) { (one, other) } else { (other, one) };
        self.merge_people(primary, secondary, settings, now);
        primary
    }

    fn set_attributes(
        &mut self,
        key: PersonKey,
        entries: &[Entry<'_>],
        settings: &Settings,
        now: i64,
    ) {
        let clearing =
            Clearing { null: settings.null_clears, empty_string: settings.empty_string_clears };
        let mut changes = Vec::with_capacity(entries.len());
        let mut paths: Vec<&Entry<'_>> = Vec::new();
        for entry in entries {
            if is_path(&entry.name, settings) {
                paths.push(entry);
            } else {
                let name = self.names.intern(&entry.name);
                changes.push(Change { name, value: clearing.value(entry.value) });
            }
        }
        for entry in paths {
            self.set_path(key, entry, &mut changes, clearing);
        }

        let Some(person) = self.people.get(key) else { return };
        let changed = person.attributes.changed(&mut changes, &mut self.scratch);
        if changed.len() > settings.limits.attributes && changed.len() > person.attributes.len() {
            let failure =
                Failure::attributes("the person would have too many attributes", json!({}));
            self.fail_for(failure, key, now);
        } else if let Some(person) = self.people.get_mut(key) {
            person.attributes = changed;
        }
    }

    /// Turns `a.b.c: value` into a change of the attribute `a`.
    fn set_path(
        &mut self,
        key: PersonKey,
        entry: &Entry<'_>,
        changes: &mut Vec<Change<'_>>,
        clearing: Clearing,
    ) {
        let mut path = entry.name.split('.');
        let name = self.names.intern(path.next().unwrap_or_default());
        let pending = changes.iter().rev().find(|change| change.name == name);
        let base = match pending {
            Some(change) => change.value.as_deref(),
            None => self.people.get(key).and_then(|person| person.attributes.get(name)),
        };
        let mut root = base
            .and_then(|raw| serde_json::from_str::<Value>(raw).ok())
            .filter(Value::is_object)
            .unwrap_or_else(|| Value::Object(Map::new()));

        let value = clearing.value(entry.value).and_then(|raw| serde_json::from_str(&raw).ok());
        let steps: Vec<&str> = path.collect();
        put_at(&mut root, &steps, value);
        changes.push(Change { name, value: Some(Cow::Owned(root.to_string())) });
    }
}

/// Returns the slot of a person that an identifier would fill; a `cio_id` fills none.
fn own_slot(who: &PersonIdentifier<'_>) -> Option<Slot> {
    match who {
        PersonIdentifier::Id(_) => Some(Slot::Id),
        PersonIdentifier::Email(_) => Some(Slot::Email),
        PersonIdentifier::Phone(_) => Some(Slot::Phone),
        PersonIdentifier::Anonymous(_) => Some(Slot::AnonymousId),
        PersonIdentifier::CioId(_) => None,
    }
}

fn is_path(name: &str, settings: &Settings) -> bool {
    match name.split_once('.') {
        Some((root, _)) => root == PREFERENCES || settings.dotted_names_are_paths,
        None => false,
    }
}

fn put_at(target: &mut Value, path: &[&str], value: Option<Value>) {
    let (Some(object), Some((step, rest))) = (target.as_object_mut(), path.split_first()) else {
        return;
    };
    match (rest.is_empty(), value) {
        (true, Some(value)) => {
            object.insert((*step).to_owned(), value);
        }
        (true, None) => {
            object.remove(*step);
        }
        (false, value) => {
            let child = object.entry(*step).or_insert_with(|| json!({}));
            if !child.is_object() {
                *child = json!({});
            }
            put_at(child, rest, value);
        }
    }
}

/// Returns the attributes that an identify carried, as an activity shows them.
fn tried(asked: &IdentifyPerson<'_>) -> Value {
    asked
        .attributes
        .iter()
        .map(|entry| {
            let to = serde_json::from_str(entry.value).unwrap_or(Value::Null);
            (entry.name.clone().into_owned(), json!({"from": null, "to": to}))
        })
        .collect::<Map<_, _>>()
        .into()
}
