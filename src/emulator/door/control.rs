//! Settings, faults, and the state as a whole, through the door.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::emulator::context::Context;
use crate::emulator::faults::{Fault, FaultStatus};
use crate::emulator::settings::Settings;

type Shared = State<Arc<Context>>;
type Refusal = (StatusCode, String);

/// Returns the settings.
pub(super) async fn settings(State(context): Shared) -> Json<Settings> {
    Json(context.settings().as_ref().clone())
}

/// Changes the settings that the body names; the others stay.
pub(super) async fn change_settings(
    State(context): Shared,
    body: Bytes,
) -> Result<Json<Settings>, Refusal> {
    let changes: Value = read(&body)?;
    let mut all = serde_json::to_value(context.settings().as_ref()).map_err(refusal)?;
    merge(&mut all, changes);
    let settings: Settings = serde_json::from_value(all).map_err(refusal)?;
    context.set_settings(settings.clone());
    Ok(Json(settings))
}

/// Returns the faults and what they have done.
pub(super) async fn faults(State(context): Shared) -> Json<Vec<FaultStatus>> {
    Json(context.faults.list())
}

/// Sets one more fault; answers with its number.
pub(super) async fn add_fault(State(context): Shared, body: Bytes) -> Result<Json<Value>, Refusal> {
    let fault: Fault = read(&body)?;
    fault.check().map_err(refusal)?;
    Ok(Json(json!({"id": context.faults.add(fault)})))
}

/// Replaces every fault by those of an array.
pub(super) async fn replace_faults(
    State(context): Shared,
    body: Bytes,
) -> Result<Json<Vec<FaultStatus>>, Refusal> {
    let faults: Vec<Fault> = read(&body)?;
    for fault in &faults {
        fault.check().map_err(refusal)?;
    }
    context.faults.clear();
    for fault in faults {
        context.faults.add(fault);
    }
    Ok(Json(context.faults.list()))
}

/// Takes every fault away.
pub(super) async fn clear_faults(State(context): Shared) -> StatusCode {
    context.faults.clear();
    StatusCode::NO_CONTENT
}

/// Takes one fault away.
pub(super) async fn remove_fault(State(context): Shared, Path(id): Path<u64>) -> StatusCode {
    if context.faults.remove(id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

/// Empties the workspace, and forgets requests and faults.
pub(super) async fn reset(State(context): Shared) -> StatusCode {
    context.reset();
    StatusCode::NO_CONTENT
}

/// Makes requests wait.
pub(super) async fn hold(State(context): Shared) -> StatusCode {
    context.hold.send_replace(true);
    StatusCode::NO_CONTENT
}

/// Lets waiting requests go on.
pub(super) async fn release(State(context): Shared) -> StatusCode {
    context.hold.send_replace(false);
    StatusCode::NO_CONTENT
}

fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(refusal)
}

fn refusal(error: impl ToString) -> Refusal {
    (StatusCode::BAD_REQUEST, error.to_string())
}

fn merge(target: &mut Value, changes: Value) {
    match (target, changes) {
        (Value::Object(target), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(target.entry(name).or_insert(Value::Null), change);
            }
        }
        (target, change) => *target = change,
    }
}
