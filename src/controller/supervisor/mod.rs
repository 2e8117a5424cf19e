//! Runs as tasks: a pool of limited size, which starts what waits, stops what must stop, and keeps
//! the end of each run until it stands in the status.

mod execute;
mod job;
mod memory;
mod queue;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tracing::info;

use self::job::Stop;
use self::queue::Queue;
use super::decide::{CancelCause, Running};
use super::nudges::Nudges;
use super::options::RunLimits;
use super::watch::{ObjectKey, key_of};
use crate::api::Sync;
use crate::engine::Progress;
use crate::metrics::OperatorMetrics;
use crate::model::RunId;

pub use execute::Executor;
pub use job::{Finished, Job};

/// How often the progress of a run shows in its status.
const PROGRESS_EVERY: Duration = Duration::from_secs(15);

/// The runs of this operator.
pub struct Supervisor {
    executor: Executor,
    /// Syncs whose run got on or ended.
    nudges: Nudges,
    pool: Mutex<Pool>,
    wake: Notify,
    settled: Notify,
    metrics: OperatorMetrics,
}

struct Pool {
    queue: Queue,
    runs: HashMap<ObjectKey, Entry>,
    finished: HashMap<ObjectKey, Finished>,
    is_closed: bool,
}

struct Entry {
    job: Arc<Job>,
    stop: Stop,
    progress: Option<Progress>,
}

impl Supervisor {
    /// Returns a pool in which nothing runs yet; `nudges` learns of each Sync whose status should
    /// be looked at because of its run.
    pub fn new(
        executor: Executor,
        limits: RunLimits,
        nudges: Nudges,
        metrics: OperatorMetrics,
    ) -> Self {
        let pool = Pool {
            queue: Queue::new(limits),
            runs: HashMap::new(),
            finished: HashMap::new(),
            is_closed: false,
        };
        Self {
            executor,
            nudges,
            pool: Mutex::new(pool),
            wake: Notify::new(),
            settled: Notify::new(),
            metrics,
        }
    }

    /// Takes a run in, to start when there is room; `false` where a run of this Sync goes on, has
    /// ended and is not yet in the status, or no run starts any more.
    pub fn start(&self, job: Job) -> bool {
        let key = job.key();
        let mut pool = self.pool();
        if pool.is_closed || pool.runs.contains_key(&key) || pool.finished.contains_key(&key) {
            return false;
        }
        pool.queue.push(job.ticket());
        let entry = Entry { job: Arc::new(job), stop: Stop::default(), progress: None };
        pool.runs.insert(key, entry);
        drop(pool);
        self.wake.notify_one();
        true
    }

    /// Returns the run of a Sync that waits or goes on, with its progress of some seconds ago.
    pub fn running(&self, sync: &ObjectKey) -> Option<Running> {
        let pool = self.pool();
        let Entry { job, stop, progress } = pool.runs.get(sync)?;
        Some(Running {
            id: job.start.run.clone(),
            trigger: job.start.trigger,
            request: job.start.request.clone(),
            started_at: job.started_at,
            spec: job.sync.spec.clone(),
            progress: *progress,
            cancelled: stop.cause(),
        })
    }

    /// Returns the run of a Sync that ended and is not yet in the status.
    pub fn finished(&self, sync: &ObjectKey) -> Option<Finished> {
        self.pool().finished.get(sync).cloned()
    }

    /// Forgets the end of a run: it stands in the status, or its Sync is gone.
    pub fn settle(&self, sync: &ObjectKey) {
        self.pool().finished.remove(sync);
        self.settled.notify_waiters();
    }

    /// Stops the run of a Sync: one that goes on at its next batch, one that waits at once. `run`
    /// is the only one that is meant; any where it is `None`.
    pub fn cancel(&self, sync: &ObjectKey, run: Option<&RunId>, cause: CancelCause) {
        let mut pool = self.pool();
        let Some(entry) = pool.runs.get(sync) else { return };
        if run.is_some_and(|run| entry.job.start.run != *run) {
            return;
        }
        entry.stop.cancel(cause);
        if pool.queue.remove(sync) {
            self.end_early(&mut pool, sync);
        }
    }

    /// Stops the run of an earlier object of a Sync's name, as its deletion does; returns whether
    /// there was one.
    pub fn stop_predecessor(&self, sync: &Sync) -> bool {
        let key = key_of(sync);
        let Some(job) = self.pool().runs.get(&key).map(|entry| Arc::clone(&entry.job)) else {
            return false;
        };
        if job.is_of(sync) {
            return false;
        }
        self.cancel(&key, Some(&job.start.run), CancelCause::Deleted);
        true
    }

