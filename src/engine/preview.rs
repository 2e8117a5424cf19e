//! What a run would deliver now, delivering nothing: the first half of a run, read back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::begin::{self, Opened};
use super::change::Change;
use super::changes::{Action, Changes};
use super::collection::Content;
use super::cursor::{self, ReadAll};
use super::error::RunError;
use super::gate::{self, Bounds};
use super::pipeline::Pipeline;
use super::plan::{PlanRules, Planner, PlannerParts, plan_rows, targets_may_repeat};
use super::progress::Progress;
use super::read::RowReader;
use super::rejected::RejectedRows;
use super::run::RunOptions;
use super::segment;
use super::settle;
use super::targets::TargetCheck;
use crate::customerio::{SendClock, SendContext, Traffic};
use crate::diff::{GuardInput, Tripped};
use crate::model::{ChangeKind, KeyShape, RecordView, RunCounts, RunId, SyncId, canonical};
use crate::spill::spool;
use crate::spill::spool::MEMORY_BYTES_DEFAULT;
use crate::state::store::SyncMemo;
use crate::state::{SnapshotReader, StateStore};

/// Changes of each kind that a preview shows one by one.
const SAMPLES_PER_KIND: usize = 5;

/// One plan to be made.
pub struct PreviewRequest {
    /// The Sync, ready to run.
    pub pipeline: Arc<Pipeline>,
    /// Its state; `None` where there is none yet.
    pub store: Option<Arc<dyn StateStore>>,
    /// What else the run would be told.
    pub options: RunOptions,
    /// Asks the plan to stop.
    pub cancel: CancellationToken,
    /// Who watches.
    pub progress: watch::Sender<Progress>,
    /// Where temporary files go.
    pub spill_dir: PathBuf,
}

/// A change shown as an example.
pub struct Sample {
    /// What happens.
    pub kind: ChangeKind,
    /// The row's key as a person reads it: a row value.
    pub key: String,
    /// What would be sent, as JSON: row values.
    pub attributes: Option<String>,
}

/// What a run would do now.
pub struct Preview {
    /// Its numbers.
    pub counts: RunCounts,
    /// Whether no run has ended well yet.
    pub is_first_run: bool,
    /// The guard that would stop it.
    pub tripped: Option<Tripped>,
    /// Whether the first run waits for a review.
    pub needs_review: bool,
    /// Examples.
    pub samples: Vec<Sample>,
    /// Codes of invalid rows, the most frequent first.
    pub invalid_codes: Vec<(String, u64)>,
    /// Attributes that would be sent and were not before.
    pub new_attributes: Vec<String>,
    /// Attributes that were sent before and no longer would: they stay as they are.
    pub left_behind: Vec<String>,
}

