//! The part of the App API that a client of the Track API needs. Source: App API description.

mod activities;
mod collections;
mod customers;
mod objects;
mod segments;
mod workspace;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};

use crate::emulator::answer;
use crate::emulator::context::Context;

/// Returns the routes, behind the bearer token.
pub(crate) fn routes(context: &Arc<Context>) -> Router<Arc<Context>> {
    Router::new()
        .route("/v1/activities", get(activities::list))
        .route("/v1/segments", get(segments::list).post(segments::create))
        .route("/v1/segments/{segment_id}", get(segments::one).delete(segments::delete))
        .route("/v1/segments/{segment_id}/customer_count", get(segments::count))
        .route("/v1/segments/{segment_id}/membership", get(segments::membership))
        .route("/v1/customers", get(customers::by_email))
        .route("/v1/customers/attributes", post(customers::attributes_of_many))
        .route("/v1/customers/{customer_id}/attributes", get(customers::attributes))
        .route("/v1/customers/{customer_id}/segments", get(customers::segments))
        .route("/v1/customers/{customer_id}/relationships", get(customers::relationships))
        .route("/v1/collections", get(collections::list).post(collections::create))
        .route(
            "/v1/collections/{collection_id}",
            get(collections::one).put(collections::change).delete(collections::delete),
        )
        .route(
            "/v1/collections/{collection_id}/content",
            get(collections::content).put(collections::replace_content),
        )
        .route("/v1/workspaces", get(workspace::workspaces))
        .route("/v1/objects/{object_type_id}/{object_id}/attributes", get(objects::attributes))
        .route("/v1/object_types", get(workspace::object_types))
        .route("/v1/subscription_topics", get(workspace::subscription_topics))
        .route_layer(from_fn_with_state(Arc::clone(context), require_app_key))
}

async fn require_app_key(
    State(context): State<Arc<Context>>,
    request: Request,
    next: Next,
) -> Response {
    if context.credentials.allow_app(request.headers()) {
        next.run(request).await
    } else {
        answer::app_error(StatusCode::UNAUTHORIZED, "unauthorized")
    }
}

fn not_found() -> Response {
    answer::app_error(StatusCode::NOT_FOUND, "not found")
}
