//! What a run settles before it reads a row: the workspace, what is remembered and for whom,
//! other Syncs of the same people or objects, the columns.

use std::path::Path;
use std::sync::Arc;

use super::error::RunError;
use super::pipeline::{OnRemove, Pipeline};
use super::targets::{OtherSync, Others};
use crate::customerio::{BatchBuilder, Route};
use crate::mapping::{Mapper, compile};
use crate::model::{Column, KeyShape, OperationKind, SyncId, ValueKind};
use crate::sources::{ReadRequest, RowStream, Window};
use crate::state::StateStore;
use crate::state::store::{Identity, SyncMemo};

/// Returns what carries out the removal of a row; `None` where nothing is removed.
///
/// # Errors
/// Where what a row is sent as can't be undone so, which no valid spec says.
pub fn removal(pipeline: &Pipeline) -> Result<Option<OperationKind>, RunError> {
    const NOT_UNDONE: RunError = RunError::Internal("what was sent can't be removed so");
    let Some(on_remove) = pipeline.on_remove else { return Ok(None) };
    on_remove.operation(pipeline.record.operation).map(Some).ok_or(NOT_UNDONE)
}

/// Returns what fills batches: one for those who enter a segment and one for those who leave it,
/// or one for all else.
pub fn builders(pipeline: &Pipeline, segment: Option<u64>) -> Vec<BatchBuilder> {
    let config = pipeline.client.config();
    let (limits, timestamps) = (config.limits, config.update_timestamps);
    let Some(id) = segment else { return vec![BatchBuilder::new(limits, timestamps)] };
    let identifier = pipeline.record.identifier.0;
    [false, true]
        .map(|is_removal| Route::Segment { id, identifier, is_removal })
        .map(|route| BatchBuilder::on_route(route, limits, timestamps))
        .into()
}

/// Returns what the state of this Sync belongs to, in `workspace_id`.
pub fn identity(pipeline: &Pipeline, workspace_id: u64, segment: Option<u64>) -> Identity {
    Identity {
        entity: pipeline.entity.clone(),
        primary_key: pipeline.record.primary_key.clone(),
        identifier: pipeline.record.identifier.0,
        object_type: pipeline.object_type().map(str::to_owned),
        segment: segment.map(|id| id.to_string()),
        workspace_id,
    }
}

/// Says whether what is remembered belongs to `identity`.
///
/// # Errors
/// Naming what differs.
pub fn check_identity(memo: &SyncMemo, identity: &Identity) -> Result<(), RunError> {
    let Some(remembered) = &memo.identity else { return Ok(()) };
    let differs = |what, remembered: String, found: String| {
        Err(RunError::IdentityChanged { what, remembered, found })
    };
    if remembered.workspace_id != identity.workspace_id {
        let (old, new) = (remembered.workspace_id, identity.workspace_id);
        return differs("workspace", old.to_string(), new.to_string());
    }
    if remembered.entity != identity.entity {
        return differs("entity", remembered.entity.clone(), identity.entity.clone());
    }
    if remembered.primary_key != identity.primary_key {
        let (old, new) = (&remembered.primary_key, &identity.primary_key);
        return differs("primary key", old.join(", "), new.join(", "));
    }
    if remembered.identifier != identity.identifier {
        let (old, new) = (remembered.identifier, identity.identifier);
        return differs("identifier", old.as_str().to_owned(), new.as_str().to_owned());
    }
    for (what, old, new) in [
        ("object type", &remembered.object_type, &identity.object_type),
        ("segment", &remembered.segment, &identity.segment),
    ] {
        if old != new {
            let text = |it: &Option<String>| it.clone().unwrap_or_else(|| "none".to_owned());
            return differs(what, text(old), text(new));
        }
    }
    Ok(())
}

/// Returns the other Syncs whose snapshots may hold what this one removes: of the same workspace,
/// entity, object type and segment. `known_as` is the name under which this one's own state is kept.
///
/// # Errors
/// Where one of them names people or objects by another identifier, so that this can't be known, and
/// more than attributes would be removed.
pub async fn others(
    pipeline: &Pipeline,
    store: &Arc<dyn StateStore>,
    own: &Identity,
    known_as: &SyncId,
) -> Result<Vec<OtherSync>, RunError> {
    let Some(on_remove) = pipeline.on_remove else { return Ok(Vec::new()) };
    if pipeline.exclusive {
        return Ok(Vec::new());
    }
    let mut others = Vec::new();
    for state in store.syncs().await? {
        let (Some(identity), Some(key_shape)) = (state.memo.identity, state.memo.key_shape) else {
            continue;
        };
        let holds = state.memo.operation.is_some_and(OperationKind::holds_target);
        if state.sync == *known_as || !holds || !may_share_targets(&identity, own) {
            continue;
        }
        if identity.identifier == own.identifier && identity.object_type == own.object_type {
            others.push(OtherSync { sync: state.sync, key_shape });
        } else if on_remove != OnRemove::Clear {
            let identifier = match identity.object_type == own.object_type {
                true => identity.identifier.as_str(),
                false => "another kind of object id",
            };
            return Err(RunError::RemovalUnsafe { other: state.sync, identifier });
        }
    }
    Ok(others)
}

