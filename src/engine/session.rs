//! One run between taking the lock and giving it back.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::audit::{self, Audit};
use super::begin::{self, Opened};
use super::changes::Changes;
use super::collection::{Content, Replacing};
use super::commit::{CommitRules, Committer};
use super::cursor::{self, ReadAll, Seen};
use super::deliver::{Delivery, DeliveryParts};
use super::error::RunError;
use super::fill::{Filler, ItemRules};
use super::gate;
use super::pipeline::Pipeline;
use super::plan::{
    PlanRules, Planned, Planner, PlannerParts, is_first_run, plan_rows, targets_may_repeat,
};
use super::progress::Phase;
use super::read::RowReader;
use super::refusals::Refusals;
use super::rejected::{Probation, RejectedRows};
use super::run::{RunRequest, Tally};
use super::segment;
use super::settle;
use super::targets::{Others, TargetCheck};
use crate::customerio::{SendClock, SendContext, Traffic};
use crate::model::{RunCounts, RunId};
use crate::spill::spool::MEMORY_BYTES_DEFAULT;
use crate::spill::{SpoolReader, spool};
use crate::state::store::SyncMemo;
use crate::state::{RunLock, SnapshotReader, fold};

/// A run that holds its lock.
pub struct Session<'a> {
    /// What was asked for.
    pub request: &'a RunRequest,
    /// The right to write.
    pub lock: Arc<RunLock>,
    /// The run.
    pub id: RunId,
    /// When its time is over.
    pub deadline: Instant,
    /// Ends it early.
    pub halt: CancellationToken,
}

/// What a run knows once its read is open.
pub(super) struct Prepared {
    pub(super) memo: SyncMemo,
    pub(super) is_first_run: bool,
    pub(super) targets_may_repeat: bool,
    rejected: Arc<RejectedRows>,
    item_rules: ItemRules,
    segment: segment::Resolved,
    attributes: Vec<String>,
    planned_at: Timestamp,
    /// From where on rows are read by the cursor, in unix microseconds; `None` where all are.
    read_from: Option<i64>,
}

/// A planner and the rows it will see.
struct Planning {
    planner: Planner,
    rows: RowReader,
    others: Others,
}

/// The figures of a run, taken by its two halves side by side.
struct Figures<'a> {
    tally: &'a mut Tally,
    refusals: &'a mut Refusals,
}

