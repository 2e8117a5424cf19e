//! Track API v2: one entity or a batch of them. Source: Track API description, `/api/v2/*`.

mod batch;
mod entity;
mod errors;
mod item;
mod objects;
mod people;
mod reader;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::post;

use crate::emulator::context::Context;
use crate::emulator::track_v1::require_track_credentials;

/// Returns the routes of v2, behind basic authentication.
pub(crate) fn routes(context: &Arc<Context>) -> Router<Arc<Context>> {
    Router::new()
        .route("/api/v2/entity", post(entity::entity))
        .route("/api/v2/batch", post(batch::batch))
        .route_layer(from_fn_with_state(Arc::clone(context), require_track_credentials))
}
