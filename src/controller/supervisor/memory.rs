//! Whether the state store remembers what the resource says was done. One that is gone, or was
//! brought back from an old backup, must not send everything again in silence.

use jiff::{SignedDuration, Timestamp};
use kube::Api;

use super::execute::{Executor, no_state};
use super::job::Job;
use crate::api::Sync;
use crate::api::sync_status::SyncStatus;
use crate::controller::decide::Problem;
use crate::controller::error::{bounded, describe};
use crate::model::{Disposition, Reason, RunId, RunReport};

/// Results of runs that the state store remembers.
const ENDED_WELL: [&str; 3] = ["Succeeded", "NoChanges", "PartiallySucceeded"];

/// How long after its success stands in the state store a run ends: there is one write between.
const REPORTED_WITHIN: SignedDuration = SignedDuration::from_secs(2);

/// Compares the state store with the status of a Sync. A run that was asked to send every row is
/// let through: it is one of the ways out.
///
/// # Errors
/// Where the store is gone or older than the status, or can't be asked.
pub(super) async fn check(executor: &Executor, job: &Job, sync: &Sync) -> Result<(), Problem> {
    let Some(claim) = sync.status.as_ref().and_then(Claim::of) else { return Ok(()) };
    if job.start.full_resync {
        return Ok(());
    }
    let (store, id) = (&executor.store, job.id());
    if let Claim::Run(run) = &claim
        && store.knows_run(&id, run).await.map_err(no_state)?
    {
        return Ok(());
    }
    // A history is short: a run may be forgotten where a later one is known.
    let newest = store.runs(&id, 1).await.map_err(no_state)?;
    if newest.first().is_some_and(|newest| claim.is_met_by(newest)) {
        return Ok(());
    }
    // What was imported comes without its history.
    let state = store.sync(&id).await.map_err(no_state)?;
    let success = state.and_then(|state| state.memo.last_success_at);
    if success.is_some_and(|success| is_success_of(success, sync)) {
        return Ok(());
    }
    Err(Problem {
        reason: Reason::StateLost,
        message: claim.unmet(),
        hint: Some(
            "bring the store back from a backup, annotate the Sync with \
             `ciosync.dev/fullResyncAt` and `ciosync.dev/requestedAt` to send every row, or with \
             `ciosync.dev/resetState` to start anew: the next run then follows initialRun"
                .to_owned(),
        ),
        disposition: Disposition::NeedsOperator,
    })
}

/// Returns whether a success in the state store is the last one that the status has, or a later one.
fn is_success_of(success: Timestamp, sync: &Sync) -> bool {
    let noted = sync.status.as_ref().and_then(|status| status.last_successful_time.as_ref());
    let reported_by = success.saturating_add(REPORTED_WITHIN).unwrap_or(Timestamp::MAX);
    noted.is_some_and(|noted| reported_by >= noted.0)
}

/// What a status says of a Sync that its state store must know.
#[derive(Debug, PartialEq, Eq)]
enum Claim {
    /// This run ended well.
    Run(RunId),
    /// One did then. Which one, the history of the status has forgotten: it is short, and runs that
    /// fail push others out of it.
    SuccessAt(Timestamp),
}

impl Claim {
    /// Returns what the status claims. After a reset it says that nothing is remembered.
    fn of(status: &SyncStatus) -> Option<Self> {
        if status.snapshot_rows.is_none_or(|rows| rows == 0) {
            return None;
        }
        let mut runs = status.last_run.iter().chain(&status.history);
        let well = runs.find(|run| ENDED_WELL.contains(&run.result.as_str()));
        let at = status.last_successful_time.as_ref().map(|time| time.0);
        well.map(|run| Self::Run(RunId(run.id.clone()))).or(at.map(Self::SuccessAt))
    }

