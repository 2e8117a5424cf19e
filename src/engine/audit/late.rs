//! Which activities tell of a late failure, and which of those can be about what a Sync sends.

use std::collections::HashMap;

use crate::customerio::app::Activity;
use crate::engine::pipeline::Pipeline;
use crate::engine::rejected::LATE_FAILURE;
use crate::mapping::{About, Given};
use crate::model::{EventId, IdentifierKind, OperationKind, Rejection, RejectionKind};
use crate::state::store::AuditMemo;

/// How the failures of a type are held against rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matched {
    /// By the person whom they name.
    ByPerson,
    /// By the event's id, where the failure carries it: a person may have many events of a name, and
    /// none is sent again that may have been taken.
    ByEventId,
    /// By the person, where they have one relationship only: which of many it is, isn't said.
    ByOnlyOne,
    /// Not at all: they don't say which row they are about. They are counted and told.
    Never,
}

impl Matched {
    /// Returns whether a failure that no row was found for may be about one all the same.
    pub(super) fn leaves_doubt(self) -> bool {
        self != Self::ByPerson
    }
}

/// A type of activity that tells of a failure behind a 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The API's word for it. Source: App API description, `/v1/activities`, parameter `type`.
    pub(super) word: String,
    pub(super) matched: Matched,
    /// What our code of it ends with.
    suffix: &'static str,
    /// What Customer.io did.
    what: &'static str,
}

const CHANGE: (&str, &str) = ("AttributeChange", "did not change what the row says");
const SKIPPED: (&str, &str) = ("SkippedUpdate", "skipped the update");
const BATCH: (&str, &str) = ("BatchUpdate", "could not carry out the update");
const EVENT: (&str, &str) = ("Event", "did not take the event");
const NOT_IN: (&str, &str) = ("NotInSegment", "did not put the person into the segment");
const STILL_IN: (&str, &str) = ("StillInSegment", "did not take the person out of the segment");

impl Kind {
    fn new(word: &str, (suffix, what): (&'static str, &'static str), matched: Matched) -> Self {
        Self { word: word.to_owned(), matched, suffix, what }
    }

    /// Returns the types that can be about what a Sync sends.
    pub(super) fn of(pipeline: &Pipeline) -> Vec<Self> {
        use Matched::{ByEventId, ByOnlyOne, ByPerson, Never};
        let of_type = |prefix: &str, matched| {
            let word = |type_id| format!("_{prefix}:{type_id}:failed_attribute_change");
            pipeline.object_type().map(|it| Self::new(&word(it), CHANGE, matched))
        };
        match pipeline.record.operation {
            OperationKind::PersonIdentify
            | OperationKind::PersonUpdate
            | OperationKind::PersonClear => vec![
                Self::new("failed_attribute_change", CHANGE, ByPerson),
                Self::new("skipped_update", SKIPPED, ByPerson),
                Self::new("failed_batch_update", BATCH, ByPerson),
            ],
            // They name the person, and not the object.
            OperationKind::RelationshipAdd => of_type("r", ByOnlyOne).into_iter().collect(),
            OperationKind::ObjectIdentify => of_type("o", Never).into_iter().collect(),
            OperationKind::EventTrack => vec![Self::new("failed_event", EVENT, ByEventId)],
            // Nothing is reported of these.
            OperationKind::PersonDelete
            | OperationKind::PersonSuppress
            | OperationKind::PersonUnsuppress
            | OperationKind::ObjectDelete
            | OperationKind::ObjectClear
            | OperationKind::RelationshipDelete
            | OperationKind::DeviceAdd
            | OperationKind::DeviceDelete
            | OperationKind::SegmentAdd
            | OperationKind::SegmentRemove
            | OperationKind::CollectionReplace => Vec::new(),
        }
    }

    /// Returns what it is called where a segment's members show it.
    pub(super) fn membership(operation: OperationKind) -> Self {
        let what = if operation == OperationKind::SegmentAdd { NOT_IN } else { STILL_IN };
        Self::new("", what, Matched::ByPerson)
    }

