//! What v2 says about an item it refuses.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use crate::emulator::answer;
use crate::emulator::faults::{Rejection, Report};

/// One error of one item. No list of reasons is published; these two are used here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct FieldError {
    pub(super) reason: String,
    pub(super) field: String,
    pub(super) message: String,
}

impl FieldError {
    /// The field is there and wrong.
    pub(super) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason: "invalid".to_owned(), field: field.into(), message: message.into() }
    }

    /// The field is missing.
    pub(super) fn required(field: impl Into<String>) -> Self {
        Self {
            reason: "required".to_owned(),
            field: field.into(),
            message: "is required".to_owned(),
        }
    }

    /// What a fault says.
    pub(super) fn of_fault(rejection: &Rejection) -> Self {
        Self {
            reason: rejection.reason.clone(),
            field: rejection.field.clone(),
            message: rejection.message.clone(),
        }
    }
}

/// The errors of one item of a batch.
#[derive(Debug)]
pub(super) struct ItemErrors {
    pub(super) index: usize,
    pub(super) report: Report,
    pub(super) errors: Vec<FieldError>,
}

/// Returns a refusal of the whole request: the errors point at no item.
pub(super) fn refused(status: StatusCode, errors: &[FieldError]) -> Response {
    answer::counted(answer::json(status, &json!({"errors": errors})), 0, 1)
}

/// Returns the answer to a batch of `length` items of which some were refused.
pub(super) fn partly(status: StatusCode, refused: &[ItemErrors], length: usize) -> Response {
    let errors: Vec<Value> = refused
        .iter()
        .flat_map(|item| item.errors.iter().map(|error| pointed(item, error, length)))
        .collect();

    answer::json(status, &json!({"errors": errors}))
}

fn pointed(item: &ItemErrors, error: &FieldError, length: usize) -> Value {
    let FieldError { reason, field, message } = error;
    let mut value = json!({"reason": reason, "field": field, "message": message});
    let index = match item.report {
        Report::BatchIndex => Some(json!(item.index)),
        Report::NoIndex => None,
        Report::WrongIndex => Some(json!(item.index + length)),
        Report::TextIndex => Some(json!(item.index.to_string())),
    };
    if let (Some(index), Some(object)) = (index, value.as_object_mut()) {
        object.insert("batch_index".to_owned(), index);
    }
    value
}
