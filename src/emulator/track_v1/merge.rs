//! `POST /api/v1/merge_customers`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::emulator::answer;
use crate::emulator::context::Context;
use crate::emulator::json::{self, Entry};
use crate::emulator::operation::{Operation, PersonIdentifier};
use crate::emulator::track_v1::customers::perform;

/// Merges the secondary person into the primary.
pub(super) async fn merge(State(context): State<Arc<Context>>, body: Bytes) -> Response {
    let entries = json::entries(std::str::from_utf8(&body).unwrap_or_default()).unwrap_or_default();
    match (person(&entries, "primary"), person(&entries, "secondary")) {
        (Some(primary), Some(secondary)) => {
            perform(&context, &Operation::Merge { primary, secondary })
        }
        _ => {
            let message = "primary and secondary must each have exactly one of id, email, cio_id";
            answer::counted(answer::meta_error(StatusCode::BAD_REQUEST, message), 0, 1)
        }
    }
}

fn person<'a>(entries: &[Entry<'a>], side: &str) -> Option<PersonIdentifier<'a>> {
    let identifiers = json::entries(json::member(entries, side)?)?;
    let [identifier] = identifiers.as_slice() else { return None };
    let value = json::text_or_number(identifier.value).filter(|value| !value.is_empty())?;
    match &*identifier.name {
        "id" => Some(PersonIdentifier::Id(value)),
        "email" => Some(PersonIdentifier::Email(value)),
        "cio_id" => Some(PersonIdentifier::CioId(value)),
        _ => None,
    }
}
