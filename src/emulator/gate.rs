//! The gate before the vendor's endpoints: it counts, holds, and lets faults strike.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::emulator::answer;
use crate::emulator::connection::Line;
use crate::emulator::context::Context;
use crate::emulator::faults::{Action, Body, Strike, When};
use crate::emulator::lock::lock;
use crate::emulator::requests::{ItemCounts, Visit};

/// Largest body that is read at all; far above what the vendor takes, so that sizes are judged by
/// the endpoints and not by the server.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What a proxy says when what stands behind it is gone.
const PROXY_PAGE: &str = "<html>\r\n<head><title>Bad gateway</title></head>\r\n<body>\r\n\
<center><h1>Bad gateway</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n";

/// Takes a request through the faults to its handler and back.
///
/// Dropped (the client went away) it notes a request without an answer.
pub(crate) async fn gate(
    State(context): State<Arc<Context>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut visit = context.requests.begin(&parts);
    // The whole body is read before anything else: a client that still sends would see a broken
    // connection instead of the answer.
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        // Mostly a client that went away while it sent: the log says that nobody got an answer.
        line.cut();
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    visit.record.body_bytes = body.len() as u64;
    wait_for_release(&context, &mut visit).await;

    let (strike, item_faults) = context.faults.decide(parts.uri.path(), Instant::now());
    visit.record.fault = strike.as_ref().map(|strike| name(&strike.action));
    let (before, after) = match strike {
        Some(strike) if strike.when == When::Before => (Some(strike), None),
        other => (None, other),
    };
    if let Some(strike) = before
        && let Some(response) = befall(&strike, &context, &line).await
    {
        return close(&mut visit, response);
    }
    if let Some(response) = over_the_rate(&context, parts.uri.path()) {
        return close(&mut visit, response);
    }

    parts.extensions.insert(item_faults);
    let mut response = next.run(Request::from_parts(parts, HttpBody::from(body))).await;
    if let Some(counts) = response.extensions().get::<ItemCounts>() {
        visit.record.items_accepted = counts.accepted;
        visit.record.items_rejected = counts.rejected;
    }
    if let Some(strike) = after
        && let Some(instead) = befall(&strike, &context, &line).await
    {
        response = instead;
    }
    close(&mut visit, response)
}

/// Notes the status that the client gets; 0 where it gets none.
fn close(visit: &mut Visit<'_>, response: Response) -> Response {
    let answered = !matches!(visit.record.fault, Some("cut" | "hang"));
    visit.record.status = if answered { response.status().as_u16() } else { 0 };
    response
}

async fn wait_for_release(context: &Context, visit: &mut Visit<'_>) {
    let mut hold = context.hold.subscribe();
    if !*hold.borrow_and_update() {
        return;
    }
    visit.set_held(true);
    tokio::select! {
        _ = hold.wait_for(|held| !held) => {}
        () = context.stopping.cancelled() => {}
    }
    visit.set_held(false);
}

/// Lets a fault strike; returns the answer, unless the fault only costs time.
async fn befall(strike: &Strike, context: &Context, line: &Line) -> Option<Response> {
    match &strike.action {
        Action::Throttle { retry_after } => Some(throttled(retry_after.clone())),
        Action::RateLimit { retry_after, .. } => {
            Some(throttled(retry_after.then(|| whole_seconds(strike.wait))))
        }
        Action::Fail { status, body } => Some(failure(*status, *body)),
        Action::Hang => {
            context.stopping.cancelled().await;
            line.cut();
            Some(StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
        Action::Cut => {
            line.cut();
            Some(StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
        Action::Late { delay_ms } => {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(*delay_ms)) => {}
                () = context.stopping.cancelled() => {}
            }
            None
        }
        Action::Redirect { status, location } => Some(redirect(*status, location)),
        Action::Reject { .. } => None,
    }
}

fn name(action: &Action) -> &'static str {
    match action {
        Action::Throttle { .. } => "throttle",
        Action::RateLimit { .. } => "rate_limit",
        Action::Fail { .. } => "fail",
        Action::Hang => "hang",
        Action::Cut => "cut",
        Action::Late { .. } => "late",
        Action::Redirect { .. } => "redirect",
        Action::Reject { .. } => "reject",
    }
}

fn over_the_rate(context: &Context, path: &str) -> Option<Response> {
    let limits = &context.settings().limits;
    let (limit, gate) = if path.starts_with("/api/") {
        (limits.track_requests_per_second?, &context.track_rate)
    } else {
        (limits.app_requests_per_second?, &context.app_rate)
    };
    let per_second = f64::from(limit);
    let refusal = lock(gate).admit(per_second, per_second.max(1.0), Instant::now()).err();

    refusal.map(|wait| throttled(Some(whole_seconds(wait))))
}

fn whole_seconds(wait: Duration) -> String {
    wait.as_secs_f64().ceil().max(1.0).to_string()
}

fn throttled(retry_after: Option<String>) -> Response {
    let mut response = answer::meta_error(StatusCode::TOO_MANY_REQUESTS, "too many requests");
    if let Some(value) = retry_after.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn redirect(status: u16, location: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::TEMPORARY_REDIRECT);
    let mut response = status.into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn failure(status: u16, body: Body) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let error = || answer::meta_error(status, "failed by a fault");
    match body {
        Body::Json => error(),
        Body::Html => (status, [(header::CONTENT_TYPE, "text/html")], PROXY_PAGE).into_response(),
        Body::Empty => status.into_response(),
        Body::Half => half(status),
    }
}

/// Promises a whole body and breaks off in its middle.
fn half(status: StatusCode) -> Response {
    let whole = Bytes::from_static(b"{\"meta\":{\"error\":\"this sentence is never finished\"}}\n");
    let first = whole.slice(..whole.len() / 2);
    let chunks = stream::unfold(Some(first), |first| async {
        match first {
            Some(first) => Some((Ok(first), None)),
            None => {
                // Lets the server flush the first half before the connection breaks.
                tokio::task::yield_now().await;
                Some((Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe)), None))
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
        (header::CONTENT_LENGTH, HeaderValue::from(whole.len())),
    ];

    (status, headers, HttpBody::from_stream(chunks)).into_response()
}
