//! Sources: probed when they change, when a Secret of theirs does, and now and then.

use std::sync::Arc;

use jiff::Timestamp;

use crate::api::Source;
use crate::controller::changes::Named;
use crate::controller::context::Context;
use crate::controller::decide::probe;
use crate::controller::error::ControllerError;
use crate::controller::follow::Followed as _;
use crate::controller::watch::key_of;

/// Probes a Source where that is due, and writes its status; returns when to look again.
///
/// # Errors
/// Where the API server doesn't take the status.
pub async fn reconcile(
    seen: Arc<Source>,
    context: Arc<Context>,
) -> Result<Option<Timestamp>, ControllerError> {
    let mut source = context.source_statuses.newest(seen);
    let key = key_of(source.as_ref());
    let named = Named::Source(key.clone());
    let (status, probe_at) = probe::source(&source, Timestamp::now(), None);
    let Some(probe_at) = probe_at else {
        context.source_statuses.write(&source, &status).await?;
        return Ok(None);
    };
    if let Some(next) = context.probes.not_due(&named, source.as_ref(), probe_at) {
        context.source_statuses.write(&source, &status).await?;
        return Ok(Some(next));
    }
    let is_unseen = source.status.as_ref().is_none_or(|status| status.conditions.is_empty());
    if is_unseen {
        // A probe may take its time: until then the status says that it is under way.
        source = context.source_statuses.write(&source, &status).await?;
    }
    let probed = context.prober.source(&source).await;
    let outcome = probed.outcome.as_ref().map(drop).map_err(Clone::clone);
    let (status, probe_at) = probe::source(&source, Timestamp::now(), Some(outcome));
    let done = context.probes.done(&named, source.as_ref(), probe_at, probed.secret_versions);
    if done.has_other_secrets {
        // Those that failed with the old ones are tried with these, also where the probe says
        // nothing new.
        context.changes.note(named);
        Source::nudge(&context, &key);
    }
    context.source_statuses.write(&source, &status).await?;
    Ok(done.next)
}
