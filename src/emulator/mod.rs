//! A Customer.io workspace in memory behind the real HTTP endpoints.
//!
//! It judges the client, so it uses nothing else of this crate: every rule in here is read from the
//! vendor's own documentation, and where that is silent the choice made is a setting ([`Settings`]).
//! `workspace/` is the state and knows no HTTP; `track_v1`, `track_v2` and `app_api` are the vendor's
//! endpoints; `faults/` breaks them on demand; `door/` and `page` let people and tests look inside.

mod activity;
mod answer;
mod app_api;
mod auth;
mod clock;
mod connection;
mod context;
mod door;
mod faults;
mod gate;
mod handle;
mod json;
mod limits;
mod lock;
mod operation;
mod options;
mod page;
mod rate;
mod requests;
mod server;
mod settings;
mod track_v1;
mod track_v2;
mod ulid;
mod views;
mod workspace;

pub use activity::{Activity, ActivityPerson};
pub use faults::{Action, Body, Fault, FaultStatus, FaultsHandle, Pick, Rejection, Report, When};
pub use handle::{SettingsHandle, WorkspaceHandle};
pub use limits::Limits;
pub use options::{Options, Region};
pub use requests::{EndpointCount, RequestRecord, Stats};
pub use server::{Emulator, StartError};
pub use settings::{
    BatchOrder, ItemErrors, NewIdForKnownEmail, NonUlidIds, RegionUrl, Settings, StaleUpdates,
    UnknownParty,
};
pub use views::{
    CollectionView, DeliveryEventView, DeviceView, EventView, ObjectView, PersonView,
    RelationshipView, SegmentView,
};
