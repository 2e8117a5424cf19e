//! What the reconcilers share.

use std::sync::Arc;

use kube::Client;

use super::changes::Changes;
use super::connections::Connections;
use super::events::Events;
use super::namespaces::Namespaces;
use super::nudges::Nudges;
use super::objects::Objects;
use super::outages::Outages;
use super::probe::{Prober, Probes};
use super::status::Statuses;
use super::supervisor::Supervisor;
use super::watch::key_of;
use crate::api::{CustomerIoConnection, Source, Sync};
use crate::metrics::Metrics;
use crate::state::StateStore;

/// Objects to be looked at again, by kind.
#[derive(Clone, Default)]
pub struct AllNudges {
    /// Syncs.
    pub syncs: Nudges,
    /// Sources.
    pub sources: Nudges,
    /// Connections.
    pub connections: Nudges,
}

/// What every reconciler may use. One for the whole operator.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// What the watches hold.
    pub objects: Objects,
    /// What is remembered.
    pub store: Arc<dyn StateStore>,
    /// The runs of this process.
    pub supervisor: Arc<Supervisor>,
    /// Probes.
    pub prober: Prober,
    /// When what is probed next.
    pub probes: Probes,
    /// The clients of connections.
    pub connections: Arc<Connections>,
    /// Namespaces, for selectors and deletions.
    pub namespaces: Namespaces,
    /// Events.
    pub events: Events,
    /// Figures.
    pub metrics: Metrics,
    /// Objects to be looked at again.
    pub nudges: AllNudges,
    /// When something that Syncs name last changed.
    pub changes: Changes,
    /// Statuses of Syncs.
    pub sync_statuses: Statuses<Sync>,
    /// Statuses of Sources.
    pub source_statuses: Statuses<Source>,
    /// Statuses of connections.
    pub connection_statuses: Statuses<CustomerIoConnection>,
    /// Since when the state store can't be asked about which Sync.
    pub outages: Outages,
}

impl Context {
    /// Has every Sync looked at again.
    pub fn look_at_all_syncs(&self) {
        for sync in self.objects.syncs.state() {
            self.nudges.syncs.push(key_of(sync.as_ref()));
        }
    }
}
