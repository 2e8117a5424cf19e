//! What came in and what went wrong, through the door.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Serialize;

use crate::emulator::activity::Activity;
use crate::emulator::context::Context;
use crate::emulator::door::{PageQuery, PageView};
use crate::emulator::requests::{EndpointCount, RequestRecord, Stats};

/// Every request in numbers, and the latest one by one.
#[derive(Serialize)]
pub(super) struct Requests {
    totals: Stats,
    /// Bytes of a batch on average; none without a batch.
    mean_batch_bytes: Option<u64>,
    counts: Vec<EndpointCount>,
    latest: Vec<RequestRecord>,
}

/// Activities, newest first, and how many of each type there ever were.
#[derive(Serialize)]
pub(super) struct Activities {
    counts: BTreeMap<String, u64>,
    #[serde(flatten)]
    page: PageView<Activity>,
}

/// Shows the requests.
pub(super) async fn requests(
    State(context): State<Arc<Context>>,
    Query(query): Query<PageQuery>,
) -> Json<Requests> {
    let totals = context.requests.watch().borrow().clone();
    let mut latest = context.requests.latest();
    latest.truncate(query.limit());
    Json(Requests {
        mean_batch_bytes: totals.batch_bytes.checked_div(totals.batches),
        totals,
        counts: context.requests.counts(),
        latest,
    })
}

/// Shows the activities with the emulator's own reasons.
pub(super) async fn activities(
    State(context): State<Arc<Context>>,
    Query(query): Query<PageQuery>,
) -> Json<Activities> {
    let workspace = context.workspace();
    let all: Vec<&Activity> = workspace.activities.newest_first().collect();
    Json(Activities {
        counts: workspace.activities.counts().clone(),
        page: PageView::cut(all.into_iter().cloned(), &query),
    })
}
