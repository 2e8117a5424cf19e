//! Which replica works: the holder of a Lease.
//!
//! The library takes and renews the Lease. Beside it a witness looks whether the API server still
//! says so: a replica that is cut off, or was frozen, finds out by itself and not only once it can
//! ask again. What a lost Lease can't prevent (a batch on its way) the run lock of the state does.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use kube_lease_manager::{LeaseManager, LeaseManagerBuilder, LeaseManagerError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::error::{ControllerError, bounded, describe};
use super::options::LeaseOptions;

/// Shortest time that a Lease may last: below it a slow answer would cost it.
const DURATION_MIN: Duration = Duration::from_secs(3);

/// How long releasing the Lease may take at the end.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the namespace of a pod stands.
/// Source: Kubernetes, "Accessing the Kubernetes API from a Pod".
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The Lease that this replica wants or has.
pub struct Leadership {
    api: Api<Lease>,
    name: String,
    identity: String,
    duration: Duration,
    is_leader: watch::Receiver<bool>,
    task: JoinHandle<Result<LeaseManager, LeaseManagerError>>,
}

impl Leadership {
    /// Enters the race for the Lease; makes it where there is none.
    ///
    /// # Errors
    /// Where the options can't be used, or the API server refuses the Lease.
    pub async fn seek(
        client: Client,
        options: &LeaseOptions,
        identity: &str,
    ) -> Result<Self, ControllerError> {
        let duration = options.duration;
        if duration < DURATION_MIN {
            return Err(ControllerError::Option(
                "--lease-duration must be at least 3s: below it one slow answer costs the lease"
                    .to_owned(),
            ));
        }
        let namespace = namespace_of(&client, options);
        let manager = LeaseManagerBuilder::new(client.clone(), &options.name)
            .with_namespace(&namespace)
            .with_identity(identity)
            .with_duration(duration.as_secs())
            .with_grace((duration.as_secs() / 3 * 2).max(1))
            .build()
            .await
            .map_err(|error| refused(&namespace, &options.name, &error))?;
        let (is_leader, task) = manager.watch().await;
        let api = Api::namespaced(client, &namespace);
        let (name, identity) = (options.name.clone(), identity.to_owned());
        Ok(Self { api, name, identity, duration, is_leader, task })
    }

    /// Waits until this replica has the Lease.
    ///
    /// # Errors
    /// Where the race ended by itself.
    pub async fn won(&mut self) -> Result<(), ControllerError> {
        let waited = self.is_leader.wait_for(|is_leader| *is_leader).await;
        waited.map(drop).map_err(|_| ControllerError::Internal("the lease is no longer sought"))?;
        info!(identity = self.identity, "this replica is the leader");
        Ok(())
    }

    /// Waits until the Lease is lost, or can't be shown to be held any more.
    pub async fn lost(&mut self) {
        let mut confirmed_at = Instant::now();
        let pause = self.duration / 3;
        loop {
            tokio::select! {
                changed = self.is_leader.wait_for(|is_leader| !is_leader) => {
                    drop(changed);
                    warn!(identity = self.identity, "the lease was lost");
                    return;
                }
                () = tokio::time::sleep(pause) => {}
            }
            let asked_at = Instant::now();
            let left = self.duration.saturating_sub(confirmed_at.elapsed());
            let seen = tokio::time::timeout(left, bounded(self.api.get(&self.name))).await;
            match seen {
                Ok(Ok(lease)) if self.is_holder(&lease) => confirmed_at = asked_at,
                Ok(Ok(_)) => {
                    warn!(identity = self.identity, "another replica holds the lease");
                    return;
                }
                Ok(Err(error)) => warn!(error = describe(&error), "the lease can't be looked at"),
                Err(_) => {}
            }
            if confirmed_at.elapsed() >= self.duration {
                warn!(identity = self.identity, "the lease could not be confirmed in time");
                return;
            }
        }
    }

    /// Gives the Lease back, so that another replica takes over at once.
    pub async fn release(self) {
        let Self { is_leader, task, .. } = self;
        drop(is_leader);
        match tokio::time::timeout(RELEASE_TIMEOUT, task).await {
            Ok(Ok(Ok(_))) => info!("the lease was released"),
            Ok(Ok(Err(_)) | Err(_)) | Err(_) => {
                warn!("the lease was not released; it lapses by itself");
            }
        }
    }

    fn is_holder(&self, lease: &Lease) -> bool {
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_ref());
        holder.is_some_and(|holder| *holder == self.identity)
    }
}

/// Returns the namespace of the Lease.
pub(super) fn namespace_of(client: &Client, options: &LeaseOptions) -> String {
    options.namespace.clone().unwrap_or_else(|| own_namespace(client))
}

/// Returns the namespace of this pod; outside of one, that of the kubeconfig's context.
fn own_namespace(client: &Client) -> String {
    let mounted = std::fs::read_to_string(NAMESPACE_FILE).ok();
    let variable = || std::env::var("POD_NAMESPACE").ok();
    let known = variable().or(mounted).map(|name| name.trim().to_owned());
    known.filter(|name| !name.is_empty()).unwrap_or_else(|| client.default_namespace().to_owned())
}

fn refused(namespace: &str, name: &str, error: &LeaseManagerError) -> ControllerError {
    let what = format!("the Lease {namespace}/{name} can't be had");
    match error {
        LeaseManagerError::KubeError(error) => ControllerError::api(what, error),
        LeaseManagerError::InconsistentState(_)
        | LeaseManagerError::LeaseAlreadyExists(_)
        | LeaseManagerError::NonexistentLease(_)
        | LeaseManagerError::ControlChannelError(_) => {
            ControllerError::Api { what, problem: error.to_string() }
        }
    }
}
