//! The resource `Sync`: which rows become what in Customer.io, and when.

use kube::core::Rule;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::guards::GuardsSpec;
use crate::api::reference::{LocalRef, ObjectRef};
use crate::api::sync_status::SyncStatus;
use crate::customerio::spec::{
    Behavior, CollectionSpec, DeviceSpec, Entity, EventSpec, Identifiers, ObjectSpec, OnRemove,
    SegmentSpec,
};
use crate::mapping::spec::{MappingSpec, Nulls, UnmappedColumns};
use crate::model::duration::GoDuration;
use crate::sources::spec::ModelSpec;

/// Which rows of a Source become what in Customer.io, and when.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "ciosync.dev",
    version = "v1alpha1",
    kind = "Sync",
    plural = "syncs",
    category = "ciosync",
    namespaced,
    status = "SyncStatus",
    derive = "PartialEq",
    doc = "A Sync keeps people, events or objects in Customer.io equal to the rows of a query: it reads the rows, works out what changed since the last accepted delivery, and sends only that.",
    selectable = ".spec.sourceRef.name",
    selectable = ".spec.connectionRef.name",
    validation = Rule::new("size(self.metadata.name) <= 52").message("the name of a Sync has at most 52 characters"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Status", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Last Success", type_ = "date", json_path = ".status.lastSuccessfulTime"),
    printcolumn(name = "Next", type_ = "string", json_path = ".status.nextScheduleTime"),
    printcolumn(name = "Suspended", type_ = "string", json_path = ".status.conditions[?(@.type==\"Suspended\")].status"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Source", type_ = "string", json_path = ".spec.sourceRef.name", priority = "1"),
    printcolumn(name = "Connection", type_ = "string", json_path = ".spec.connectionRef.name", priority = "1"),
    printcolumn(name = "Entity", type_ = "string", json_path = ".spec.entity", priority = "1"),
    printcolumn(name = "Behavior", type_ = "string", json_path = ".spec.behavior", priority = "1"),
    printcolumn(name = "Schedule", type_ = "string", json_path = ".spec['schedule','interval']", priority = "1"),
    printcolumn(name = "Rows", type_ = "integer", json_path = ".status.lastRun.rowsRead", priority = "1"),
    printcolumn(name = "Added", type_ = "integer", json_path = ".status.lastRun.added", priority = "1"),
    printcolumn(name = "Changed", type_ = "integer", json_path = ".status.lastRun.changed", priority = "1"),
    printcolumn(name = "Removed", type_ = "integer", json_path = ".status.lastRun.removed", priority = "1"),
    printcolumn(name = "Invalid", type_ = "integer", json_path = ".status.lastRun.invalid", priority = "1"),
    printcolumn(name = "Rejected", type_ = "integer", json_path = ".status.lastRun.rejected", priority = "1"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = "1")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rule(".interval", "!(has(self.schedule) && has(self.interval))", "set at most one of schedule and interval; with neither, the Sync runs when its spec changes and on request"),
    validation = rule(".identifiers", "self.entity in ['object', 'collection'] || has(self.identifiers)", "identifiers is missing: it says which column names the person, such as `identifiers: {id: user_id}`"),
    validation = rule(".identifiers", "!(self.entity in ['object', 'collection']) || !has(self.identifiers)", "identifiers names a person: an object is named under `object`, a collection has none"),
    validation = rule(".identifiers", "!has(self.identifiers) || !has(self.identifiers.anonymousId) || self.entity == 'event'", "anonymousId is for events only: name id, email, phone or cioId"),
    validation = rule(".identifiers", "!has(self.identifiers) || !has(self.identifiers.phone) || !(self.entity in ['relationship', 'segmentMembership'])", "Customer.io takes no phone number here: name id, email or cioId"),
    validation = rule(".event", "self.entity != 'event' || has(self.event)", "an event needs the block `event` with its name, such as `event: {name: {constant: order_placed}}`"),
    validation = rule(".event", "!has(self.event) || self.entity == 'event'", "the block `event` is for `entity: event` only"),
    validation = rule(".device", "self.entity != 'device' || has(self.device)", "a device needs the block `device` with token and platform"),
    validation = rule(".device", "!has(self.device) || self.entity == 'device'", "the block `device` is for `entity: device` only"),
    validation = rule(".object", "!(self.entity in ['object', 'relationship']) || has(self.object)", "an object and a relationship need the block `object` with typeId and id, or cioObjectId"),
    validation = rule(".object", "!has(self.object) || self.entity in ['object', 'relationship']", "the block `object` is for `entity: object` and `entity: relationship` only"),
    validation = rule(".segment", "self.entity != 'segmentMembership' || has(self.segment)", "a segmentMembership needs the block `segment` with the segment's id or name"),
    validation = rule(".segment", "!has(self.segment) || self.entity == 'segmentMembership'", "the block `segment` is for `entity: segmentMembership` only"),
    validation = rule(".collection", "self.entity != 'collection' || has(self.collection)", "a collection needs the block `collection` with its name"),
    validation = rule(".collection", "!has(self.collection) || self.entity == 'collection'", "the block `collection` is for `entity: collection` only"),
    validation = rule(".behavior", "self.entity != 'person' || self.behavior != 'append'", "append is for events: a person can be updateOrCreate, updateOnly, mirror, delete, suppress or unsuppress"),
    validation = rule(".behavior", "self.entity != 'device' || !(self.behavior in ['updateOnly', 'append', 'suppress', 'unsuppress'])", "a device can be updateOrCreate, mirror or delete"),
    validation = rule(".behavior", "self.entity != 'event' || !(self.behavior in ['updateOrCreate', 'updateOnly', 'mirror', 'delete', 'suppress', 'unsuppress'])", "an event can only be appended: write `behavior: append`"),
    validation = rule(".behavior", "self.entity != 'object' || !(self.behavior in ['append', 'suppress', 'unsuppress'])", "an object can be updateOrCreate, updateOnly, mirror or delete"),
    validation = rule(".behavior", "self.entity != 'object' || self.behavior != 'updateOnly' || !has(self.object) || has(self.object.cioObjectId)", "Customer.io updates objects without creating them by cioObjectId only: name the object so, or write `behavior: updateOrCreate`"),
    validation = rule(".behavior", "self.entity != 'object' || !(self.behavior in ['updateOrCreate', 'mirror']) || !has(self.object) || !has(self.object.cioObjectId)", "an object named by cioObjectId can't be created: name it by typeId and id, or write `behavior: updateOnly`"),
    validation = rule(".behavior", "!(self.entity in ['relationship', 'segmentMembership']) || !(self.behavior in ['updateOnly', 'append', 'suppress', 'unsuppress'])", "a relationship and a segmentMembership can be updateOrCreate, mirror or delete"),
    validation = rule(".behavior", "self.entity != 'collection' || !(self.behavior in ['updateOrCreate', 'updateOnly', 'append', 'delete', 'suppress', 'unsuppress'])", "a collection is replaced as a whole: write `behavior: mirror`"),
    validation = rule(".onRemove", "!(self.behavior == 'mirror' && self.entity in ['person', 'object']) || has(self.onRemove)", "mirror needs onRemove, what happens in Customer.io to a row that left the source: delete, clear, or suppress (person)"),
    validation = rule(".onRemove", "!has(self.onRemove) || self.behavior == 'mirror' && self.entity in ['person', 'object']", "onRemove is for `behavior: mirror` on person and object only"),
    validation = rule(".onRemove", "!has(self.onRemove) || self.onRemove != 'suppress' || self.entity == 'person'", "only a person can be suppressed: write `onRemove: delete` or `onRemove: clear`"),
    validation = rule(".removeAfter", "!has(self.removeAfter) || self.behavior == 'mirror'", "removeAfter is for `behavior: mirror` only"),
    validation = rule(".removeAfter", "!has(self.removeAfter) || self.entity != 'collection'", "a collection is replaced as a whole, without the rows that left: take removeAfter away"),
    validation = rule(".refresh", "!has(self.refresh) || self.entity != 'event'", "events are never sent again: take refresh away"),
    validation = rule(".refresh", "!has(self.refresh) || self.entity != 'collection'", "a collection is replaced when any of it changed: take refresh away"),
    validation = rule(".model.cursor", "!has(self.model.cursor) || self.behavior != 'mirror'", "a cursor can't be used with mirror: rows outside of its window would look removed"),
    validation = rule(".deletionPolicy", "self.deletionPolicy != 'Delete' || self.behavior == 'mirror'", "deletionPolicy Delete is for `behavior: mirror` only"),
    validation = rule(".guards.maxRemoved", "!(self.behavior in ['delete', 'suppress']) || !has(self.guards) || !has(self.guards.maxRemoved) || !string(self.guards.maxRemoved).endsWith('%')", "with delete and suppress maxRemoved is a number of rows, not a percent"),
    validation = immutable(".entity", "self.entity == oldSelf.entity"),
    validation = immutable(".model.primaryKey", "self.model.primaryKey == oldSelf.model.primaryKey"),
    validation = immutable(".identifiers", "has(self.identifiers) == has(oldSelf.identifiers) && (!has(self.identifiers) || has(self.identifiers.id) == has(oldSelf.identifiers.id) && has(self.identifiers.email) == has(oldSelf.identifiers.email) && has(self.identifiers.phone) == has(oldSelf.identifiers.phone) && has(self.identifiers.cioId) == has(oldSelf.identifiers.cioId) && has(self.identifiers.anonymousId) == has(oldSelf.identifiers.anonymousId))"),
    validation = immutable(".object", "(has(self.object) && has(self.object.typeId)) == (has(oldSelf.object) && has(oldSelf.object.typeId)) && (!has(self.object) || !has(self.object.typeId) || self.object.typeId == oldSelf.object.typeId)"),
    validation = immutable(".segment", "has(self.segment) == has(oldSelf.segment) && (!has(self.segment) || self.segment == oldSelf.segment)"),
    validation = immutable(".event", "(has(self.event) && has(self.event.idScope)) == (has(oldSelf.event) && has(oldSelf.event.idScope)) && (!has(self.event) || !has(self.event.idScope) || self.event.idScope == oldSelf.event.idScope)")
)]
pub struct SyncSpec {
    /// The Source whose rows are read.
    pub source_ref: ObjectRef,
    /// The CustomerIoConnection that the rows are delivered to.
    pub connection_ref: ObjectRef,
    /// Which rows are read, and what identifies a row.
    pub model: ModelSpec,
    /// What a row becomes in Customer.io: person, device, event, object, relationship,
    /// segmentMembership or collection. Immutable.
    pub entity: Entity,
    /// What is done: updateOrCreate, updateOnly, append (events), mirror (as updateOrCreate, and
    /// what left the source is removed), delete, suppress or unsuppress.
    pub behavior: Behavior,
    /// Which column names the person in Customer.io. Which identifier it is can't be changed later.
    /// Example: `{id: user_id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifiers: Option<Identifiers>,
    /// Which columns become which attributes. At most 300. An `email` beside `identifiers: {id}` is
    /// set once; Customer.io changes it later only where the workspace has "Allow updates to email
    /// using ID" switched on, and answers with success otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 300), extend("x-kubernetes-list-type" = "atomic"))]
    pub mappings: Vec<MappingSpec>,
    /// What happens to the columns that the spec uses nowhere: ignore, or include (each becomes an
    /// attribute of its name). Default: ignore.
    #[serde(default)]
    pub unmapped_columns: UnmappedColumns,
    /// What happens to a null: send (it clears the attribute) or omit. Default: send.
    #[serde(default)]
    pub nulls: Nulls,
    /// What mirror does in Customer.io to a row that left the source: delete, clear (the mapped
    /// attributes are nulled) or suppress (person). Required for mirror of person and object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_remove: Option<OnRemove>,
    /// How long a row must have been missing from every complete read before mirror removes it.
    /// Not for a collection. Default: 0s. Example: `24h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_after: Option<GoDuration>,
    /// Sends every row again at least this often, spread by a hash of the key. Default: 24h for
    /// updateOnly, else off. Never for events and collections. Example: `168h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<GoDuration>,
    /// What an event is called and when it happened. Only with `entity: event`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventSpec>,
    /// Where a device's fields come from. Only with `entity: device`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceSpec>,
    /// Which object a row is. Only with `entity: object` and `entity: relationship`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectSpec>,
    /// The manual segment. Only with `entity: segmentMembership`. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentSpec>,
    /// The collection. Only with `entity: collection`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionSpec>,
    /// What the first run does: backfill (send every row), baseline (remember every row as
    /// delivered, send nothing) or review (plan, then wait for approval). Default: backfill.
    #[serde(default)]
    pub initial_run: InitialRun,
    /// When to run, as cron: minute hour day-of-month month day-of-week, in `timeZone`. At most one
    /// of `schedule` and `interval`; with neither, the Sync runs when its spec changes and on
    /// request. Example: `*/15 * * * *`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub schedule: Option<String>,
    /// Time zone of `schedule`, by its IANA name. Default: UTC. Example: `Europe/Berlin`.
    #[serde(default = "default_time_zone")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: String,
    /// How long from the start of a run to the start of the next, within 5 % that differ from Sync
    /// to Sync. Example: `15m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<GoDuration>,
    /// How late a run may still start. Default: until the next slot. Example: `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_deadline: Option<GoDuration>,
    /// How long a run may take. Default: 1h.
    #[serde(default = "default_timeout")]
    pub timeout: GoDuration,
    /// How a failed run is tried again. Default: 5 times, after 30s at first and at most 30m.
    #[serde(default)]
    pub retry: RetrySpec,
    /// Syncs of the same namespace that must have ended well before this one starts. At most 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub depends_on: Vec<LocalRef>,
    /// Limits that stop a run before it sends: a number of rows, or a percent such as `5%`.
    #[serde(default)]
    pub guards: GuardsSpec,
    /// Attributes that another Sync may write too. At most 300. Of two Syncs of one connection that
    /// write the same attribute of people (or of objects of one type), the one that was created
    /// later does not run (AttributeConflict) unless one of the two names the attribute here. What
    /// `unmappedColumns: include` adds is not compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 300),
        inner(length(min = 1, max = 150)),
        extend("x-kubernetes-list-type" = "atomic")
    )]
    pub shared_attributes: Vec<String>,
    /// Says that no other Sync writes these people or objects, so that they may be removed without
    /// looking for another holder. Default: false.
    #[serde(default)]
    pub exclusive: bool,
    /// What is read back from Customer.io. Needs the connection's `appApiKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditSpec>,
    /// A Sync that no longer exists and whose snapshot this one takes over, after it was renamed or
    /// moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopt_state_from: Option<ObjectRef>,
    /// How old the last run that ended well may be before the condition Fresh turns False.
    /// Default: not watched. Example: `6h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness: Option<GoDuration>,
    /// What happens in Customer.io when the Sync is deleted: Orphan (nothing) or Delete (mirror
    /// only: to every row what `onRemove` says). Default: Orphan.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// Starts no runs while true. Default: false.
    #[serde(default)]
    pub suspend: bool,
    /// How many ended runs the status keeps. Default: 5.
    #[serde(default = "default_history_limit")]
    #[schemars(range(min = 0, max = 100))]
    pub history_limit: u32,
    /// Where runs execute: inProcess (in the operator) or job (a Kubernetes Job each). Default:
    /// inProcess.
    #[serde(default)]
    pub execution: Execution,
}

