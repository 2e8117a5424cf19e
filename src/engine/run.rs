//! The spine of a run: take the lock, do the work, give the lock back, report.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info, info_span, warn};

use super::audit::Audited;
use super::error::RunError;
use super::pipeline::Pipeline;
use super::plan::Planned;
use super::progress::Progress;
use super::refusals::Refusals;
use super::session::Session;
use crate::customerio::Traffic;
use crate::model::{Disposition, Encoding, RunCounts, RunId, RunReport, RunResult};
use crate::state::store::CollectionMemo;
use crate::state::{Adoption, LockHolder, RunLock, StateError, StateStore};

/// How often a held lock is asked for again.
const LOCK_POLL: Duration = Duration::from_millis(500);

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunPurpose {
    /// To deliver what differs between source and snapshot.
    #[default]
    Sync,
    /// To remove every remembered row, on a [`Pipeline`] made by `into_cleanup`: a first run too.
    CleanUp,
}

/// What a run may be told besides its Sync.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The run's id; a new one where it is `None`.
    pub id: Option<RunId>,
    /// What the run is for.
    pub purpose: RunPurpose,
    /// Cancelled before `RunRequest::cancel` where a person stops this one run: then it ends as
    /// cancelled, and not as interrupted.
    pub cancelled: CancellationToken,
    /// Send every current row again.
    pub full_resync: bool,
    /// The blocked run that a person approved.
    pub approve: Option<RunId>,
    /// The encoding in which fingerprints are written.
    pub encoding: Encoding,
    /// How long to wait for the lock.
    pub lock_wait: Duration,
    /// What starts the run, for the report.
    pub trigger: Option<String>,
    /// The token of the request that starts the run, for the report.
    pub request: Option<String>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            id: None,
            purpose: RunPurpose::Sync,
            cancelled: CancellationToken::new(),
            full_resync: false,
            approve: None,
            encoding: Encoding::CURRENT,
            lock_wait: Duration::from_secs(60),
            trigger: None,
            request: None,
        }
    }
}

/// One run to be carried out.
#[derive(Clone)]
pub struct RunRequest {
    /// The Sync, ready to run.
    pub pipeline: Arc<Pipeline>,
    /// Where its state is.
    pub store: Arc<dyn StateStore>,
    /// What else was asked for.
    pub options: RunOptions,
    /// Asks the run to stop: what is in flight is committed.
    pub cancel: CancellationToken,
    /// Who watches.
    pub progress: watch::Sender<Progress>,
    /// Where temporary files go.
    pub spill_dir: PathBuf,
}

/// The numbers of a run, filled as it goes.
#[derive(Default)]
pub struct Tally {
    /// For the report.
    pub counts: RunCounts,
    /// Codes of invalid rows, the most frequent first.
    pub invalid_codes: Vec<(String, u64)>,
    /// Customer.io's own words about refused rows, which may quote them.
    pub vendor_texts: Vec<String>,
    /// The largest cursor that was read, in unix microseconds.
    pub cursor: Option<i64>,
    /// What is known of a collection that was replaced.
    pub collection: Option<CollectionMemo>,
    /// What a person should know of a run that ended well.
    pub notes: Vec<String>,
}

impl Tally {
    pub(super) fn take_plan(&mut self, planned: &Planned) {
        self.counts = planned.told_counts();
        self.invalid_codes = planned.invalid.codes();
        self.cursor = planned.cursor;
    }

    pub(super) fn take_audit(&mut self, audited: Audited) {
        self.counts.rejected += audited.rejected;
        self.notes = audited.notes;
    }

    pub(super) fn take_traffic(&mut self, traffic: &Traffic, refusals: &Refusals) {
        self.counts.requests = traffic.requests();
        self.counts.delivered = refusals.accepted();
        self.counts.rejected += refusals.refused();
        self.vendor_texts = refusals.texts().to_vec();
    }
}

/// How a run ended.
pub struct RunOutcome {
    /// What it did.
    pub report: RunReport,
    /// What stopped it.
    pub error: Option<RunError>,
    /// Codes of invalid rows, the most frequent first.
    pub invalid_codes: Vec<(String, u64)>,
    /// Customer.io's own words about refused rows, which may quote them: for a person who asks.
    pub vendor_texts: Vec<String>,
}

/// Runs a Sync once. Always comes to a report; dropping the future leaves a state from which the
/// next run goes on, at most repeating what was in flight.
pub async fn run(request: RunRequest) -> RunOutcome {
    let given = request.options.id.clone();
    let id = given.unwrap_or_else(|| RunId(ulid::Ulid::generate().to_string()));
    let span = info_span!("run", sync = %request.pipeline.sync, run_id = %id);
    run_as(request, id).instrument(span).await
}

