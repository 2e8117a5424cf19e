//! How the workspace behaves: its own settings, and the choices where Customer.io says nothing.

use serde::{Deserialize, Serialize};

use crate::emulator::limits::Limits;

/// Settings of the workspace, readable and writable while it runs.
///
/// Each that stands for an undocumented behaviour says so; the page at `/` lists them too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The workspace setting "Allow updates to email using ID"; without it an e-mail once set only
    /// changes by `cio_id`, and the attempt is a failed attribute change behind a 200.
    pub email_changes_by_id: bool,
    /// Merge on identify when id and e-mail name two people who lack each other's identifier.
    pub auto_merge: bool,
    /// An unknown id with the e-mail of a person who has another id (the documentation says both).
    pub new_id_for_known_email: NewIdForKnownEmail,
    /// An identify whose timestamp is older than the profile's latest edit.
    pub stale_updates: StaleUpdates,
    /// Undocumented for people: `null` removes an attribute.
    pub null_clears: bool,
    /// Undocumented for people: `""` removes an attribute.
    pub empty_string_clears: bool,
    /// Undocumented: an event for a person who does not exist.
    pub event_for_unknown_person: UnknownParty,
    /// Undocumented: a device for a person who does not exist.
    pub device_for_unknown_person: UnknownParty,
    /// Undocumented: a relationship to a person or object that does not exist.
    pub relationship_to_unknown: UnknownParty,
    /// Undocumented: an unknown id sent to a segment.
    pub segment_for_unknown_person: UnknownParty,
    /// Contradictory: removal from a segment by e-mail.
    pub segment_removal_by_email: bool,
    /// Contradictory: event ids that are not ULIDs.
    pub non_ulid_ids: NonUlidIds,
    /// Undocumented: whether the activity of a failed event has the id that the event was sent with.
    /// The description calls it "the identifier for the action", and its example is a ULID.
    pub failed_events_keep_their_id: bool,
    /// Undocumented: the status for a batch over the size limit.
    pub oversize_batch_status: u16,
    /// Undocumented: whether one item over its limit refuses the whole batch instead of itself.
    pub oversize_item_refuses_batch: bool,
    /// Undocumented: the status when not one item of a batch is valid (207 or 400).
    pub all_invalid_status: u16,
    /// The status when some items of a batch are invalid: 207; 200 has been reported.
    pub some_invalid_status: u16,
    /// Undocumented: whether an item with two faults is reported once or twice.
    pub item_errors: ItemErrors,
    /// Undocumented: the order in which the items of one batch take effect.
    pub batch_order: BatchOrder,
    /// Undocumented: whether the value limit applies to nested values, written as JSON.
    pub nested_values_are_limited: bool,
    /// Undocumented: whether a dotted name is a path for anything but subscription preferences.
    pub dotted_names_are_paths: bool,
    /// Undocumented: whether a malformed e-mail identifier is refused.
    pub malformed_email_is_refused: bool,
    /// Undocumented: whether an unknown object type is refused (or comes into being).
    pub unknown_object_type_is_refused: bool,
    /// The object types, in order: the first has id `1`. Made in the vendor's interface only.
    pub object_types: Vec<String>,
    /// The names of the subscription topics, in order: the first is `topic_1`.
    pub subscription_topics: Vec<String>,
    /// The `url` that `accounts/region` returns.
    pub region_url: RegionUrl,
    /// The sizes and counts allowed.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            email_changes_by_id: false,
            auto_merge: false,
            new_id_for_known_email: NewIdForKnownEmail::Conflict,
            stale_updates: StaleUpdates::Drop,
            null_clears: true,
            empty_string_clears: true,
            event_for_unknown_person: UnknownParty::Create,
            device_for_unknown_person: UnknownParty::Create,
            relationship_to_unknown: UnknownParty::Create,
            segment_for_unknown_person: UnknownParty::Ignore,
            segment_removal_by_email: true,
            non_ulid_ids: NonUlidIds::Refuse,
            failed_events_keep_their_id: true,
            oversize_batch_status: 413,
            oversize_item_refuses_batch: false,
            all_invalid_status: 207,
            some_invalid_status: 207,
            item_errors: ItemErrors::All,
            batch_order: BatchOrder::AsSent,
            nested_values_are_limited: true,
            dotted_names_are_paths: false,
            malformed_email_is_refused: false,
            unknown_object_type_is_refused: true,
            object_types: ["Companies", "Accounts", "Courses"].map(str::to_owned).to_vec(),
            subscription_topics: ["News", "Offers", "Tips"].map(str::to_owned).to_vec(),
            region_url: RegionUrl::Own,
            limits: Limits::default(),
        }
    }
}

