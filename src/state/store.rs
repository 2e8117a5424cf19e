//! What every state store can do. SQL lives behind this trait; meaning lives above it.

use std::ops::Bound;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::StateError;
use super::lock::{LockHolder, RunLock};
pub use super::read_back::{AuditMemo, CollectionMemo, HandledFailure};
use super::request::{Adoption, StoredRequest};
use crate::model::{
    IdentifierKind, KeyShape, OperationKind, Rejection, RunCounts, RunId, RunReport, SyncId,
};

/// What a Sync's state belongs to. Another identity under the same name stops a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The entity, as the spec writes it (`person`).
    pub entity: String,
    /// The columns of the primary key.
    pub primary_key: Vec<String>,
    /// The identifier by which people or objects are named.
    pub identifier: IdentifierKind,
    /// The object type, where the entity has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_type: Option<String>,
    /// The segment, where the entity has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// The name by which the segment was found, where it was by one; a new one for the same segment
    /// changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_name: Option<String>,
    /// The workspace that `/accounts/region` named at the first delivery.
    pub workspace_id: u64,
}

/// A run that a guard stopped, kept until a run ends well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// The first run that was blocked; what a person approves.
    pub id: RunId,
    /// Since when.
    pub since: Timestamp,
    /// The guard's name as the spec writes it (`maxRemoved`).
    pub guard: String,
    /// The counts that were blocked.
    pub counts: RunCounts,
    /// Whether a person approved it: then runs may pass up to these counts plus 10 %.
    #[serde(default)]
    pub approved: bool,
}

/// How far a cursor has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CursorMemo {
    /// The column.
    pub column: String,
    /// Its largest value that was read and needs no second look, to the microsecond.
    pub last: Timestamp,
    /// Hash of what was read and how it was mapped: where it changed, all rows are read once more.
    pub meaning: String,
    /// Events before this were forgotten: a row from before that is not known was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten_before: Option<Timestamp>,
    /// The smallest value of a row that we refused and have not seen mended: from here on events
    /// are read once more where the mapping changed, and none is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_from: Option<Timestamp>,
}

/// What is known of a Sync besides its rows. Written as one document; fields may be added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncMemo {
    /// `None` until the first run that got as far as delivering.
    pub identity: Option<Identity>,
    /// The kinds of the key's columns; set with the identity.
    pub key_shape: Option<KeyShape>,
    /// What the remembered rows were sent as; set by each run that delivers.
    pub operation: Option<OperationKind>,
    /// How many runs began.
    pub run_number: u64,
    /// When a run last ended well; `None` while the first run has not.
    pub last_success_at: Option<Timestamp>,
    /// When the last run that ended well made its plan: what fell due for a refresh before that
    /// was sent.
    pub planned_at: Option<Timestamp>,
    /// When a complete read last found rows again that had been missing, where its run did not end
    /// well: which rows is not known, so every wait for a removal begins anew then.
    pub found_again_at: Option<Timestamp>,
    /// How far a cursor has read; `None` without one.
    pub cursor: Option<CursorMemo>,
    /// The latest second that was stamped on a request: the clock of a Sync never goes back.
    pub clock_floor_seconds: i64,
    /// The attributes that the last run that ended well sent.
    pub attributes: Vec<String>,
    /// A run that a guard stopped.
    pub blocked: Option<Blocked>,
    /// How far late failures were read; `None` before the first reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditMemo>,
    /// What is known of a collection that is replaced as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionMemo>,
    /// Whether a person had all else forgotten: events of the next run count as sent.
    pub was_reset: bool,
}

impl SyncMemo {
    /// Returns what stays known when all else is forgotten: how many runs there were, the clock,
    /// which never goes back, and that there was something to forget.
    pub fn after_reset(&self) -> Self {
        Self {
            run_number: self.run_number,
            clock_floor_seconds: self.clock_floor_seconds,
            was_reset: true,
            ..Self::default()
        }
    }
}

/// A Sync's state as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncState {
    /// The Sync.
    pub sync: SyncId,
    /// What is known of it.
    pub memo: SyncMemo,
    /// Rows in its segments; what still stands in the journal is not counted.
    pub segment_rows: u64,
    /// Counts each taking of the run lock; every write checks it.
    pub epoch: u64,
}

