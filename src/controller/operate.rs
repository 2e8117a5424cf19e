//! What the leader does: it watches and reconciles the three kinds, sees to the runs, and winds
//! down in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use kube::runtime::controller::{self, Controller};
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher;
use kube::runtime::{Predicate as _, WatchStreamExt as _, predicates, reflector};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::changes::Changes;
use super::connections::Connections;
use super::context::{AllNudges, Context};
use super::error::ControllerError;
use super::events::Events;
use super::follow::{Followed, Follower};
use super::housekeeping;
use super::leader::Leadership;
use super::namespaces::Namespaces;
use super::nudges::Nudges;
use super::objects::Objects;
use super::options::ControllerOptions;
use super::outages::Outages;
use super::probe::{Prober, Probes};
use super::readiness::{Gates, Watched};
use super::reconcile::{self, Attempts};
use super::run::Tools;
use super::secret_watch;
use super::status::Statuses;
use super::supervisor::{Executor, Supervisor};
use super::watch;
use crate::api::{CustomerIoConnection, Source, Sync};
use crate::state::StateStore;

/// How long runs may take to commit what is in flight, and their ends to reach the statuses, once
/// the operator was asked to stop.
const WIND_DOWN_MAX: Duration = Duration::from_secs(12);

/// How long runs may take to let go once the Lease is lost.
const LET_GO_MAX: Duration = Duration::from_secs(5);

/// How long the reconcilers may take to end.
const RECONCILERS_MAX: Duration = Duration::from_secs(2);

/// How many objects of a kind are reconciled side by side. Probes wait for warehouses.
const CONCURRENCY: u16 = 16;

/// Several changes of an object within this time are one reason to look.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// What a leader works with.
pub(super) struct Operator {
    context: Arc<Context>,
    namespaces: Vec<String>,
    watches_secrets: bool,
    syncs: Writer<Sync>,
    sources: Writer<Source>,
    connections: Writer<CustomerIoConnection>,
}

impl Operator {
    /// Returns an operator that does nothing yet.
    pub(super) fn new(
        tools: Tools,
        options: &ControllerOptions,
        store: Arc<dyn StateStore>,
    ) -> Self {
        let Tools { client, policy, metrics, overview, .. } = tools;
        let (sync_reader, syncs) = reflector::store();
        let (source_reader, sources) = reflector::store();
        let (connection_reader, connections) = reflector::store();
        let objects =
            Objects { syncs: sync_reader, sources: source_reader, connections: connection_reader };
        overview.lead(objects.syncs.clone());
        let (nudges, clients) = (AllNudges::default(), Arc::new(Connections::default()));
        let executor = Executor {
            client: client.clone(),
            objects: objects.clone(),
            store: Arc::clone(&store),
            connections: Arc::clone(&clients),
            policy: Arc::clone(&policy),
            spool_dir: options.spool_dir.clone(),
        };
        let supervisor = Supervisor::new(
            executor,
            options.limits,
            nudges.syncs.clone(),
            metrics.operator.clone(),
        );
        let connections_kept = Arc::clone(&clients);
        let prober = Prober { client: client.clone(), policy, connections: clients };
        let context = Context {
            objects,
            store,
            supervisor: Arc::new(supervisor),
            prober,
            connections: connections_kept,
            namespaces: Namespaces::new(client.clone()),
            events: Events::new(client.clone(), &options.identity),
            metrics,
            nudges,
            changes: Changes::default(),
            probes: Probes::default(),
            sync_statuses: Statuses::new(client.clone()),
            source_statuses: Statuses::new(client.clone()),
            connection_statuses: Statuses::new(client.clone()),
            outages: Outages::default(),
            client,
        };
        Self {
            context: Arc::new(context),
            namespaces: options.namespaces.clone(),
            watches_secrets: options.watches_secrets,
            syncs,
            sources,
            connections,
        }
    }

