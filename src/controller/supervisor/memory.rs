//! Whether the state store remembers what the resource says was done. One that is gone, or was
//! brought back from an old backup, must not send everything again in silence.

use super::execute::{Executor, no_state};
use super::job::Job;
use crate::api::Sync;
use crate::api::sync_status::{RunSummary, SyncStatus};
use crate::controller::decide::Problem;
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