    /// Returns the rejection of a row that this failure is about.
    pub(super) fn rejection(&self, field: Option<&str>) -> Rejection {
        let (what, word) = (self.what, self.word.as_str());
        let shown_by = match word {
            "" => "the segment's members show it; it may know nobody of that name".to_owned(),
            word => format!("activity {word}"),
        };
        let advice = match field {
            Some("email") => {
                "; an e-mail that belongs to somebody else stays there, and one that is set \
                 changes by id only where the workspace allows it"
            }
            _ => "",
        };
        Rejection {
            kind: RejectionKind::Rejected,
            code: format!("{LATE_FAILURE}{}", self.suffix),
            field: field.map(|field| format!("attributes.{field}")),
            message: format!(
                "Customer.io answered with success and {what} later ({shown_by}){advice}"
            ),
        }
    }
}

/// What makes an activity one about what a Sync sends.
pub(super) struct Rules<'a> {
    operation: OperationKind,
    identifier: IdentifierKind,
    attributes: &'a [String],
    /// The only name of its events, where they have one.
    event: Option<&'a str>,
    /// Those that were counted before, and how often: an event that fails again does so under the
    /// same id.
    handled: HashMap<u64, u32>,
}

/// What an activity is to a Sync.
pub(super) enum Meaning<'a> {
    /// It may be about the row to which [`Matching`](super::matching::Matching) gives this hash; the
    /// attribute is one that the Sync sends.
    Ours(u128, Option<&'a str>),
    /// It is about something that the Sync doesn't send.
    Foreign,
    /// It doesn't say which row it is about.
    Nameless,
}

impl<'a> Rules<'a> {
    pub(super) fn new(
        pipeline: &'a Pipeline,
        attributes: &'a [String],
        before: &AuditMemo,
    ) -> Self {
        Self {
            operation: pipeline.record.operation,
            identifier: pipeline.record.identifier.0,
            attributes,
            event: match &pipeline.record.about {
                About::Event { name: Given::Constant(name), .. } => Some(name.trim()),
                _ => None,
            },
            handled: count(before.handled.iter().map(|handled| handled.id_hash)),
        }
    }

    /// Returns whether an activity was counted by an earlier reading. Each must be asked about once.
    pub(super) fn was_handled(&mut self, activity: &Activity) -> bool {
        match self.handled.get_mut(&activity.id_hash) {
            Some(times @ 1..) => {
                *times -= 1;
                true
            }
            Some(0) | None => false,
        }
    }

    /// Says what an activity is to the Sync.
    pub(super) fn meaning<'b>(&'b self, kind: &Kind, activity: &'b Activity) -> Meaning<'b> {
        let is_update = self.operation == OperationKind::PersonUpdate;
        // Whoever does not exist is no failure of an update: that is what it promises.
        if is_update && activity.person.cio_id.is_none() {
            return Meaning::Foreign;
        }
        let field = activity.attributes.iter().find(|name| self.sends(name));
        if field.is_none() && !activity.attributes.is_empty() {
            return Meaning::Foreign;
        }
        let is_other_event =
            self.event.zip(activity.event.as_deref()).is_some_and(|(ours, theirs)| ours != theirs);
        if is_other_event {
            return Meaning::Foreign;
        }
        let person = || activity.person.target(self.identifier).map(|it| it.holder_hash());
        let hash = match kind.matched {
            Matched::ByPerson | Matched::ByOnlyOne => person(),
            Matched::ByEventId => self.event_of(activity).and(activity.ulid).map(EventId::to_bits),
            Matched::Never => None,
        };
        match hash {
            Some(hash) => Meaning::Ours(hash, field.map(String::as_str)),
            None => Meaning::Nameless,
        }
    }

    /// Returns what the event is called that an activity is about.
    pub(super) fn event_of<'b>(&'b self, activity: &'b Activity) -> Option<&'b str> {
        activity.event.as_deref().or(self.event)
    }

    /// Returns whether the Sync sends an attribute of that name, or a part of it.
    fn sends(&self, name: &str) -> bool {
        name == self.identifier.as_str()
            || self.attributes.iter().any(|sent| {
                sent == name || sent.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
            })
    }
}

