//! What goes on beside the reconcilers: Syncs that are there are noted as seen, and what is
//! remembered of those that are long gone is forgotten.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::Api;
use tokio::time::Instant;
use tracing::{info, warn};

use super::context::Context;
use super::error::{bounded, describe};
use super::watch::key_of;
use crate::api::Sync;
use crate::model::SyncId;
use crate::state::StateError;

/// How often the Syncs that are there are noted as seen.
const TOUCH_EVERY: Duration = Duration::from_secs(600);

/// How often what is long gone is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(24 * 3600);

/// For how long the state of a Sync that is gone is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Keeps house. Ends with the watch of Syncs.
pub async fn keep(context: &Context) {
    let mut swept_at: Option<Instant> = None;
    if context.objects.syncs.wait_until_ready().await.is_err() {
        // The watch is gone: the operator ends.
        return;
    }
    loop {
        // First seen, then swept: whoever is there is never taken for gone.
        match touch(context).await {
            Ok(()) if swept_at.is_none_or(|at| at.elapsed() >= SWEEP_EVERY) => {
                swept_at = Some(Instant::now());
                if let Err(error) = sweep(context).await {
                    warn!(%error, "the state of Syncs that are gone could not be looked for");
                }
            }
            Ok(()) => {}
            Err(error) => warn!(%error, "the Syncs could not be noted as seen"),
        }
        tokio::time::sleep(TOUCH_EVERY).await;
    }
}

async fn touch(context: &Context) -> Result<(), StateError> {
    let syncs: Vec<SyncId> = context
        .objects
        .syncs
        .state()
        .iter()
        .map(|sync| {
            let (namespace, name) = key_of(sync.as_ref());
            SyncId::new(&namespace, &name)
        })
        .collect();
    context.store.touch(&syncs, Timestamp::now()).await
}

async fn sweep(context: &Context) -> Result<(), StateError> {
    let Ok(before) = Timestamp::now().checked_sub(KEPT) else { return Ok(()) };
    for sync in context.store.untouched_since(before).await? {
        if !is_gone(context, &sync).await {
            continue;
        }
        match context.store.forget(&sync).await {
            Ok(()) => {
                info!(%sync, "its state was kept for 30 days after it was gone; now forgotten")
            }
            Err(error) => warn!(%sync, %error, "its state could not be forgotten"),
        }
    }
    Ok(())
}

/// Asks the API server itself: what a watch doesn't show may only be out of sight.
async fn is_gone(context: &Context, sync: &SyncId) -> bool {
    let api: Api<Sync> = Api::namespaced(context.client.clone(), &sync.namespace);
    match bounded(api.get(&sync.name)).await {
        Ok(_) => false,
        // Without the name it is the definition that is gone, and not the object.
        Err(kube::Error::Api(status)) if status.code == 404 => {
            status.details.as_ref().is_some_and(|details| details.name == sync.name)
        }
        Err(error) => {
            warn!(%sync, problem = describe(&error), "can't tell whether it is gone");
            false
        }
    }
}
