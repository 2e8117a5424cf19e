//! What a row becomes in Customer.io, and what is done to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a row becomes in Customer.io.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [
        {
            "rule": "!(self in ['user', 'users', 'people', 'persons', 'contact', 'contacts', 'customer', 'customers', 'profile', 'profiles'])",
            "message": "this is called person here: write `entity: person`"
        },
        {
            "rule": "!(self in ['account', 'accounts', 'company', 'companies', 'group', 'groups', 'objects'])",
            "message": "this is called object here: write `entity: object`"
        },
        {
            "rule": "!(self in ['events', 'track', 'activity', 'activities'])",
            "message": "this is called event here: write `entity: event`"
        },
        {
            "rule": "!(self in ['segment', 'segments', 'audience', 'audiences', 'manualSegment'])",
            "message": "this is called segmentMembership here: write `entity: segmentMembership`"
        }
    ])
)]
pub enum Entity {
    /// A person (a profile).
    Person,
    /// A person's device, for push messages.
    Device,
    /// Something a person did.
    Event,
    /// An object, such as an account or a course.
    Object,
    /// A person's relationship to an object.
    Relationship,
    /// A person's membership in a manual segment.
    SegmentMembership,
    /// The whole content of a collection.
    Collection,
}

impl Entity {
    /// Returns the word that a resource uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Device => "device",
            Self::Event => "event",
            Self::Object => "object",
            Self::Relationship => "relationship",
            Self::SegmentMembership => "segmentMembership",
            Self::Collection => "collection",
        }
    }
}

/// What is done with added, changed and removed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [
        {
            "rule": "self != 'upsert'",
            "message": "upsert is called updateOrCreate here: write `behavior: updateOrCreate`"
        },
        {
            "rule": "self != 'update'",
            "message": "update is called updateOnly here: write `behavior: updateOnly`"
        },
        {
            "rule": "!(self in ['insert', 'create'])",
            "message": "insert is called append for events and updateOrCreate for everything else: write `behavior: updateOrCreate` or `behavior: append`"
        },
        {
            "rule": "!(self in ['send', 'track'])",
            "message": "send is called append here: write `behavior: append`"
        },
        {
            "rule": "!(self in ['remove', 'destroy'])",
            "message": "remove is called delete here: write `behavior: delete`"
        },
        {
            "rule": "!(self in ['replace', 'sync'])",
            "message": "replace is called mirror here: write `behavior: mirror`"
        }
    ])
)]
pub enum Behavior {
    /// Create what isn't there, update what is.
    UpdateOrCreate,
    /// Update what is there, never create.
    UpdateOnly,
    /// Send every new row once: events.
    Append,
    /// Update or create, and remove what this Sync sent and left the source.
    Mirror,
    /// Delete every row's target.
    Delete,
    /// Delete every row's person and block the identifier.
    Suppress,
    /// Free the identifiers that were blocked.
    Unsuppress,
}

impl Behavior {
    /// Returns the word that a resource uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UpdateOrCreate => "updateOrCreate",
            Self::UpdateOnly => "updateOnly",
            Self::Append => "append",
            Self::Mirror => "mirror",
            Self::Delete => "delete",
            Self::Suppress => "suppress",
            Self::Unsuppress => "unsuppress",
        }
    }
}

/// What `mirror` does in Customer.io to a row that left the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum OnRemove {
    /// The person or object is deleted.
    Delete,
    /// The mapped attributes are nulled; identifiers, `created_at` and consent stay.
    Clear,
    /// The person is deleted and the identifier blocked.
    Suppress,
}