impl Session<'_> {
    /// Runs from the workspace check to the last commit; `tally` has the numbers, however it ends.
    ///
    /// # Errors
    /// What stopped it. Whatever was accepted is remembered.
    pub async fn run(&self, tally: &mut Tally) -> Result<(), RunError> {
        let memo = self.begin_memo().await?;
        let traffic = Traffic::default();
        let floor = Timestamp::from_second(memo.clock_floor_seconds).unwrap_or_default();
        let clock = SendClock::not_before(floor);
        let lock = Arc::clone(&self.lock);
        let may_send = move || lock.is_held();
        let context = SendContext {
            deadline: self.deadline,
            cancel: &self.halt,
            may_send: &may_send,
            clock: &clock,
            traffic: &traffic,
        };
        let (mut prepared, planning, spool) = Box::pin(self.open(memo, &context)).await?;
        let mut refusals = Refusals::default();
        let figures = Figures { tally, refusals: &mut refusals };
        let found_again_at = prepared.memo.found_again_at;
        let work = self.carry_out((planning, spool), &mut prepared, &context, figures);
        let carried_out = Box::pin(work).await;
        tally.take_traffic(&traffic, &refusals);
        prepared.memo.clock_floor_seconds = clock.second(Timestamp::now());
        let RunRequest { pipeline, store, progress, .. } = self.request;
        if let Err(error) = carried_out {
            if !matches!(error, RunError::State(_)) {
                self.remember_failure(&error, &tally.counts, &prepared.memo).await;
            }
            return Err(error);
        }
        progress.send_modify(|progress| progress.phase = Phase::Committing);
        fold(store.as_ref(), &self.lock, None).await?;
        if prepared.read_from.is_none() {
            settle::left_source(store.as_ref(), &self.lock, &prepared.rejected).await?;
        }
        let reads_all = prepared.read_from.is_none();
        settle::mended(store.as_ref(), &self.lock, &prepared.rejected, reads_all).await?;
        prepared.memo.attributes = std::mem::take(&mut prepared.attributes);
        prepared.memo.collection = tally.collection.take().or(prepared.memo.collection.take());
        let audit = Audit {
            request: self.request,
            lock: &self.lock,
            run: &self.id,
            rejected: &prepared.rejected,
            planned_at: prepared.planned_at,
            segment: prepared.segment.id,
        };
        tally.take_audit(audit.run(&mut prepared.memo, &context).await?);
        tally.notes.extend(prepared.segment.note.take());
        let seen = Seen {
            largest: tally.cursor,
            held_back: prepared.rejected.held_back(),
            invalid: prepared.rejected.invalid_from(),
            from: prepared.read_from,
        };
        prepared.memo.cursor = cursor::advance(pipeline, prepared.memo.cursor.take(), seen);
        prepared.memo.last_success_at = Some(Timestamp::now());
        prepared.memo.planned_at = Some(prepared.planned_at);
        // Which rows were found again stands at each of them now.
        prepared.memo.found_again_at = found_again_at;
        prepared.memo.blocked = None;
        Ok(store.save_memo(&self.lock, &prepared.memo).await?)
    }

    /// Writes down how far the clock is and what is blocked. What the store holds says already
    /// whether anything was delivered: a run that delivered nothing binds nobody to an identity.
    async fn remember_failure(&self, error: &RunError, counts: &RunCounts, memo: &SyncMemo) {
        let RunRequest { pipeline, store, .. } = self.request;
        let Ok(Some(state)) = store.sync(&pipeline.sync).await else { return };
        let blocked = gate::blocked(error, &self.id, counts, memo);
        let written = SyncMemo {
            clock_floor_seconds: memo.clock_floor_seconds,
            blocked: blocked.or_else(|| memo.blocked.clone()),
            ..state.memo
        };
        // The run's own error tells more than one of writing it down would.
        drop(store.save_memo(&self.lock, &written).await);
    }

    /// Counts the run, and takes note of an approval.
    async fn begin_memo(&self) -> Result<SyncMemo, RunError> {
        let RunRequest { pipeline, store, options, .. } = self.request;
        let state = store.sync(&pipeline.sync).await?;
        let mut memo = state.map(|state| state.memo).unwrap_or_default();
        memo.run_number += 1;
        if let Some(given) = &options.approve {
            match &mut memo.blocked {
                Some(blocked) if blocked.id == *given => blocked.approved = true,
                other => {
                    let blocked_id = other.as_ref().map(|blocked| blocked.id.clone());
                    return Err(RunError::NothingToApprove { given: given.clone(), blocked_id });
                }
            }
        }
        store.save_memo(&self.lock, &memo).await?;
        Ok(memo)
    }

    /// Settles all that must hold before a row is read, then opens the read.
    async fn open(
        &self,
        mut memo: SyncMemo,
        context: &SendContext<'_>,
    ) -> Result<(Prepared, Planning, SpoolReader), RunError> {
        let RunRequest { pipeline, store, progress, spill_dir, options, .. } = self.request;
        let account = pipeline.client.account(context).await?;
        let segment = segment::resolve(pipeline, &memo, account.workspace_id, context).await?;
        let identity = begin::identity(pipeline, account.workspace_id, segment.id);
        begin::check_identity(&memo, &identity)?;
        cursor::check(pipeline, memo.cursor.as_ref())?;
        fold(store.as_ref(), &self.lock, None).await?;
        let syncs = begin::others(pipeline, store, &identity, &pipeline.sync).await?;

        progress.send_modify(|progress| progress.phase = Phase::Planning);
        let known = settle::load_rejections(store.as_ref(), &pipeline.sync).await?;
        let read_all = ReadAll::new(options.full_resync, &known, memo.run_number);
        let window = cursor::window(pipeline, memo.cursor.as_ref(), read_all);
        let read_from = window.as_ref().and_then(|window| window.from);
        let opening = begin::open(pipeline, &memo, window, spill_dir);
        let Opened { stream, mapper, key_shape, clock } =
            gate::bounded(opening, &self.halt, self.deadline, pipeline).await?;
        memo.identity = Some(identity);
        memo.key_shape = key_shape.or(memo.key_shape);
        memo.operation = Some(pipeline.record.operation);
        let mut prepared = Prepared {
            is_first_run: is_first_run(options, &memo),
            targets_may_repeat: targets_may_repeat(&mapper),
            rejected: Arc::new(
                RejectedRows::new(memo.run_number, known).with_probation(probation(pipeline)),
            ),
            item_rules: ItemRules {
                removal: begin::removal(pipeline)?,
                target_kind: mapper.target_kind(),
                object_type: pipeline.object_type().map(str::to_owned),
                target_is_key: mapper.target_is_key(),
                clearable: mapper.clearable_names(),
            },
            segment,
            attributes: mapper.attribute_names(),
            planned_at: Timestamp::UNIX_EPOCH,
            read_from,
            memo,
        };
        let (writer, reader) = spool(spill_dir, MEMORY_BYTES_DEFAULT);
        let rules = PlanRules::new(pipeline, options, &prepared.memo);
        prepared.planned_at = rules.now;
        audit::begin(pipeline, &mut prepared.memo, rules.now);
        if let Some(memo) = &mut prepared.memo.cursor {
            // Written before anything is forgotten: an event must not pass for a new one.
            memo.forgotten_before = memo.forgotten_before.max(rules.forget_before);
        }
        let planner = Planner::new(PlannerParts {
            pipeline: Arc::clone(pipeline),
            rules,
            targets: TargetCheck::new(spill_dir, prepared.targets_may_repeat),
            mapper,
            reads_all: read_from.is_none(),
            clock,
            snapshot: Some(SnapshotReader::open(Arc::clone(store), pipeline.sync.clone()).await?),
            spool: writer,
            rejected: Arc::clone(&prepared.rejected),
            content: pipeline.collection.as_ref().map(|_| Content::default()),
            progress: progress.clone(),
        });
        let others = begin::lookup(pipeline, Some(store), syncs);
        Ok((prepared, Planning { planner, rows: RowReader::start(stream), others }, reader))
    }

    /// Plans and delivers: one after the other where a guard needs the whole plan, else side by
    /// side.
    async fn carry_out(
        &self,
        (planning, spool): (Planning, SpoolReader),
        prepared: &mut Prepared,
        context: &SendContext<'_>,
        Figures { tally, refusals }: Figures<'_>,
    ) -> Result<(), RunError> {
        let pipeline = &self.request.pipeline;
        if gate::needs_whole_plan(pipeline, prepared) {
            let mut planned = self.plan(planning, false, tally).await?;
            if planned.has_returned {
                let at = prepared.planned_at;
                settle::found_again(self.request.store.as_ref(), &self.lock, at).await?;
                prepared.memo.found_again_at = Some(at);
            }
            gate::check(pipeline, &planned, prepared, &self.id)?;
            let changes = Changes::new(spool, planned.overrides.take())?;
            if let Some(content) = planned.content.take() {
                let figures = Figures { tally, refusals };
                return self.replace((content, changes), prepared, context, figures).await;
            }
            return self.deliver(changes, prepared, context, refusals).await;
        }
        let changes = Changes::new(spool, None)?;
        let plan = async {
            let planned = self.plan(planning, true, tally).await;
            if planned.is_err() {
                self.halt.cancel();
            }
            planned
        };
        let (planned, delivered) =
            tokio::join!(plan, self.deliver(changes, prepared, context, refusals));
        match (planned, delivered) {
            // The plan was stopped because the delivery failed, and not the other way round.
            (Err(RunError::Stopped), Err(error)) => Err(error),
            (Err(error), _) => Err(error),
            (Ok(planned), Ok(())) => gate::check(pipeline, &planned, prepared, &self.id),
            (Ok(_), Err(error)) => Err(error),
        }
    }

    /// Plans in a task of its own, so that planning and delivering may use two cores.
    async fn plan(
        &self,
        Planning { planner, rows, others }: Planning,
        is_gate_open: bool,
        tally: &mut Tally,
    ) -> Result<Planned, RunError> {
        let RunRequest { pipeline, store, .. } = self.request;
        let (halt, deadline, run) = (self.halt.clone(), self.deadline, self.id.clone());
        let watched = is_gate_open.then_some(pipeline.guards);
        let planning = async move {
            let bounds = gate::Bounds { halt: &halt, deadline, run: &run };
            Box::pin(plan_rows(planner, rows, &others, &bounds, watched.as_ref())).await
        };
        let task = AbortOnDropHandle::new(tokio::spawn(planning.in_current_span()));
        let planned = task.await.map_err(|_| RunError::Internal("the plan ended early"))??;
        tally.take_plan(&planned);
        let has_cursor = pipeline.cursor.is_some();
        settle::plan(store.as_ref(), &self.lock, &planned, has_cursor).await?;
        Ok(planned)
    }

    fn committer(&self) -> Committer {
        let RunRequest { pipeline, store, options, .. } = self.request;
        let rules = CommitRules {
            encoding: options.encoding,
            on_remove: pipeline.on_remove,
            keeps_cursor: pipeline.appends(),
        };
        Committer::new(Arc::clone(store), Arc::clone(&self.lock), self.id.clone(), rules)
    }

    /// Replaces a collection as a whole.
    async fn replace(
        &self,
        (content, changes): (Content, Changes),
        prepared: &Prepared,
        context: &SendContext<'_>,
        Figures { tally, refusals }: Figures<'_>,
    ) -> Result<(), RunError> {
        let RunRequest { pipeline, store, progress, options, .. } = self.request;
        let name = pipeline.collection.as_deref();
        let name = name.ok_or(RunError::Internal("a collection has no name"))?;
        let app = pipeline.client.app();
        let app = app.ok_or(RunError::NoAppKey("a collection is replaced"))?;
        let identity = prepared.memo.identity.as_ref();
        let replacing = Replacing {
            app,
            name,
            workspace_id: identity.map_or(0, |identity| identity.workspace_id),
            store,
            lock: &self.lock,
            committer: self.committer(),
            full_resync: options.full_resync,
        };
        progress.send_modify(|progress| progress.phase = Phase::Delivering);
        let replaced = replacing.run(content, changes, &prepared.memo, context).await?;
        refusals.answered(replaced.delivered);
        tally.collection = Some(replaced.memo);
        Ok(())
    }

    async fn deliver(
        &self,
        changes: Changes,
        prepared: &Prepared,
        context: &SendContext<'_>,
        refusals: &mut Refusals,
    ) -> Result<(), RunError> {
        let RunRequest { pipeline, store, progress, spill_dir, .. } = self.request;
        // What is delivered from here on belongs to this identity, whatever happens.
        store.save_memo(&self.lock, &prepared.memo).await?;
        progress.send_modify(|progress| progress.phase = Phase::Delivering);
        let mut committer = self.committer();
        let builders = begin::builders(pipeline, prepared.segment.id);
        let delivery = Delivery::new(DeliveryParts {
            client: &pipeline.client,
            context: *context,
            halt: &self.halt,
            filler: Filler::new(prepared.item_rules.clone(), builders),
            committer: &mut committer,
            rejected: &prepared.rejected,
            refusals,
            guards: pipeline.guards,
            spill_dir: spill_dir.clone(),
            progress: progress.clone(),
        });
        delivery.run(changes).await
    }
}

/// A run that reads by a cursor may never see a row again that it sent.
fn probation(pipeline: &Pipeline) -> Probation {
    if pipeline.cursor.is_some() { Probation::None } else { Probation::OneRun }
}
