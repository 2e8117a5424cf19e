//! Looks at Sources and connections: can they be reached with their credentials, and may they be
//! queried.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::{Client, ResourceExt as _};
use tokio_util::sync::CancellationToken;

use super::changes::Named;
use super::connections::Connections;
use super::decide::Problem;
use super::policy::Policy;
use super::secrets::ClusterSecrets;
use super::watch::{Kind, key_of};
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
    pub outcome: Result<T, Problem>,
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
            probed.map_err(|error| Problem {
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
            client.account(&context).await.map_err(|error| Problem {
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

async fn in_time<T>(probe: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    match tokio::time::timeout(PROBE_TIMEOUT, probe).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Problem {
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

fn invalid(finding: &Finding) -> Problem {
    Problem {
        reason: Reason::InvalidSpec,
        disposition: Disposition::NeedsOperator,
        message: format!("{}: {}", finding.path, finding.message),
        hint: finding.hint.clone(),
    }
}

fn unresolved(error: ResolveError) -> Problem {
    Problem {
        reason: error.reason(),
        disposition: error.disposition(),
        message: error.to_string(),
        hint: error.hint(),
    }
}

/// The last probe of one object.
struct Last {
    uid: Option<String>,
    generation: Option<i64>,
    due_at: Instant,
    secret_versions: BTreeMap<String, String>,
}

/// When each Source and connection is probed next. Forgotten with the process: a new one probes
/// all of them soon.
#[derive(Default)]
pub struct Probes(Mutex<HashMap<Named, Last>>);

impl Probes {
    /// Returns how long the next probe of an object can wait; `None` where it is due: the object is
    /// new or was edited, its time has come, or a Secret of it changed.
    pub fn pause<K: Kind>(&self, named: &Named, object: &K) -> Option<Duration> {
        let probes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = probes.get(named)?;
        if last.uid != object.uid() || last.generation != object.meta().generation {
            return None;
        }
        let pause = last.due_at.saturating_duration_since(Instant::now());
        (!pause.is_zero()).then_some(pause)
    }

    /// Notes a probe, after which the next is due in `interval`, a tenth more or less so that
    /// probes spread out. Returns whether it read other Secrets than the one before.
    pub fn done<K: Kind, T>(
        &self,
        named: &Named,
        object: &K,
        interval: Duration,
        probed: &Probed<T>,
    ) -> bool {
        let last = Last {
            uid: object.uid(),
            generation: object.meta().generation,
            due_at: Instant::now() + interval.mul_f64(0.9 + fastrand::f64() / 5.0),
            secret_versions: probed.secret_versions.clone(),
        };
        let mut probes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = probes.insert(named.clone(), last);
        before.is_some_and(|before| before.secret_versions != probed.secret_versions)
    }

    /// Makes an object's next probe due at once.
    pub fn expire(&self, named: &Named) {
        if let Some(last) =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(named)
        {
            last.due_at = Instant::now();
        }
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, named: &Named) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(named);
    }
}
