//! The emulator's own door, `/_emulator/…`: JSON for whoever wants to look inside or break things.
//!
//! It asks for no credentials, like everything meant for one's own machine.

mod control;
mod entities;
mod people;
mod traffic;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use crate::emulator::context::Context;

/// Entries on a page unless asked otherwise, and at most.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 10_000;

/// The part of a list that is asked for.
#[derive(Debug, Deserialize)]
struct PageQuery {
    /// How many entries to leave out; for people and objects the number given by `next`.
    #[serde(default)]
    start: usize,
    limit: Option<usize>,
}

impl PageQuery {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
    }
}

/// A part of a list.
#[derive(Debug, Serialize)]
struct PageView<T> {
    /// The number of all entries.
    total: usize,
    items: Vec<T>,
    /// The `start` of the next page, if there is one.
    next: Option<usize>,
}

impl<T> PageView<T> {
    /// Cuts a page out of a list that is at hand as a whole.
    fn cut(items: impl ExactSizeIterator<Item = T>, query: &PageQuery) -> Self {
        let total = items.len();
        let end = query.start.saturating_add(query.limit());
        Self {
            total,
            items: items.skip(query.start).take(query.limit()).collect(),
            next: (end < total).then_some(end),
        }
    }
}

/// Returns the routes of the door.
pub(crate) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/_emulator/people", get(people::list))
        .route("/_emulator/people/{id}", get(people::one))
        .route("/_emulator/suppressed", get(people::suppressed))
        .route("/_emulator/devices", get(entities::devices))
        .route("/_emulator/events", get(entities::events))
        .route("/_emulator/events/counts", get(entities::event_counts))
        .route("/_emulator/objects", get(entities::objects))
        .route("/_emulator/relationships", get(entities::relationships))
        .route("/_emulator/segments", get(entities::segments))
        .route("/_emulator/collections", get(entities::collections))
        .route("/_emulator/deliveries", get(entities::deliveries))
        .route("/_emulator/activities", get(traffic::activities))
        .route("/_emulator/requests", get(traffic::requests))
        .route("/_emulator/settings", get(control::settings).put(control::change_settings))
        .route(
            "/_emulator/faults",
            get(control::faults)
                .post(control::add_fault)
                .put(control::replace_faults)
                .delete(control::clear_faults),
        )
        .route("/_emulator/faults/{id}", axum::routing::delete(control::remove_fault))
        .route("/_emulator/reset", post(control::reset))
        .route("/_emulator/hold", post(control::hold))
        .route("/_emulator/release", post(control::release))
}
