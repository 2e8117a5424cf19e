//! What a person may type after `kubectl ciosync`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::cli::args::OutputFormat;
use crate::controller::requests::Access;
use crate::model::duration::GoDuration;

/// Ask the ciosync operator of a cluster about its Syncs.
///
/// Goes through the API server with your own rights. Needs get and patch on syncs.ciosync.dev, and
/// list and watch to wait.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-ciosync",
    bin_name = "kubectl ciosync",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(after_help = "\
Exit codes: 0 done, 1 failed or refused, 2 invalid input, and with --wait as the run ended: 3 with
invalid or rejected rows, 4 blocked by a guard, 130 interrupted (the run goes on).")]
pub struct PluginCli {
    /// What to ask.
    #[command(subcommand)]
    pub command: PluginCommand,
    /// What to log on stderr, as `tracing` filters are written: `info`, `ciosync=debug`.
    #[arg(
        long,
        global = true,
        env = "CIOSYNC_LOG",
        default_value = "warn",
        hide_env_values = true
    )]
    pub log: String,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Run a Sync now, whatever its schedule says.
    Run(RunArgs),
    /// Let a Sync run no more until it is resumed; a run in progress stops at its next batch.
    Suspend {
        /// Which Sync, and where.
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Let a suspended Sync run again, from its next slot on.
    Resume {
        /// Which Sync, and where.
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Show what a guard stopped, and let it pass up to these numbers plus 10 %.
    Approve(ApproveArgs),
    /// Stop the run in progress at its next batch.
    Cancel {
        /// Which Sync, and where.
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Show the last runs of a Sync.
    History {
        /// Which Sync, and where.
        #[command(flatten)]
        target: TargetArgs,
        /// How to print.
        #[arg(short, long, value_enum, default_value_t)]
        output: OutputFormat,
    },
}

/// `kubectl ciosync run`
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Which Sync, and where.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Send every current row again.
    #[arg(long)]
    pub full_resync: bool,
    /// Resume the Sync first, where it is suspended.
    #[arg(long)]
    pub force: bool,
    /// Wait until the run has ended, and exit as it did.
    #[arg(long)]
    pub wait: bool,
    /// How long to wait at most: 90s, 15m, 1h30m.
    #[arg(long, value_name = "DURATION", default_value = "1h", requires = "wait")]
    pub timeout: GoDuration,
    /// How to print the run that was waited for.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: OutputFormat,
}

/// `kubectl ciosync approve`
#[derive(Args, Debug)]
pub struct ApproveArgs {
    /// Which Sync, and where.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Only if this is what is blocked: the id that was looked at before.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Don't ask.
    #[arg(short, long)]
    pub yes: bool,
}

/// Which Sync, in which cluster.
#[derive(Args, Debug)]
pub struct TargetArgs {
    /// The Sync.
    #[arg(value_name = "[NAMESPACE/]NAME")]
    pub name: String,
    /// The namespace of a name that has none; the context's where this is left out.
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// The kubeconfig to use.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context in the kubeconfig.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// The cluster in the kubeconfig.
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// The user in the kubeconfig.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The user to act as.
    #[arg(long = "as", value_name = "USER")]
    pub impersonate: Option<String>,
}

impl TargetArgs {
    /// Returns how the cluster is reached.
    pub(super) fn access(&self) -> Access {
        Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            impersonate: self.impersonate.clone(),
        }
    }
}
