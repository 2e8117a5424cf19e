//! How an operator was started: what a flag or the environment said, parsed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How many runs go on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// In the whole operator.
    pub total: usize,
    /// Of one Source, so that a warehouse isn't asked more than it bears.
    pub per_source: usize,
    /// Of one connection: they share its rate, so more of them only take longer each.
    pub per_connection: usize,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self { total: 10, per_source: 4, per_connection: 4 }
    }
}

/// How replicas agree on which one works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseOptions {
    /// The Lease's name: replicas that name one Lease are replicas of one operator.
    pub name: String,
    /// Where the Lease is; `None` for the pod's own namespace.
    pub namespace: Option<String>,
    /// For how long a replica that is not heard of keeps it. Whole seconds, at least 3.
    pub duration: Duration,
}

/// What an operator is told at its start.
#[derive(Clone, Debug)]
pub struct ControllerOptions {
    /// URL of the state store, as [`crate::state::open()`] takes it.
    pub state: String,
    /// Refuse a store that doesn't exist yet, instead of making it.
    pub require_existing_state: bool,
    /// Where plans that outgrow memory go.
    pub spool_dir: PathBuf,
    /// Where probes and metrics are served.
    pub listen: SocketAddr,
    /// The namespaces that are watched; all where it is empty.
    pub namespaces: Vec<String>,
    /// Watch the metadata of labelled Secrets, so that a changed one takes effect at once.
    pub watches_secrets: bool,
    /// The folder below which Sources may name files of the operator's own machine.
    pub local_sources: Option<PathBuf>,
    /// The namespaces whose Sources may use the operator's own identity.
    pub workload_identity_namespaces: Vec<String>,
    /// How many runs go on at once.
    pub limits: RunLimits,
    /// How replicas agree; `None` for a single replica without a Lease.
    pub lease: Option<LeaseOptions>,
    /// What tells this replica from others: the pod's name.
    pub identity: String,
}
