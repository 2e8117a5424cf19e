//! `GET /v1/activities`: what a 200 hid, newest first.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::emulator::activity::Activity;
use crate::emulator::answer;
use crate::emulator::context::Context;

/// Activities on a page unless asked otherwise, and at most. Source: App API description.
const LIMIT_DEFAULT: usize = 10;
const LIMIT_MAX: usize = 100;

/// The query.
#[derive(Deserialize)]
pub(super) struct ActivityQuery {
    #[serde(rename = "type")]
    kind: Option<String>,
    start: Option<String>,
    limit: Option<usize>,
    customer_id: Option<String>,
    id_type: Option<String>,
}

/// Lists a page of activities.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    Query(query): Query<ActivityQuery>,
) -> Response {
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    // A page continues below the last sequence shown, so that new activities shift nothing.
    let below = query.start.as_deref().and_then(|start| start.parse().ok()).unwrap_or(u64::MAX);

    let workspace = context.workspace();
    let mut wanted = workspace
        .activities
        .newest_first()
        .filter(|activity| activity.sequence < below && query.wants(activity));
    let page: Vec<&Activity> = wanted.by_ref().take(limit).collect();
    let more = wanted.next().is_some();

    let next = page.last().filter(|_| more).map_or_else(String::new, |a| a.sequence.to_string());
    let activities: Vec<Value> = page.into_iter().map(shown).collect();
    answer::json(StatusCode::OK, &json!({"activities": activities, "next": next}))
}

impl ActivityQuery {
    fn wants(&self, activity: &Activity) -> bool {
        let kind = self.kind.as_ref().is_none_or(|kind| *kind == activity.kind);
        let person = &activity.person;
        kind && self.customer_id.as_deref().is_none_or(|wanted| match self.id_type.as_deref() {
            Some("email") => person.email.as_deref() == Some(wanted),
            Some("cio_id") => person.cio_id == wanted.strip_prefix("cio_").unwrap_or(wanted),
            Some(_) | None => person.id.as_deref() == Some(wanted),
        })
    }
}

fn shown(activity: &Activity) -> Value {
    json!({
        "id": activity.id,
        "type": activity.kind,
        "timestamp": activity.timestamp,
        "customer_id": activity.person.id,
        "customer_identifiers": activity.person,
        "data": activity.data,
        "delivery_id": "",
        "delivery_type": "",
    })
}
