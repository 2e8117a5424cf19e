//! Membership of manual segments.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::emulator::context::Context;
use crate::emulator::json;
use crate::emulator::operation::PersonIdentifier;
use crate::emulator::settings::Settings;
use crate::emulator::{answer, clock};

/// The query of both calls.
#[derive(Deserialize)]
pub(super) struct IdType {
    id_type: Option<String>,
}

/// `POST /api/v1/segments/{segment_id}/add_customers`.
pub(super) async fn add(
    State(context): State<Arc<Context>>,
    Path(segment): Path<String>,
    Query(query): Query<IdType>,
    body: Bytes,
) -> Response {
    change(&context, &segment, (&query, &body), false)
}

/// `POST /api/v1/segments/{segment_id}/remove_customers`.
pub(super) async fn remove(
    State(context): State<Arc<Context>>,
    Path(segment): Path<String>,
    Query(query): Query<IdType>,
    body: Bytes,
) -> Response {
    change(&context, &segment, (&query, &body), true)
}

fn change(
    context: &Context,
    segment: &str,
    (query, body): (&IdType, &Bytes),
    remove: bool,
) -> Response {
    let settings = context.settings();
    let people = match read(query, body, &settings) {
        Ok(people) => people,
        Err(message) => return answer::refused(&[message]),
    };
    let ignored =
        remove && !settings.segment_removal_by_email && query.id_type.as_deref() == Some("email");
    let people = if ignored { &[] } else { people.as_slice() };

    let found = segment.parse().is_ok_and(|id| {
        let now = clock::now_seconds();
        context.workspace().change_segment(id, (remove, people), &settings, now)
    });
    if found {
        answer::counted(answer::accepted(), people.len(), 0)
    } else {
        answer::refused(&["segment does not exist or is not a manual segment".to_owned()])
    }
}

/// Reads 1 to 1000 ids; values that cannot be of the type are left out without a word.
fn read<'a>(
    query: &IdType,
    body: &'a Bytes,
    settings: &Settings,
) -> Result<Vec<PersonIdentifier<'a>>, String> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let ids = json::entries(text)
        .and_then(|entries| json::member(&entries, "ids"))
        .and_then(json::elements)
        .ok_or("ids must be an array")?;
    let limit = settings.limits.segment_ids;
    if ids.is_empty() || ids.len() > limit {
        return Err(format!("ids must have between 1 and {limit} entries"));
    }
    let values = ids.into_iter().filter_map(json::text_or_number);
    match query.id_type.as_deref() {
        None | Some("id") => Ok(values.map(PersonIdentifier::Id).collect()),
        Some("email") => {
            let is_email = |value: &Cow<'_, str>| value.contains('@');
            Ok(values.filter(is_email).map(PersonIdentifier::Email).collect())
        }
        Some("cio_id") => Ok(values.map(PersonIdentifier::CioId).collect()),
        Some(other) => Err(format!("id_type cannot be {other}")),
    }
}
