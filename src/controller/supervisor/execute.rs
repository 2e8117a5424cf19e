//! One run from resources to its end: what it refers to is looked up, its secrets are read, the
//! engine runs it, and what the status needs to know afterwards is asked of the state.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use kube::Client;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{error, warn};

use super::job::{Finished, Job, Stop};
use super::memory;
use crate::api::Sync;
use crate::controller::connections::Connections;
use crate::controller::decide::{BlockedBy, Ended, Problem, Start};
use crate::controller::objects::{Objects, target};
use crate::controller::policy::Policy;
use crate::controller::secrets::{ClusterSecrets, sql_from};
use crate::controller::status::is_newer;
use crate::engine::gate::REVIEW;
use crate::engine::{
    self, Pipeline, Progress, RunError, RunOptions, RunOutcome, RunPurpose, RunRequest,
};
use crate::model::{Disposition, Reason, RunResult, SyncId};
use crate::resolve::{self, ResolveError};
use crate::state::{StateError, StateStore, snapshot};

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
                return Finished::early(job, stop.result(), None);
            }
        };
        let (namespace, _) = job.key();
        let versions = secrets.versions(&namespace);
        drop(secrets);
        let pipeline = match prepared {
            Ok(pipeline) => Arc::new(pipeline),
            Err(problem) => {
                let (sync, run_id) = (job.id(), &job.start.run);
                warn!(%sync, %run_id, problem = problem.message, "the run could not begin");
                let mut finished = Finished::early(job, RunResult::Failed, Some(problem));
                finished.ended.secret_versions = versions;
                return finished;
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
        let mut finished = match run_apart(request).await {
            Some(outcome) => self.finished(job, outcome).await,
            None => Finished::early(job, RunResult::Failed, Some(panicked(job))),
        };
        finished.ended.secret_versions = versions;
        finished
    }

    async fn finished(&self, job: &Arc<Job>, outcome: RunOutcome) -> Finished {
        let RunOutcome { report, error, .. } = outcome;
        let sync = job.id();
        let remembered = self.remembered(&sync).await.inspect_err(|error| {
            warn!(%sync, %error, "the state can't be asked how much it remembers");
        });
        let remembered = remembered.ok();
        let ended = Ended {
            trigger: job.start.trigger,
            request: job.start.request.clone(),
            disposition: error.as_ref().filter(|it| !is_stop(it)).map(RunError::disposition),
            hint: error.as_ref().and_then(RunError::hint),
            cancelled: None,
            blocked: error.as_ref().and_then(blocked_by),
            secret_versions: BTreeMap::new(),
            snapshot_rows: remembered.map(|(rows, _)| rows),
            parked_rows: remembered.map(|(_, parked)| parked),
            report,
        };
        Finished { job: Arc::clone(job), ended }
    }

    /// Returns how many rows are remembered and how many are parked.
    async fn remembered(&self, sync: &SyncId) -> Result<(u64, u64), StateError> {
        let rows = snapshot::count(&self.store, sync).await?;
        let (mut parked, mut after) = (0, None);
        loop {
            let page = self.store.rejections(sync, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok((rows, parked)) };
            after = Some(last.key.clone());
            parked += page.iter().filter(|row| row.parked).count() as u64;
        }
    }

    /// Makes the pipeline of a run, of the resources as they are now.
    async fn prepare(&self, job: &Job, secrets: &ClusterSecrets) -> Result<Pipeline, Problem> {
        // The watch may be behind the status by which the run was decided.
        let newest = self.objects.sync(&job.key());
        let newest = newest.filter(|newest| is_newer(newest.as_ref(), job.sync.as_ref()));
        let sync = newest.unwrap_or_else(|| Arc::clone(&job.sync));
        memory::check(self, job, &sync).await?;
        memory::check_adoption(self, job, &sync).await?;
        let client = self.connection(&sync, secrets).await?;
        if job.is_cleanup() {
            // It reads nothing: what the Sync was made from may have been deleted with it.
            let state = self.store.sync(&job.id()).await.map_err(no_state)?;
            let attributes = state.map(|state| state.memo.attributes).unwrap_or_default();
            return resolve::cleanup(job.id(), &sync.spec, &attributes, client).map_err(unresolved);
        }
        let source = self.source(&sync, secrets).await?;
        let sql = match &sync.spec.model.sql_from {
            Some(from) => {
                let (namespace, _) = job.key();
                let reference = &from.config_map_key_ref;
                Some(sql_from(&self.client, &namespace, reference).await.map_err(unresolved)?)
            }
            None => None,
        };
        resolve::pipeline(job.id(), &sync.spec, sql, source, client).map_err(unresolved)
    }

    async fn source(
        &self,
        sync: &Sync,
        secrets: &ClusterSecrets,
    ) -> Result<Arc<dyn crate::sources::Source>, Problem> {
        let reference = target(sync, &sync.spec.source_ref);
        let source = self.objects.source_of(sync);
        let source = source.ok_or_else(|| absent("Source", &reference))?;
        if let Some(refusal) = self.policy.refusal(&reference.0, &source.spec) {
            return Err(Problem {
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
    ) -> Result<Arc<crate::customerio::Client>, Problem> {
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

fn panicked(job: &Job) -> Problem {
    error!(sync = %job.id(), run_id = %job.start.run, "the run panicked");
    Problem {
        reason: Reason::Internal,
        disposition: Disposition::Bug,
        message: "the run broke off with an internal error".to_owned(),
        hint: Some("please report this, with the operator's log".to_owned()),
    }
}

fn options(job: &Job, stop: &Stop) -> RunOptions {
    let Start { run, trigger, request, full_resync, approve, .. } = &job.start;
    RunOptions {
        id: Some(run.clone()),
        purpose: if job.is_cleanup() { RunPurpose::CleanUp } else { RunPurpose::Sync },
        cancelled: stop.cancelled.clone(),
        full_resync: *full_resync,
        approve: approve.clone(),
        trigger: Some(trigger.to_string()),
        request: request.clone(),
        ..RunOptions::default()
    }
}

fn is_stop(error: &RunError) -> bool {
    matches!(error, RunError::Stopped)
}

/// Returns the guard that stopped a run.
fn blocked_by(error: &RunError) -> Option<BlockedBy> {
    let (id, guard) = match error {
        RunError::Guard { tripped, blocked_id } => (blocked_id, tripped.guard),
        RunError::Review { blocked_id } => (blocked_id, REVIEW),
        _ => return None,
    };
    Some(BlockedBy { id: id.clone(), guard: guard.to_owned() })
}

fn unresolved(error: ResolveError) -> Problem {
    Problem {
        reason: error.reason(),
        disposition: error.disposition(),
        message: error.to_string(),
        hint: error.hint(),
    }
}

pub(super) fn no_state(error: StateError) -> Problem {
    Problem {
        reason: error.reason(),
        disposition: error.disposition(),
        message: error.to_string(),
        hint: error.hint(),
    }
}

fn absent(kind: &str, (namespace, name): &(String, String)) -> Problem {
    Problem {
        reason: Reason::RefNotFound,
        disposition: Disposition::NeedsOperator,
        message: format!("there is no {kind} {namespace}/{name}"),
        hint: None,
    }
}