/// Returns a rule whose complaint stands at a field.
fn rule(field: &str, expression: &str, message: &str) -> Rule {
    Rule::new(expression).message(message).field_path(field)
}

/// Returns a rule that a field is never changed.
fn immutable(field: &str, expression: &str) -> Rule {
    let name = field.trim_start_matches('.');
    let what = match name {
        "identifiers" => "which identifier is used",
        "object" => "object.typeId",
        "event" => "event.idScope",
        other => other,
    };
    let message = format!(
        "{what} can't be changed: make a new Sync, or delete this one, create it again, and use the annotation ciosync.dev/resetState"
    );
    Rule::new(expression).message(message.as_str()).field_path(field)
}

fn default_time_zone() -> String {
    "UTC".to_owned()
}

fn default_timeout() -> GoDuration {
    GoDuration::from_mins(60)
}

fn default_history_limit() -> u32 {
    5
}

/// What the first run does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum InitialRun {
    /// Every row is sent.
    #[default]
    Backfill,
    /// Every row is remembered as delivered; nothing is sent.
    Baseline,
    /// The run is planned, and waits for approval.
    Review,
}

/// How a failed run is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(inline)]
pub struct RetrySpec {
    /// How many times. Default: 5.
    #[schemars(range(min = 0, max = 100))]
    pub limit: u32,
    /// Shortest pause before the next try; it doubles each time. Default: 30s.
    pub min_backoff: GoDuration,
    /// Longest pause. Default: 30m.
    pub max_backoff: GoDuration,
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self {
            limit: 5,
            min_backoff: GoDuration::from_secs(30),
            max_backoff: GoDuration::from_mins(30),
        }
    }
}

/// What is read back from Customer.io.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct AuditSpec {
    /// Looks for updates that Customer.io accepted and dropped later. Default: true where the
    /// connection has an `appApiKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_failures: Option<bool>,
    /// Compares the members of a segment with the snapshot. Default: false.
    #[serde(default)]
    pub membership: bool,
}

/// What happens in Customer.io when the Sync is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum DeletionPolicy {
    /// Nothing.
    #[default]
    Orphan,
    /// To every row what `onRemove` says.
    Delete,
}

/// Where runs execute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Execution {
    /// In the operator.
    #[default]
    InProcess,
    /// In a Kubernetes Job each.
    Job,
}
