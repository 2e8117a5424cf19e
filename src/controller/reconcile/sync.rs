//! Syncs: what is known of one becomes a view, the view a decision, and the decision is carried
//! out.

use std::sync::Arc;

use jiff::Timestamp;
use kube::{Resource as _, ResourceExt as _};

use super::references::{self, Found};
use super::{spec, steps};
use crate::api::Sync;
use crate::controller::context::Context;
use crate::controller::decide::{
    self, Decision, DeletionView, References, Running, Standing, StoredRequest, SuspendedBy, View,
};
use crate::controller::error::ControllerError;
use crate::controller::objects::target;
use crate::controller::changes::Named;
use crate::controller::watch::{ObjectKey, key_of};
use crate::model::{RunReport, SyncId};

/// Runs that are asked of the state store where a status was lost, if its history keeps fewer.
const RECORDED_MIN: u32 = 20;

/// Looks at a Sync and does what is to be done; returns when to look again.
///
/// # Errors
/// Where the API server or the state store can't be asked or written. What was not done is decided
/// anew by the next look.
pub async fn reconcile(
    seen: Arc<Sync>,
    context: Arc<Context>,
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
    let facts = Facts::gather(&context, &sync, &key).await?;
    let view = facts.view(&context, &sync);
    let decision = match &finished {
        Some(finished) => decide::ended(&view, &finished.ended),
        None => decide::decide(&view),
    };
    let look_again = decision.look_again;
    carry_out(&context, &sync, decision).await?;
    if finished.is_some() {
        context.supervisor.settle(&key);
    }
    Ok(look_again)
}

/// Carries a decision out, in its order.
async fn carry_out(
    context: &Arc<Context>,
    sync: &Arc<Sync>,
    decision: Decision,
) -> Result<(), ControllerError> {
    let mut sync = Arc::clone(sync);
    for step in decision.before {
        sync = steps::carry_out(context, &sync, step).await?;
    }
    sync = context.sync_statuses.write(&sync, &decision.status).await?;
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
    found: Found,
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
        let running = context.supervisor.running(key);
        let found = references::look_up(context, sync).await?;
        let recorded = match decide::needs_recorded(sync, running.as_ref().map(|run| &run.id)) {
            true => context.store.runs(&id, sync.spec.history_limit.max(RECORDED_MIN)).await?,
            false => Vec::new(),
        };
        Ok(Self {
            now: Timestamp::now(),
            standings: standings(context, sync, key),
            requests: context.store.requests(&id).await?,
            deletion: deletion(context, sync, &id, &found).await?,
            running,
            recorded,
            found,
        })
    }

    fn view<'a>(&'a self, context: &Context, sync: &'a Sync) -> View<'a> {
        let named = [
            Named::Source(target(sync, &sync.spec.source_ref)),
            Named::Connection(target(sync, &sync.spec.connection_ref)),
        ];
        let misfit = self.found.misfit.clone();
        View {
            sync,
            now: self.now,
            spec: spec::check(context, sync).and_then(|schedule| misfit.map_or(Ok(schedule), Err)),
            references: self.found.references.clone(),
            named_changed_at: context.changes.latest(&named),
            suspended: match sync.spec.suspend {
                true => Some(SuspendedBy::Spec),
                false => self.found.suspended,
            },
            dependencies: &self.standings,
            requests: &self.requests,
            running: self.running.as_ref(),
            recorded: &self.recorded,
            is_stopping: context.supervisor.is_closed(),
            deletion: self.deletion.clone(),
        }
    }
}

/// Returns how the Syncs stand that this one waits for.
fn standings(context: &Context, sync: &Sync, (namespace, _): &ObjectKey) -> Vec<Standing> {
    let others = sync.spec.depends_on.iter().filter_map(|named| {
        let key = (namespace.clone(), named.name.clone());
        let other = context.objects.sync(&key)?;
        Some(context.sync_statuses.newest(other))
    });
    others.map(|other| decide::standing(&other, Timestamp::now())).collect()
}

/// Returns what is known besides of a Sync that is being deleted.
async fn deletion(
    context: &Context,
    sync: &Sync,
    id: &SyncId,
    found: &Found,
) -> Result<Option<DeletionView>, ControllerError> {
    if sync.meta().deletion_timestamp.is_none() || !steps::has_finalizer(sync) {
        return Ok(None);
    }
    let state = context.store.sync(id).await;
    Ok(Some(DeletionView {
        snapshot_rows: state.ok().map(|state| state.map_or(0, |state| state.segment_rows)),
        is_namespace_terminating: context.namespaces.get(&id.namespace).await?.is_terminating,
        connection_gone: found.connection_gone.clone(),
    }))
}
