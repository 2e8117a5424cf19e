//! `POST /api/v2/batch`: items are judged one by one; what is valid takes effect.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::emulator::context::Context;
use crate::emulator::faults::{ItemFaults, Pick, Report};
use crate::emulator::operation::Operation;
use crate::emulator::settings::{self, BatchOrder, Settings};
use crate::emulator::track_v2::errors::{self, FieldError, ItemErrors};
use crate::emulator::track_v2::item;
use crate::emulator::{answer, clock};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    batch: Vec<&'a RawValue>,
}

/// Takes a batch.
pub(super) async fn batch(
    State(context): State<Arc<Context>>,
    Extension(faults): Extension<ItemFaults>,
    body: Bytes,
) -> Response {
    let settings = context.settings();
    let items = match open(&body, &settings) {
        Ok(items) => items,
        Err((status, error)) => return errors::refused(status, &[error]),
    };

    let mut operations = Vec::with_capacity(items.len());
    let mut refused = Vec::new();
    for (index, raw) in items.iter().enumerate() {
        match judge(index, raw, &faults, &settings) {
            Ok(operation) => operations.push(operation),
            Err(errors) => refused.push(errors),
        }
    }
    if !refused.is_empty() && operations.is_empty() && settings.all_invalid_status != 207 {
        let errors: Vec<_> = refused.into_iter().flat_map(|item| item.errors).collect();
        return errors::refused(status(settings.all_invalid_status), &errors);
    }

    apply(&context, &mut operations, &settings);
    if refused.is_empty() {
        return answer::counted(answer::accepted(), operations.len(), 0);
    }
    let response = errors::partly(status(settings.some_invalid_status), &refused, items.len());
    answer::counted(response, operations.len(), refused.len())
}

/// Opens the envelope; what is wrong with it refuses the whole request.
fn open<'a>(
    body: &'a Bytes,
    settings: &Settings,
) -> Result<Vec<&'a str>, (StatusCode, FieldError)> {
    let limits = &settings.limits;
    if body.len() > limits.batch_bytes {
        let message = format!("must be smaller than {} bytes", limits.batch_bytes);
        return Err((
            status(settings.oversize_batch_status),
            FieldError::invalid("batch", message),
        ));
    }
    let bad =
        |message: &str| (StatusCode::BAD_REQUEST, FieldError::invalid("batch", message.to_owned()));
    let text = std::str::from_utf8(body).map_err(|_| bad("malformed JSON"))?;
    let envelope: Envelope<'_> =
        serde_json::from_str(text).map_err(|_| bad("must be an array in a JSON object"))?;
    let items: Vec<&str> = envelope.batch.into_iter().map(RawValue::get).collect();
    if items.is_empty() {
        return Err(bad("must not be empty"));
    }
    if limits.batch_items.is_some_and(|limit| items.len() > limit) {
        return Err(bad("has too many items"));
    }
    let oversize = |raw: &&str| raw.len() > limits.item_bytes;
    if settings.oversize_item_refuses_batch && items.iter().any(oversize) {
        return Err(bad("an item is too large"));
    }
    Ok(items)
}

fn judge<'a>(
    index: usize,
    raw: &'a str,
    faults: &ItemFaults,
    settings: &Settings,
) -> Result<Operation<'a>, ItemErrors> {
    for (pick, report, rejection) in &faults.0 {
        let picked = match pick {
            Pick::Indices(indices) => indices.contains(&index),
            Pick::Identifier(value) => item::is_about(raw, value),
        };
        if picked {
            let errors = vec![FieldError::of_fault(rejection)];
            return Err(ItemErrors { index, report: *report, errors });
        }
    }
    item::read(raw, settings).map_err(|mut errors| {
        if settings.item_errors == settings::ItemErrors::First {
            errors.truncate(1);
        }
        ItemErrors { index, report: Report::BatchIndex, errors }
    })
}

fn apply(context: &Context, operations: &mut [Operation<'_>], settings: &Settings) {
    if settings.batch_order == BatchOrder::Reversed {
        operations.reverse();
    }
    let now = clock::now_seconds();
    let mut workspace = context.workspace();
    for operation in operations {
        workspace.apply(operation, settings, now);
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST)
}
