//! What the operator may be told.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::args::StateArgs;
use crate::model::duration::GoDuration;

/// `ciosync controller`
#[derive(Args, Debug)]
pub struct ControllerArgs {
    /// Where state is.
    #[command(flatten)]
    pub state: StateArgs,
    /// Refuse to start where there is no state yet: a cluster that was rebuilt must not send
    /// everything again in silence.
    #[arg(long)]
    pub require_existing_state: bool,
    /// Where temporary files go.
    #[arg(long, value_name = "DIR")]
    pub spool_dir: Option<PathBuf>,
    /// The address of the status page (/), of probes and metrics: /healthz, /livez, /readyz, /metrics.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Look after these namespaces only.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub watch_namespaces: Vec<String>,
    /// Watch the metadata of Secrets labelled `ciosync.dev/watch=true`, so that a changed one takes
    /// effect at once. Needs the right to list and watch Secrets.
    #[arg(long)]
    pub watch_secrets: bool,
    /// Let Sources name files below this folder. Without it they may name none.
    #[arg(long, value_name = "DIR")]
    pub local_sources: Option<PathBuf>,
    /// Let Sources of these namespaces use the operator's own identity.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub workload_identity_namespaces: Vec<String>,
    /// Runs that go on at once.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = at_least_one)]
    pub max_runs: usize,
    /// Runs of one Source that go on at once.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = at_least_one)]
    pub max_runs_per_source: usize,
    /// Runs of one connection that go on at once.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = at_least_one)]
    pub max_runs_per_connection: usize,
    /// Whether replicas agree by a Lease on which one works. `false` for a single replica.
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = ArgAction::Set
    )]
    pub leader_election: bool,
    /// The name of the Lease: two operators of one namespace, for other Syncs each, need two.
    #[arg(long, value_name = "NAME", default_value = "ciosync")]
    pub lease_name: String,
    /// The namespace of the Lease. Default: the pod's own.
    #[arg(long, value_name = "NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// How long a leader that is not heard of keeps the Lease; whole seconds.
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    pub lease_duration: GoDuration,
    /// What tells this replica from others. Default: the host's name.
    #[arg(long, value_name = "NAME", env = "POD_NAME", hide = true)]
    pub identity: Option<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("write a number from 1 on".to_owned()),
        Ok(number) => Ok(number),
    }
}
