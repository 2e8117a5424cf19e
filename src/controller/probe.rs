//! Looks at Sources and connections: can they be reached with their credentials, and may they be
//! queried.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
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
use crate::customerio::app::App;
use crate::customerio::{Account, DeliveryError, SendClock, SendContext, Traffic};
use crate::model::{Disposition, Reason};
use crate::resolve::{self, ResolveError};

/// How long one probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the App API may take to answer within a probe.
const APP_TIMEOUT: Duration = Duration::from_secs(10);

/// What a probe came to.
pub struct Probed<T> {
    /// What was found out, or what is missing.
    pub outcome: Result<T, Problem>,
    /// The versions of the Secrets that were read.
    pub secret_versions: BTreeMap<String, String>,
}

/// What was found out of a connection.
pub struct Reached {
    /// Whose the Track API key is.
    pub account: Account,
    /// What is wrong with the App API, where the connection has a key for it: no reason to hold up
    /// Syncs that don't ask it.
    pub app_problem: Option<Problem>,
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
            let refusal = self.refusal(&namespace, source).await?;
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

    /// Returns why a Source is refused. Links are resolved on a thread that may block: a folder of
    /// the network may be away.
    async fn refusal(&self, namespace: &str, source: &Source) -> Result<Option<Finding>, Problem> {
        let (policy, namespace) = (Arc::clone(&self.policy), namespace.to_owned());
        let spec = source.spec.clone();
        let looked = tokio::task::spawn_blocking(move || policy.refusal(&namespace, &spec)).await;
        looked.map_err(|_| Problem {
            reason: Reason::SourceNotReady,
            disposition: Disposition::Transient,
            message: "the probe was cut off: the program is stopping".to_owned(),
            hint: None,
        })
    }

    /// Asks Customer.io whose key a connection has, and tries its App API key where it has one.
    pub async fn connection(&self, connection: &CustomerIoConnection) -> Probed<Reached> {
        let secrets = ClusterSecrets::new(self.client.clone());
        let (namespace, _) = key_of(connection);
        let probe = async {
            if let Some(finding) =
                validate::connection(&connection.spec).iter().find(|it| hinders(it))
            {
                return Err(invalid(finding));
            }
            let client = self.connections.client(connection, &secrets).await.map_err(unresolved)?;
            let (clock, traffic) =
                (SendClock::not_before(Timestamp::UNIX_EPOCH), Traffic::default());
            let cancel = CancellationToken::new();
            let context = SendContext {
                deadline: Instant::now() + PROBE_TIMEOUT / 2,
                cancel: &cancel,
                may_send: &|| true,
                clock: &clock,
                traffic: &traffic,
            };
            let account = client.account(&context).await.map_err(|error| refused(&error))?;
            let app_problem = match client.app() {
                Some(app) => app_problem(app, account.workspace_id, &context).await,
                None => None,
            };
            Ok(Reached { account, app_problem })
        };
        let outcome = in_time(probe).await;
        Probed { outcome, secret_versions: secrets.versions(&namespace) }
    }
}

/// Tries the App API, in a time of its own: one that hangs must not pass for a connection that does.
async fn app_problem(
    app: App<'_>,
    workspace_id: u64,
    context: &SendContext<'_>,
) -> Option<Problem> {
    let context = SendContext { deadline: Instant::now() + APP_TIMEOUT, ..*context };
    match tokio::time::timeout(APP_TIMEOUT, app.check(workspace_id, &context)).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(refused(&error)),
        Err(_) => Some(Problem {
            reason: Reason::ConnectionNotReady,
            disposition: Disposition::Transient,
            message: format!("the App API gave no answer within {} s", APP_TIMEOUT.as_secs()),
            hint: Some("check the network policies on the way to the App API".to_owned()),
        }),
    }
}

fn refused(error: &DeliveryError) -> Problem {
    Problem {
        reason: error.reason(),
        disposition: error.disposition(),
        message: error.to_string(),
        hint: error.hint(),
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
    /// `None` where the next one is due at once.
    next: Option<Timestamp>,
    secret_versions: BTreeMap<String, String>,
}

/// What follows from a probe for the next one.
pub struct Done {
    /// When the next one is due.
    pub next: Option<Timestamp>,
    /// Whether other versions of Secrets were read than by the one before.
    pub has_other_secrets: bool,
}

/// When each Source and connection is probed next, as far as this process probed it.
#[derive(Default)]
pub struct Probes(Mutex<HashMap<Named, Last>>);

impl Probes {
    /// Returns when an object is probed next, where that is not now. `probe_at` says it for those
    /// that this process has not probed as they are.
    pub fn not_due<K: Kind>(
        &self,
        named: &Named,
        object: &K,
        probe_at: Timestamp,
    ) -> Option<Timestamp> {
        let probes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same =
            |last: &&Last| last.uid == object.uid() && last.generation == object.meta().generation;
        let next = match probes.get(named).filter(is_same) {
            Some(last) => last.next?,
            None => probe_at,
        };
        (next > Timestamp::now()).then_some(next)
    }

    /// Notes a probe, after which the next is due at `probe_at`, a tenth of the time until then
    /// sooner or later so that probes spread out.
    pub fn done<K: Kind>(
        &self,
        named: &Named,
        object: &K,
        probe_at: Option<Timestamp>,
        secret_versions: BTreeMap<String, String>,
    ) -> Done {
        let now = Timestamp::now();
        let next = probe_at.map(|at| {
            let share = 0.9 + fastrand::f64() / 5.0;
            let pause = at.duration_since(now).as_secs_f64().max(0.0) * share;
            SignedDuration::try_from_secs_f64(pause)
                .ok()
                .and_then(|pause| now.checked_add(pause).ok())
                .unwrap_or(at)
        });
        let (uid, generation) = (object.uid(), object.meta().generation);
        let last = Last { uid, generation, next, secret_versions: secret_versions.clone() };
        let mut probes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = probes.insert(named.clone(), last);
        let has_other_secrets =
            before.is_some_and(|before| before.secret_versions != secret_versions);
        Done { next, has_other_secrets }
    }

    /// Makes an object's next probe due at once.
    pub fn expire(&self, named: &Named) {
        if let Some(last) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(named) {
            last.next = None;
        }
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, named: &Named) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(named);
    }
}