/// A run of remembered rows, sorted by key: what `state::segment` encodes.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSegment {
    /// The key of its first entry.
    pub first_key: Vec<u8>,
    /// The key of its last entry.
    pub last_key: Vec<u8>,
    /// How many entries it has.
    pub count: u32,
    /// Version of the layout of `data`.
    pub codec: u8,
    /// CRC-32 of `data`.
    pub crc: u32,
    /// The entries.
    pub data: Vec<u8>,
}

/// What one answered request changed, committed before the request counts as done.
#[derive(Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// The run that wrote it.
    pub run: RunId,
    /// Its place in the Sync's journal: greater than that of every row that still stands there.
    pub seq: u64,
    /// Accepted entries and tombstones, sorted by key, as a segment.
    pub changes: StoredSegment,
}

/// A row that was not accepted, with what is known of its tries.
#[derive(Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// The encoded primary key; of an invalid row without a usable key, a number of its own.
    pub key: Vec<u8>,
    /// The fingerprint of what was refused, in the current encoding; `None` for invalid rows and
    /// refused removals.
    pub fingerprint: Option<[u8; 16]>,
    /// Why.
    pub rejection: Rejection,
    /// How often Customer.io refused it.
    pub attempts: u32,
    /// When it was first refused.
    pub first_seen_at: Timestamp,
    /// When it was last refused.
    pub last_seen_at: Timestamp,
    /// The number of the run from which on it is tried again.
    pub due_run: u64,
    /// Whether it is no longer tried by itself.
    pub parked: bool,
}

/// One atomic step of folding the journal into the segments.
#[derive(Default)]
pub struct FoldStep {
    /// First keys of the segments that are replaced.
    pub replaced: Vec<Vec<u8>>,
    /// The segments that take their place.
    pub written: Vec<StoredSegment>,
    /// The journal rows that are now contained.
    pub folded: Vec<u64>,
}

/// What is noted of a Sync's segments, and what is there. They differ only where rows were lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentTotals {
    /// How many segments the Sync's row speaks of.
    pub noted_segments: u64,
    /// How many entries the Sync's row speaks of.
    pub noted_rows: u64,
    /// How many segments there are.
    pub found_segments: u64,
    /// How many entries the segments that are there say they have.
    pub found_rows: u64,
}

/// A part of a Sync's state on its way into a store.
pub enum Portion {
    /// Remembered rows, behind those that came before.
    Segment(StoredSegment),
    /// A row that was not accepted.
    Rejection(RejectedRow),
}

/// Portions as a file gives them, one after the other.
pub type Portions<'a> = dyn Iterator<Item = Result<Portion, StateError>> + Send + 'a;

