//! One run from resources to its end: what it refers to is looked up, its secrets are read, the
//! engine runs it, and what the status needs to know afterwards is asked of the state.

use std::path::PathBuf;
use std::sync::Arc;

use kube::{Client, ResourceExt as _};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{error, warn};

use super::job::{Failure, Finished, Job, Stop, Work};
use crate::api::Sync;
use crate::controller::connections::Connections;
use crate::controller::objects::{Objects, target};
use crate::controller::policy::Policy;
use crate::controller::secrets::{ClusterSecrets, sql_from};
use crate::engine::{
    self, Pipeline, Progress, RunError, RunOptions, RunOutcome, RunPurpose, RunRequest,
};
use crate::model::{Disposition, Reason, RunResult, SyncId};
use crate::resolve::{self, ResolveError};
use crate::state::{StateError, StateStore};

/// Rejections that are looked at at a time.
const PAGE: u32 = 1_000;

/// Carries runs out.
pub struct Executor {
    /// The API server, for Secrets and ConfigMaps.
    pub client: Client,
    /// What the watches hold.
    pub objects: Objects,
    /// What is remembered.
    pub store: Arc<dyn StateStore>,
    /// The clients of connections.
    pub connections: Arc<Connections>,
    /// What Sources may not ask of the operator.
    pub policy: Arc<Policy>,
    /// Where plans that outgrow memory go.
    pub spool_dir: PathBuf,
}

impl Executor {
    /// Runs `job` to its end. Dropping the future leaves a state from which the next run goes on.
    pub(super) async fn execute(
        &self,
        job: &Arc<Job>,
        stop: &Stop,
        progress: watch::Sender<Progress>,
    ) -> Finished {
        let secrets = ClusterSecrets::new(self.client.clone());
        let prepared = tokio::select! {
            prepared = self.prepare(job, &secrets) => prepared,
            () = stop.halted.cancelled() => {
                let result = match stop.cancelled.is_cancelled() {
                    true => RunResult::Cancelled,
                    false => RunResult::Interrupted,
                };
                return Finished::early(Arc::clone(job), result, None);
            }
        };
        let (namespace, _) = job.key();
        let versions = secrets.versions(&namespace);
        drop(secrets);
        let pipeline = match prepared {
            Ok(pipeline) => Arc::new(pipeline),
            Err(failure) => {
                warn!(sync = %job.id(), run_id = %job.run, problem = failure.message, "the run could not begin");
                let ended = Finished::early(Arc::clone(job), RunResult::Failed, Some(failure));
                return Finished { secret_versions: versions, ..ended };
            }
        };
        let request = RunRequest {
            pipeline,
            store: Arc::clone(&self.store),
            options: options(job, stop),
            cancel: stop.halted.clone(),
            progress,
            spill_dir: self.spool_dir.clone(),
        };
        let ended = match run_apart(request).await {
            Some(outcome) => self.ended(job, outcome).await,
            None => Finished::early(Arc::clone(job), RunResult::Failed, Some(panicked(job))),
        };
        Finished { secret_versions: versions, ..ended }
    }

    async fn ended(&self, job: &Arc<Job>, outcome: RunOutcome) -> Finished {
        let RunOutcome { report, error, .. } = outcome;
        let failure = error.as_ref().and_then(failure_of);
        let sync = job.id();
        let (mut snapshot_rows, mut parked_rows) = (None, None);
        match self.remembered(&sync).await {
            Ok((rows, parked)) => (snapshot_rows, parked_rows) = (Some(rows), Some(parked)),
            Err(error) => warn!(%sync, %error, "the state can't be asked how much it remembers"),
        }
        Finished {
            job: Arc::clone(job),
            report,
            failure,
            secret_versions: Default::default(),
            snapshot_rows,
            parked_rows,
        }
    }

    /// Returns how many rows are remembered and how many are parked.
    async fn remembered(&self, sync: &SyncId) -> Result<(u64, u64), StateError> {
        let rows = self.store.sync(sync).await?.map_or(0, |state| state.segment_rows);
        let (mut parked, mut after) = (0, None);
        loop {
            let page = self.store.rejections(sync, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok((rows, parked)) };
            after = Some(last.key.clone());
            parked += page.iter().filter(|row| row.parked).count() as u64;
        }
    }

