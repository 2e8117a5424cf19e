//! What the workspace is: itself, its object types, its subscription topics.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::emulator::answer;
use crate::emulator::context::Context;

/// `GET /v1/workspaces`: this one alone.
pub(super) async fn workspaces(State(context): State<Arc<Context>>) -> Response {
    let settings = context.settings();
    let workspace = context.workspace();
    let body = json!({"workspaces": [{
        "id": workspace.id,
        "name": "Emulator",
        "messages_sent": 0,
        "billable_messages_sent": 0,
        "people": workspace.people.count(),
        "object_types": settings.object_types.len(),
        "objects": workspace.objects.count(),
    }]});

    answer::json(StatusCode::OK, &body)
}

/// `GET /v1/object_types`.
pub(super) async fn object_types(State(context): State<Arc<Context>>) -> Response {
    let settings = context.settings();
    let types: Vec<Value> = numbered(&settings.object_types)
        .map(|(number, name)| {
            let slug = name.to_lowercase().replace(' ', "-");
            let singular = name.strip_suffix('s').unwrap_or(name);
            json!({
                "id": number.to_string(),
                "name": name,
                "singular_name": singular,
                "slug": slug,
                "singular_slug": slug.strip_suffix('s').unwrap_or(&slug),
                "enabled": true,
                "icon": "building",
            })
        })
        .collect();

    answer::json(StatusCode::OK, &json!({"types": types}))
}

/// `GET /v1/subscription_topics`.
pub(super) async fn subscription_topics(State(context): State<Arc<Context>>) -> Response {
    let settings = context.settings();
    let topics: Vec<Value> = numbered(&settings.subscription_topics)
        .map(|(number, name)| {
            json!({
                "id": number,
                "identifier": format!("topic_{number}"),
                "name": name,
                "description": "",
                "subscribed_by_default": true,
            })
        })
        .collect();

    answer::json(StatusCode::OK, &json!({"topics": topics}))
}

fn numbered(names: &[String]) -> impl Iterator<Item = (usize, &str)> {
    names.iter().enumerate().map(|(position, name)| (position + 1, name.as_str()))
}
