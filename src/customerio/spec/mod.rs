//! What a resource says about Customer.io: the entity, what is done to it, and its workspace.

mod connection;
mod entity;
mod identifiers;
mod target;

pub use connection::{RateLimitSpec, Region, SiteIdSource, SizeLimitsSpec, UpdateTimestamps};
pub use entity::{Behavior, Entity, OnRemove};
pub use identifiers::{ColumnOrConstant, Identifiers};
pub use target::{CollectionSpec, DeviceSpec, EventSpec, EventType, ObjectSpec, SegmentSpec};
