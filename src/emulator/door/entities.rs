//! Everything that is not a person, through the door.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};

use crate::emulator::context::Context;
use crate::emulator::door::{PageQuery, PageView};
use crate::emulator::handle::WorkspaceHandle;
use crate::emulator::views::{
    CollectionView, DeliveryEventView, DeviceView, EventView, ObjectView, RelationshipView,
    SegmentView,
};

type Shared = State<Arc<Context>>;
type Part = Query<PageQuery>;

/// Lists devices by owner.
pub(super) async fn devices(State(context): Shared, query: Part) -> Json<PageView<DeviceView>> {
    let workspace = context.workspace();
    let mut devices = workspace.devices.iter().skip(query.start);
    let items: Vec<_> = devices
        .by_ref()
        .take(query.limit())
        .map(|(owner, device)| workspace.device_view(owner, device))
        .collect();
    let next = devices.next().map(|_| query.start + items.len());
    drop(devices);
    Json(PageView { total: workspace.devices.count(), items, next })
}

/// Lists events in the order taken.
pub(super) async fn events(State(context): Shared, query: Part) -> Json<PageView<EventView>> {
    let workspace = context.workspace();
    let events = workspace.events.taken().iter().map(|event| workspace.event_view(event));

    Json(PageView::cut(events, &query))
}

/// Counts events by name.
pub(super) async fn event_counts(State(context): Shared) -> Json<BTreeMap<String, u64>> {
    Json(context.workspace().events.count_by_name())
}

/// Lists objects in the order made; `next` is a number, not a count.
pub(super) async fn objects(State(context): Shared, query: Part) -> Json<PageView<ObjectView>> {
    let workspace = context.workspace();
    let mut objects = workspace.objects.from(query.start);
    let items = objects
        .by_ref()
        .take(query.limit())
        .filter_map(|(key, _)| workspace.object_view(key))
        .collect();
    let next = objects.next().map(|(key, _)| key.number());
    drop(objects);
    Json(PageView { total: workspace.objects.count(), items, next })
}

/// Lists relationships by object.
pub(super) async fn relationships(
    State(context): Shared,
    query: Part,
) -> Json<PageView<RelationshipView>> {
    Json(PageView::cut(context.workspace().relationship_views().into_iter(), &query))
}

/// Lists segments with their members.
pub(super) async fn segments(State(context): Shared) -> Json<Vec<SegmentView>> {
    Json(WorkspaceHandle::new(context).segments())
}

/// Lists collections with their content.
pub(super) async fn collections(State(context): Shared) -> Json<Vec<CollectionView>> {
    Json(WorkspaceHandle::new(context).collections())
}

/// Lists reports about messages.
pub(super) async fn deliveries(State(context): Shared) -> Json<Vec<DeliveryEventView>> {
    Json(WorkspaceHandle::new(context).delivery_events())
}
