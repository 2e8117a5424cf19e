//! What became of a request for a run, read off the status.

use crate::api::sync_status::{CurrentRun, RunSummary, SyncStatus};
use crate::model::RunResult;

/// What became of a request for a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing<'a> {
    /// The operator has not seen it, or keeps it until the run in progress has ended.
    Waiting,
    /// Its run is in progress.
    Running(&'a CurrentRun),
    /// Its run was interrupted by the operator's end; the operator starts it again.
    Interrupted(&'a RunSummary),
    /// Its run ended.
    Ended(&'a RunSummary),
    /// The operator has seen it and started no run.
    Ignored,
}

impl<'a> Standing<'a> {
    /// Reads what became of the request of this token.
    pub fn of(status: Option<&'a SyncStatus>, token: &str) -> Self {
        let Some(status) = status else { return Self::Waiting };
        let is_asked = |request: &Option<String>| request.as_deref() == Some(token);
        if let Some(run) = status.current_run.as_ref().filter(|run| is_asked(&run.request)) {
            return Self::Running(run);
        }
        // Newest first; the last run stands apart, for where no history is kept.
        let mut ended = status.last_run.iter().chain(&status.history);
        if let Some(run) = ended.find(|run| is_asked(&run.request)) {
            return match run.result == RunResult::Interrupted.as_str() {
                true => Self::Interrupted(run),
                false => Self::Ended(run),
            };
        }
        // The echo comes in the write that starts the run.
        match status.last_handled_reconcile_at.as_deref() == Some(token) {
            true => Self::Ignored,
            false => Self::Waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, request: Option<&str>, result: &str) -> RunSummary {
        RunSummary {
            id: id.into(),
            request: request.map(Into::into),
            result: result.into(),
            ..RunSummary::default()
        }
    }

    #[test]
    fn a_request_waits_runs_and_ends() {
        let mut status = SyncStatus {
            last_run: Some(run("r1", Some("old"), "Succeeded")),
            ..SyncStatus::default()
        };
        assert_eq!(Standing::of(None, "new"), Standing::Waiting);
        assert_eq!(Standing::of(Some(&status), "new"), Standing::Waiting);

        let current =
            CurrentRun { id: "r2".into(), request: Some("new".into()), ..CurrentRun::default() };
        status.last_handled_reconcile_at = Some("new".into());
        status.current_run = Some(current.clone());
        assert_eq!(Standing::of(Some(&status), "new"), Standing::Running(&current));

        let ended = run("r2", Some("new"), "NoChanges");
        status.current_run = None;
        status.last_run = Some(ended.clone());
        assert_eq!(Standing::of(Some(&status), "new"), Standing::Ended(&ended));
    }

    #[test]
    fn a_later_run_does_not_hide_the_one_that_was_asked_for() {
        let asked = run("r2", Some("new"), "Failed");
        let status = SyncStatus {
            last_handled_reconcile_at: Some("new".into()),
            last_run: Some(run("r3", None, "Succeeded")),
            history: vec![run("r3", None, "Succeeded"), asked.clone()],
            ..SyncStatus::default()
        };

        assert_eq!(Standing::of(Some(&status), "new"), Standing::Ended(&asked));
    }

    #[test]
    fn an_interrupted_run_is_waited_for_and_an_ignored_request_is_not() {
        let interrupted = run("r2", Some("new"), "Interrupted");
        let mut status = SyncStatus {
            last_handled_reconcile_at: Some("new".into()),
            last_run: Some(interrupted.clone()),
            ..SyncStatus::default()
        };
        assert_eq!(Standing::of(Some(&status), "new"), Standing::Interrupted(&interrupted));

        let again = run("r3", Some("new"), "Succeeded");
        status.last_run = Some(again.clone());
        status.history = vec![again.clone(), interrupted];
        assert_eq!(Standing::of(Some(&status), "new"), Standing::Ended(&again));

        status.last_run = None;
        status.history.clear();
        assert_eq!(Standing::of(Some(&status), "new"), Standing::Ignored);
    }
}
