//! `ciosync controller`: the operator.

use std::io;
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::controller_args::ControllerArgs;
use super::exit::Exit;
use super::{console, places};
use crate::controller::{self, ControllerError, ControllerOptions, LeaseOptions, RunLimits};

/// Runs the command until it is told to stop.
///
/// # Errors
/// Where the folder for temporary files can't be made.
pub async fn run(args: ControllerArgs) -> anyhow::Result<Exit> {
    let spool_dir = args.spool_dir.clone().unwrap_or_else(std::env::temp_dir);
    if let Err(error) = make_folder(&spool_dir) {
        let message = format!("--spool-dir {}: {}", spool_dir.display(), error.kind());
        let hint = "name a folder that this user may make or write to".to_owned();
        return Ok(console::refuse_flag(&message, Some(hint)));
    }
    if let Err(exit) = places::check(args.state.url(), Some(&spool_dir)) {
        return Ok(exit);
    }
    let stop = stop_on_signal();
    match controller::run(options(args, spool_dir), stop).await {
        Ok(()) => Ok(Exit::Done),
        Err(error @ ControllerError::Option(_)) => Ok(console::refuse_flag(&error, error.hint())),
        Err(error) => {
            // Into the log, where whoever runs an operator looks, in the format of the others.
            tracing::error!(%error, hint = error.hint(), "the operator ended");
            Ok(Exit::Failed)
        }
    }
}

/// Returns a token that is cancelled by SIGTERM or Ctrl-C. Says nothing: what the operator says are
/// its logs.
fn stop_on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        console::signalled().await;
        stop.cancel();
    });
    token
}

fn make_folder(folder: &PathBuf) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

fn options(args: ControllerArgs, spool_dir: PathBuf) -> ControllerOptions {
    ControllerOptions {
        state: args.state.url().to_owned(),
        require_existing_state: args.require_existing_state,
        spool_dir,
        listen: args.listen,
        namespaces: args.watch_namespaces,
        watches_secrets: args.watch_secrets,
        local_sources: args.local_sources,
        workload_identity_namespaces: args.workload_identity_namespaces,
        limits: RunLimits {
            total: args.max_runs,
            per_source: args.max_runs_per_source,
            per_connection: args.max_runs_per_connection,
        },
        lease: args.leader_election.then(|| LeaseOptions {
            name: args.lease_name,
            namespace: args.lease_namespace,
            duration: args.lease_duration.get(),
        }),
        identity: args
            .identity
            .unwrap_or_else(|| gethostname::gethostname().to_string_lossy().into_owned()),
    }
}