    /// Makes the pipeline of a run, of the resources as they are now.
    async fn prepare(&self, job: &Job, secrets: &ClusterSecrets) -> Result<Pipeline, Failure> {
        let newest = self.objects.sync(&job.key());
        let newest = newest.filter(|newest| newest.uid() == job.sync.uid());
        let sync = newest.unwrap_or_else(|| Arc::clone(&job.sync));
        let client = self.connection(&sync, secrets).await?;
        let source = self.source(&sync, secrets).await?;
        let sql = match &sync.spec.model.sql_from {
            Some(from) => {
                let (namespace, _) = job.key();
                let reference = &from.config_map_key_ref;
                Some(sql_from(&self.client, &namespace, reference).await.map_err(unresolved)?)
            }
            None => None,
        };
        let pipeline = resolve::pipeline(job.id(), &sync.spec, sql, source, client)
            .map_err(unresolved)?;
        match job.work {
            Work::Sync => Ok(pipeline),
            Work::CleanUp(leave) => {
                let state = self.store.sync(&job.id()).await.map_err(no_state)?;
                let attributes = state.map(|state| state.memo.attributes).unwrap_or_default();
                Ok(pipeline.into_cleanup(leave, &attributes))
            }
        }
    }

    async fn source(
        &self,
        sync: &Sync,
        secrets: &ClusterSecrets,
    ) -> Result<Arc<dyn crate::sources::Source>, Failure> {
        let reference = target(sync, &sync.spec.source_ref);
        let source = self.objects.source_of(sync);
        let source = source.ok_or_else(|| absent("Source", &reference))?;
        if let Some(refusal) = self.policy.refusal(&reference.0, &source.spec) {
            return Err(Failure {
                reason: Reason::SourceNotReady,
                disposition: Disposition::NeedsOperator,
                message: refusal.to_string(),
                hint: None,
            });
        }
        resolve::source(&reference.0, &source.spec, self.policy.base(), secrets)
            .await
            .map_err(unresolved)
    }

    async fn connection(
        &self,
        sync: &Sync,
        secrets: &ClusterSecrets,
    ) -> Result<Arc<crate::customerio::Client>, Failure> {
        let connection = self.objects.connection_of(sync);
        let connection = connection.ok_or_else(|| {
            absent("CustomerIoConnection", &target(sync, &sync.spec.connection_ref))
        })?;
        self.connections.client(&connection, secrets).await.map_err(unresolved)
    }
}

/// Runs on a thread of its own: comparing millions of rows then takes no time from those who watch
/// and report. `None` where the run panicked.
async fn run_apart(request: RunRequest) -> Option<RunOutcome> {
    let runtime = Handle::current();
    let run = tokio::task::spawn_blocking(move || runtime.block_on(engine::run(request)));
    run.await.ok()
}

fn panicked(job: &Job) -> Failure {
    error!(sync = %job.id(), run_id = %job.run, "the run panicked");
    Failure {
        reason: Reason::Internal,
        disposition: Disposition::Bug,
        message: "the run broke off with an internal error".to_owned(),
        hint: Some("please report this, with the operator's log".to_owned()),
    }
}

fn options(job: &Job, stop: &Stop) -> RunOptions {
    RunOptions {
        id: Some(job.run.clone()),
        purpose: match job.work {
            Work::Sync => RunPurpose::Sync,
            Work::CleanUp(_) => RunPurpose::CleanUp,
        },
        cancelled: stop.cancelled.clone(),
        full_resync: job.full_resync,
        approve: job.approve.clone(),
        trigger: Some(job.trigger.clone()),
        request: job.request.clone(),
        ..RunOptions::default()
    }
}

fn failure_of(error: &RunError) -> Option<Failure> {
    if matches!(error, RunError::Stopped) {
        return None;
    }
    Some(Failure {
        reason: error.reason(),
        disposition: error.disposition(),
        message: error.to_string(),
        hint: error.hint(),
    })
}

fn unresolved(error: ResolveError) -> Failure {
    Failure {
        reason: error.reason(),
        disposition: error.disposition(),
        message: error.to_string(),
        hint: error.hint(),
    }
}

fn no_state(error: StateError) -> Failure {
    Failure {
        reason: error.reason(),
        disposition: error.disposition(),
        message: error.to_string(),
        hint: error.hint(),
    }
}

fn absent(kind: &str, (namespace, name): &(String, String)) -> Failure {
    Failure {
        reason: Reason::RefNotFound,
        disposition: Disposition::NeedsOperator,
        message: format!("there is no {kind} {namespace}/{name}"),
        hint: None,
    }
}
