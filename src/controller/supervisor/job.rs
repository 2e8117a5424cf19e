//! One run as it is handed over, as it goes on, and as it ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use kube::ResourceExt as _;
use tokio_util::sync::CancellationToken;

use super::queue::Ticket;
use crate::api::Sync;
use crate::controller::objects::target;
use crate::controller::watch::{ObjectKey, key_of};
use crate::engine::{CleanupLeave, Progress};
use crate::model::{Disposition, Reason, RunCounts, RunId, RunReport, RunResult, SyncId};

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It delivers what differs.
    Sync,
    /// It removes all rows of a Sync that is being deleted.
    CleanUp(CleanupLeave),
}

/// A run to be carried out.
#[derive(Clone)]
pub struct Job {
    /// The Sync as it was when the run was decided.
    pub sync: Arc<Sync>,
    /// The run.
    pub run: RunId,
    /// What started it.
    pub trigger: String,
    /// The token of the request that started it.
    pub request: Option<String>,
    /// When it was decided.
    pub started_at: Timestamp,
    /// Whether every row is sent again.
    pub full_resync: bool,
    /// The blocked run that a person approved.
    pub approve: Option<RunId>,
    /// What it does.
    pub work: Work,
}

impl Job {
    /// Returns namespace and name of its Sync.
    pub fn key(&self) -> ObjectKey {
        key_of(self.sync.as_ref())
    }

    /// Returns the name under which the Sync's state is kept.
    pub fn id(&self) -> SyncId {
        let (namespace, name) = self.key();
        SyncId::new(&namespace, &name)
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket {
            sync: self.key(),
            source: target(&self.sync, &self.sync.spec.source_ref),
            connection: target(&self.sync, &self.sync.spec.connection_ref),
        }
    }
}

/// What ends a run early: one for this run alone, which a person asked for, and one for whatever
/// cause.
#[derive(Clone, Default)]
pub struct Stop {
    /// A person asked for it.
    pub cancelled: CancellationToken,
    /// The run has to end.
    pub halted: CancellationToken,
}

/// A run that waits for its turn or goes on.
#[derive(Clone)]
pub struct Going {
    /// The run as it was handed over.
    pub job: Arc<Job>,
    /// How far it is, as of the last look at it; `None` while it waits.
    pub progress: Option<Progress>,
}

/// Why a run did not end well, as its status needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason.
    pub reason: Reason,
    /// What it means for what comes next.
    pub disposition: Disposition,
    /// What happened, without row values.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A run that ended and is not yet in the status.
#[derive(Clone)]
pub struct Finished {
    /// The run as it was handed over.
    pub job: Arc<Job>,
    /// What it did.
    pub report: RunReport,
    /// What stopped it.
    pub failure: Option<Failure>,
    /// The versions of the Secrets that it read.
    pub secret_versions: BTreeMap<String, String>,
    /// Rows that are remembered, where the state could be asked.
    pub snapshot_rows: Option<u64>,
    /// Rejected rows that are no longer tried, where the state could be asked.
    pub parked_rows: Option<u64>,
}

impl Finished {
    /// Returns the end of a run that never got to its source.
    pub fn early(job: Arc<Job>, result: RunResult, failure: Option<Failure>) -> Self {
        let report = RunReport {
            id: job.run.clone(),
            sync: job.id(),
            trigger: Some(job.trigger.clone()),
            request: job.request.clone(),
            started_at: job.started_at,
            finished_at: Timestamp::now(),
            result,
            reason: failure.as_ref().map(|failure| failure.reason),
            message: failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default(),
            counts: RunCounts::default(),
        };
        Self {
            job,
            report,
            failure,
            secret_versions: BTreeMap::new(),
            snapshot_rows: None,
            parked_rows: None,
        }
    }

    /// Returns whether the run was one of this object, and not of an earlier one of its name.
    pub fn is_of(&self, sync: &Sync) -> bool {
        self.job.sync.uid() == sync.uid()
    }
}
