//! The run lock: one process at a time runs a Sync, and a process that lost it writes nothing.
//!
//! The lock lapses unless it is renewed. Whether it is held is told from the time at which the
//! last renewal was *asked for*, so this process stops before another can begin; and every write
//! names the lock's epoch, so that even a process that slept through all this writes nothing.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::error::StateError;
use super::process;
use super::store::StateStore;
use crate::model::{Disposition, SyncId};

/// Who holds a lock, as it is written beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LockHolder {
    /// The machine's or pod's name, for people.
    pub host: String,
    /// The process's number there.
    pub pid: u32,
    /// What tells the process from others with its number; `None` where the system doesn't say.
    pub process_start: Option<String>,
}

impl LockHolder {
    /// Returns this process as a holder.
    pub fn this_process() -> Self {
        Self {
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: std::process::id(),
            process_start: process::start_of_this_process(),
        }
    }

    /// Returns whether the holder was a process of this machine that surely ended.
    pub fn is_gone(&self) -> bool {
        self.process_start.as_deref().is_some_and(|start| process::is_gone(self.pid, start))
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

/// How long a lock lasts and how it is kept.
#[derive(Clone, Copy, Debug)]
pub struct LockTerms {
    /// After how long without renewal others may take it.
    pub ttl: Duration,
    /// How long before that it counts as lost already.
    pub margin: Duration,
    /// How often it is renewed.
    pub renew_every: Duration,
    /// After how long a renewal that failed is tried again.
    pub retry_every: Duration,
}

impl Default for LockTerms {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(15),
            margin: Duration::from_secs(2),
            renew_every: Duration::from_secs(5),
            retry_every: Duration::from_secs(1),
        }
    }
}

/// When a renewal was asked for, on both clocks. Linux's monotonic clock stands still while the
/// machine sleeps and the wall clock may be set, so the one that says more counts.
#[derive(Clone, Copy)]
struct Asked {
    instant: Instant,
    wall: SystemTime,
}

impl Asked {
    fn now() -> Self {
        Self { instant: Instant::now(), wall: SystemTime::now() }
    }

    fn elapsed(&self) -> Duration {
        self.instant.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}

/// The right to write a Sync's state, for as long as it is renewed.
pub struct RunLock {
    sync: SyncId,
    epoch: u64,
    terms: LockTerms,
    /// `None` once it was released or lost.
    renewed: Mutex<Option<Asked>>,
}

impl RunLock {
    /// Takes the lock for 15 seconds: at once where it is free, lapsed, or held by a process of
    /// this machine that is gone.
    ///
    /// # Errors
    /// [`StateError::Locked`] while another process, or another run of this one, holds it.
    pub async fn acquire(
        store: &dyn StateStore,
        sync: &SyncId,
        holder: &LockHolder,
    ) -> Result<Self, StateError> {
        Self::acquire_on(LockTerms::default(), store, sync, holder).await
    }

    /// Takes the lock on other terms than the usual ones.
    ///
    /// # Errors
    /// As [`RunLock::acquire`].
    pub async fn acquire_on(
        terms: LockTerms,
        store: &dyn StateStore,
        sync: &SyncId,
        holder: &LockHolder,
    ) -> Result<Self, StateError> {
        let asked = Asked::now();
        let epoch = store.acquire_lock(sync, holder, terms.ttl).await?;
        Ok(Self { sync: sync.clone(), epoch, terms, renewed: Mutex::new(Some(asked)) })
    }

    /// Returns the Sync.
    pub fn sync(&self) -> &SyncId {
        &self.sync
    }

    /// Returns which taking of the Sync's lock this is.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns whether nobody else can have the lock yet. Looked at before each request to
    /// Customer.io; does no I/O.
    pub fn is_held(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// Prolongs the lock.
    ///
    /// # Errors
    /// [`StateError::LockLost`] where another process took over, or it was released; others where
    /// the store doesn't answer: then it may be tried again until the lock has lapsed.
    pub async fn renew(&self, store: &dyn StateStore) -> Result<(), StateError> {
        let asked = Asked::now();
        let renewed = store.renew_lock(self, self.terms.ttl).await;
        match &renewed {
            Ok(()) => self.prolong(asked),
            Err(StateError::LockLost { .. }) => self.end(),
            Err(_) => {}
        }
        renewed
    }

    /// Keeps the lock by renewing it every 5 seconds; returns only when it is lost, and why.
    /// A store that doesn't answer is asked again until the lock has lapsed. Drop it to stop.
    pub async fn keep(&self, store: &dyn StateStore) -> StateError {
        let mut pause = self.terms.renew_every;
        loop {
            sleep(pause).await;
            let remaining = self.remaining();
            if remaining.is_zero() {
                return self.lost();
            }
            let renewed = timeout(remaining, self.renew(store)).await;
            pause = match renewed {
                Ok(Ok(())) => self.terms.renew_every,
                Ok(Err(err)) if is_final(&err) => return err,
                Ok(Err(err)) if self.remaining().is_zero() => return err,
                Ok(Err(_)) => self.terms.retry_every.min(self.remaining()),
                Err(_) => return self.lost(),
            };
        }
    }

    /// Gives the lock back, so that the next run need not wait for it to lapse.
    ///
    /// # Errors
    /// Where the store doesn't answer; the lock then lapses by itself.
    pub async fn release(&self, store: &dyn StateStore) -> Result<(), StateError> {
        self.end();
        store.release_lock(self).await
    }

    /// Returns the error of a lock that was lost.
    pub(super) fn lost(&self) -> StateError {
        StateError::LockLost { sync: self.sync.clone() }
    }

    fn remaining(&self) -> Duration {
        let renewed = *self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let lasts = self.terms.ttl.saturating_sub(self.terms.margin);
        renewed.map_or(Duration::ZERO, |asked| lasts.saturating_sub(asked.elapsed()))
    }

    /// A renewal that comes back after the lock was given back doesn't revive it.
    fn prolong(&self, asked: Asked) {
        if let Some(renewed) = &mut *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) {
            *renewed = asked;
        }
    }

    fn end(&self) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Returns whether asking again is of no use.
fn is_final(err: &StateError) -> bool {
    matches!(err, StateError::LockLost { .. }) || err.disposition() != Disposition::Transient
}
