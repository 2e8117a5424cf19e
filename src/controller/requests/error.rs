//! Why the API server could not be asked, or said no.

use kube::core::Status;

use crate::model::SyncId;

/// What went wrong between a person and the API server.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// It is not known how to reach a cluster.
    #[error("no cluster can be reached: {0}")]
    Config(String),
    /// The API server does not answer.
    #[error("the API server can't be reached: {0}")]
    Unreachable(String),
    /// The API server does not know who asks.
    #[error("the API server does not accept the credentials: {0}")]
    Unauthenticated(String),
    /// Whoever asks lacks a right.
    #[error("the API server forbids it: {0}")]
    Forbidden(String),
    /// The cluster has no Syncs at all.
    #[error("this cluster doesn't know the kind Sync")]
    NotInstalled,
    /// There is no such Sync.
    #[error("there is no Sync {0}")]
    NotFound(SyncId),
    /// The API server refused what was asked.
    #[error("the API server refused it: {0}")]
    Refused(String),
}

impl RequestError {
    /// Returns what the person can do about it, where that is more than to try again.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Config(_) => {
                Some("name one with --kubeconfig or --context, as `kubectl config view` shows them")
            }
            Self::Unauthenticated(_) => {
                Some("log in again, or choose another user with --context or --user")
            }
            Self::Forbidden(_) => Some(
                "ask for the rights get, list, watch and patch on syncs.ciosync.dev in this namespace",
            ),
            Self::NotInstalled => {
                Some("install the operator's chart, or choose another cluster with --context")
            }
            Self::NotFound(_) => {
                Some("`kubectl get syncs --all-namespaces` lists them; -n names the namespace")
            }
            Self::Unreachable(_) | Self::Refused(_) => None,
        }
    }

    /// Returns what an answer about `sync` means.
    pub(super) fn of(err: kube::Error, sync: &SyncId) -> Self {
        match err {
            kube::Error::Api(status) => Self::of_status(&status, sync),
            kube::Error::Auth(err) => Self::Unauthenticated(err.to_string()),
            err => Self::Unreachable(innermost(&err)),
        }
    }

    /// Returns what a status in the place of an answer means.
    pub(super) fn of_status(status: &Status, sync: &SyncId) -> Self {
        // A missing object is named in the details, a missing kind is not.
        let is_object = status.details.as_ref().is_some_and(|details| !details.name.is_empty());
        match status.code {
            401 => Self::Unauthenticated(status.message.clone()),
            403 => Self::Forbidden(status.message.clone()),
            404 if is_object => Self::NotFound(sync.clone()),
            404 => Self::NotInstalled,
            _ => Self::Refused(status.message.clone()),
        }
    }

    /// Returns whether asking again can't help.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Refused(_) => false,
            Self::Config(_)
            | Self::Unauthenticated(_)
            | Self::Forbidden(_)
            | Self::NotInstalled
            | Self::NotFound(_) => true,
        }
    }
}

/// Returns the words of the error at the bottom: those above it say only that something failed.
fn innermost(err: &(dyn std::error::Error + 'static)) -> String {
    let mut at = err;
    while let Some(below) = at.source() {
        at = below;
    }
    at.to_string()
}

#[cfg(test)]
mod tests {
    use kube::core::response::StatusDetails;

    use super::*;

    fn status(code: u16, name: &str) -> Status {
        let details = StatusDetails { name: name.to_owned(), ..status_details() };
        Status { code, details: Some(details), ..Status::failure("no", "Reason") }
    }

    fn status_details() -> StatusDetails {
        serde_json::from_str("{}").unwrap()
    }

    #[test]
    fn a_missing_sync_is_not_a_missing_operator() {
        let sync = SyncId::new("growth", "customers");
        let said = |code, name| RequestError::of_status(&status(code, name), &sync).to_string();

        assert_eq!(said(404, "customers"), "there is no Sync growth/customers");
        assert_eq!(said(404, ""), "this cluster doesn't know the kind Sync");
        assert_eq!(said(403, "customers"), "the API server forbids it: no");
        assert_eq!(said(401, ""), "the API server does not accept the credentials: no");
        assert_eq!(said(422, "customers"), "the API server refused it: no");
    }
}
