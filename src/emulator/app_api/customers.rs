//! People as the App API shows them: every attribute is text.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::emulator::answer;
use crate::emulator::app_api::{not_found, segments as segments_api};
use crate::emulator::context::Context;
use crate::emulator::json;
use crate::emulator::operation::PersonIdentifier;
use crate::emulator::workspace::Workspace;
use crate::emulator::workspace::objects::Objects;
use crate::emulator::workspace::people::{PersonKey, Slot};

/// The query of a search by e-mail.
#[derive(Deserialize)]
pub(super) struct ByEmail {
    email: String,
}

/// The query that says what the path's identifier is.
#[derive(Deserialize)]
pub(super) struct IdType {
    id_type: Option<String>,
}

#[derive(Deserialize)]
struct Ids {
    ids: Vec<String>,
}

/// `GET /v1/customers?email=`. Nobody is an empty list.
pub(super) async fn by_email(
    State(context): State<Arc<Context>>,
    Query(query): Query<ByEmail>,
) -> Response {
    let workspace = context.workspace();
    let results: Vec<Value> = workspace
        .people
        .by(Slot::Email, &query.email)
        .map(|key| identifiers(&workspace, key))
        .into_iter()
        .collect();

    answer::json(StatusCode::OK, &json!({"results": results}))
}

/// `POST /v1/customers/attributes`. Ids of nobody are left out.
pub(super) async fn attributes_of_many(
    State(context): State<Arc<Context>>,
    body: Bytes,
) -> Response {
    let limit = context.settings().limits.lookup_ids;
    let ids = match serde_json::from_slice::<Ids>(&body) {
        Ok(Ids { ids }) if (1..=limit).contains(&ids.len()) => ids,
        Ok(_) | Err(_) => {
            let detail = format!("ids must have between 1 and {limit} entries");
            return answer::app_error(StatusCode::BAD_REQUEST, &detail);
        }
    };
    let workspace = context.workspace();
    let customers: Vec<Value> = ids
        .iter()
        .filter_map(|id| workspace.people.by(Slot::Id, id))
        .map(|key| json!({"customer": customer(&workspace, key)}))
        .collect();

    answer::json(StatusCode::OK, &json!({"customers": customers}))
}

/// `GET /v1/customers/{customer_id}/attributes`.
pub(super) async fn attributes(
    State(context): State<Arc<Context>>,
    Path(id): Path<String>,
    Query(query): Query<IdType>,
) -> Response {
    let workspace = context.workspace();
    match find(&workspace, &id, &query) {
        Some(key) => answer::json(StatusCode::OK, &json!({"customer": customer(&workspace, key)})),
        None => not_found(),
    }
}

/// `GET /v1/customers/{customer_id}/segments`.
pub(super) async fn segments(
    State(context): State<Arc<Context>>,
    Path(id): Path<String>,
    Query(query): Query<IdType>,
) -> Response {
    let workspace = context.workspace();
    let Some(key) = find(&workspace, &id, &query) else { return not_found() };
    let segments: Vec<Value> = workspace.segments.of(key).map(segments_api::shown).collect();

    answer::json(StatusCode::OK, &json!({"segments": segments}))
}

/// `GET /v1/customers/{customer_id}/relationships`, all on one page.
pub(super) async fn relationships(
    State(context): State<Arc<Context>>,
    Path(id): Path<String>,
    Query(query): Query<IdType>,
) -> Response {
    let workspace = context.workspace();
    let Some(key) = find(&workspace, &id, &query) else { return not_found() };
    let related: Vec<Value> = workspace
        .relationships
        .of_person(key)
        .into_iter()
        .filter_map(|object_key| {
            let object = workspace.objects.get(object_key)?;
            let attributes = workspace.relationships.get(object_key, key)?;
            Some(json!({
                "object_type_id": object.type_id,
                "identifiers": {
                    "object_id": object.id,
                    "cio_object_id": Objects::cio_object_id(object_key),
                },
                "attributes": attributes.to_json(&workspace.names),
                "timestamps": {},
            }))
        })
        .collect();

    answer::json(StatusCode::OK, &json!({"cio_relationships": related, "next": ""}))
}

/// Returns a person's identifiers as the App API shows them.
pub(super) fn identifiers(workspace: &Workspace, key: PersonKey) -> Value {
    json!({
        "email": workspace.people.value(key, Slot::Email),
        "id": workspace.people.value(key, Slot::Id),
        "cio_id": workspace.people.cio_id(key),
    })
}

fn find(workspace: &Workspace, id: &str, query: &IdType) -> Option<PersonKey> {
    let value = Cow::Borrowed(id);
    workspace.people.find(&match query.id_type.as_deref() {
        None | Some("id") => PersonIdentifier::Id(value),
        Some("email") => PersonIdentifier::Email(value),
        Some("phone") => PersonIdentifier::Phone(value),
        Some("cio_id") => {
            PersonIdentifier::CioId(Cow::Borrowed(id.strip_prefix("cio_").unwrap_or(id)))
        }
        Some(_) => return None,
    })
}

fn customer(workspace: &Workspace, key: PersonKey) -> Value {
    let mut attributes = Map::new();
    for slot in [Slot::Id, Slot::Email, Slot::Phone, Slot::AnonymousId] {
        if let Some(value) = workspace.people.value(key, slot) {
            attributes.insert(slot.name().to_owned(), Value::from(value));
        }
    }
    attributes.insert("cio_id".to_owned(), Value::from(workspace.people.cio_id(key)));
    let person = workspace.people.get(key);
    for (name, raw) in person.iter().flat_map(|person| person.attributes.iter()) {
        let name = workspace.names.name(name).to_owned();
        attributes.insert(name, Value::from(json::display(raw)));
    }
    let devices: Vec<Value> = workspace
        .devices
        .of(key)
        .iter()
        .map(|device| {
            json!({
                "id": device.token,
                "platform": device.platform,
                "last_used": device.last_used,
            })
        })
        .collect();
    json!({
        "id": workspace.people.value(key, Slot::Id),
        "identifiers": identifiers(workspace, key),
        "attributes": attributes,
        "timestamps": {},
        "unsubscribed": workspace.is_unsubscribed(key),
        "devices": devices,
    })
}