    /// Works until `stop` is cancelled or the Lease is lost.
    ///
    /// # Errors
    /// Where the Lease is lost.
    pub(super) async fn operate(
        self,
        ready: &Gates,
        leadership: Option<&mut Leadership>,
        stop: &CancellationToken,
    ) -> Result<(), ControllerError> {
        let context = Arc::clone(&self.context);
        let supervisor = Arc::clone(&context.supervisor);
        let reconcilers_stop = CancellationToken::new();
        let mut runs = Box::pin(Arc::clone(&supervisor).supervise());
        let mut reconcilers = Box::pin(self.reconcile(ready, reconcilers_stop.clone()));
        let lost = async {
            match leadership {
                Some(leadership) => leadership.lost().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = &mut runs => return Err(ControllerError::Internal("the runs are no longer seen to")),
            () = &mut reconcilers => {
                return Err(ControllerError::Internal("the reconcilers ended by themselves"));
            }
            () = lost => {
                // Nothing is written any more: the next leader does that.
                drop(reconcilers);
                supervisor.close();
                let _ = tokio::time::timeout(LET_GO_MAX, runs).await;
                return Err(ControllerError::LeaseLost);
            }
            () = stop.cancelled() => {}
        }
        info!("stopping: what is in flight is committed");
        supervisor.close();
        let winding_down = async {
            let both = async { tokio::join!(&mut runs, supervisor.settled()) };
            if tokio::time::timeout(WIND_DOWN_MAX, both).await.is_err() {
                warn!("some runs did not end in time; the next start goes on with them");
            }
            reconcilers_stop.cancel();
            tokio::time::sleep(RECONCILERS_MAX).await;
        };
        tokio::select! {
            () = &mut reconcilers => {}
            () = winding_down => {}
        }
        Ok(())
    }

    /// Watches and reconciles the three kinds, and keeps house.
    async fn reconcile(self, ready: &Gates, stop: CancellationToken) {
        let Self { context, namespaces, watches_secrets, syncs, sources, connections } = self;
        let watched = ["syncs", "sources", "customerioconnections", "secrets"].map(Watched::new);
        let [sync_watch, source_watch, connection_watch, secret_watched] = watched.clone();
        // Without the option Secrets are not watched.
        let watched_count = if watches_secrets { watched.len() } else { watched.len() - 1 };
        ready.lead(watched.get(..watched_count).unwrap_or_default());
        let sources = Part {
            context: &context,
            namespaces: &namespaces,
            watched: source_watch,
            nudges: context.nudges.sources.clone(),
            stop: stop.clone(),
        }
        .drive(sources, reconcile::source);
        let connections = Part {
            context: &context,
            namespaces: &namespaces,
            watched: connection_watch,
            nudges: context.nudges.connections.clone(),
            stop: stop.clone(),
        }
        .drive(connections, reconcile::connection);
        let syncs = async {
            // What a Sync refers to must be known first, or it would seem to be missing.
            let known = (
                context.objects.sources.wait_until_ready(),
                context.objects.connections.wait_until_ready(),
            );
            let known = async { tokio::join!(known.0, known.1) };
            tokio::select! {
                _ = known => {}
                () = stop.cancelled() => return,
            }
            Part {
                context: &context,
                namespaces: &namespaces,
                watched: sync_watch,
                nudges: context.nudges.syncs.clone(),
                stop: stop.clone(),
            }
            .drive(syncs, reconcile::sync)
            .await;
        };
        let besides = async {
            let secrets = async {
                match watches_secrets {
                    true => secret_watch::follow(&context, &namespaces, secret_watched).await,
                    false => std::future::pending().await,
                }
            };
            tokio::select! {
                () = ready.watch_state(context.store.as_ref(), || context.look_at_all_syncs()) => {}
                () = housekeeping::keep(&context) => {}
                () = secrets => {}
                () = stop.cancelled() => {}
            }
        };
        tokio::join!(sources, connections, syncs, besides);
    }
}

/// What drives the reconciler of one kind.
struct Part<'a> {
    context: &'a Arc<Context>,
    namespaces: &'a [String],
    watched: Watched,
    nudges: Nudges,
    stop: CancellationToken,
}

impl Part<'_> {
    /// Reconciles each object when it changes, when it is nudged, and when its time comes.
    async fn drive<K, F>(self, writer: Writer<K>, reconcile: fn(Arc<K>, Arc<Context>) -> F)
    where
        K: Followed,
        F: Future<Output = Result<Option<Timestamp>, ControllerError>> + Send + 'static,
    {
        let Self { context, namespaces, watched, nudges, stop } = self;
        let reader = writer.as_reader();
        let follower = Follower::new(Arc::clone(context));
        let attempts = Arc::new(Attempts::default());
        let gone = Arc::clone(&attempts);
        let config = watcher::Config::default();
        let events = watch::events(&context.client, namespaces, &config, reader.clone(), watched);
        let changed = events
            .reflect(writer)
            .inspect_ok(move |event| {
                follower.follow(event);
                if let watcher::Event::Delete(object) = event {
                    gone.forget(&watch::key_of(object));
                }
            })
            .applied_objects()
            .predicate_filter(
                predicates::generation
                    .combine(predicates::annotations)
                    .combine(predicates::finalizers),
                Default::default(),
            );
        let known = reader.clone();
        let look = move |object: Arc<K>, context: Arc<Context>| {
            let (attempts, known) = (Arc::clone(&attempts), known.clone());
            async move {
                let key = watch::key_of(object.as_ref());
                let (began, metrics) = (Instant::now(), context.metrics.operator.clone());
                let outcome = reconcile(object, context).await;
                metrics.reconciled(K::KIND, outcome.is_ok(), began.elapsed());
                let next = attempts.next(&key, outcome);
                if known.get(&watch::reference_of(&key)).is_none() {
                    // It went while it was looked at.
                    attempts.forget(&key);
                }
                next
            }
        };
        Controller::for_stream(changed, reader)
            .with_config(controller::Config::default().concurrency(CONCURRENCY).debounce(DEBOUNCE))
            .reconcile_on(nudges.stream())
            .graceful_shutdown_on(stop.cancelled_owned())
            .run(look, |_, never, _| match *never {}, Arc::clone(context))
            .for_each(|looked| async move {
                // Watches tell of their breaks themselves; objects that are gone are no news.
                if let Err(error) = looked {
                    debug!(kind = K::KIND, %error, "not reconciled");
                }
            })
            .await;
    }
}
