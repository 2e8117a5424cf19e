//! Collections: list, make, look, replace, delete.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::emulator::app_api::not_found;
use crate::emulator::context::Context;
use crate::emulator::workspace::collections::Collection;
use crate::emulator::{answer, clock};

/// What a collection is made or changed with. A `url` is remembered as no rows: nothing is fetched.
#[derive(Deserialize)]
struct Fields {
    name: Option<String>,
    data: Option<Vec<Value>>,
    url: Option<String>,
}

/// `GET /v1/collections`.
pub(super) async fn list(State(context): State<Arc<Context>>) -> Response {
    let workspace = context.workspace();
    let collections: Vec<Value> = workspace.collections.iter().map(shown).collect();

    answer::json(StatusCode::OK, &json!({"collections": collections}))
}

/// `POST /v1/collections`.
pub(super) async fn create(State(context): State<Arc<Context>>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(Fields { name: Some(name), data, url })
            if !name.trim().is_empty() && data.is_some() != url.is_some() =>
        {
            let content = Value::Array(data.unwrap_or_default());
            if let Some(refusal) = too_large(&context, &content) {
                return refusal;
            }
            let mut workspace = context.workspace();
            let made = workspace.collections.create(&name, content, clock::now_seconds());
            answer::json(StatusCode::OK, &json!({"collection": shown(made)}))
        }
        Ok(_) | Err(_) => {
            let detail = "a name, and either data (an array of objects) or a url, are required";
            answer::app_error(StatusCode::BAD_REQUEST, detail)
        }
    }
}

/// `GET /v1/collections/{collection_id}`.
pub(super) async fn one(State(context): State<Arc<Context>>, Path(id): Path<u32>) -> Response {
    answer_with(context.workspace().collections.get(id))
}

/// `PUT /v1/collections/{collection_id}`.
pub(super) async fn change(
    State(context): State<Arc<Context>>,
    Path(id): Path<u32>,
    body: Bytes,
) -> Response {
    let Ok(fields) = serde_json::from_slice::<Fields>(&body) else {
        return answer::app_error(StatusCode::BAD_REQUEST, "malformed collection");
    };
    let content = fields.data.map(Value::Array);
    if let Some(refusal) = content.as_ref().and_then(|content| too_large(&context, content)) {
        return refusal;
    }
    let mut workspace = context.workspace();
    let now = clock::now_seconds();

    answer_with(workspace.collections.change(id, fields.name.as_deref(), content, now))
}

/// `DELETE /v1/collections/{collection_id}`.
pub(super) async fn delete(State(context): State<Arc<Context>>, Path(id): Path<u32>) -> Response {
    if context.workspace().collections.remove(id) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        not_found()
    }
}

/// `GET /v1/collections/{collection_id}/content`.
pub(super) async fn content(State(context): State<Arc<Context>>, Path(id): Path<u32>) -> Response {
    match context.workspace().collections.get(id) {
        Some(collection) => answer::json(StatusCode::OK, &collection.content),
        None => not_found(),
    }
}

/// `PUT /v1/collections/{collection_id}/content`: replaces all of it.
pub(super) async fn replace_content(
    State(context): State<Arc<Context>>,
    Path(id): Path<u32>,
    body: Bytes,
) -> Response {
    match serde_json::from_slice::<Value>(&body) {
        Ok(content) if content.is_object() || content.is_array() => {
            if let Some(refusal) = too_large(&context, &content) {
                return refusal;
            }
            let mut workspace = context.workspace();
            let now = clock::now_seconds();
            answer_with(workspace.collections.change(id, None, Some(content), now))
        }
        Ok(_) | Err(_) => {
            answer::app_error(StatusCode::BAD_REQUEST, "the content must be JSON objects")
        }
    }
}

/// Returns the refusal of a content that is over the limits.
fn too_large(context: &Context, content: &Value) -> Option<Response> {
    let limits = &context.settings().limits;
    let rows = match content {
        Value::Array(rows) => rows.as_slice(),
        other => std::slice::from_ref(other),
    };
    let is_over = rows.iter().any(|row| row.to_string().len() > limits.collection_row_bytes)
        || content.to_string().len() > limits.collection_bytes;
    let detail = "a collection has at most 10 MB, and a row of it 10 KB";
    is_over.then(|| answer::app_error(StatusCode::BAD_REQUEST, detail))
}

fn answer_with(collection: Option<&Collection>) -> Response {
    match collection {
        Some(collection) => answer::json(StatusCode::OK, &json!({"collection": shown(collection)})),
        None => not_found(),
    }
}

fn shown(collection: &Collection) -> Value {
    json!({
        "id": collection.id,
        "name": collection.name,
        "bytes": collection.bytes,
        "rows": collection.rows(),
        "schema": collection.schema(),
        "created_at": collection.created_at,
        "updated_at": collection.updated_at,
    })
}
