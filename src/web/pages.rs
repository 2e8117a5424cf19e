//! The answers, as plain text.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::Shown;
use crate::metrics;

/// Says that the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Says whether the operator is not stuck; a kubelet then starts it anew.
pub(super) async fn livez(State(shown): State<Shown>) -> Response {
    match shown.heartbeat.stuck_for() {
        None => "ok\n".into_response(),
        Some(quiet) => {
            let text = format!("the operator has shown no life for {} seconds\n", quiet.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

/// Says whether the operator can do its work: a line for each thing that must hold.
pub(super) async fn readyz(State(shown): State<Shown>) -> Response {
    let checks = (shown.readiness)();
    let lines: String = checks
        .iter()
        .map(|check| match &check.problem {
            None => format!("[+] {} ok\n", check.name),
            Some(problem) => format!("[-] {}: {problem}\n", check.name),
        })
        .collect();
    if checks.iter().all(|check| check.problem.is_none()) {
        return lines.into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, lines).into_response()
}

/// Shows all figures.
pub(super) async fn metrics(State(shown): State<Shown>) -> Response {
    match shown.metrics.exposition() {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
