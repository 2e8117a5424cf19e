//! The steps of a decision, one by one.

use std::sync::Arc;

use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tracing::{info, warn};

use crate::api::Sync;
use crate::controller::context::Context;
use crate::controller::decide::{FINALIZER, Start, Step, Trigger};
use crate::controller::error::{ControllerError, bounded, is_not_found};
use crate::controller::status::FIELD_MANAGER;
use crate::controller::supervisor::Job;
use crate::controller::watch::key_of;
use crate::model::SyncId;
use crate::state::{LockHolder, RunLock, StateError, StateStore};

/// Does one step, and returns the Sync as it is then.
///
/// # Errors
/// Where the API server or the state store refuses it or doesn't answer.
pub(super) async fn carry_out(
    context: &Arc<Context>,
    sync: &Arc<Sync>,
    step: Step,
) -> Result<Arc<Sync>, ControllerError> {
    let key = key_of(sync.as_ref());
    let id = SyncId::new(&key.0, &key.1);
    match step {
        Step::Remember(request) => context.store.save_request(&id, &request).await?,
        Step::Cancel { run, cause } => context.supervisor.cancel(&key, Some(&run), cause),
        Step::Reset { token } => {
            reset(context.store.as_ref(), &id).await?;
            info!(sync = %id, token, "what was remembered is forgotten, as was asked");
        }
        Step::Start(start) => launch(context, sync, start),
        Step::CleanUp { run } => {
            let start = Start {
                run,
                trigger: Trigger::CleanUp,
                request: None,
                full_resync: false,
                approve: None,
                slot: None,
            };
            launch(context, sync, start);
        }
        Step::AddFinalizer => {
            let mut finalizers = sync.finalizers().to_vec();
            finalizers.push(FINALIZER.to_owned());
            return patch_finalizers(context, sync, &finalizers).await;
        }
        Step::RemoveFinalizer => {
            let mut finalizers = sync.finalizers().to_vec();
            finalizers.retain(|finalizer| finalizer != FINALIZER);
            return patch_finalizers(context, sync, &finalizers).await;
        }
    }
    Ok(Arc::clone(sync))
}

fn launch(context: &Context, sync: &Arc<Sync>, start: Start) {
    let (run_id, trigger) = (start.run.clone(), start.trigger);
    let job = Job { sync: Arc::clone(sync), start, started_at: Timestamp::now() };
    let (id, key) = (job.id(), job.key());
    if context.supervisor.start(job) {
        info!(sync = %id, %run_id, %trigger, "a run was handed over");
    } else {
        // The next look finds a run in the status that nobody runs, and goes on from there.
        warn!(sync = %id, %run_id, "the run was not started: another is not settled yet");
        context.nudges.syncs.push(key);
    }
}

/// Forgets what is remembered of a Sync.
async fn reset(store: &dyn StateStore, id: &SyncId) -> Result<(), StateError> {
    let lock = RunLock::acquire(store, id, &LockHolder::this_process()).await?;
    let done = store.reset(&lock).await;
    let released = lock.release(store).await;
    done.and(released)
}

/// Writes the finalizers, unless the Sync has changed since it was looked at.
async fn patch_finalizers(
    context: &Context,
    sync: &Arc<Sync>,
    finalizers: &[String],
) -> Result<Arc<Sync>, ControllerError> {
    let (namespace, name) = key_of(sync.as_ref());
    let api: Api<Sync> = Api::namespaced(context.client.clone(), &namespace);
    let body = json!({
        "metadata": { "resourceVersion": sync.resource_version(), "finalizers": finalizers },
    });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..Default::default() };
    match bounded(async { api.patch(&name, &params, &Patch::Merge(&body)).await }).await {
        Ok(patched) => {
            let patched = Arc::new(patched);
            context.sync_statuses.returned(&patched);
            Ok(patched)
        }
        Err(error) if is_not_found(&error) => Ok(Arc::clone(sync)),
        Err(error) => {
            let what = format!("the finalizer of Sync {namespace}/{name} can't be written");
            Err(ControllerError::api(what, &error))
        }
    }
}
