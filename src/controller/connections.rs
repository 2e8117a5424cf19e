//! The clients of connections: one limiter each for as long as the operator runs, so that all Syncs
//! of a connection share its rate, whatever becomes of its credentials.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use kube::ResourceExt as _;

use super::secrets::ClusterSecrets;
use super::watch::{ObjectKey, key_of};
use crate::api::{CustomerIoConnection, CustomerIoConnectionSpec};
use crate::customerio::spec::RateLimitSpec;
use crate::customerio::{Client, Limiter, app};
use crate::resolve::{self, ResolveError};

/// What is kept of each connection. Its client is made anew only where something that it is made of
/// changed: a new one reads all certificates of the machine and begins with a handshake, which for
/// a small run costs more than the run.
#[derive(Default)]
pub struct Connections(Mutex<HashMap<ObjectKey, Kept>>);

struct Kept {
    uid: Option<String>,
    rate: RateLimitSpec,
    limiter: Arc<Limiter>,
    app_limiter: Arc<Limiter>,
    client: Option<Made>,
}

struct Made {
    client: Arc<Client>,
    /// What it was made of: the spec, and the versions of its Secrets.
    of: (CustomerIoConnectionSpec, Vec<(String, String)>),
}

impl Connections {
    /// Returns the client of a connection, with its secrets as they are now: the one that other
    /// runs use, where those are the same.
    ///
    /// # Errors
    /// Where a secret is missing or a setting can't be used.
    pub async fn client(
        &self,
        connection: &CustomerIoConnection,
        secrets: &ClusterSecrets,
    ) -> Result<Arc<Client>, ResolveError> {
        let key = key_of(connection);
        let (limiter, app_limiter) = self.limiters(connection);
        let spec = &connection.spec;
        let config = resolve::connection(&key.0, spec, secrets).await?;
        let versions = secrets.versions(&key.0).into_iter().collect();
        let of = (spec.clone(), versions);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get_mut(&key);
        let made = kept.as_ref().and_then(|kept| kept.client.as_ref());
        if let Some(made) = made.filter(|made| made.of == of) {
            return Ok(Arc::clone(&made.client));
        }
        let client = Client::new(config, limiter)?.sharing_app_limiter(app_limiter);
        let client = Arc::new(client);
        if let Some(kept) = kept {
            kept.client = Some(Made { client: Arc::clone(&client), of });
        }
        Ok(client)
    }

    /// Returns until when Customer.io asked this connection to slow down.
    pub fn throttled_until(&self, key: &ObjectKey) -> Option<Timestamp> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key)?.limiter.throttled_until()
    }

    /// Forgets a connection that is gone.
    pub fn forget(&self, key: &ObjectKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Another rate, or another object of the same name, gets other limiters.
    fn limiters(&self, connection: &CustomerIoConnection) -> (Arc<Limiter>, Arc<Limiter>) {
        let rate = connection.spec.rate_limit;
        let uid = connection.uid();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Kept {
            uid: uid.clone(),
            rate,
            limiter: Arc::new(Limiter::new(&rate)),
            app_limiter: Arc::new(app::limiter()),
            client: None,
        };
        let entry = kept.entry(key_of(connection)).or_insert_with(fresh);
        if entry.uid != uid || entry.rate != rate {
            *entry = fresh();
        }
        (Arc::clone(&entry.limiter), Arc::clone(&entry.app_limiter))
    }
}
