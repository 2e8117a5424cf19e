//! `GET /api/v1/accounts/region`: are the credentials good, and where does the account live?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::emulator::answer;
use crate::emulator::context::Context;
use crate::emulator::settings::RegionUrl;

/// Says which workspace the credentials belong to, and where.
pub(super) async fn region(State(context): State<Arc<Context>>) -> Response {
    let url = match context.settings().region_url {
        RegionUrl::Own => context.url.as_str(),
        RegionUrl::Vendor => context.region.track_url(),
    };
    let body = json!({
        "url": url,
        "region": context.region,
        "environment_id": context.workspace_id,
    });

    answer::json(StatusCode::OK, &body)
}
