//! What a resource says about one kind of entity: event, device, object, segment, collection.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::identifiers::ColumnOrConstant;

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