async fn run_as(request: RunRequest, id: RunId) -> RunOutcome {
    let started_at = Timestamp::now();
    let deadline = Instant::now() + request.pipeline.timeout;
    let mut tally = Tally::default();
    info!(entity = request.pipeline.entity, behavior = request.pipeline.behavior, "run started");
    let locked = match adopt(&request).await {
        Ok(()) => acquire(&request, deadline).await,
        Err(error) => Err(error),
    };
    let error = match &locked {
        Ok(lock) => locked_run(&request, lock, &id, deadline, &mut tally).await.err(),
        Err(_) => None,
    };
    if tally.counts.rows_read == 0 {
        tally.counts.rows_read = request.progress.borrow().rows_read;
    }
    let (lock, error) = match locked {
        Ok(lock) => (Some(lock), error),
        Err(error) => (None, Some(error)),
    };
    let report = report(&request, id, started_at, &tally, error.as_ref());
    if let Some(lock) = lock {
        conclude(&request, &lock, &report).await;
    }
    RunOutcome {
        report,
        error,
        invalid_codes: tally.invalid_codes,
        vendor_texts: tally.vendor_texts,
    }
}

/// Takes over the state of a Sync that is gone; nothing where that was done before, or this one has
/// state of its own.
async fn adopt(request: &RunRequest) -> Result<(), RunError> {
    let Some(from) = &request.pipeline.adopt_from else { return Ok(()) };
    if request.store.adopt(from, &request.pipeline.sync).await? == Adoption::Adopted {
        info!(%from, "what was remembered under the old name is taken over");
    }
    Ok(())
}

/// Takes the lock, waiting for another process where one holds it.
async fn acquire(request: &RunRequest, deadline: Instant) -> Result<Arc<RunLock>, RunError> {
    let RunRequest { pipeline, store, options, cancel, .. } = request;
    let holder = LockHolder::this_process();
    let give_up = deadline.min(Instant::now() + options.lock_wait);
    let mut is_told = false;
    loop {
        match RunLock::acquire(store.as_ref(), &pipeline.sync, &holder).await {
            Ok(lock) => return Ok(Arc::new(lock)),
            Err(StateError::Locked { holder, .. }) if Instant::now() < give_up => {
                if !is_told {
                    warn!(%holder, "another run holds the lock; waiting");
                    is_told = true;
                }
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = tokio::time::sleep(LOCK_POLL) => {}
            () = cancel.cancelled() => return Err(RunError::Stopped),
        }
    }
}

/// Runs while the lock is renewed beside it; a lost lock ends the run.
async fn locked_run(
    request: &RunRequest,
    lock: &Arc<RunLock>,
    id: &RunId,
    deadline: Instant,
    tally: &mut Tally,
) -> Result<(), RunError> {
    let halt = request.cancel.child_token();
    let session =
        Session { request, lock: Arc::clone(lock), id: id.clone(), deadline, halt: halt.clone() };
    let mut body = Box::pin(session.run(tally));
    tokio::select! {
        ended = &mut body => ended,
        lost = lock.keep(request.store.as_ref()) => {
            halt.cancel();
            // Requests on the wire are still answered; what they say can mostly not be written.
            match body.await {
                // Why the lock was not renewed.
                Err(error @ RunError::State(_)) => Err(error),
                Ok(()) | Err(_) => Err(lost.into()),
            }
        }
    }
}

fn report(
    request: &RunRequest,
    id: RunId,
    started_at: Timestamp,
    tally: &Tally,
    error: Option<&RunError>,
) -> RunReport {
    let counts = &tally.counts;
    let result = match error {
        None if counts.invalid + counts.rejected > 0 => RunResult::PartiallySucceeded,
        None if counts.delivered == 0 && counts.removed == 0 => RunResult::NoChanges,
        None => RunResult::Succeeded,
        Some(RunError::Guard { .. } | RunError::Review { .. }) => RunResult::Blocked,
        Some(RunError::Stopped) if request.options.cancelled.is_cancelled() => RunResult::Cancelled,
        Some(RunError::Stopped) => RunResult::Interrupted,
        Some(_) => RunResult::Failed,
    };
    RunReport {
        id,
        sync: request.pipeline.sync.clone(),
        trigger: request.options.trigger.clone(),
        request: request.options.request.clone(),
        started_at,
        finished_at: Timestamp::now(),
        result,
        // To stop a run is no fault of it.
        reason: error.filter(|error| !matches!(error, RunError::Stopped)).map(RunError::reason),
        message: error.map_or_else(|| tally.notes.join("; "), ToString::to_string),
        counts: *counts,
    }
}

/// Writes the report, and gives the lock back. Neither can change how the run ended.
async fn conclude(request: &RunRequest, lock: &RunLock, report: &RunReport) {
    let store = request.store.as_ref();
    let written = match store.save_run(lock, report, request.pipeline.history_limit).await {
        Ok(()) => lock.release(store).await,
        // A store that is gone is not asked again: the lock lapses by itself.
        Err(error @ StateError::Unavailable { .. }) => Err(error),
        Err(error) => lock.release(store).await.and(Err(error)),
    };
    if let Err(error) = written
        && error.disposition() != Disposition::Transient
    {
        warn!(%error, "the end of the run could not be written down");
    }
    let RunCounts { delivered, requests, .. } = report.counts;
    info!(result = report.result.as_str(), delivered, requests, "run ended");
}
