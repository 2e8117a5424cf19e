//! A request as it is written onto a Sync.

use serde_json::{Value, json};

/// A new token in it asks for a run.
pub const REQUESTED_AT: &str = "ciosync.dev/requestedAt";
/// With the same token as [`REQUESTED_AT`], that run sends every row again.
pub const FULL_RESYNC_AT: &str = "ciosync.dev/fullResyncAt";
/// The id of a blocked run in it lets a run pass the guard.
pub const APPROVE: &str = "ciosync.dev/approve";
/// The id of the run in progress in it stops that run.
pub const CANCEL: &str = "ciosync.dev/cancel";
/// Who suspended a Sync by hand, and when. For people; the operator doesn't read it.
pub const SUSPENDED_BY: &str = "ciosync.dev/suspendedBy";

/// What is approved of a Sync that is being deleted.
pub const CLEANUP: &str = "cleanup";

/// Something asked of the operator about one Sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Run now.
    Run {
        /// What names this request in the status; never used before.
        token: String,
        /// Send every current row again.
        full_resync: bool,
        /// Resume the Sync first, where it is suspended.
        resume: bool,
    },
    /// Run no more; a run in progress stops at its next batch.
    Suspend {
        /// Who asks, and when, for people.
        by: String,
    },
    /// Run again, from the next slot on.
    Resume,
    /// Let the plan of a blocked run pass its guard, or a cleanup begin.
    Approve {
        /// The id in `status.blocked`, or [`CLEANUP`].
        id: String,
    },
    /// Stop a run at its next batch.
    Cancel {
        /// The id in `status.currentRun`.
        run: String,
    },
}

impl Request {
    /// Returns the merge patch that writes it.
    pub(super) fn patch(&self) -> Value {
        match self {
            Self::Run { token, full_resync, resume } => {
                let mut patch = annotate(REQUESTED_AT, token);
                if *full_resync {
                    patch["metadata"]["annotations"][FULL_RESYNC_AT] = json!(token);
                }
                if *resume {
                    patch["metadata"]["annotations"][SUSPENDED_BY] = Value::Null;
                    patch["spec"] = json!({ "suspend": false });
                }
                patch
            }
            Self::Suspend { by } => {
                let mut patch = annotate(SUSPENDED_BY, by);
                patch["spec"] = json!({ "suspend": true });
                patch
            }
            Self::Resume => json!({
                "metadata": { "annotations": { SUSPENDED_BY: null } },
                "spec": { "suspend": false },
            }),
            Self::Approve { id } => annotate(APPROVE, id),
            Self::Cancel { run } => annotate(CANCEL, run),
        }
    }
}

fn annotate(name: &str, text: &str) -> Value {
    json!({ "metadata": { "annotations": { name: text } } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_touches_its_annotations_and_suspend_only() {
        let token = "2026-11-24T05:10:00Z".to_owned();
        let run = |full_resync, resume| Request::Run { token: token.clone(), full_resync, resume };

        assert_eq!(
            run(false, false).patch(),
            json!({"metadata": {"annotations": {"ciosync.dev/requestedAt": token}}})
        );
        assert_eq!(
            run(true, true).patch(),
            json!({
                "metadata": {"annotations": {
                    "ciosync.dev/requestedAt": token,
                    "ciosync.dev/fullResyncAt": token,
                    "ciosync.dev/suspendedBy": null,
                }},
                "spec": {"suspend": false},
            })
        );
        assert_eq!(
            Request::Suspend { by: "ann".into() }.patch(),
            json!({
                "metadata": {"annotations": {"ciosync.dev/suspendedBy": "ann"}},
                "spec": {"suspend": true},
            })
        );
        assert_eq!(
            Request::Cancel { run: "run-1".into() }.patch(),
            json!({"metadata": {"annotations": {"ciosync.dev/cancel": "run-1"}}})
        );
    }
}
