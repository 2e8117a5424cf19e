//! The API server, asked as a person.

use futures_util::{Stream, StreamExt as _};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};

use super::access::Access;
use super::error::RequestError;
use super::request::Request;
use crate::api::Sync;
use crate::model::SyncId;

/// Under which name the API server notes who wrote a field.
const FIELD_MANAGER: &str = "kubectl-ciosync";

/// A cluster that a person may ask.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
}

impl Cluster {
    /// Makes the client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`RequestError::Config`] where it is not known how to reach a cluster, or whom to be.
    pub async fn new(access: &Access) -> Result<Self, RequestError> {
        let config = access.config().await?;
        let client =
            Client::try_from(config).map_err(|err| RequestError::Config(err.to_string()))?;
        Ok(Self { client })
    }

    /// Returns the namespace of the context, `default` where it names none.
    pub fn namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// Returns the Sync as it is now.
    ///
    /// # Errors
    /// [`RequestError::NotFound`] and what else the API server says.
    pub async fn sync(&self, sync: &SyncId) -> Result<Sync, RequestError> {
        self.syncs(sync).get(&sync.name).await.map_err(|err| RequestError::of(err, sync))
    }

    /// Writes a request onto the Sync, and returns it as it then is.
    ///
    /// # Errors
    /// As [`Self::sync`].
    pub async fn ask(&self, sync: &SyncId, request: &Request) -> Result<Sync, RequestError> {
        let params =
            PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
        self.syncs(sync)
            .patch(&sync.name, &params, &Patch::Merge(request.patch()))
            .await
            .map_err(|err| RequestError::of(err, sync))
    }

    /// Returns the Sync as it is now, and again whenever it changes. A watch that breaks is taken
    /// up again; the stream's only errors are those that asking again can't mend, a Sync that was
    /// deleted among them.
    pub fn follow(&self, sync: &SyncId) -> impl Stream<Item = Result<Sync, RequestError>> + use<> {
        let sync = sync.clone();
        watcher::watch_object(self.syncs(&sync), &sync.name).default_backoff().filter_map(
            move |seen| {
                let seen = match seen {
                    Ok(Some(object)) => Some(Ok(object)),
                    Ok(None) => Some(Err(RequestError::NotFound(sync.clone()))),
                    Err(err) => lasting(err, &sync).map(Err),
                };
                async { seen }
            },
        )
    }

    /// Returns the name by which the API server knows who asks, where it says so.
    pub async fn user(&self) -> Option<String> {
        let api: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let review =
            api.create(&PostParams::default(), &SelfSubjectReview::default()).await.ok()?;
        review.status?.user_info?.username
    }

    fn syncs(&self, sync: &SyncId) -> Api<Sync> {
        Api::namespaced(self.client.clone(), &sync.namespace)
    }
}

/// Returns what is wrong with a watch, unless it passes by itself.
fn lasting(err: watcher::Error, sync: &SyncId) -> Option<RequestError> {
    let err = match err {
        watcher::Error::InitialListFailed(err)
        | watcher::Error::WatchStartFailed(err)
        | watcher::Error::WatchFailed(err) => RequestError::of(err, sync),
        watcher::Error::WatchError(status) => RequestError::of_status(&status, sync),
        watcher::Error::NoResourceVersion => return None,
    };
    if !err.is_final() {
        tracing::warn!(sync = %sync, error = %err, "the watch broke and is taken up again");
        return None;
    }
    Some(err)
}
