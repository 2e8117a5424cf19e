//! The Sync that a person named, in the cluster that is meant.

use super::args::{PluginCommand, TargetArgs};
use super::{approve, run, suspend};
use crate::api::Sync;
use crate::api::sync_status::{CurrentRun, SyncStatus};
use crate::cli::args::OutputFormat;
use crate::cli::console;
use crate::cli::exit::Exit;
use crate::cli::names;
use crate::cli::output;
use crate::cli::render::history;
use crate::controller::requests::{Cluster, Request, RequestError};
use crate::model::SyncId;

/// Carries out a command of the plugin.
///
/// # Errors
/// Where the output can't be written.
pub async fn carry_out(command: PluginCommand) -> anyhow::Result<Exit> {
    let target = match Target::of(command.target()).await {
        Ok(target) => target,
        Err(exit) => return Ok(exit),
    };
    let outcome = match command {
        PluginCommand::Run(args) => run::run(&target, &args).await,
        PluginCommand::Suspend { .. } => suspend::suspend(&target).await,
        PluginCommand::Resume { .. } => suspend::resume(&target).await,
        PluginCommand::Approve(args) => approve::run(&target, &args).await,
        PluginCommand::Cancel { .. } => cancel(&target).await,
        PluginCommand::History { output, .. } => print_history(&target, output).await,
    };
    match outcome {
        Ok(exit) => Ok(exit),
        Err(Failure::Request(err)) => Ok(console::fail(&err, err.hint().map(str::to_owned))),
        Err(Failure::Output(err)) => Err(err),
    }
}

impl PluginCommand {
    fn target(&self) -> &TargetArgs {
        match self {
            Self::Run(args) => &args.target,
            Self::Approve(args) => &args.target,
            Self::Suspend { target }
            | Self::Resume { target }
            | Self::Cancel { target }
            | Self::History { target, .. } => target,
        }
    }
}

/// Why a command of the plugin stops.
pub(super) enum Failure {
    /// The API server said no, or nothing.
    Request(RequestError),
    /// The terminal can't be read or written.
    Output(anyhow::Error),
}

impl From<RequestError> for Failure {
    fn from(err: RequestError) -> Self {
        Self::Request(err)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(err: anyhow::Error) -> Self {
        Self::Output(err)
    }
}

/// A Sync in a cluster.
pub(super) struct Target {
    pub(super) cluster: Cluster,
    pub(super) sync: SyncId,
}

impl Target {
    /// Finds the cluster and reads the name; says what is wrong with either.
    async fn of(args: &TargetArgs) -> Result<Self, Exit> {
        let cluster = match Cluster::new(&args.access()).await {
            Ok(cluster) => cluster,
            Err(err) => {
                console::fail(&err, err.hint().map(str::to_owned));
                return Err(Exit::InvalidInput);
            }
        };
        let namespace = args.namespace.as_deref().unwrap_or(cluster.namespace());
        match names::sync_id(&args.name, namespace) {
            Ok(sync) => Ok(Self { cluster, sync }),
            Err(err) => Err(output::refuse(err)),
        }
    }

    pub(super) async fn read(&self) -> Result<Sync, RequestError> {
        self.cluster.sync(&self.sync).await
    }

    pub(super) async fn ask(&self, request: &Request) -> Result<Sync, RequestError> {
        self.cluster.ask(&self.sync, request).await
    }
}

/// Asks for the end of the run in progress.
async fn cancel(target: &Target) -> Result<Exit, Failure> {
    let object = target.read().await?;
    let sync = &target.sync;
    let Some(run) = object.status.as_ref().and_then(|status| status.current_run.as_ref()) else {
        return Ok(console::fail(&format_args!("no run of {sync} is in progress"), None));
    };
    target.ask(&Request::Cancel { run: run.id.clone() }).await?;
    output::print(&format!("{sync}: run {} stops at its next batch\n", run.id))?;
    Ok(Exit::Done)
}

async fn print_history(target: &Target, output: OutputFormat) -> Result<Exit, Failure> {
    let status: SyncStatus = target.read().await?.status.unwrap_or_default();
    match output {
        OutputFormat::Json => output::print_json(&status.history)?,
        OutputFormat::Text if status.history.is_empty() && status.current_run.is_none() => {
            output::note(format_args!("no run of {} is known yet", target.sync));
        }
        OutputFormat::Text => {
            let now = jiff::Timestamp::now();
            let current: Option<&CurrentRun> = status.current_run.as_ref();
            output::print(&history::text(current, &status.history, now))?;
        }
    }
    Ok(Exit::Done)
}
