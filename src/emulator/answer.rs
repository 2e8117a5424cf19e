//! Answers in the vendor's shapes. Source: Track API description and recorded answers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::emulator::requests::ItemCounts;

/// Returns JSON with the vendor's content type and its newline at the end.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut text = serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned());
    text.push('\n');
    let content_type = HeaderValue::from_static("application/json; charset=utf-8");

    (status, [(header::CONTENT_TYPE, content_type)], text).into_response()
}

/// Returns the Track API's 200: an empty object.
pub(crate) fn accepted() -> Response {
    counted(json(StatusCode::OK, &json!({})), 1, 0)
}

/// Returns a v1 refusal with every message.
pub(crate) fn refused(messages: &[String]) -> Response {
    let body = json!({"meta": {"errors": messages}});

    counted(json(StatusCode::BAD_REQUEST, &body), 0, 1)
}

/// Returns a refusal in the shape with a single message: v1 merges, authentication.
pub(crate) fn meta_error(status: StatusCode, message: &str) -> Response {
    json(status, &json!({"meta": {"error": message}}))
}

/// Returns an error of the App API.
pub(crate) fn app_error(status: StatusCode, detail: &str) -> Response {
    let body = json!({"errors": [{"detail": detail, "status": status.as_str()}]});

    json(status, &body)
}

/// Attaches how many items were accepted and refused, for the log of requests.
pub(crate) fn counted(mut response: Response, accepted: usize, rejected: usize) -> Response {
    let counts = ItemCounts { accepted: accepted as u64, rejected: rejected as u64 };
    response.extensions_mut().insert(counts);
    response
}