/// Returns whether rows of two Syncs may be about the same in Customer.io. Objects of two types
/// never are; of one that Customer.io's own id names, the type is not known.
fn may_share_targets(one: &Identity, other: &Identity) -> bool {
    let same_type = match (&one.object_type, &other.object_type) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    };
    one.workspace_id == other.workspace_id
        && one.entity == other.entity
        && one.segment == other.segment
        && same_type
}

/// Returns where other Syncs are looked up; nowhere without a store.
pub fn lookup(
    pipeline: &Pipeline,
    store: Option<&Arc<dyn StateStore>>,
    syncs: Vec<OtherSync>,
) -> Others {
    Others { store: store.cloned(), syncs, kind: pipeline.record.target_kind() }
}

/// A read that is open, and how its rows are mapped.
pub struct Opened {
    /// The rows.
    pub stream: Box<dyn RowStream>,
    /// The mapping, compiled for their columns.
    pub mapper: Mapper,
    /// The kinds of the key's columns, to be remembered; `None` where the source has no value to
    /// tell them by.
    pub key_shape: Option<KeyShape>,
    /// The warehouse's now, in unix microseconds, where a cursor is read by.
    pub clock: Option<i64>,
}

/// Opens the read and compiles the mapping for the columns that it has.
///
/// # Errors
/// Where the query is refused, its columns don't fit the spec, or the key's columns have other
/// kinds than those that are remembered.
pub async fn open(
    pipeline: &Pipeline,
    memo: &SyncMemo,
    window: Option<Window>,
    spill_dir: &Path,
) -> Result<Opened, RunError> {
    let available = pipeline.source.describe(&pipeline.model).await?;
    let (settled, _) = settled_keys(pipeline, memo, &available);
    compile(&pipeline.record, &settled).map_err(RunError::Mapping)?;
    let request = ReadRequest {
        model: pipeline.model.clone(),
        primary_key: pipeline.record.primary_key.clone(),
        columns: pipeline.record.needed_columns(&available),
        spill_dir: spill_dir.to_owned(),
        window,
    };
    let stream = pipeline.source.open(&request).await?;
    // The cell of a window stands behind the columns asked for; no mapping sees it.
    let own = stream.columns().len().min(request.columns.len());
    let columns = stream.columns().get(..own).unwrap_or_default();
    let (settled, is_known) = settled_keys(pipeline, memo, columns);
    let mapper = compile(&pipeline.record, &settled).map_err(RunError::Mapping)?;
    let found = mapper.key_shape();
    match &memo.key_shape {
        Some(remembered) if remembered != found => Err(RunError::KeyChanged {
            remembered: remembered.to_string(),
            found: found.to_string(),
        }),
        Some(_) | None => {
            let key_shape = is_known.then(|| found.clone());
            let clock = stream.clock();
            Ok(Opened { stream, mapper, key_shape, clock })
        }
    }
}

/// Returns the columns with a kind for each of the key's, and whether all of them had one. A
/// dynamic column of the key has a kind only once a value of it is read: until then, and in an
/// empty source, it has the kind that is remembered, or text.
fn settled_keys(pipeline: &Pipeline, memo: &SyncMemo, columns: &[Column]) -> (Vec<Column>, bool) {
    let (mut columns, mut is_known) = (columns.to_vec(), true);
    for (place, name) in pipeline.record.primary_key.iter().enumerate() {
        let remembered = memo.key_shape.as_ref().and_then(|shape| shape.0.get(place));
        let is_it =
            |column: &&mut Column| column.name == *name && column.kind == ValueKind::Dynamic;
        for column in columns.iter_mut().filter(is_it) {
            column.kind = remembered.map_or(ValueKind::Text, |kind| kind.value_kind());
            is_known = false;
        }
    }
    (columns, is_known)
}

/// Returns the names of attributes that were sent before and no longer are: they stay in
/// Customer.io as they are.
pub fn left_behind(memo: &SyncMemo, attributes: &[String]) -> Vec<String> {
    memo.attributes.iter().filter(|name| !attributes.contains(name)).cloned().collect()
}