    /// Returns whether a store whose newest run is this one is of that time or later.
    fn is_met_by(&self, newest: &RunReport) -> bool {
        match self {
            Self::Run(run) => newest.id > *run,
            // Statuses carry whole seconds.
            Self::SuccessAt(at) => newest.finished_at.as_second() >= at.as_second(),
        }
    }

    fn unmet(&self) -> String {
        match self {
            Self::Run(run) => {
                format!("the state store doesn't know run {run}, which the status says ended well")
            }
            Self::SuccessAt(at) => format!(
                "the state store knows no run as late as {at}, when the status says that one \
                 ended well"
            ),
        }
    }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{RunCounts, RunResult, SyncId};

    fn claim(status: Value) -> Option<Claim> {
        Claim::of(&serde_json::from_value(status).unwrap())
    }

    fn run(id: &str) -> Option<Claim> {
        Some(Claim::Run(RunId(id.to_owned())))
    }

    fn newest(id: &str, finished_at: &str) -> RunReport {
        let finished_at = finished_at.parse().unwrap();
        RunReport {
            id: RunId(id.to_owned()),
            sync: SyncId::new("growth", "people"),
            trigger: None,
            request: None,
            started_at: finished_at,
            finished_at,
            result: RunResult::Failed,
            reason: None,
            message: String::new(),
            counts: RunCounts::default(),
        }
    }

    #[test]
    fn a_status_names_the_last_run_that_ended_well_until_a_reset() {
        let (well, failed) =
            (json!({"id": "1", "result": "NoChanges"}), json!({"id": "2", "result": "Failed"}));

        assert_eq!(claim(json!({})), None);
        assert_eq!(claim(json!({"snapshotRows": 3, "lastRun": well})), run("1"));
        let after_failure =
            json!({"snapshotRows": 3, "lastRun": failed, "history": [failed, well]});
        assert_eq!(claim(after_failure), run("1"));
        assert_eq!(claim(json!({"snapshotRows": 0, "lastRun": well})), None);
        assert_eq!(claim(json!({"snapshotRows": 3, "lastRun": failed})), None);
    }

    #[test]
    fn a_success_that_failures_pushed_out_of_the_history_is_claimed_all_the_same() {
        let failed = json!({"id": "2", "result": "Failed"});
        let mut status = json!({
            "snapshotRows": 3, "lastRun": failed, "history": [],
            "lastSuccessfulTime": "2026-03-02T10:00:00Z",
        });
        let success = Claim::SuccessAt("2026-03-02T10:00:00Z".parse().unwrap());
        assert_eq!(claim(status.clone()), Some(success));
        status["history"] = json!([failed, failed, failed, failed, failed]);
        let success = claim(status.clone()).unwrap();

        assert!(success.is_met_by(&newest("1", "2026-03-02T10:00:00.7Z")));
        assert!(success.is_met_by(&newest("2", "2026-03-02T11:00:00Z")));
        assert!(!success.is_met_by(&newest("0", "2026-03-02T09:59:59.9Z")));
        status["snapshotRows"] = json!(0);
        assert_eq!(claim(status), None, "after a reset");
    }

    #[test]
    fn an_import_is_known_by_its_last_success() {
        let sync: Sync = serde_json::from_value(json!({
            "apiVersion": "ciosync.dev/v1alpha1", "kind": "Sync", "metadata": {"name": "people"},
            "spec": {
                "sourceRef": {"name": "warehouse"}, "connectionRef": {"name": "production"},
                "model": {"table": "people", "primaryKey": ["id"]}, "entity": "person",
                "behavior": "updateOrCreate", "identifiers": {"id": "id"},
            },
            "status": {"lastSuccessfulTime": "2026-03-02T10:00:00Z"},
        }))
        .unwrap();

        for (success, is_known) in [
            ("2026-03-02T09:59:59.8Z", true),
            ("2026-03-02T11:00:00Z", true),
            ("2026-03-02T09:45:00Z", false),
        ] {
            assert_eq!(is_success_of(success.parse().unwrap(), &sync), is_known, "{success}");
        }
    }
}
