//! The workspace: people, objects, events and all else that Customer.io would hold.
//!
//! Pure state without HTTP. What is asked comes in as an [`Operation`], already checked for form;
//! it always "succeeds", as with Customer.io: what stands in the way turns up in the activity log.
//!
//! [`Operation`]: crate::emulator::operation::Operation

mod apply;
pub(crate) mod attributes;
pub(crate) mod collections;
mod deliveries;
pub(crate) mod devices;
pub(crate) mod events;
mod failure;
mod identify;
mod merge;
pub(crate) mod names;
pub(crate) mod objects;
pub(crate) mod people;
mod relate;
pub(crate) mod relationships;
pub(crate) mod segments;
pub(crate) mod suppression;

pub(crate) use deliveries::DeliveryEvent;
pub(crate) use failure::Failure;

use crate::emulator::activity::ActivityLog;

/// Everything a workspace holds.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The workspace's id, `environment_id` in the API.
    pub(crate) id: u64,
    pub(crate) names: names::Names,
    pub(crate) people: people::People,
    pub(crate) suppressed: suppression::Suppressed,
    pub(crate) devices: devices::Devices,
    pub(crate) events: events::Events,
    pub(crate) objects: objects::Objects,
    pub(crate) relationships: relationships::Relationships,
    pub(crate) segments: segments::Segments,
    pub(crate) collections: collections::Collections,
    pub(crate) deliveries: Vec<DeliveryEvent>,
    pub(crate) activities: ActivityLog,
    /// Where changed attributes are put together before they are kept.
    scratch: Vec<u8>,
}

impl Workspace {
    /// Returns an empty workspace.
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            names: names::Names::default(),
            people: people::People::new(id),
            suppressed: suppression::Suppressed::default(),
            devices: devices::Devices::default(),
            events: events::Events::default(),
            objects: objects::Objects::default(),
            relationships: relationships::Relationships::default(),
            segments: segments::Segments::default(),
            collections: collections::Collections::default(),
            deliveries: Vec::new(),
            activities: ActivityLog::default(),
            scratch: Vec::new(),
        }
    }
}
