//! What a Sync's rows are sent as, from its entity, behavior and the block of its entity.

use super::error::ResolveError;
use super::sync::invalid;
use crate::api::SyncSpec;
use crate::customerio::spec::{
    Behavior, ColumnOrConstant, DeviceSpec, Entity, EventSpec, EventType, ObjectSpec,
};
use crate::engine::SegmentRef;
use crate::mapping::{About, Given, RecordSpec};
use crate::model::{EventKind, IdentifierKind, OperationKind, SyncId};

/// Returns what decides what is sent for a row.
///
/// # Errors
/// Where the spec says something that no valid one says.
pub(super) fn record(sync: &SyncId, spec: &SyncSpec) -> Result<RecordSpec, ResolveError> {
    Ok(RecordSpec {
        operation: operation(spec.entity, spec.behavior)?,
        primary_key: spec.model.primary_key.clone(),
        identifier: identifier(spec)?,
        about: about(sync, spec)?,
        mappings: spec.mappings.clone(),
        unmapped_columns: spec.unmapped_columns,
        nulls: spec.nulls,
    })
}

/// Returns the segment whose members rows are; `None` for any other entity.
///
/// # Errors
/// Where the spec names none or two.
pub(super) fn segment(spec: &SyncSpec) -> Result<Option<SegmentRef>, ResolveError> {
    if spec.entity != Entity::SegmentMembership {
        return Ok(None);
    }
    let segment = spec.segment.as_ref();
    let id = segment.and_then(|it| it.id).and_then(|id| u64::try_from(id).ok());
    let name = segment.and_then(|it| it.name.clone());
    match (id, name) {
        (Some(id), None) => Ok(Some(SegmentRef::Id(id))),
        (None, Some(name)) => Ok(Some(SegmentRef::Name(name))),
        (Some(_), Some(_)) | (None, None) => {
            Err(invalid("spec.segment", "names neither an id nor a name, or both"))
        }
    }
}

fn operation(entity: Entity, behavior: Behavior) -> Result<OperationKind, ResolveError> {
    use Behavior::{Append, Delete, Mirror, Suppress, Unsuppress, UpdateOnly, UpdateOrCreate};
    let operation = match (entity, behavior) {
        (Entity::Person, UpdateOrCreate | Mirror) => OperationKind::PersonIdentify,
        (Entity::Person, UpdateOnly) => OperationKind::PersonUpdate,
        (Entity::Person, Delete) => OperationKind::PersonDelete,
        (Entity::Person, Suppress) => OperationKind::PersonSuppress,
        (Entity::Person, Unsuppress) => OperationKind::PersonUnsuppress,
        (Entity::Object, UpdateOrCreate | UpdateOnly | Mirror) => OperationKind::ObjectIdentify,
        (Entity::Object, Delete) => OperationKind::ObjectDelete,
        (Entity::Relationship, UpdateOrCreate | Mirror) => OperationKind::RelationshipAdd,
        (Entity::Relationship, Delete) => OperationKind::RelationshipDelete,
        (Entity::Device, UpdateOrCreate | Mirror) => OperationKind::DeviceAdd,
        (Entity::Device, Delete) => OperationKind::DeviceDelete,
        (Entity::Event, Append) => OperationKind::EventTrack,
        (Entity::SegmentMembership, UpdateOrCreate | Mirror) => OperationKind::SegmentAdd,
        (Entity::SegmentMembership, Delete) => OperationKind::SegmentRemove,
        (Entity::Collection, Mirror) => OperationKind::CollectionReplace,
        _ => {
            let message = format!("{} can't be {}", entity.as_str(), behavior.as_str());
            return Err(invalid("spec.behavior", &message));
        }
    };
    Ok(operation)
}

/// Returns the identifier of the person, or of the object where rows are objects.
fn identifier(spec: &SyncSpec) -> Result<(IdentifierKind, String), ResolveError> {
    if spec.entity == Entity::Object {
        return object(spec).map(|(kind, _, column)| (kind, column));
    }
    if spec.entity == Entity::Collection {
        let first = spec.model.primary_key.first().cloned();
        let first = first.ok_or_else(|| invalid("spec.model.primaryKey", "names no column"))?;
        return Ok((IdentifierKind::Id, first));
    }
    let identifiers = spec.identifiers.as_ref();
    let visitor = identifiers.and_then(|it| it.anonymous_id.as_deref());
    let visitor = visitor.map(|column| (IdentifierKind::AnonymousId, column));
    identifiers
        .and_then(|it| it.person())
        .or(visitor)
        .map(|(kind, column)| (kind, column.to_owned()))
        .ok_or_else(|| invalid("spec.identifiers", "names no identifier of a person"))
}

/// Returns what names the object, its type, and the column.
fn object(spec: &SyncSpec) -> Result<(IdentifierKind, Option<String>, String), ResolveError> {
    match spec.object.clone().unwrap_or_default() {
        ObjectSpec { type_id: None, id: None, cio_object_id: Some(column) } => {
            Ok((IdentifierKind::CioObjectId, None, column))
        }
        ObjectSpec { type_id: Some(type_id), id: Some(column), cio_object_id: None } => {
            Ok((IdentifierKind::ObjectId, Some(type_id), column))
        }
        _ => Err(invalid(
            "spec.object",
            "names an object neither by typeId and id nor by cioObjectId",
        )),
    }
}

fn about(sync: &SyncId, spec: &SyncSpec) -> Result<About, ResolveError> {
    match spec.entity {
        Entity::Person | Entity::SegmentMembership => Ok(About::Person),
        Entity::Object => object(spec).map(|(_, type_id, _)| About::Object { type_id }),
        Entity::Relationship => {
            object(spec).map(|(_, type_id, object)| About::Relationship { type_id, object })
        }
        Entity::Device => {
            let DeviceSpec { token, platform, last_used } =
                spec.device.clone().ok_or_else(|| invalid("spec.device", "is missing"))?;
            Ok(About::Device {
                token,
                platform: given(platform, "spec.device.platform")?,
                last_used,
            })
        }
        Entity::Event => {
            let EventSpec { name, timestamp, event_type, id_scope } =
                spec.event.clone().ok_or_else(|| invalid("spec.event", "is missing"))?;
            Ok(About::Event {
                kind: match event_type {
                    EventType::Event => EventKind::Event,
                    EventType::Page => EventKind::Page,
                    EventType::Screen => EventKind::Screen,
                },
                name: given(name, "spec.event.name")?,
                at: timestamp,
                id_scope: id_scope.unwrap_or_else(|| sync.to_string()),
            })
        }
        Entity::Collection => Ok(About::CollectionRow),
    }
}

fn given(source: ColumnOrConstant, path: &str) -> Result<Given, ResolveError> {
    match (source.column, source.constant) {
        (Some(column), None) => Ok(Given::Column(column)),
        (None, Some(constant)) => Ok(Given::Constant(constant)),
        (Some(_), Some(_)) | (None, None) => {
            Err(invalid(path, "names neither a column nor a constant, or both"))
        }
    }
}
