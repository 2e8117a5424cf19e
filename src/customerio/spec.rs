//! What a resource says about Customer.io: the entity, what is done to it, and its workspace.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::IdentifierKind;
use crate::model::secret::SecretKeyRef;

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

/// Which column identifies the person: exactly one of id, email, phone, cioId (events also
/// anonymousId).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "[has(self.id), has(self.email), has(self.phone), has(self.cioId), has(self.anonymousId)].filter(x, x).size() == 1",
        "message": "name exactly one identifier: id, email, phone or cioId (events also anonymousId)"
    }])
)]
pub struct Identifiers {
    /// Column with the id that your systems give to the person. Example: `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub id: Option<String>,
    /// Column with the e-mail address. Customer.io compares it without case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub email: Option<String>,
    /// Column with the phone number in E.164 form, such as `+4930123456`. The workspace must have
    /// phone numbers enabled as identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub phone: Option<String>,
    /// Column with Customer.io's own id, without the prefix `cio_`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub cio_id: Option<String>,
    /// Column with the anonymous id of a visitor. Events only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub anonymous_id: Option<String>,
}

impl Identifiers {
    /// Returns which identifier names the person, and its column.
    ///
    /// `None` where the person is anonymous, or unless exactly one identifier is set (which the
    /// schema refuses).
    pub fn person(&self) -> Option<(IdentifierKind, &str)> {
        let all = [
            (IdentifierKind::Id, &self.id),
            (IdentifierKind::Email, &self.email),
            (IdentifierKind::Phone, &self.phone),
            (IdentifierKind::CioId, &self.cio_id),
        ];
        let mut set = all.into_iter().filter_map(|(kind, column)| Some((kind, column.as_deref()?)));
        match (set.next(), set.next()) {
            (only, None) => only,
            (_, Some(_)) => None,
        }
    }
}

/// A value that a column gives, or that is the same for all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.column) != has(self.constant)",
        "message": "set exactly one of column and constant"
    }])
)]
pub struct ColumnOrConstant {
    /// Column that gives the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub column: Option<String>,
    /// The same value for every row.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub constant: Option<String>,
}

/// What an event is called and when it happened. Only with `entity: event`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct EventSpec {
    /// Name of the event, at most 100 bytes: from a column or the same for every row.
    pub name: ColumnOrConstant,
    /// Column with the time at which it happened. Default: the time of sending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub timestamp: Option<String>,
    /// Kind of event: event, page or screen.
    #[serde(rename = "type", default)]
    pub event_type: EventType,
    /// Scope of the ids by which Customer.io drops repeated events; two Syncs with one scope, name
    /// and key send one event. Immutable. Default: `namespace/name` of the Sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 317))]
    pub id_scope: Option<String>,
}

/// Kind of event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum EventType {
    /// Something that happened.
    #[default]
    Event,
    /// A page view.
    Page,
    /// A screen view in an app.
    Screen,
}

/// Where a device's fields come from. Only with `entity: device`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "!has(self.platform.constant) || self.platform.constant in ['ios', 'android']",
        "message": "the platform is ios or android",
        "fieldPath": ".platform"
    }])
)]
pub struct DeviceSpec {
    /// Column with the device token.
    #[schemars(length(min = 1, max = 255))]
    pub token: String,
    /// Platform: `ios` or `android`, from a column or the same for every row.
    pub platform: ColumnOrConstant,
    /// Column with the time at which the device was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub last_used: Option<String>,
}

/// Which object a row is. Only with `entity: object` and `entity: relationship`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.cioObjectId) ? !has(self.typeId) && !has(self.id) : has(self.typeId) && has(self.id)",
        "message": "name an object by typeId and id, or by cioObjectId alone"
    }])
)]
pub struct ObjectSpec {
    /// Number of the object type in Customer.io, as a string. Immutable. Example: `"1"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), regex(pattern = r"^[1-9][0-9]*$"))]
    pub type_id: Option<String>,
    /// Column with the object's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub id: Option<String>,
    /// Column with Customer.io's own id of the object. It can update objects, not create them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub cio_object_id: Option<String>,
}

/// A manual segment, by id or by name. Only with `entity: segmentMembership`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.id) != has(self.name)",
        "message": "set exactly one of id and name"
    }])
)]
pub struct SegmentSpec {
    /// Number of the segment, as its page in Customer.io shows it. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub id: Option<i64>,
    /// Name of the segment; finding it needs the connection's `appApiKey`. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,
}

/// A collection, replaced as a whole. Only with `entity: collection`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct CollectionSpec {
    /// Name of the collection. Example: `Coupons`.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
}

/// The site id: a value, or a key of a Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.value) != has(self.secretKeyRef)",
        "message": "set exactly one of value and secretKeyRef"
    }])
)]
pub struct SiteIdSource {
    /// The site id itself: it names the workspace and is no secret by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub value: Option<String>,
    /// Which key of which Secret holds the site id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
}

/// Region of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Region {
    /// United States.
    Us,
    /// European Union.
    Eu,
}

/// How fast a connection may go, shared by all its Syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(inline)]
pub struct RateLimitSpec {
    /// Requests a second on average. Customer.io allows 1,000 to all callers of a workspace
    /// together.
    #[schemars(range(min = 1, max = 1000))]
    pub requests_per_second: u32,
    /// Requests that may go out at once after a pause.
    #[schemars(range(min = 1, max = 3000))]
    pub burst: u32,
    /// Records a second: the brake that spares Customer.io's queues, and with them the
    /// transactional messages, since one request carries up to a thousand records.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub records_per_second: u32,
    /// Requests that may wait for an answer at the same time.
    #[schemars(range(min = 1, max = 256))]
    pub max_in_flight: u32,
}

impl Default for RateLimitSpec {
    fn default() -> Self {
        Self { requests_per_second: 150, burst: 600, records_per_second: 20_000, max_in_flight: 32 }
    }
}

/// Largest sizes that the account accepts. Support can raise them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "self.itemBytes + 100 <= self.batchBytes",
        "message": "a batch must hold at least one item: batchBytes is too small for itemBytes"
    }])
)]
pub struct SizeLimitsSpec {
    /// Largest record in bytes of JSON.
    #[schemars(range(min = 1000, max = 10_000_000))]
    pub item_bytes: u32,
    /// Largest request in bytes of JSON.
    #[schemars(range(min = 2000, max = 100_000_000))]
    pub batch_bytes: u32,
}

impl Default for SizeLimitsSpec {
    fn default() -> Self {
        Self { item_bytes: 32_000, batch_bytes: 475_000 }
    }
}

/// Whether updates of people carry the time of sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum UpdateTimestamps {
    /// Each update carries the second in which it is sent, so that Customer.io keeps their order.
    #[default]
    SendTime,
    /// Updates carry no time.
    Omit,
}
