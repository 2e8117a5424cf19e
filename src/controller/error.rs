//! Why the operator can't go on, and what the API server's refusals mean in our words.

use std::time::Duration;

use crate::model::Disposition;
use crate::state::StateError;

/// How long one request to the API server may take. Its client has no limit of its own, because
/// watches stay open.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// What ended the operator, or a part of its work.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// No way to the API server was found: neither a service account nor a kubeconfig.
    #[error("there is no API server to talk to: {0}")]
    NoCluster(String),
    /// The API server can't be reached, or refused a request.
    #[error("{what}: {problem}")]
    Api {
        /// What was asked for, such as `the status of Sync growth/customers can't be written`.
        what: String,
        /// What the API server or the network said.
        problem: String,
    },
    /// The state store can't be used.
    #[error("{0}")]
    State(#[from] StateError),
    /// There is no state yet, and the operator was told not to make any.
    #[error("there is no state at {0} yet, and --require-existing-state says not to make any")]
    NoState(String),
    /// A flag says something that can't be.
    #[error("{0}")]
    Option(String),
    /// The address for probes and metrics can't be listened on.
    #[error("can't serve probes and metrics on {address}: {problem}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        problem: String,
    },
    /// Another replica took over, or the Lease could not be renewed in time.
    #[error("this replica is no longer the leader; it ends so that it starts afresh as a standby")]
    LeaseLost,
    /// A part of the operator ended by itself.
    #[error("internal error in the operator: {0}")]
    Internal(&'static str),
}

impl ControllerError {
    /// Returns the error of a request that was refused or not answered.
    pub(super) fn api(what: impl Into<String>, error: &kube::Error) -> Self {
        Self::Api { what: what.into(), problem: describe(error) }
    }

    /// Returns whether waiting may mend it, so that a replica that starts goes on trying.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Api { .. } => true,
            Self::State(error) => error.disposition() == Disposition::Transient,
            Self::NoCluster(_)
            | Self::NoState(_)
            | Self::Option(_)
            | Self::Listen { .. }
            | Self::LeaseLost
            | Self::Internal(_) => false,
        }
    }

    /// Returns what the person should do next, where that is more than to try again.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoCluster(_) => Some(
                "run it in a pod with a service account, or point KUBECONFIG at a cluster".into(),
            ),
            Self::State(error) => error.hint(),
            Self::NoState(_) => Some(
                "bring the store back from a backup, or take --require-existing-state away to \
                 start from nothing"
                    .into(),
            ),
            Self::Listen { .. } => Some("choose another address with --listen".into()),
            Self::Api { .. } | Self::Option(_) | Self::LeaseLost | Self::Internal(_) => None,
        }
    }
}

/// Says what went wrong with a request, without anything that the answer held: an answer that
/// can't be read may be a Secret's.
pub(super) fn describe(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => {
            "the API server can't be reached".to_owned()
        }
        kube::Error::Auth(_) => "the credentials for the API server can't be had".to_owned(),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            "the API server's answer can't be read".to_owned()
        }
        _ => "the request to the API server failed".to_owned(),
    }
}

/// Returns whether the API server said that there is no such object.
pub(super) fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// Returns whether the API server said that the operator may not do this.
pub(super) fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 403)
}

/// Carries out one request within [`REQUEST_TIMEOUT`].
///
/// # Errors
/// As the request, and where there was no answer in time.
pub(super) async fn bounded<T>(
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, kube::Error> {
    match tokio::time::timeout(REQUEST_TIMEOUT, request).await {
        Ok(answer) => answer,
        Err(_) => Err(kube::Error::Service("no answer in time".into())),
    }
}
