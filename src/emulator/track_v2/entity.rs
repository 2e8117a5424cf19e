//! `POST /api/v2/entity`: one operation.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::emulator::context::Context;
use crate::emulator::faults::{ItemFaults, Pick};
use crate::emulator::track_v2::errors::{self, FieldError};
use crate::emulator::track_v2::item;
use crate::emulator::{answer, clock};

/// Takes one operation.
pub(super) async fn entity(
    State(context): State<Arc<Context>>,
    Extension(faults): Extension<ItemFaults>,
    body: Bytes,
) -> Response {
    let settings = context.settings();
    let Ok(text) = std::str::from_utf8(&body) else {
        let error = FieldError::invalid("", "malformed JSON");
        return errors::refused(StatusCode::BAD_REQUEST, &[error]);
    };
    for (pick, _, rejection) in &faults.0 {
        let picked = match pick {
            Pick::Indices(indices) => indices.contains(&0),
            Pick::Identifier(value) => item::is_about(text, value),
        };
        if picked {
            let error = FieldError::of_fault(rejection);
            return errors::refused(StatusCode::BAD_REQUEST, &[error]);
        }
    }
    match item::read(text.trim(), &settings) {
        Ok(operation) => {
            context.workspace().apply(&operation, &settings, clock::now_seconds());
            answer::accepted()
        }
        Err(errors) => errors::refused(StatusCode::BAD_REQUEST, &errors),
    }
}
