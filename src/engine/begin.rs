//! What a run settles before it reads a row: the workspace, what is remembered and for whom,
//! other Syncs of the same people, the columns.

use std::sync::Arc;

use super::error::RunError;
use super::pipeline::{OnRemove, Pipeline, holds_people};
use super::targets::{OtherSync, Others};
use crate::mapping::{Mapper, compile};
use crate::model::{Column, KeyShape, ValueKind};
use crate::sources::{ReadRequest, RowStream};
use crate::state::StateStore;
use crate::state::store::{Identity, SyncMemo};

/// Returns what the state of this Sync belongs to, in `workspace_id`.
pub fn identity(pipeline: &Pipeline, workspace_id: u64) -> Identity {
    Identity {
        entity: "person".to_owned(),
        primary_key: pipeline.record.primary_key.clone(),
        identifier: pipeline.record.identifier.0,
        object_type: None,
        segment: None,
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
    Ok(())
}

/// Says whether the key's columns have the kinds that are remembered.
///
/// # Errors
/// Naming both.
pub fn check_key_shape(memo: &SyncMemo, shape: &KeyShape) -> Result<(), RunError> {
    match &memo.key_shape {
        Some(remembered) if remembered != shape => Err(RunError::KeyChanged {
            remembered: remembered.to_string(),
            found: shape.to_string(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Returns the other Syncs whose snapshots may hold people whom this one removes.
///
/// # Errors
/// Where one of them names people by another identifier, so that this can't be known, and removed
/// people would be deleted or suppressed.
pub async fn others(
    pipeline: &Pipeline,
    store: &Arc<dyn StateStore>,
    workspace_id: u64,
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
        let holds = state.memo.operation.is_some_and(holds_people);
        if state.sync == pipeline.sync || identity.workspace_id != workspace_id || !holds {
            continue;
        }
        if identity.identifier == pipeline.record.identifier.0 {
            others.push(OtherSync { sync: state.sync, key_shape });
        } else if on_remove != OnRemove::Clear {
            let identifier = identity.identifier.as_str();
            return Err(RunError::RemovalUnsafe { other: state.sync, identifier });
        }
    }
    Ok(others)
}

/// Returns where other Syncs are looked up; nowhere without a store.
pub fn lookup(
    pipeline: &Pipeline,
    store: Option<&Arc<dyn StateStore>>,
    syncs: Vec<OtherSync>,
) -> Others {
    Others { store: store.cloned(), syncs, identifier: pipeline.record.identifier.0 }
}

/// Opens the read and compiles the mapping for the columns that it has.
///
/// # Errors
/// Where the query is refused, or its columns don't fit the spec.
pub async fn open(
    pipeline: &Pipeline,
    spill_dir: &std::path::Path,
) -> Result<(Box<dyn RowStream>, Mapper), RunError> {
    let available = pipeline.source.describe(&pipeline.model).await?;
    compile(&pipeline.record, &settled_keys(pipeline, &available)).map_err(RunError::Mapping)?;
    let request = ReadRequest {
        model: pipeline.model.clone(),
        primary_key: pipeline.record.primary_key.clone(),
        columns: pipeline.record.needed_columns(&available),
        spill_dir: spill_dir.to_owned(),
    };
    let stream = pipeline.source.open(&request).await?;
    let mapper = compile(&pipeline.record, stream.columns()).map_err(RunError::Mapping)?;
    Ok((stream, mapper))
}

/// A dynamic key column has a kind only once it is read; until then text stands for it, so that
/// all other complaints are found first.
fn settled_keys(pipeline: &Pipeline, columns: &[Column]) -> Vec<Column> {
    let is_key = |name: &String| pipeline.record.primary_key.contains(name);
    let mut columns = columns.to_vec();
    for column in &mut columns {
        if column.kind == ValueKind::Dynamic && is_key(&column.name) {
            column.kind = ValueKind::Text;
        }
    }
    columns
}

/// Returns the names of attributes that were sent before and no longer are: they stay in
/// Customer.io as they are.
pub fn left_behind(memo: &SyncMemo, attributes: &[String]) -> Vec<String> {
    memo.attributes.iter().filter(|name| !attributes.contains(name)).cloned().collect()
}
