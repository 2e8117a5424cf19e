//! What went wrong behind a 200, on its way into the activity log.

use serde_json::{Value, json};

use crate::emulator::activity::{Activity, ActivityPerson};
use crate::emulator::operation::PersonIdentifier;
use crate::emulator::workspace::Workspace;
use crate::emulator::workspace::people::{PersonKey, Slot};

/// A failure in the App API's types.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: String,
    reason: &'static str,
    data: Value,
    /// Empty for one of the log's own.
    id: String,
}

impl Failure {
    fn new(kind: String, reason: &'static str, data: Value) -> Self {
        Self { kind, reason, data, id: String::new() }
    }

    /// An update that was dropped whole.
    pub(super) fn skipped(reason: &'static str) -> Self {
        Self::new("skipped_update".to_owned(), reason, json!({}))
    }

    /// Attributes that were not set; `data` is attribute -> `{from, to}`.
    pub(super) fn attributes(reason: &'static str, data: Value) -> Self {
        Self::new("failed_attribute_change".to_owned(), reason, data)
    }

    /// An event that was not taken.
    pub(super) fn event(reason: &'static str, name: &str) -> Self {
        Self::new("failed_event".to_owned(), reason, json!({"name": name}))
    }

    /// The same, told under the id that the event was sent with.
    pub(super) fn under(self, id: Option<&str>) -> Self {
        Self { id: id.unwrap_or_default().to_owned(), ..self }
    }

    /// Attributes of an object that were not set.
    pub(super) fn object(type_id: u32, reason: &'static str, data: Value) -> Self {
        Self::new(format!("_o:{type_id}:failed_attribute_change"), reason, data)
    }

    /// A relationship that was not made, or attributes of one that were not set.
    pub(super) fn relationship(type_id: u32, reason: &'static str, data: Value) -> Self {
        Self::new(format!("_r:{type_id}:failed_attribute_change"), reason, data)
    }
}

impl Workspace {
    /// Records a failure about somebody known by nothing but the request's identifier.
    pub(super) fn fail(&mut self, failure: Failure, who: &PersonIdentifier<'_>, now: i64) {
        let mut person = ActivityPerson::default();
        let value = who.value().to_owned();
        match who {
            PersonIdentifier::Id(_) => person.id = Some(value),
            PersonIdentifier::Email(_) => person.email = Some(value),
            PersonIdentifier::CioId(_) => person.cio_id = value,
            PersonIdentifier::Phone(_) | PersonIdentifier::Anonymous(_) => {}
        }
        self.record(failure, person, now);
    }

    /// Records a failure about a person of the workspace.
    pub(super) fn fail_for(&mut self, failure: Failure, key: PersonKey, now: i64) {
        let value = |slot| self.people.value(key, slot).map(str::to_owned);
        let person = ActivityPerson {
            id: value(Slot::Id),
            email: value(Slot::Email),
            cio_id: self.people.cio_id(key),
        };
        self.record(failure, person, now);
    }

    /// Records a failure about no person.
    pub(super) fn fail_for_nobody(&mut self, failure: Failure, now: i64) {
        self.record(failure, ActivityPerson::default(), now);
    }

    fn record(&mut self, failure: Failure, person: ActivityPerson, timestamp: i64) {
        self.activities.record(Activity {
            sequence: 0,
            id: failure.id,
            kind: failure.kind,
            person,
            data: failure.data,
            reason: failure.reason,
            timestamp,
        });
    }
}
