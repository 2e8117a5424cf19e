//! Syncs: what is known of one becomes a view, the view a decision, and the decision is carried
//! out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::{Resource as _, ResourceExt as _};
use tracing::warn;

use super::references::Referred;
use super::{ownership, spec, steps};
use crate::api::Sync;
use crate::controller::changes::Named;
use crate::controller::context::Context;
use crate::controller::decide::{
    self, Decision, DeletionView, Problem, References, Running, Standing, StoredRequest,
    SuspendedBy, View,
};
use crate::controller::error::ControllerError;
use crate::controller::figures;
use crate::controller::follow::Followed as _;
use crate::controller::objects::target;
use crate::controller::watch::{ObjectKey, key_of};
use crate::metrics::ObjectName;
use crate::model::{RunReport, SyncId};
use crate::schedule::Schedule;
use crate::state::{StateError, snapshot};

/// Runs that are asked of the state store where a status was lost, if its history keeps fewer.
const RECORDED_MIN: u32 = 20;

/// How soon to look again for the run of an earlier object of the same name, should word of its end
/// get lost.
const PREDECESSOR_POLL: SignedDuration = SignedDuration::from_secs(1);

/// Looks at a Sync and does what is to be done; returns when to look again.
///
/// # Errors
/// Where the API server or the state store can't be asked or written. What was not done is decided
/// anew by the next look.
pub async fn reconcile(
    seen: Arc<Sync>,
    context: Arc<Context>,
) -> Result<Option<Timestamp>, ControllerError> {
    let key = key_of(seen.as_ref());
    let looked = look(seen, &context).await;
    if context.objects.sync(&key).is_none() {
        // It went while it was looked at: what was kept of it since then would stay for ever.
        Sync::forget(&context, &key);
    }
    looked
}

async fn look(
    seen: Arc<Sync>,
    context: &Arc<Context>,
) -> Result<Option<Timestamp>, ControllerError> {
    let sync = context.sync_statuses.newest(seen);
    let key = key_of(sync.as_ref());
    let finished = context.supervisor.finished(&key).filter(|finished| {
        let is_meant = finished.is_of(&sync);
        if !is_meant {
            context.supervisor.settle(&key);
        }
        is_meant
    });
    if context.supervisor.stop_predecessor(&sync) {
        // Both have one state: nothing is decided about the new one until the old one's run let go.
        return Ok(Timestamp::now().checked_add(PREDECESSOR_POLL).ok());
    }
    let facts = match Facts::gather(context, &sync, &key).await {
        Err(ControllerError::State(error)) => return undecided(context, &sync, error).await,
        gathered => gathered?,
    };
    context.outages.end(&key);
    let view = facts.view(context, &sync);
    let decision = match &finished {
        Some(finished) => decide::ended(&view, &finished.ended),
        None => decide::decide(&view),
    };
    let look_again = decision.look_again;
    let figures = figures::of_sync(&decision.status);
    carry_out(context, &sync, decision, finished.as_ref().map(|_| &key)).await?;
    let name = ObjectName::new(&key.0, &key.1);
    context.metrics.syncs.set(&name, &figures);
    if let Some(finished) = &finished {
        count(context, &name, &finished.ended.report);
    }
    if finished.is_some() || facts.running.is_some() {
        tell_of_pace(context, &sync);
    }
    Ok(look_again)
}

/// Says in the status that the state store can't be asked, where that has been so for long enough.
/// Always gives the error, so that the Sync is tried again.
async fn undecided(
    context: &Context,
    sync: &Arc<Sync>,
    error: StateError,
) -> Result<Option<Timestamp>, ControllerError> {
    let (key, now) = (key_of(sync.as_ref()), Timestamp::now());
    let since = context.outages.note(&key, now);
    let problem = Problem {
        reason: error.reason(),
        disposition: error.disposition(),
        message: error.to_string(),
        hint: error.hint(),
    };
    if let Some(status) = decide::without_state(sync, &problem, since, now) {
        context.sync_statuses.write(sync, &status).await?;
        let name = ObjectName::new(&key.0, &key.1);
        context.metrics.syncs.set(&name, &figures::of_sync(&status));
    }
    Err(error.into())
}

/// Counts a run that ended.
fn count(context: &Context, name: &ObjectName, report: &RunReport) {
    let took = report.finished_at.duration_since(report.started_at);
    let took = Duration::try_from(took).unwrap_or_default();
    context.metrics.syncs.run_ended(name, report.result, &report.counts, took);
}

/// Has the connection's status say so where its runs were told to slow down.
fn tell_of_pace(context: &Context, sync: &Sync) {
    let connection = target(sync, &sync.spec.connection_ref);
    if context.connections.throttled_until(&connection).is_some() {
        context.nudges.connections.push(connection);
    }
}

/// Carries a decision out, in its order. `finished` is the Sync where a run of it has ended.
async fn carry_out(
    context: &Arc<Context>,
    sync: &Arc<Sync>,
    decision: Decision,
    finished: Option<&ObjectKey>,
) -> Result<(), ControllerError> {
    let mut sync = Arc::clone(sync);
    for step in decision.before {
        sync = steps::carry_out(context, &sync, step).await?;
    }
    sync = context.sync_statuses.write(&sync, &decision.status).await?;
    if let Some(key) = finished {
        // The end stands in the status: from here on the next run may start.
        context.supervisor.settle(key);
    }
    for step in decision.after {
        sync = steps::carry_out(context, &sync, step).await?;
    }
    let about = sync.object_ref(&());
    for notice in &decision.events {
        context.events.publish(notice, &about).await;
    }
    Ok(())
}

