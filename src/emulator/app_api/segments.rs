//! Manual segments: list, make, look, delete.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::emulator::app_api::{customers, not_found};
use crate::emulator::context::Context;
use crate::emulator::workspace::segments::Segment;
use crate::emulator::{answer, clock};

/// Members on a page unless asked otherwise, and at most. Source: App API description.
const LIMIT_DEFAULT: usize = 1_000;
const LIMIT_MAX: usize = 30_000;

/// The query of a membership.
#[derive(Deserialize)]
pub(super) struct Page {
    start: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
struct NewSegment {
    segment: SegmentFields,
}

#[derive(Deserialize)]
struct SegmentFields {
    name: String,
    #[serde(default)]
    description: String,
}

/// `GET /v1/segments`.
pub(super) async fn list(State(context): State<Arc<Context>>) -> Response {
    let workspace = context.workspace();
    let segments: Vec<Value> = workspace.segments.iter().map(shown).collect();

    answer::json(StatusCode::OK, &json!({"segments": segments}))
}

/// `POST /v1/segments`. Names may repeat.
pub(super) async fn create(State(context): State<Arc<Context>>, body: Bytes) -> Response {
    let Ok(NewSegment { segment }) = serde_json::from_slice(&body) else {
        return answer::app_error(StatusCode::BAD_REQUEST, "segment.name is required");
    };
    if segment.name.trim().is_empty() {
        return answer::app_error(StatusCode::BAD_REQUEST, "segment.name cannot be blank");
    }
    let mut workspace = context.workspace();
    let made = workspace.segments.create(&segment.name, &segment.description, clock::now_seconds());

    answer::json(StatusCode::OK, &json!({"segment": shown(made)}))
}

/// `GET /v1/segments/{segment_id}`.
pub(super) async fn one(State(context): State<Arc<Context>>, Path(id): Path<u32>) -> Response {
    match context.workspace().segments.get(id) {
        Some(segment) => answer::json(StatusCode::OK, &json!({"segment": shown(segment)})),
        None => not_found(),
    }
}

/// `DELETE /v1/segments/{segment_id}`.
pub(super) async fn delete(State(context): State<Arc<Context>>, Path(id): Path<u32>) -> Response {
    if context.workspace().segments.remove(id) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        not_found()
    }
}

/// `GET /v1/segments/{segment_id}/customer_count`.
pub(super) async fn count(State(context): State<Arc<Context>>, Path(id): Path<u32>) -> Response {
    match context.workspace().segments.get(id) {
        Some(segment) => {
            let body = json!({"segment_id": id, "count": segment.members.len()});
            answer::json(StatusCode::OK, &body)
        }
        None => not_found(),
    }
}

/// `GET /v1/segments/{segment_id}/membership`.
pub(super) async fn membership(
    State(context): State<Arc<Context>>,
    Path(id): Path<u32>,
    Query(page): Query<Page>,
) -> Response {
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let start = page.start.as_deref().and_then(|start| start.parse().ok()).unwrap_or(0);
    let workspace = context.workspace();
    let Some(segment) = workspace.segments.get(id) else { return not_found() };

    let members: Vec<_> = segment.members.iter().skip(start).take(limit).copied().collect();
    let end = start + members.len();
    let next = if end < segment.members.len() { end.to_string() } else { String::new() };
    let identifiers: Vec<Value> =
        members.iter().map(|key| customers::identifiers(&workspace, *key)).collect();
    let ids: Vec<String> = members
        .iter()
        .filter_map(|key| workspace.people.get(*key)?.id.as_deref().map(str::to_owned))
        .collect();
    let body = json!({"segment_id": id, "ids": ids, "identifiers": identifiers, "next": next});
    answer::json(StatusCode::OK, &body)
}

/// Returns a segment as the App API shows it.
pub(super) fn shown(segment: &Segment) -> Value {
    json!({
        "id": segment.id,
        "deduplicate_id": format!("{}:{}", segment.id, segment.updated_at),
        "name": segment.name,
        "description": segment.description,
        "state": "finished",
        "progress": null,
        "type": "manual",
        "tags": null,
        "created_at": segment.created_at,
        "updated_at": segment.updated_at,
    })
}