    /// Starts no run any more, and stops all that go on at their next batch, to be gone on with
    /// by the next leader.
    pub fn close(&self) {
        let mut pool = self.pool();
        pool.is_closed = true;
        let keys: Vec<ObjectKey> = pool.runs.keys().cloned().collect();
        for key in keys {
            if let Some(entry) = pool.runs.get(&key) {
                entry.stop.halted.cancel();
            }
            if pool.queue.remove(&key) {
                self.end_early(&mut pool, &key);
            }
        }
        drop(pool);
        self.wake.notify_one();
    }

    /// Waits until no run goes on and the end of each stands in its status.
    pub async fn settled(&self) {
        loop {
            let changed = self.settled.notified();
            if self.is_settled() {
                return;
            }
            changed.await;
        }
    }

    fn is_settled(&self) -> bool {
        let pool = self.pool();
        pool.runs.is_empty() && pool.finished.is_empty()
    }

    /// Returns whether no run starts any more.
    pub fn is_closed(&self) -> bool {
        self.pool().is_closed
    }

    /// Starts what waits, until [`close`](Self::close) was called and the last run has ended.
    /// Dropping the future aborts all runs where they are.
    pub async fn supervise(self: Arc<Self>) {
        let mut tasks = JoinSet::new();
        loop {
            while let Some((key, job, stop)) = self.next() {
                tasks.spawn(Arc::clone(&self).carry_out(key, job, stop));
            }
            self.show_counts();
            if self.is_closed() && tasks.is_empty() {
                return;
            }
            tokio::select! {
                () = self.wake.notified() => {}
                Some(_) = tasks.join_next() => {}
            }
        }
    }

    fn show_counts(&self) {
        let pool = self.pool();
        self.metrics.runs(pool.queue.running_count(), pool.queue.waiting_count());
    }

    fn next(&self) -> Option<(ObjectKey, Arc<Job>, Stop)> {
        let mut pool = self.pool();
        loop {
            let ticket = pool.queue.next()?;
            match pool.runs.get_mut(&ticket.sync) {
                Some(entry) => {
                    entry.progress = Some(Progress::default());
                    return Some((ticket.sync, Arc::clone(&entry.job), entry.stop.clone()));
                }
                None => pool.queue.finish(&ticket.sync),
            }
        }
    }

    async fn carry_out(self: Arc<Self>, key: ObjectKey, job: Arc<Job>, stop: Stop) {
        let (sender, receiver) = watch::channel(Progress::default());
        let mut finished = tokio::select! {
            finished = self.executor.execute(&job, &stop, sender) => finished,
            never = self.watch_progress(&key, receiver) => match never {},
        };
        finished.ended.cancelled = stop.cause();
        let mut pool = self.pool();
        pool.queue.finish(&key);
        pool.runs.remove(&key);
        self.keep(&mut pool, key, finished);
        drop(pool);
        self.wake.notify_one();
    }

    /// Takes note of a run's progress now and then. Never ends by itself.
    async fn watch_progress(
        &self,
        key: &ObjectKey,
        receiver: watch::Receiver<Progress>,
    ) -> Infallible {
        loop {
            tokio::time::sleep(PROGRESS_EVERY).await;
            let now = *receiver.borrow();
            if let Some(entry) = self.pool().runs.get_mut(key)
                && entry.progress != Some(now)
            {
                entry.progress = Some(now);
                self.nudges.push(key.clone());
            }
        }
    }

    fn end_early(&self, pool: &mut Pool, key: &ObjectKey) {
        let Some(Entry { job, stop, .. }) = pool.runs.remove(key) else { return };
        let (sync, run_id) = (job.id(), &job.start.run);
        let mut finished = Finished::early(&job, stop.result(), None);
        finished.ended.cancelled = stop.cause();
        info!(%sync, %run_id, "the run ended before it began");
        self.keep(pool, key.clone(), finished);
    }

    /// Keeps the end of a run for the status of its Sync; where that is gone, nobody would ever ask.
    fn keep(&self, pool: &mut Pool, key: ObjectKey, finished: Finished) {
        // Asked with the pool locked: a Sync that goes from here on has its end forgotten by
        // `settle`.
        let sync = self.executor.objects.sync(&key);
        if sync.is_some_and(|sync| finished.is_of(&sync)) {
            pool.finished.insert(key.clone(), finished);
        } else {
            self.settled.notify_waiters();
        }
        self.nudges.push(key);
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
