//! Whether the state store remembers what the resource says was done. One that is gone, or was
//! brought back from an old backup, must not send everything again in silence.

use kube::Api;

use super::execute::{Executor, no_state};
use super::job::Job;
use crate::api::Sync;
use crate::api::sync_status::{RunSummary, SyncStatus};
use crate::controller::decide::Problem;
use crate::controller::error::{bounded, describe};
use crate::model::{Disposition, Reason, RunId};

/// Results of runs that the state store remembers.
const ENDED_WELL: [&str; 3] = ["Succeeded", "NoChanges", "PartiallySucceeded"];

/// Compares the state store with the status of a Sync.
///
/// # Errors
/// Where the store is gone or older than the status, or can't be asked.
pub(super) async fn check(executor: &Executor, job: &Job, sync: &Sync) -> Result<(), Problem> {
    let Some(run) = sync.status.as_ref().and_then(last_remembered) else { return Ok(()) };
    let (store, id) = (&executor.store, job.id());
    let run_id = RunId(run.id.clone());
    if store.knows_run(&id, &run_id).await.map_err(no_state)? {
        return Ok(());
    }
    // A history is short: a run may be forgotten where a later one is known.
    let newest = store.runs(&id, 1).await.map_err(no_state)?;
    if newest.first().is_some_and(|newest| newest.id > run_id) {
        return Ok(());
    }
    Err(Problem {
        reason: Reason::StateLost,
        message: format!(
            "the state store doesn't know run {run_id}, which the status says ended well"
        ),
        hint: Some(
            "bring the store back from a backup, or annotate the Sync with \
             `ciosync.dev/resetState` to start anew: the next run then follows initialRun"
                .to_owned(),
        ),
        disposition: Disposition::NeedsOperator,
    })
}

/// Looks whether the Sync whose state is to be taken over is gone: a rename is a deletion and a
/// creation, in either order.
///
/// # Errors
/// Where it is still there, or the API server or the state store can't say.
pub(super) async fn check_adoption(
    executor: &Executor,
    job: &Job,
    sync: &Sync,
) -> Result<(), Problem> {
    let Some(from) = &sync.spec.adopt_state_from else { return Ok(()) };
    let own = executor.store.sync(&job.id()).await.map_err(no_state)?;
    if own.is_some_and(|state| state.memo.identity.is_some()) {
        return Ok(());
    }
    let (own_namespace, _) = job.key();
    let namespace = from.namespace_from(&own_namespace);
    let api: Api<Sync> = Api::namespaced(executor.client.clone(), namespace);
    let (message, hint, disposition) = match bounded(api.get_opt(&from.name)).await {
        Ok(None) => return Ok(()),
        Ok(Some(_)) => (
            format!("spec.adoptStateFrom: Sync {namespace}/{} is still there", from.name),
            "delete it: its state moves here, and nothing is sent for that",
            Disposition::NeedsOperator,
        ),
        Err(error) => (
            format!("spec.adoptStateFrom: whether it is gone can't be told: {}", describe(&error)),
            "grant the operator `get` on syncs in that namespace",
            Disposition::Transient,
        ),
    };
    let (reason, hint) = (Reason::InvalidSpec, Some(hint.to_owned()));
    Err(Problem { reason, message, hint, disposition })
}

/// Returns the last run that left something remembered, as the status has it. After a reset the
/// status says that nothing is.
fn last_remembered(status: &SyncStatus) -> Option<&RunSummary> {
    let is_reset = status.snapshot_rows.is_none_or(|rows| rows == 0);
    let mut runs = status.last_run.iter().chain(&status.history);
    runs.find(|run| ENDED_WELL.contains(&run.result.as_str())).filter(|_| !is_reset)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn last(status: serde_json::Value) -> Option<String> {
        let status: SyncStatus = serde_json::from_value(status).unwrap();
        last_remembered(&status).map(|run| run.id.clone())
    }

    #[test]
    fn a_status_names_the_last_run_that_ended_well_until_a_reset() {
        let (well, failed) =
            (json!({"id": "1", "result": "NoChanges"}), json!({"id": "2", "result": "Failed"}));

        assert_eq!(last(json!({})), None);
        assert_eq!(last(json!({"snapshotRows": 3, "lastRun": well})).as_deref(), Some("1"));
        let after_failure =
            json!({"snapshotRows": 3, "lastRun": failed, "history": [failed, well]});
        assert_eq!(last(after_failure).as_deref(), Some("1"));
        assert_eq!(last(json!({"snapshotRows": 0, "lastRun": well})), None);
        assert_eq!(last(json!({"snapshotRows": 3, "lastRun": failed})), None);
    }
}
