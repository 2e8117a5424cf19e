//! Looking inside from the same process: what tests assert on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::emulator::activity::Activity;
use crate::emulator::clock;
use crate::emulator::context::Context;
use crate::emulator::operation::PersonIdentifier;
use crate::emulator::requests::{EndpointCount, RequestRecord, Stats};
use crate::emulator::settings::Settings;
use crate::emulator::views::{
    CollectionView, DeliveryEventView, DeviceView, EventView, ObjectView, PersonView,
    RelationshipView, SegmentView,
};

/// A view of the workspace. Cloning it is cheap; it stays readable after the emulator stopped.
#[derive(Clone)]
pub struct WorkspaceHandle {
    context: Arc<Context>,
}

impl WorkspaceHandle {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Returns the number of people.
    pub fn people_count(&self) -> usize {
        self.context.workspace().people.count()
    }

    /// Returns the person with this id.
    pub fn person(&self, id: &str) -> Option<PersonView> {
        self.find(&PersonIdentifier::Id(Cow::Borrowed(id)))
    }

    /// Returns the person with this e-mail, whatever its case.
    pub fn person_by_email(&self, email: &str) -> Option<PersonView> {
        self.find(&PersonIdentifier::Email(Cow::Borrowed(email)))
    }

    /// Returns the attributes of the person with this id; `None` when there is nobody.
    pub fn attributes(&self, id: &str) -> Option<Value> {
        self.person(id).map(|person| person.attributes)
    }

    /// Returns every person, sorted by id, then e-mail. Copies the whole workspace.
    pub fn people(&self) -> Vec<PersonView> {
        let workspace = self.context.workspace();
        let mut people: Vec<PersonView> =
            workspace.people.from(0).filter_map(|(key, _)| workspace.person_view(key)).collect();
        people.sort_by(|one, other| (&one.id, &one.email).cmp(&(&other.id, &other.email)));
        people
    }

    /// Returns the blocked identifiers as (kind, value), sorted.
    pub fn suppressed(&self) -> Vec<(&'static str, String)> {
        self.context.workspace().suppressed.list()
    }

    /// Returns every device.
    pub fn devices(&self) -> Vec<DeviceView> {
        let workspace = self.context.workspace();
        workspace.devices.iter().map(|(key, device)| workspace.device_view(key, device)).collect()
    }

    /// Returns the number of events taken; repeats are not.
    pub fn events_count(&self) -> usize {
        self.context.workspace().events.taken().len()
    }

    /// Returns how many events were dropped as repeats.
    pub fn event_repeats(&self) -> u64 {
        self.context.workspace().events.repeats()
    }

    /// Returns every event in the order taken.
    pub fn events(&self) -> Vec<EventView> {
        let workspace = self.context.workspace();
        workspace.events.taken().iter().map(|event| workspace.event_view(event)).collect()
    }

    /// Returns every object in the order made.
    pub fn objects(&self) -> Vec<ObjectView> {
        let workspace = self.context.workspace();
        workspace.objects.from(0).filter_map(|(key, _)| workspace.object_view(key)).collect()
    }

    /// Returns every relationship, by object.
    pub fn relationships(&self) -> Vec<RelationshipView> {
        self.context.workspace().relationship_views()
    }

    /// Returns how many relationships wait for a visitor to identify themselves.
    pub fn anonymous_relationships_count(&self) -> usize {
        self.context.workspace().relationships.anonymous_count()
    }

    /// Makes a manual segment; returns its id.
    pub fn create_segment(&self, name: &str) -> u32 {
        self.context.workspace().segments.create(name, "", clock::now_seconds()).id
    }

    /// Returns a segment.
    pub fn segment(&self, id: u32) -> Option<SegmentView> {
        let workspace = self.context.workspace();
        workspace.segments.get(id).map(|segment| workspace.segment_view(segment))
    }

    /// Returns every segment, by id.
    pub fn segments(&self) -> Vec<SegmentView> {
        let workspace = self.context.workspace();
        workspace.segments.iter().map(|segment| workspace.segment_view(segment)).collect()
    }

    /// Returns every collection, by id.
    pub fn collections(&self) -> Vec<CollectionView> {
        self.context.workspace().collections.iter().map(CollectionView::of).collect()
    }

    /// Returns every report about a message, in the order taken.
    pub fn delivery_events(&self) -> Vec<DeliveryEventView> {
        let workspace = self.context.workspace();
        workspace
            .deliveries
            .iter()
            .map(|event| DeliveryEventView {
                delivery_id: event.delivery_id.clone(),
                name: event.name.clone(),
                device_token: event.device_token.clone(),
                timestamp: event.timestamp,
            })
            .collect()
    }

    /// Returns what went wrong behind a 200, newest first; the oldest beyond 100,000 are only
    /// counted.
    pub fn activities(&self) -> Vec<Activity> {
        self.context.workspace().activities.newest_first().cloned().collect()
    }

    /// Returns how many activities of each type there ever were.
    pub fn activity_counts(&self) -> BTreeMap<String, u64> {
        self.context.workspace().activities.counts().clone()
    }

    /// Returns the totals over every request so far.
    pub fn stats(&self) -> Stats {
        self.context.requests.watch().borrow().clone()
    }

    /// Returns the latest requests, newest first, up to 1,000.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.context.requests.latest()
    }

    /// Returns how often each endpoint answered with each status.
    pub fn request_counts(&self) -> Vec<EndpointCount> {
        self.context.requests.counts()
    }

    /// Waits until the totals are as wished, and returns them. Safe to drop at any time.
    pub async fn wait_for(&self, mut wished: impl FnMut(&Stats) -> bool) -> Stats {
        let mut watch = self.context.requests.watch();
        loop {
            let stats = watch.borrow_and_update().clone();
            // The sender lives in the context that this handle holds, so that waiting cannot fail.
            if wished(&stats) || watch.changed().await.is_err() {
                return stats;
            }
        }
    }

    /// Empties the workspace and forgets requests and faults; settings stay.
    pub fn reset(&self) {
        self.context.reset();
    }

    fn find(&self, who: &PersonIdentifier<'_>) -> Option<PersonView> {
        let workspace = self.context.workspace();
        workspace.people.find(who).and_then(|key| workspace.person_view(key))
    }
}

/// Reads and changes the settings while the emulator runs.
#[derive(Clone)]
pub struct SettingsHandle {
    context: Arc<Context>,
}

impl SettingsHandle {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Returns the settings of this moment.
    pub fn get(&self) -> Settings {
        self.context.settings().as_ref().clone()
    }

    /// Replaces the settings.
    pub fn set(&self, settings: Settings) {
        self.context.set_settings(settings);
    }

    /// Changes some settings; requests already being judged keep the old ones.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.get();
        change(&mut settings);
        self.set(settings);
    }
}
