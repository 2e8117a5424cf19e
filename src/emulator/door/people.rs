//! People, through the door.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;

use crate::emulator::context::Context;
use crate::emulator::door::{PageQuery, PageView};
use crate::emulator::views::PersonView;
use crate::emulator::workspace::people::Slot;

/// A page of people, or the one with an e-mail.
#[derive(Deserialize)]
pub(super) struct PeopleQuery {
    email: Option<String>,
    #[serde(default)]
    start: usize,
    limit: Option<usize>,
}

/// Lists people in the order made; `next` is a number, not a count.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    Query(query): Query<PeopleQuery>,
) -> Json<PageView<PersonView>> {
    let workspace = context.workspace();
    if let Some(email) = &query.email {
        let found = workspace.people.by(Slot::Email, email);
        let items: Vec<_> = found.and_then(|key| workspace.person_view(key)).into_iter().collect();
        return Json(PageView { total: items.len(), items, next: None });
    }
    let limit = PageQuery { start: query.start, limit: query.limit }.limit();
    let mut people = workspace.people.from(query.start);
    let items =
        people.by_ref().take(limit).filter_map(|(key, _)| workspace.person_view(key)).collect();
    let next = people.next().map(|(key, _)| key.number());
    drop(people);
    Json(PageView { total: workspace.people.count(), items, next })
}

/// Returns the person with an id.
pub(super) async fn one(
    State(context): State<Arc<Context>>,
    Path(id): Path<String>,
) -> Result<Json<PersonView>, StatusCode> {
    let workspace = context.workspace();
    let key = workspace.people.by(Slot::Id, &id);

    key.and_then(|key| workspace.person_view(key)).map(Json).ok_or(StatusCode::NOT_FOUND)
}

/// Lists the blocked identifiers.
pub(super) async fn suppressed(
    State(context): State<Arc<Context>>,
) -> Json<Vec<(&'static str, String)>> {
    Json(context.workspace().suppressed.list())
}
