//! Which cluster is meant, and as whom it is asked: what kubectl's own flags say.

use std::path::PathBuf;

use kube::Config;
use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::error::RequestError;

/// Which cluster, context and user; what is left out is as in the kubeconfig.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The kubeconfig; where there is none, `KUBECONFIG`, `~/.kube/config`, or the pod's own
    /// ServiceAccount.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it.
    pub context: Option<String>,
    /// The cluster in it.
    pub cluster: Option<String>,
    /// The user in it.
    pub user: Option<String>,
    /// Whom to act as, where the user may impersonate.
    pub impersonate: Option<String>,
}

impl Access {
    /// Reads how to reach the API server.
    ///
    /// # Errors
    /// [`RequestError::Config`] where no kubeconfig is found, or it can't be used.
    pub(super) async fn config(&self) -> Result<Config, RequestError> {
        let mut config = match self.is_plain() {
            true => Config::infer().await.map_err(not_inferred)?,
            false => self.from_kubeconfig().await.map_err(|err| unusable(&err))?,
        };
        if let Some(user) = &self.impersonate {
            config.auth_info.impersonate = Some(user.clone());
        }
        Ok(config)
    }

    async fn from_kubeconfig(&self) -> Result<Config, KubeconfigError> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
        };
        match &self.kubeconfig {
            Some(path) => {
                Config::from_custom_kubeconfig(Kubeconfig::read_from(path)?, &options).await
            }
            None => Config::from_kubeconfig(&options).await,
        }
    }

    /// Returns whether nothing is said about which cluster.
    fn is_plain(&self) -> bool {
        self.kubeconfig.is_none()
            && self.context.is_none()
            && self.cluster.is_none()
            && self.user.is_none()
    }
}

/// Why neither a kubeconfig nor a ServiceAccount was found. The kubeconfig is what a person can mend.
fn not_inferred(err: InferConfigError) -> RequestError {
    RequestError::Config(err.to_string())
}

fn unusable(err: &KubeconfigError) -> RequestError {
    RequestError::Config(err.to_string())
}