/// What a view borrows.
struct Facts {
    now: Timestamp,
    references: References,
    suspended: Option<SuspendedBy>,
    spec: Result<Schedule, Problem>,
    standings: Vec<Standing>,
    requests: Vec<StoredRequest>,
    running: Option<Running>,
    recorded: Vec<RunReport>,
    deletion: Option<DeletionView>,
}

impl Facts {
    async fn gather(
        context: &Context,
        sync: &Arc<Sync>,
        key: &ObjectKey,
    ) -> Result<Self, ControllerError> {
        let id = SyncId::new(&key.0, &key.1);
        let now = Timestamp::now();
        let running = context.supervisor.running(key);
        let referred = Referred::look_up(context, sync).await?;
        let standings = standings(context, sync, now);
        let recorded = match decide::needs_recorded(sync, running.as_ref().map(|run| &run.id)) {
            true => {
                let limit = sync.spec.history_limit.max(RECORDED_MIN);
                needed(sync, context.store.runs(&id, limit).await)?
            }
            false => Vec::new(),
        };
        let spec = spec::check(sync).and_then(|schedule| match referred.misfit(sync) {
            Some(problem) => Err(problem),
            None => Ok(schedule),
        });
        let spec = spec
            .and_then(|schedule| standings.as_ref().map(|_| schedule).map_err(Clone::clone))
            .and_then(|schedule| ownership::conflict(context, sync).map_or(Ok(schedule), Err));
        Ok(Self {
            now,
            references: referred.judge(sync),
            suspended: match sync.spec.suspend {
                true => Some(SuspendedBy::Spec),
                false => referred.suspended(),
            },
            spec,
            standings: standings.unwrap_or_default(),
            requests: needed(sync, context.store.requests(&id).await)?,
            deletion: deletion(context, sync, &id, &referred).await?,
            running,
            recorded,
        })
    }

    fn view<'a>(&'a self, context: &Context, sync: &'a Sync) -> View<'a> {
        let named = [
            Named::Source(target(sync, &sync.spec.source_ref)),
            Named::Connection(target(sync, &sync.spec.connection_ref)),
            Named::Adopted(key_of(sync)),
        ];
        View {
            sync,
            now: self.now,
            spec: self.spec.clone(),
            references: self.references.clone(),
            named_changed_at: context.changes.latest(&named),
            suspended: self.suspended,
            dependencies: &self.standings,
            requests: &self.requests,
            running: self.running.as_ref(),
            recorded: &self.recorded,
            is_stopping: context.supervisor.is_closed(),
            deletion: self.deletion.clone(),
        }
    }
}

/// Returns what the state store said. A Sync that is being deleted may go without it: neither its
/// namespace nor a person who says so may be held up by a store that is away.
fn needed<T>(sync: &Sync, asked: Result<Vec<T>, StateError>) -> Result<Vec<T>, StateError> {
    match asked {
        Err(error) if sync.meta().deletion_timestamp.is_some() => {
            warn!(sync = %key_of(sync).1, %error, "a Sync is being deleted without the state store");
            Ok(Vec::new())
        }
        asked => asked,
    }
}

/// Returns how the Syncs stand that this one waits for.
fn standings(context: &Context, sync: &Sync, now: Timestamp) -> Result<Vec<Standing>, Problem> {
    // A deleted Sync waits for nobody, and what it named may be deleted with it.
    if sync.spec.depends_on.is_empty() || sync.metadata.deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let own = key_of(sync).0;
    let neighbours = context.objects.syncs.state_filter(|other| key_of(other).0 == own);
    let by_name: HashMap<String, Arc<Sync>> = neighbours
        .into_iter()
        .map(|other| (other.name_any(), context.sync_statuses.newest(other)))
        .collect();
    decide::standings(sync, |name| by_name.get(name).map(Arc::as_ref), now)
}

/// Returns what is known besides of a Sync that is being deleted.
async fn deletion(
    context: &Context,
    sync: &Sync,
    id: &SyncId,
    referred: &Referred,
) -> Result<Option<DeletionView>, ControllerError> {
    if sync.meta().deletion_timestamp.is_none() || !decide::deletion::has_finalizer(sync) {
        return Ok(None);
    }
    // A namespace takes its Syncs with it within moments: what was heard of it before doesn't count.
    let namespace = context.namespaces.ask(&id.namespace).await?;
    // What a run that was stopped delivered stands in the journal, and is to be removed too.
    let rows = snapshot::count(&context.store, id).await.inspect_err(|error| {
        warn!(sync = %id, %error, "a Sync is being deleted, and its rows can't be counted");
    });
    Ok(Some(DeletionView {
        snapshot_rows: rows.ok(),
        is_namespace_terminating: namespace.is_terminating,
        connection_gone: referred.connection_gone(sync),
    }))
}
