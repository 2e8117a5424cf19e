//! Objects as the App API shows them.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use crate::emulator::answer;
use crate::emulator::app_api::not_found;
use crate::emulator::context::Context;
use crate::emulator::operation::ObjectIdentifier;
use crate::emulator::workspace::objects::Objects;

/// The query that says what the path's identifier is.
#[derive(Deserialize)]
pub(super) struct IdType {
    id_type: Option<String>,
}

/// `GET /v1/objects/{object_type_id}/{object_id}/attributes`.
pub(super) async fn attributes(
    State(context): State<Arc<Context>>,
    Path((type_id, id)): Path<(u32, String)>,
    Query(query): Query<IdType>,
) -> Response {
    let wanted = match query.id_type.as_deref() {
        None | Some("object_id") => ObjectIdentifier::Typed { type_id, id: Cow::Owned(id) },
        Some("cio_object_id") => ObjectIdentifier::CioObjectId(Cow::Owned(id)),
        Some(_) => return not_found(),
    };
    let workspace = context.workspace();
    let found = workspace.objects.find(&wanted);
    let found = found.and_then(|key| Some((key, workspace.objects.get(key)?)));
    let Some((key, object)) = found.filter(|(_, object)| object.type_id == type_id) else {
        return not_found();
    };
    let body = json!({"object": {
        "object_type_id": object.type_id.to_string(),
        "identifiers": {
            "object_id": object.id,
            "cio_object_id": Objects::cio_object_id(key),
        },
        "attributes": object.attributes.to_json(&workspace.names),
        "timestamps": {},
    }});
    answer::json(StatusCode::OK, &body)
}
