//! One run as it is handed over, as it goes on, and as it ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use kube::ResourceExt as _;
use tokio_util::sync::CancellationToken;

use super::queue::Ticket;
use crate::api::Sync;
use crate::controller::decide::{CancelCause, Ended, Problem, Start, Trigger};
use crate::controller::objects::target;
use crate::controller::watch::{ObjectKey, key_of};
use crate::model::{RunCounts, RunReport, RunResult, SyncId};

/// A run to be carried out.
#[derive(Clone)]
pub struct Job {
    /// The Sync as it was when the run was decided.
    pub sync: Arc<Sync>,
    /// The run. Where its trigger is the clean-up, it removes all rows of the Sync.
    pub start: Start,
    /// When it was decided.
    pub started_at: Timestamp,
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

    /// Returns whether the run removes all rows of a Sync that is being deleted.
    pub fn is_cleanup(&self) -> bool {
        self.start.trigger == Trigger::CleanUp
    }

    /// Returns whether it is a run of this object, and not of an earlier one of its name.
    pub fn is_of(&self, sync: &Sync) -> bool {
        self.sync.uid() == sync.uid()
    }

    fn has_succeeded(&self) -> bool {
        let status = self.sync.status.as_ref();
        status.is_some_and(|status| status.last_successful_time.is_some())
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket {
            sync: self.key(),
            source: target(&self.sync, &self.sync.spec.source_ref),
            connection: target(&self.sync, &self.sync.spec.connection_ref),
            is_backfill: self.start.full_resync || !self.has_succeeded(),
        }
    }
}

/// What ends a run early.
#[derive(Clone, Default)]
pub(super) struct Stop {
    /// Cancelled first where the run is to end for good, and not to be gone on with.
    pub(super) cancelled: CancellationToken,
    /// The run has to end.
    pub(super) halted: CancellationToken,
    cause: Arc<Mutex<Option<CancelCause>>>,
}

impl Stop {
    /// Ends the run. The first cause counts.
    pub(super) fn cancel(&self, cause: CancelCause) {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
        if is_final(cause) {
            self.cancelled.cancel();
        }
        self.halted.cancel();
    }

    /// Returns why this run alone was told to end.
    pub(super) fn cause(&self) -> Option<CancelCause> {
        *self.cause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how a run ends that was stopped before it began.
    pub(super) fn result(&self) -> RunResult {
        match self.cause() {
            Some(cause) if is_final(cause) => RunResult::Cancelled,
            Some(_) | None => RunResult::Interrupted,
        }
    }
}

/// Returns whether a run that is stopped for this cause is not gone on with by itself.
fn is_final(cause: CancelCause) -> bool {
    match cause {
        CancelCause::Requested | CancelCause::Suspended | CancelCause::Deleted => true,
        CancelCause::SpecChanged => false,
    }
}

/// A run that ended and is not yet in the status.
#[derive(Clone)]
pub struct Finished {
    /// The run as it was handed over.
    pub job: Arc<Job>,
    /// How it ended.
    pub ended: Ended,
}

impl Finished {
    /// Returns the end of a run that never got to its source.
    pub(super) fn early(job: &Arc<Job>, result: RunResult, problem: Option<Problem>) -> Self {
        let (trigger, request) = (job.start.trigger, job.start.request.clone());
        let report = RunReport {
            id: job.start.run.clone(),
            sync: job.id(),
            trigger: Some(trigger.to_string()),
            request: request.clone(),
            started_at: job.started_at,
            finished_at: Timestamp::now(),
            result,
            reason: problem.as_ref().map(|problem| problem.reason),
            message: problem.as_ref().map(|problem| problem.message.clone()).unwrap_or_default(),
            counts: RunCounts::default(),
        };
        let ended = Ended {
            report,
            trigger,
            request,
            disposition: problem.as_ref().map(|problem| problem.disposition),
            hint: problem.and_then(|problem| problem.hint),
            cancelled: None,
            blocked: None,
            secret_versions: BTreeMap::new(),
            snapshot_rows: None,
            parked_rows: None,
        };
        Self { job: Arc::clone(job), ended }
    }

    /// Returns whether the run was one of this object, and not of an earlier one of its name.
    pub fn is_of(&self, sync: &Sync) -> bool {
        self.job.is_of(sync)
    }
}
