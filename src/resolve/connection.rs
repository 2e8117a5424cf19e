//! A `CustomerIoConnection` and its secrets to a client.

use std::sync::Arc;

use super::error::ResolveError;
use super::secrets::{SecretReader, read_optional};
use crate::api::CustomerIoConnectionSpec;
use crate::customerio::spec::SiteIdSource;
use crate::customerio::{Client, ConnectionConfig, Limiter};
use crate::model::secret::{Secret, SecretSource};

/// Credentials and address that take the place of a connection's own: those of an emulator.
#[derive(Clone, Debug)]
pub struct Stand {
    /// Base URL of all requests.
    pub endpoint: String,
    /// The site id it accepts.
    pub site_id: Secret,
    /// The key it accepts.
    pub api_key: Secret,
    /// The App API key it accepts; used where the connection has one.
    pub app_api_key: Secret,
}

/// Returns the client of a connection, with a limiter of its own: one for all its Syncs.
/// Where `stand` is given, the connection's secrets are not even read. Connects to nothing.
///
/// # Errors
/// Where a secret is missing or a setting can't be used.
pub async fn client(
    namespace: &str,
    spec: &CustomerIoConnectionSpec,
    secrets: &dyn SecretReader,
    stand: Option<&Stand>,
) -> Result<Arc<Client>, ResolveError> {
    let config = config(namespace, spec, secrets, stand).await?;
    let limiter = Arc::new(Limiter::new(&config.rate));
    Ok(Arc::new(Client::new(config, limiter)?))
}

/// Returns what a client of a connection is made of, for those who keep limiters and clients
/// themselves, as an operator does.
///
/// # Errors
/// Where a secret is missing or a setting can't be used.
pub async fn connection(
    namespace: &str,
    spec: &CustomerIoConnectionSpec,
    secrets: &dyn SecretReader,
) -> Result<ConnectionConfig, ResolveError> {
    config(namespace, spec, secrets, None).await
}

async fn config(
    namespace: &str,
    spec: &CustomerIoConnectionSpec,
    secrets: &dyn SecretReader,
    stand: Option<&Stand>,
) -> Result<ConnectionConfig, ResolveError> {
    let mut config = match stand {
        Some(stand) => ConnectionConfig {
            endpoint: Some(stand.endpoint.clone()),
            app_api_key: spec.app_api_key.is_some().then(|| stand.app_api_key.clone()),
            ..ConnectionConfig::new(stand.site_id.clone(), stand.api_key.clone())
        },
        None => {
            let site_id = self::site_id(namespace, &spec.site_id, secrets).await?;
            let api_key = secrets.read(namespace, &spec.api_key.secret_key_ref).await?;
            let app_api_key = read_optional(secrets, namespace, spec.app_api_key.as_ref()).await?;
            ConnectionConfig {
                app_api_key,
                endpoint: spec.endpoint.clone(),
                region: spec.region,
                workspace_id: spec.workspace_id.and_then(|id| u64::try_from(id).ok()),
                ..ConnectionConfig::new(site_id, api_key)
            }
        }
    };
    config.rate = spec.rate_limit;
    config.limits = spec.limits;
    config.update_timestamps = spec.update_timestamps;
    Ok(config)
}

async fn site_id(
    namespace: &str,
    source: &SiteIdSource,
    secrets: &dyn SecretReader,
) -> Result<Secret, ResolveError> {
    if let Some(value) = &source.value {
        return Ok(Secret::new(value.clone()));
    }
    let reference =
        source.secret_key_ref.clone().map(|secret_key_ref| SecretSource { secret_key_ref });
    read_optional(secrets, namespace, reference.as_ref()).await?.ok_or_else(|| {
        ResolveError::InvalidSpec {
            path: "spec.siteId".to_owned(),
            message: "has neither a value nor a secretKeyRef".to_owned(),
            hint: None,
        }
    })
}