/// What an identify does with an update older than the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaleUpdates {
    /// Dropped without a word, behind a 200.
    Drop,
    /// Applied in the order of arrival.
    Apply,
}

/// What becomes of something said about a person or object that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownParty {
    /// It comes into being.
    Create,
    /// What was said is dropped, behind a 200.
    Ignore,
}

/// What an event id that is not a ULID does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonUlidIds {
    /// The event is refused.
    Refuse,
    /// The event is taken, the id is not used to find repeats.
    Accept,
    /// The event is taken, the id is used to find repeats.
    Deduplicate,
}

/// What an unknown id with a known e-mail does to the person who has another id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewIdForKnownEmail {
    /// A new person is made, and setting the e-mail on them fails.
    Conflict,
    /// The known person's id changes.
    Reassign,
}

/// How many errors an item of a batch is reported with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemErrors {
    /// Every one, so that a `batch_index` may repeat.
    All,
    /// The first.
    First,
}

/// The order in which the items of a batch take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchOrder {
    /// First to last.
    AsSent,
    /// Last to first.
    Reversed,
}

/// Which address `accounts/region` gives out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionUrl {
    /// The emulator's own, so that a client that follows it stays here.
    Own,
    /// The vendor's, exactly as documented.
    Vendor,
}

/// A question the vendor's documentation leaves open, and the name of the setting that answers it.
pub(crate) struct Choice {
    /// The setting's name.
    pub(crate) setting: &'static str,
    /// What is not documented.
    pub(crate) question: &'static str,
}

/// Every open question, as the page shows them.
pub(crate) const CHOICES: &[Choice] = &[
    Choice { setting: "null_clears", question: "Does null remove a person's attribute?" },
    Choice { setting: "empty_string_clears", question: "Does \"\" remove a person's attribute?" },
    Choice {
        setting: "new_id_for_known_email",
        question: "An unknown id comes with the e-mail of a person who has another id: conflict, or does that person's id change?",
    },
    Choice {
        setting: "stale_updates",
        question: "An identify older than the profile's latest edit (reported: dropped behind a 200).",
    },
    Choice {
        setting: "event_for_unknown_person",
        question: "An event for a person who does not exist: is the person made?",
    },
    Choice {
        setting: "device_for_unknown_person",
        question: "A device for a person who does not exist: is the person made?",
    },
    Choice {
        setting: "relationship_to_unknown",
        question: "A relationship to a person or object that does not exist: is it made?",
    },
    Choice {
        setting: "segment_for_unknown_person",
        question: "An unknown id sent to a segment: ignored, or is the person made?",
    },
    Choice {
        setting: "segment_removal_by_email",
        question: "Does removal from a segment work by e-mail?",
    },
    Choice {
        setting: "non_ulid_ids",
        question: "Event ids that are not ULIDs: refused, taken, or used to find repeats?",
    },
    Choice {
        setting: "failed_events_keep_their_id",
        question: "Does the activity of a failed event have the id that the event was sent with?",
    },
    Choice {
        setting: "oversize_batch_status",
        question: "The status for a batch over the size limit.",
    },
    Choice {
        setting: "oversize_item_refuses_batch",
        question: "Does one oversize item refuse the whole batch?",
    },
    Choice {
        setting: "all_invalid_status",
        question: "The status when not one item of a batch is valid.",
    },
    Choice {
        setting: "some_invalid_status",
        question: "The status when some items are invalid: 207 is documented, 200 with errors has been seen.",
    },
    Choice { setting: "item_errors", question: "Can one item be reported more than once?" },
    Choice { setting: "batch_order", question: "The order in which a batch's items take effect." },
    Choice {
        setting: "nested_values_are_limited",
        question: "Does the 1000-byte limit apply to nested values?",
    },
    Choice {
        setting: "dotted_names_are_paths",
        question: "Are dotted names paths, for anything but subscription preferences?",
    },
    Choice {
        setting: "malformed_email_is_refused",
        question: "Is a malformed e-mail identifier refused?",
    },
    Choice {
        setting: "unknown_object_type_is_refused",
        question: "Is an object of an unknown type refused?",
    },
    Choice { setting: "auto_merge", question: "Does identify merge two halves of one person?" },
    Choice {
        setting: "limits",
        question: "Is a KB 1000 or 1024 bytes? Is there a number of items a batch may have?",
    },
];
