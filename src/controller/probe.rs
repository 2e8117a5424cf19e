//! Looks at Sources and connections: can they be reached with their credentials, and may they be
//! queried.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::Client;
use tokio_util::sync::CancellationToken;

use super::connections::Connections;
use super::policy::Policy;
use super::secrets::ClusterSecrets;
use super::supervisor::Failure;
use super::watch::key_of;
use crate::api::finding::Severity;
use crate::api::{CustomerIoConnection, Finding, Source, validate};
use crate::customerio::{Account, SendClock, SendContext, Traffic};
use crate::model::{Disposition, Reason};
use crate::resolve::{self, ResolveError};

/// How long one probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// What a probe came to.
pub struct Probed<T> {
    /// What was found out, or what is missing.
    pub outcome: Result<T, Failure>,
    /// The versions of the Secrets that were read.
    pub secret_versions: BTreeMap<String, String>,
}

/// Probes Sources and connections.
pub struct Prober {
    /// The API server, for Secrets.
    pub client: Client,
    /// What Sources may not ask of the operator.
    pub policy: Arc<Policy>,
    /// The clients of connections.
    pub connections: Arc<Connections>,
}

impl Prober {
    /// Opens a connection to a Source and runs the cheapest statement that proves that it can be
    /// queried. A spec that can't be used is not tried.
    pub async fn source(&self, source: &Source) -> Probed<()> {
        let secrets = ClusterSecrets::new(self.client.clone());
        let (namespace, _) = key_of(source);
        let probe = async {
            let refusal = self.policy.refusal(&namespace, &source.spec);
            let findings = validate::source(&source.spec);
            if let Some(finding) = refusal.into_iter().chain(findings).find(hinders) {
                return Err(invalid(&finding));
            }
            let base = self.policy.base();
            let opened = resolve::source(&namespace, &source.spec, base, &secrets).await;
            let probed = opened.map_err(unresolved)?.probe().await;
            probed.map_err(|error| Failure {
                reason: error.reason(),
                disposition: error.disposition(),
                message: error.to_string(),
                hint: error.hint,
            })
        };
        let outcome = in_time(probe).await;
        Probed { outcome, secret_versions: secrets.versions(&namespace) }
    }

    /// Asks Customer.io whose key a connection has.
    pub async fn connection(&self, connection: &CustomerIoConnection) -> Probed<Account> {
        let secrets = ClusterSecrets::new(self.client.clone());
        let (namespace, _) = key_of(connection);
        let probe = async {
            if let Some(finding) = validate::connection(&connection.spec).iter().find(|it| hinders(it)) {
                return Err(invalid(finding));
            }
            let client = self.connections.client(connection, &secrets).await.map_err(unresolved)?;
            let (clock, traffic) = (SendClock::not_before(Timestamp::UNIX_EPOCH), Traffic::default());
            let cancel = CancellationToken::new();
            let context = SendContext {
                deadline: Instant::now() + PROBE_TIMEOUT / 2,
                cancel: &cancel,
                may_send: &|| true,
                clock: &clock,
                traffic: &traffic,
            };
            client.account(&context).await.map_err(|error| Failure {
                reason: error.reason(),
                disposition: error.disposition(),
                message: error.to_string(),
                hint: error.hint(),
            })
        };
        let outcome = in_time(probe).await;
        Probed { outcome, secret_versions: secrets.versions(&namespace) }
    }
}

async fn in_time<T>(probe: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match tokio::time::timeout(PROBE_TIMEOUT, probe).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure {
            reason: Reason::SourceNotReady,
            disposition: Disposition::Transient,
            message: format!("there was no answer within {} s", PROBE_TIMEOUT.as_secs()),
            hint: Some("check host, port and the network policies on the way".to_owned()),
        }),
    }
}

fn hinders(finding: &Finding) -> bool {
    finding.severity == Severity::Error
}

fn invalid(finding: &Finding) -> Failure {
    Failure {
        reason: Reason::InvalidSpec,
        disposition: Disposition::NeedsOperator,
        message: format!("{}: {}", finding.path, finding.message),
        hint: finding.hint.clone(),
    }
}

fn unresolved(error: ResolveError) -> Failure {
    Failure {
        reason: error.reason(),
        disposition: error.disposition(),
        message: error.to_string(),
        hint: error.hint(),
    }
}