/// A place where state is kept. Methods that take a [`RunLock`] write only while its epoch is the
/// current one, checked in the same transaction, and answer [`StateError::LockLost`] otherwise.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Returns where the store is, without credentials, for messages.
    fn location(&self) -> &str;

    /// Returns what is stored of a Sync.
    async fn sync(&self, sync: &SyncId) -> Result<Option<SyncState>, StateError>;

    /// Returns all Syncs, sorted by namespace and name.
    async fn syncs(&self) -> Result<Vec<SyncState>, StateError>;

    /// Takes the run lock for `ttl` and returns its epoch: at once when it is free, lapsed, or
    /// held by a process of this host that is gone. Makes the Sync's row where there is none.
    ///
    /// # Errors
    /// [`StateError::Locked`] while another process holds it.
    async fn acquire_lock(
        &self,
        sync: &SyncId,
        holder: &LockHolder,
        ttl: Duration,
    ) -> Result<u64, StateError>;

    /// Prolongs the lock by `ttl` from now.
    async fn renew_lock(&self, lock: &RunLock, ttl: Duration) -> Result<(), StateError>;

    /// Gives the lock back; no error where it was lost already.
    async fn release_lock(&self, lock: &RunLock) -> Result<(), StateError>;

    /// Replaces what is known of the Sync.
    async fn save_memo(&self, lock: &RunLock, memo: &SyncMemo) -> Result<(), StateError>;

    /// Returns up to `limit` segments whose last key lies at or behind `from`, in order of their
    /// keys. One short read: nothing stays open when it returns.
    async fn segments(
        &self,
        sync: &SyncId,
        from: Bound<&[u8]>,
        limit: u32,
    ) -> Result<Vec<StoredSegment>, StateError>;

    /// Returns the last segment that lies wholly before `key`.
    async fn segment_before(
        &self,
        sync: &SyncId,
        key: &[u8],
    ) -> Result<Option<StoredSegment>, StateError>;

    /// Returns how many segments and rows there should be and how many there are, as of one moment.
    async fn segment_totals(&self, sync: &SyncId) -> Result<SegmentTotals, StateError>;

    /// Appends rows to the journal, durably and at once: when this returns, they survive a power
    /// cut. Where it fails or is dropped, they may be there or not; to append the same rows again
    /// is no error.
    async fn append_journal(&self, lock: &RunLock, rows: &[JournalRow]) -> Result<(), StateError>;

    /// Returns up to `limit` journal rows behind `after_seq`, in order.
    async fn journal(
        &self,
        sync: &SyncId,
        after_seq: Option<u64>,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StateError>;

    /// Carries out one step of a fold in one transaction.
    async fn apply_fold(&self, lock: &RunLock, step: &FoldStep) -> Result<(), StateError>;

    /// Forgets everything of a Sync but its history of runs, and its memo but the run's number
    /// and the clock.
    async fn reset(&self, lock: &RunLock) -> Result<(), StateError>;

    /// Replaces everything of a Sync but its history of runs, in one transaction: where `portions`
    /// gives an error, nothing has changed.
    async fn replace(
        &self,
        lock: &RunLock,
        memo: &SyncMemo,
        portions: &mut Portions<'_>,
    ) -> Result<(), StateError>;

    /// Returns up to `limit` rows that were not accepted, behind `after`, in order of their keys.
    async fn rejections(
        &self,
        sync: &SyncId,
        after: Option<&[u8]>,
        limit: u32,
    ) -> Result<Vec<RejectedRow>, StateError>;

    /// Writes rejections, replacing those of the same key, and removes those of `settled` keys.
    async fn save_rejections(
        &self,
        lock: &RunLock,
        rows: &[RejectedRow],
        settled: &[Vec<u8>],
    ) -> Result<(), StateError>;

    /// Removes all rejections of rows that we refused ourselves: a run that reads every row finds
    /// them anew.
    async fn clear_invalid(&self, lock: &RunLock) -> Result<(), StateError>;

    /// Makes all rows that were not accepted due at the next run, parked or not; returns how many.
    /// Needs no lock.
    async fn make_rejections_due(&self, sync: &SyncId) -> Result<u64, StateError>;

    /// Appends a finished run to the history and forgets all but the last `history_limit`; the
    /// last one always stays, as by it a store is known to be of the present. A run that is there
    /// already is replaced.
    async fn save_run(
        &self,
        lock: &RunLock,
        report: &RunReport,
        history_limit: u32,
    ) -> Result<(), StateError>;

    /// Returns the last runs of a Sync, newest first.
    async fn runs(&self, sync: &SyncId, limit: u32) -> Result<Vec<RunReport>, StateError>;

    /// Returns whether the store has the report of a run, or rows that it delivered and that are
    /// not folded yet. A run that was killed before it delivered anything is not known, nor is one
    /// that the history has forgotten.
    async fn knows_run(&self, sync: &SyncId, run: &RunId) -> Result<bool, StateError>;

    /// Returns the newest request of each kind, in no order. Those of kinds that this version
    /// doesn't know are left out.
    async fn requests(&self, sync: &SyncId) -> Result<Vec<StoredRequest>, StateError>;

    /// Writes a request in the place of the last one of its kind. Needs no lock, nor anything
    /// else to be stored of the Sync.
    async fn save_request(&self, sync: &SyncId, request: &StoredRequest) -> Result<(), StateError>;

    /// Notes that the Syncs were there at `at`, unless a later time is noted already. Needs no
    /// lock, nor anything else to be stored of them.
    async fn touch(&self, syncs: &[SyncId], at: Timestamp) -> Result<(), StateError>;

    /// Returns the Syncs that were last seen before `at`, sorted. One that was never seen is not
    /// among them: what was imported waits for its Sync.
    async fn untouched_since(&self, at: Timestamp) -> Result<Vec<SyncId>, StateError>;

    /// Forgets everything of a Sync, its history and its requests included, in one transaction.
    /// The epochs of its lock never come again.
    ///
    /// # Errors
    /// [`StateError::Locked`] while a process runs it.
    async fn forget(&self, sync: &SyncId) -> Result<(), StateError>;

    /// Moves everything that is remembered of `from` to `to`, in one transaction: rows, journal,
    /// rejections, history. Requests to `from` are dropped. Where `to` has remembered rows of its
    /// own nothing changes, so to ask again is no error.
    ///
    /// # Errors
    /// [`StateError::Locked`] while a process runs either.
    async fn adopt(&self, from: &SyncId, to: &SyncId) -> Result<Adoption, StateError>;
}