fn count(hashes: impl Iterator<Item = u64>) -> HashMap<u64, u32> {
    let mut counts = HashMap::new();
    for hash in hashes {
        *counts.entry(hash).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customerio::app::Names;

    fn rules(operation: OperationKind, attributes: &[String]) -> Rules<'_> {
        let handled = count([7, 8, 8].into_iter());
        Rules { operation, identifier: IdentifierKind::Id, attributes, event: None, handled }
    }

    fn activity(id_hash: u64, attributes: &[&str], cio_id: Option<&str>) -> Activity {
        let text = |text: &str| text.to_owned();
        let person = Names { id: Some(text("1")), email: None, cio_id: cio_id.map(text) };
        let attributes = attributes.iter().map(|name| text(name)).collect();
        Activity { id_hash, ulid: None, person, attributes, event: None, timestamp: 0 }
    }

    fn field(rules: &Rules<'_>, activity: &Activity) -> Result<Option<String>, &'static str> {
        let kind = Kind::new("failed_attribute_change", CHANGE, Matched::ByPerson);
        match rules.meaning(&kind, activity) {
            Meaning::Ours(_, field) => Ok(field.map(str::to_owned)),
            Meaning::Foreign => Err("foreign"),
            Meaning::Nameless => Err("nameless"),
        }
    }

    #[test]
    fn a_failure_of_attributes_that_nobody_here_sends_is_somebody_elses() {
        let sent = ["plan".to_owned(), "cio_subscription_preferences.topics.topic_1".to_owned()];
        let rules = rules(OperationKind::PersonIdentify, &sent);
        let of = |names: &[&str]| field(&rules, &activity(1, names, Some("a")));

        assert_eq!(of(&["shoe_size"]), Err("foreign"));
        assert_eq!(of(&["shoe_size", "plan"]), Ok(Some("plan".to_owned())));
        let preferences = "cio_subscription_preferences";
        assert_eq!(of(&[preferences]), Ok(Some(preferences.to_owned())));
        assert_eq!(of(&[]), Ok(None));
    }

    #[test]
    fn a_failure_counts_once_and_one_about_nobody_is_told_apart() {
        let mut rules = rules(OperationKind::PersonIdentify, &[]);
        let mut handled = |hash| rules.was_handled(&activity(hash, &[], Some("a")));
        assert_eq!([handled(7), handled(7)], [true, false], "under one id it failed again");
        assert_eq!([handled(8), handled(8), handled(8)], [true, true, false]);
        assert!(!handled(9));

        let mut nameless = activity(1, &[], None);
        nameless.person = Names::default();
        assert_eq!(field(&rules, &nameless), Err("nameless"));
    }

    #[test]
    fn an_update_of_somebody_who_does_not_exist_is_no_failure() {
        let rules = rules(OperationKind::PersonUpdate, &[]);

        assert_eq!(field(&rules, &activity(1, &[], None)), Err("foreign"));
        assert_eq!(field(&rules, &activity(1, &[], Some("a"))), Ok(None));
    }

    #[test]
    fn an_event_that_failed_is_told_by_its_id_where_it_is_called_as_ours_are() {
        let event =
            |name: &str| Activity { event: Some(name.to_owned()), ..activity(1, &[], None) };
        let rules = Rules { event: Some("bought"), ..rules(OperationKind::EventTrack, &[]) };
        let kind = Kind::new("failed_event", EVENT, Matched::ByEventId);
        let ulid = Some(EventId::from_bytes([3; 16]));

        assert!(matches!(rules.meaning(&kind, &event("bought")), Meaning::Nameless));
        assert!(matches!(rules.meaning(&kind, &event("left")), Meaning::Foreign));
        let told = Activity { ulid, ..event("bought") };
        let Meaning::Ours(hash, None) = rules.meaning(&kind, &told) else {
            panic!("it carries its id")
        };
        assert_eq!(hash.to_be_bytes(), [3; 16]);
    }
}
