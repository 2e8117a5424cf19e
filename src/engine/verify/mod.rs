//! What Customer.io holds, read back and held against what we believe it holds: the rows whose
//! fingerprint says that they were accepted as the source has them now.

mod ask;
mod believed;
mod compare;
mod forget;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use self::ask::{Asking, Subject};
pub use self::compare::AttributeDifference;
pub use self::forget::forget;
use super::audit::membership::{Membership, NoMembers};
use super::begin;
use super::error::RunError;
use super::gate;
use super::pipeline::Pipeline;
use super::segment;
use crate::customerio::app::App;
use crate::customerio::{SendClock, SendContext, Traffic};
use crate::model::{Fingerprint, OperationKind};
use crate::state::StateStore;
use crate::state::store::SyncMemo;

/// How long a verification may take: all of a large Sync, at the App API's pace.
const TIME_MAX: Duration = Duration::from_secs(24 * 3_600);

/// Differing rows that are told one by one.
pub const DIFFERENCES_MAX: usize = 1_000;

/// One verification.
pub struct VerifyRequest {
    /// The Sync.
    pub pipeline: Arc<Pipeline>,
    /// Its state.
    pub store: Arc<dyn StateStore>,
    /// How many rows are looked at, taken by chance; `None` for all.
    pub sample: Option<u64>,
    /// Asks it to stop.
    pub cancel: CancellationToken,
    /// Where temporary files go.
    pub spill_dir: PathBuf,
}

/// Rows, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyCounts {
    /// Rows that were read from the source.
    pub rows_read: u64,
    /// Remembered rows that were chosen and are not as the source has them now, or failed: the next
    /// run sends them, and nothing is believed of them.
    pub not_current: u64,
    /// Rows that were read back.
    pub checked: u64,
    /// Those that are as we believe.
    pub equal: u64,
    /// Those whose attributes differ.
    pub differing: u64,
    /// Those that don't exist.
    pub missing: u64,
    /// Those that exist and should not.
    pub unexpected: u64,
    /// People whom an update does not reach, because they don't exist: no difference.
    pub unreached: u64,
    /// Rows that the API has no question for.
    pub unasked: u64,
}

impl VerifyCounts {
    /// Returns how many rows are not as we believe.
    pub fn differences(&self) -> u64 {
        self.differing + self.missing + self.unexpected
    }
}

/// How a row is not as we believe.
#[derive(Clone, PartialEq, Eq)]
pub enum Difference {
    /// Nobody is there.
    Missing,
    /// Somebody is there who should not be.
    Unexpected,
    /// Some attributes differ.
    Attributes(Vec<AttributeDifference>),
}

/// A row that is not as we believe.
pub struct DifferingRow {
    /// Its key.
    pub key: Vec<u8>,
    /// What is remembered of it.
    pub fingerprint: Fingerprint,
    /// How it differs.
    pub difference: Difference,
}

/// What a verification found.
pub struct Verified {
    /// The numbers.
    pub counts: VerifyCounts,
    /// The rows that differ, in order of their keys; the first [`DIFFERENCES_MAX`].
    pub rows: Vec<DifferingRow>,
    /// What is known of the Sync, for showing keys.
    pub memo: SyncMemo,
}

/// What becomes of rows that differ, page by page, while a verification goes on.
pub type OnDiffering<'a> = dyn FnMut(Vec<(Vec<u8>, Fingerprint)>) + Send + 'a;

/// Reads back what was sent and compares. Changes nothing anywhere. `found` is given the key and the
/// fingerprint of every row that differs, also of those that are not told one by one.
///
/// # Errors
/// Where nothing was delivered yet, what is sent can't be read back, or source, state or Customer.io
/// fail.
pub async fn verify(
    request: VerifyRequest,
    found: &mut OnDiffering<'_>,
) -> Result<Verified, RunError> {
    let VerifyRequest { pipeline, store, sample, cancel, spill_dir } = request;
    let app = pipeline.client.app().ok_or(RunError::NoAppKey("verify reads people back"))?;
    if !can_verify(pipeline.record.operation) {
        return Err(RunError::NotVerifiable { operation: pipeline.record.operation.as_str() });
    }
    let state = store.sync(&pipeline.sync).await?;
    let memo = state.as_ref().map(|state| state.memo.clone()).unwrap_or_default();
    if memo.identity.is_none() {
        return Err(RunError::NothingDelivered);
    }
    let (clock, traffic) = (SendClock::not_before(Timestamp::UNIX_EPOCH), Traffic::default());
    let deadline = Instant::now() + TIME_MAX;
    let context = SendContext {
        deadline,
        cancel: &cancel,
        may_send: &|| true,
        clock: &clock,
        traffic: &traffic,
    };
    let account = pipeline.client.account(&context).await?;
    let segment = segment::look_up(&pipeline, &memo, &context).await?;
    begin::check_identity(&memo, &begin::identity(&pipeline, account.workspace_id, segment))?;
    app.check(account.workspace_id, &context).await?;
    let about = About { app, segment, context: &context };
    let subject = subject(&pipeline, &store, &memo, (&about, &spill_dir)).await?;
    let remembered = state.map_or(0, |state| state.segment_rows);
    let collecting = believed::collect(
        &pipeline,
        &store,
        &memo,
        believed::Choice::new(sample, remembered),
        &spill_dir,
    );
    let collected = gate::bounded(collecting, &cancel, deadline, &pipeline).await?;
    let mut asking = Asking::new(app, &pipeline, subject, collected.counts);
    asking.run(collected.rows, &context, found).await?;
    let (counts, rows) = asking.finish();
    Ok(Verified { counts, rows, memo })
}

/// What is asked, of which segment.
struct About<'a> {
    app: App<'a>,
    segment: Option<u64>,
    context: &'a SendContext<'a>,
}

/// Returns what is asked about rows; the members of a segment are compared here.
async fn subject(
    pipeline: &Pipeline,
    store: &Arc<dyn StateStore>,
    memo: &SyncMemo,
    (about, spill_dir): (&About<'_>, &Path),
) -> Result<Subject, RunError> {
    match pipeline.record.operation {
        OperationKind::ObjectIdentify | OperationKind::ObjectDelete => Ok(Subject::Objects),
        OperationKind::SegmentAdd | OperationKind::SegmentRemove => {
            let (Some(key_shape), Some(segment)) = (&memo.key_shape, about.segment) else {
                return Err(RunError::NothingDelivered);
            };
            let membership = Membership { pipeline, store, key_shape, spill_dir };
            match membership.astray(about.app, segment, about.context).await {
                Ok(astray) => Ok(Subject::Members(astray)),
                Err(NoMembers::Failed(error)) => Err(error),
                Err(NoMembers::Unread(problem)) => Err(RunError::NoMembers { problem }),
            }
        }
        _ => Ok(Subject::People),
    }
}

/// Returns whether what an operation leaves behind can be read back.
fn can_verify(operation: OperationKind) -> bool {
    match operation {
        OperationKind::PersonIdentify
        | OperationKind::PersonUpdate
        | OperationKind::PersonDelete
        | OperationKind::PersonSuppress
        | OperationKind::ObjectIdentify
        | OperationKind::ObjectDelete
        | OperationKind::SegmentAdd
        | OperationKind::SegmentRemove => true,
        OperationKind::PersonUnsuppress
        | OperationKind::PersonClear
        | OperationKind::ObjectClear
        | OperationKind::RelationshipAdd
        | OperationKind::RelationshipDelete
        | OperationKind::DeviceAdd
        | OperationKind::DeviceDelete
        | OperationKind::EventTrack
        | OperationKind::CollectionReplace => false,
    }
}
