//! Track API v1: one call for one person. Source: Track API description, `/api/v1/*`.

mod customers;
mod devices;
mod events;
mod identifier;
mod merge;
mod region;
mod segments;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post, put};

use crate::emulator::answer;
use crate::emulator::context::Context;

/// Returns the routes of v1, behind basic authentication.
pub(crate) fn routes(context: &Arc<Context>) -> Router<Arc<Context>> {
    Router::new()
        .route("/api/v1/accounts/region", get(region::region))
        .route("/api/v1/customers/{identifier}", put(customers::identify).delete(customers::delete))
        .route("/api/v1/customers/{identifier}/suppress", post(customers::suppress))
        .route("/api/v1/customers/{identifier}/unsuppress", post(customers::unsuppress))
        .route("/api/v1/customers/{identifier}/devices", put(devices::add))
        .route("/api/v1/customers/{identifier}/devices/{device_id}", delete(devices::delete))
        .route("/api/v1/customers/{identifier}/events", post(events::of_person))
        .route("/api/v1/events", post(events::anonymous))
        .route("/api/v1/merge_customers", post(merge::merge))
        .route("/api/v1/segments/{segment_id}/add_customers", post(segments::add))
        .route("/api/v1/segments/{segment_id}/remove_customers", post(segments::remove))
        .route_layer(from_fn_with_state(Arc::clone(context), require_track_credentials))
}

/// Lets a request pass that carries the site id and the Track API key.
pub(crate) async fn require_track_credentials(
    State(context): State<Arc<Context>>,
    request: Request,
    next: Next,
) -> Response {
    if context.credentials.allow_track(request.headers()) {
        next.run(request).await
    } else {
        answer::meta_error(StatusCode::UNAUTHORIZED, "Unauthorized request")
    }
}
