//! What has to be known of namespaces: the labels that selectors look at, and whether one is being
//! deleted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, ResourceExt as _};

use super::error::{ControllerError, bounded, is_not_found};

/// For how long an answer is taken for true. Labels of namespaces change rarely.
const KEPT: Duration = Duration::from_secs(60);

/// What is known of one namespace.
#[derive(Debug)]
pub struct Known {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it is being deleted, or gone.
    pub is_terminating: bool,
    asked_at: Instant,
}

/// Namespaces that were asked for.
pub struct Namespaces {
    client: Client,
    known: Mutex<HashMap<String, Arc<Known>>>,
}

impl Namespaces {
    /// Returns a place to ask, with nothing asked yet.
    pub fn new(client: Client) -> Self {
        Self { client, known: Mutex::default() }
    }

    /// Returns what is known of a namespace, at most a minute old.
    ///
    /// # Errors
    /// Where the API server refuses it or doesn't answer.
    pub async fn get(&self, name: &str) -> Result<Arc<Known>, ControllerError> {
        match self.fresh(name) {
            Some(known) => Ok(known),
            None => self.ask(name).await,
        }
    }

    /// Returns what is known of a namespace right now.
    ///
    /// # Errors
    /// Where the API server refuses it or doesn't answer.
    pub async fn ask(&self, name: &str) -> Result<Arc<Known>, ControllerError> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let known = match bounded(api.get(name)).await {
            Ok(namespace) => Known {
                labels: namespace.labels().clone(),
                is_terminating: namespace.metadata.deletion_timestamp.is_some(),
                asked_at: Instant::now(),
            },
            Err(error) if is_not_found(&error) => {
                Known { labels: BTreeMap::new(), is_terminating: true, asked_at: Instant::now() }
            }
            Err(error) => {
                let what = format!("namespace {name} can't be looked at");
                return Err(ControllerError::api(what, &error));
            }
        };
        let known = Arc::new(known);
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, known| known.asked_at.elapsed() < KEPT);
        all.insert(name.to_owned(), Arc::clone(&known));
        Ok(known)
    }

    fn fresh(&self, name: &str) -> Option<Arc<Known>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).filter(|known| known.asked_at.elapsed() < KEPT).cloned()
    }
}