/// Makes a plan. Takes no lock and writes nothing; a left-over journal is merged in memory.
///
/// # Errors
/// What would stop a run before its guards.
pub async fn plan(request: PreviewRequest) -> Result<Preview, RunError> {
    let PreviewRequest { pipeline, store, options, cancel, progress, spill_dir } = request;
    let deadline = Instant::now() + pipeline.timeout;
    let known_as = match &store {
        Some(store) => known_as(&pipeline, store.as_ref()).await?,
        None => pipeline.sync.clone(),
    };
    let state = match &store {
        Some(store) => store.sync(&known_as).await?,
        None => None,
    };
    let memo = state.map(|state| state.memo).unwrap_or_default();
    let is_first_run = memo.last_success_at.is_none();
    let (workspace_id, segment) = workspace(&pipeline, &memo, deadline, &cancel).await?;
    let identity = begin::identity(&pipeline, workspace_id, segment);
    begin::check_identity(&memo, &identity)?;
    cursor::check(&pipeline, memo.cursor.as_ref())?;
    let (syncs, known) = match &store {
        Some(store) => (
            begin::others(&pipeline, store, &identity, &known_as).await?,
            settle::load_rejections(store.as_ref(), &known_as).await?,
        ),
        None => (Vec::new(), Vec::new()),
    };
    let read_all = ReadAll::new(options.full_resync, &known, memo.run_number + 1);
    let window = cursor::window(&pipeline, memo.cursor.as_ref(), read_all);
    let reads_all = window.as_ref().is_none_or(|window| window.from.is_none());
    let opening = begin::open(&pipeline, &memo, window, &spill_dir);
    let Opened { stream, mapper, clock, .. } =
        gate::bounded(opening, &cancel, deadline, &pipeline).await?;
    let snapshot = match &store {
        Some(store) => Some(SnapshotReader::open_with_journal(Arc::clone(store), known_as).await?),
        None => None,
    };
    let attributes = mapper.attribute_names();
    let shape = mapper.key_shape().clone();
    let (writer, reader) = spool(&spill_dir, MEMORY_BYTES_DEFAULT);
    let planner = Planner::new(PlannerParts {
        rules: PlanRules::new(&pipeline, &options, &memo),
        targets: TargetCheck::new(&spill_dir, targets_may_repeat(&mapper)),
        mapper,
        reads_all,
        clock,
        snapshot,
        spool: writer,
        rejected: Arc::new(RejectedRows::new(memo.run_number + 1, known)),
        content: pipeline.collection.as_ref().map(|_| Content::default()),
        progress,
        pipeline: Arc::clone(&pipeline),
    });
    let others = begin::lookup(&pipeline, store.as_ref(), syncs);
    let id = RunId(String::new());
    let bounds = Bounds { halt: &cancel, deadline, run: &id };
    let planning = plan_rows(planner, RowReader::start(stream), &others, &bounds, None);
    let mut planned = Box::pin(planning).await?;
    let changes = Changes::new(reader, planned.overrides.take())?;
    let input = GuardInput {
        counts: &planned.counts,
        snapshot_rows: planned.snapshot_rows,
        is_first_run,
        operation: pipeline.record.operation,
        approved: memo.blocked.as_ref().filter(|it| it.approved).map(|it| &it.counts),
    };
    let is_review = pipeline.initial_run == super::InitialRun::Review;
    Ok(Preview {
        tripped: pipeline.guards.check(&input),
        needs_review: is_first_run && is_review && input.approved.is_none(),
        counts: planned.told_counts(),
        is_first_run,
        samples: samples(changes, &shape).await?,
        invalid_codes: planned.invalid.codes(),
        new_attributes: attributes
            .iter()
            .filter(|name| !memo.attributes.contains(name))
            .cloned()
            .collect(),
        left_behind: begin::left_behind(&memo, &attributes),
    })
}

/// Returns the name under which the Sync's state is kept: the old one, where a run would take that
/// over first.
async fn known_as(pipeline: &Pipeline, store: &dyn StateStore) -> Result<SyncId, RunError> {
    let Some(from) = &pipeline.adopt_from else { return Ok(pipeline.sync.clone()) };
    let own = store.sync(&pipeline.sync).await?;
    let is_new = own.is_none_or(|state| state.memo.identity.is_none());
    Ok(if is_new { from.clone() } else { pipeline.sync.clone() })
}

/// Returns the workspace, and the segment whose members rows are; `None` too where a run would make
/// it.
async fn workspace(
    pipeline: &Pipeline,
    memo: &SyncMemo,
    deadline: Instant,
    cancel: &CancellationToken,
) -> Result<(u64, Option<u64>), RunError> {
    let (clock, traffic) = (SendClock::not_before(Timestamp::UNIX_EPOCH), Traffic::default());
    let context =
        SendContext { deadline, cancel, may_send: &|| true, clock: &clock, traffic: &traffic };
    let workspace_id = pipeline.client.account(&context).await?.workspace_id;
    Ok((workspace_id, segment::look_up(pipeline, memo, &context).await?))
}

async fn samples(mut changes: Changes, shape: &KeyShape) -> Result<Vec<Sample>, RunError> {
    let mut samples: Vec<Sample> = Vec::new();
    while let Some(action) = changes.next().await? {
        let change = match action {
            Action::Planned(change)
            | Action::MoveAfterRemoval(change)
            | Action::MoveOnly(change) => change,
            Action::Nothing => continue,
        };
        let (kind, canonical) = match change {
            Change::Upsert { kind, canonical, .. } => (kind, Some(canonical)),
            Change::Move { canonical, .. } => (ChangeKind::Changed, Some(canonical)),
            Change::Remove { .. } => (ChangeKind::Removed, None),
            Change::Remember { .. } | Change::Forget { .. } | Change::Note { .. } => continue,
        };
        if samples.iter().filter(|sample| sample.kind == kind).count() >= SAMPLES_PER_KIND {
            continue;
        }
        let attributes = canonical.and_then(attributes_json);
        samples.push(Sample { kind, key: shape.display(change.key()), attributes });
    }
    Ok(samples)
}

fn attributes_json(record: &[u8]) -> Option<String> {
    let mut out = vec![b'{'];
    for (index, (name, mut value)) in RecordView::parse(record)?.attributes.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        canonical::write_json_string(&mut out, name);
        out.push(b':');
        canonical::to_json(&mut value, &mut out)?;
    }
    out.push(b'}');
    String::from_utf8(out).ok()
}
