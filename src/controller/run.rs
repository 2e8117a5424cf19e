//! The operator from its start to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::{Client, Config};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use super::error::{ControllerError, describe};
use super::leader::Leadership;
use super::operate::Operator;
use super::options::ControllerOptions;
use super::overview::Overview;
use super::policy::Policy;
use super::readiness::{Gate, Gates};
use super::{rights, startup};
use crate::metrics::Metrics;
use crate::state::StateStore;
use crate::web::{Heartbeat, Server, Shown};

/// How long what must hold at the start is waited for between two looks.
const START_PAUSE: Duration = Duration::from_secs(3);

/// How often the operator shows that it is not stuck.
const BEAT_EVERY: Duration = Duration::from_secs(5);

/// Runs the operator until `stop` is cancelled: then runs commit what is in flight, their ends are
/// written down, and the Lease is given back, within 20 seconds.
///
/// # Errors
/// What can't be mended by waiting: no API server to talk to, options that can't be used, a state
/// store of another cluster, and the loss of the Lease.
pub async fn run(
    options: ControllerOptions,
    stop: CancellationToken,
) -> Result<(), ControllerError> {
    let config = Config::infer().await;
    let config = config.map_err(|error| ControllerError::NoCluster(error.to_string()))?;
    let client =
        Client::try_from(config).map_err(|error| ControllerError::NoCluster(describe(&error)))?;
    let policy =
        Policy::new(options.local_sources.as_deref(), &options.workload_identity_namespaces)
            .map_err(ControllerError::Option)?;
    let (ready, metrics, heartbeat) = (Gates::default(), Metrics::new(), Heartbeat::default());
    let (checks, overview) = (ready.clone(), Overview::default());
    let watched = overview.clone();
    let shown = Shown {
        readiness: Arc::new(move || checks.checks()),
        syncs: Arc::new(move || watched.lines()),
        heartbeat: heartbeat.clone(),
        metrics: metrics.clone(),
    };
    // In a task of its own: it must answer where the rest is stuck.
    let _pages = AbortOnDropHandle::new(tokio::spawn(serve(options.listen, shown).await?));
    let tools = Tools { client, policy: Arc::new(policy), ready, metrics, overview };
    tokio::select! {
        ended = work(tools, &options, &stop) => ended,
        never = beat(&heartbeat) => match never {},
    }
}

/// Shows that the task that does all the work is not stuck.
async fn beat(heartbeat: &Heartbeat) -> Infallible {
    loop {
        heartbeat.beat();
        tokio::time::sleep(BEAT_EVERY).await;
    }
}

/// What a replica starts with.
pub(super) struct Tools {
    pub(super) client: Client,
    pub(super) policy: Arc<Policy>,
    pub(super) ready: Gates,
    pub(super) metrics: Metrics,
    pub(super) overview: Overview,
}

/// Takes the address and returns what answers there.
async fn serve(
    address: SocketAddr,
    shown: Shown,
) -> Result<impl Future<Output = ()>, ControllerError> {
    let server = Server::bind(address)
        .await
        .map_err(|error| ControllerError::Listen { address, problem: error.kind().to_string() })?;
    Ok(async move {
        if let Err(error) = server.serve(shown, CancellationToken::new()).await {
            warn!(error = %error.kind(), "probes and metrics are no longer served");
        }
    })
}

/// Stands by, leads, and works until `stop`.
async fn work(
    tools: Tools,
    options: &ControllerOptions,
    stop: &CancellationToken,
) -> Result<(), ControllerError> {
    let standing = tokio::select! {
        standing = stand_by(&tools.client, options, &tools.ready) => standing?,
        () = stop.cancelled() => return Ok(()),
    };
    let (store, mut leadership) = standing;
    if let Some(leadership) = &mut leadership {
        tokio::select! {
            won = leadership.won() => won?,
            () = stop.cancelled() => return Ok(()),
        }
    }
    tools.metrics.operator.leads(true);
    let (ready, client) = (tools.ready.clone(), tools.client.clone());
    let operator = Operator::new(tools, options, store);
    let ended = tokio::select! {
        ended = Box::pin(operator.operate(&ready, leadership.as_mut(), stop)) => ended,
        never = ready.watch_rights(&client, options) => match never {},
    };
    if let (Some(leadership), Ok(())) = (leadership, &ended) {
        leadership.release().await;
    }
    ended
}

/// Waits for all that must hold before this replica may lead, and enters the race for the Lease.
async fn stand_by(
    client: &Client,
    options: &ControllerOptions,
    ready: &Gates,
) -> Result<(Arc<dyn StateStore>, Option<Leadership>), ControllerError> {
    wait_for(ready, Gate::Definitions, || startup::check_definitions(client)).await;
    wait_for(ready, Gate::Rights, || rights::check(client, options)).await;
    let store = patiently(ready, Gate::State, || startup::open_state(client, options)).await?;
    info!(location = store.location(), "the state store is open");
    let Some(lease) = &options.lease else {
        ready.set(Gate::Lease, Ok(()));
        return Ok((store, None));
    };
    let seek = || Leadership::seek(client.clone(), lease, &options.identity);
    let leadership = patiently(ready, Gate::Lease, seek).await?;
    Ok((store, Some(leadership)))
}

/// Waits until a check holds; says what doesn't, once for each problem.
async fn wait_for<F>(ready: &Gates, gate: Gate, check: impl Fn() -> F)
where
    F: Future<Output = Result<(), String>>,
{
    while let Err(problem) = check().await {
        if ready.set(gate, Err(problem.clone())) {
            warn!(problem, "the operator waits");
        }
        tokio::time::sleep(START_PAUSE).await;
    }
    ready.set(gate, Ok(()));
}

/// Tries until it works, or fails in a way that waiting doesn't mend.
async fn patiently<T, F>(
    ready: &Gates,
    gate: Gate,
    mut attempt: impl FnMut() -> F,
) -> Result<T, ControllerError>
where
    F: Future<Output = Result<T, ControllerError>>,
{
    loop {
        match attempt().await {
            Ok(value) => {
                ready.set(gate, Ok(()));
                return Ok(value);
            }
            Err(error) if error.passes() => {
                if ready.set(gate, Err(error.to_string())) {
                    warn!(%error, hint = error.hint(), "the operator can't begin yet; it tries again");
                }
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(START_PAUSE).await;
    }
}
