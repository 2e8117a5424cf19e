//! What a decision is made from, and nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api;
use crate::controller::decide::decision::Trigger;
use crate::controller::decide::request::StoredRequest;
use crate::engine::Progress;
use crate::model::{Disposition, Reason, RunId, RunReport};
use crate::schedule::Schedule;

/// Everything that a decision about a Sync may depend on.
#[derive(Clone)]
pub struct View<'a> {
    /// The Sync, with its status as last seen or as the last patch returned it.
    pub sync: &'a api::Sync,
    /// The time.
    pub now: Timestamp,
    /// The schedule with the uid's jitter, or what is wrong with the spec.
    pub spec: Result<Schedule, Problem>,
    /// Whether the Source and the connection can be used.
    pub references: References,
    /// When something that the Sync names last changed: the spec of its Source or connection, a
    /// Secret of theirs, a probe that turned well, or that the Sync of `adoptStateFrom` is gone.
    /// `None` where nothing did while this process looked. A Sync that a person must mend is tried
    /// again then.
    pub named_changed_at: Option<Timestamp>,
    /// What holds the Sync back from running.
    pub suspended: Option<SuspendedBy>,
    /// How each Sync of `dependsOn` stands; see [`standings`](super::dependency::standings).
    pub dependencies: &'a [Standing],
    /// The newest request of each kind that the state store remembers.
    pub requests: &'a [StoredRequest],
    /// The run in this process, waiting for a place in the pool or at work.
    pub running: Option<&'a Running>,
    /// The last runs as the state store knows them, newest first. Looked at only where
    /// [`needs_recorded`](super::recover::needs_recorded) says so; empty otherwise.
    pub recorded: &'a [RunReport],
    /// Whether this process is about to stop: then nothing is started.
    pub is_stopping: bool,
    /// What only a deleted Sync with a finalizer needs; `None` for every other.
    pub deletion: Option<DeletionView>,
}

/// What is known besides, when a Sync is being deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeletionView {
    /// Rows in the snapshot; `None` while the state store can't say.
    pub snapshot_rows: Option<u64>,
    /// Whether the namespace is being deleted too.
    pub is_namespace_terminating: bool,
    /// Why nothing can be sent any more, where the connection or its Secret is gone; without
    /// final dot.
    pub connection_gone: Option<String>,
}

/// Why a Sync can't run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The reason, as conditions name it.
    pub reason: Reason,
    /// What is wrong, without row values and without final dot.
    pub message: String,
    /// What to do, without final dot.
    pub hint: Option<String>,
    /// Whether it passes by itself.
    pub disposition: Disposition,
}

/// Whether what a Sync refers to can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum References {
    /// It can.
    Usable,
    /// It exists and may be used, and was not probed yet: wait, it is no fault.
    Unproven,
    /// It is missing, forbidden, or known not to work.
    Broken(Problem),
}

/// Who suspended a Sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SuspendedBy {
    /// Its own spec.
    Spec,
    /// Its connection.
    Connection,
    /// Its Source.
    Source,
}

/// How a Sync of `dependsOn` stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// What that means for who depends on it.
    pub hold: Hold,
}

/// What a Sync means for those that depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// Its latest due slot ended well, or it is suspended: go.
    Go,
    /// It is due, running, about to be tried again, or has not run yet: wait.
    Wait,
    /// It failed: the slot is skipped.
    Failed,
}

/// Why a run was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CancelCause {
    /// A person asked for it.
    Requested,
    /// The Sync was suspended.
    Suspended,
    /// The Sync is being deleted.
    Deleted,
    /// Its spec changed: the run starts again with the new one.
    SpecChanged,
}

/// The run in this process.
#[derive(Clone, Debug)]
pub struct Running {
    /// Which run.
    pub id: RunId,
    /// What started it.
    pub trigger: Trigger,
    /// Token of the request that started it.
    pub request: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// The spec that it runs.
    pub spec: api::SyncSpec,
    /// How far it is; `None` while it waits for a place in the pool.
    pub progress: Option<Progress>,
    /// Why it was told to stop already.
    pub cancelled: Option<CancelCause>,
}

/// A run that ended in this process.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// What it did. Where it could not even be resolved, a report of zeros that says why.
    pub report: RunReport,
    /// What started it.
    pub trigger: Trigger,
    /// Token of the request that started it.
    pub request: Option<String>,
    /// What its error means; `None` where it ended well.
    pub disposition: Option<Disposition>,
    /// What a person should do about it, without final dot.
    pub hint: Option<String>,
    /// Why it was told to stop, if it was.
    pub cancelled: Option<CancelCause>,
    /// The guard that stopped it.
    pub blocked: Option<BlockedBy>,
    /// Version of each Secret that it used, by name.
    pub secret_versions: BTreeMap<String, String>,
    /// Rows that are remembered now; `None` where that couldn't be read.
    pub snapshot_rows: Option<u64>,
    /// Rejected rows that are no longer tried by themselves; `None` where that couldn't be read.
    pub parked_rows: Option<u64>,
}

/// A guard that stopped a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedBy {
    /// The first run that this guard blocked: what is approved.
    pub id: RunId,
    /// The guard, as the spec writes it.
    pub guard: String,
}
