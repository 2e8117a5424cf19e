//! Figures of the operator itself.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::labels::{Build, KindLabel, Look, RunState};
use super::syncs::whole;

/// Shortest time that is told apart: a look that finds nothing to do takes less than a
/// millisecond.
const SHORTEST_SECONDS: f64 = 0.001;

/// Reconciles, runs and leadership.
#[derive(Clone)]
pub struct OperatorMetrics {
    reconciles: Family<Look, Counter>,
    durations: Family<KindLabel, Histogram, fn() -> Histogram>,
    runs: Family<RunState, Gauge>,
    leader: Gauge,
}

fn durations() -> Histogram {
    Histogram::new(exponential_buckets(SHORTEST_SECONDS, 4.0, 8))
}

impl OperatorMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            reconciles: Family::default(),
            durations: Family::new_with_constructor(durations),
            runs: Family::default(),
            leader: Gauge::default(),
        };
        let Self { reconciles, durations, runs, leader } = metrics.clone();
        registry.register("reconciles", "Looks at resources, by how they went", reconciles);
        registry.register_with_unit(
            "reconcile_duration",
            "How long looking at a resource took",
            Unit::Seconds,
            durations,
        );
        registry.register(
            "operator_runs",
            "Runs of this operator that go on or wait for their turn",
            runs,
        );
        registry.register(
            "operator_leader",
            "1 where this replica works, 0 where it stands by",
            leader,
        );
        let build: Family<Build, Gauge> = Family::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("operator_build_info", "Always 1; which version this is", build);
        metrics.runs(0, 0);
        metrics
    }

    /// Counts a look at a resource of this kind.
    pub fn reconciled(&self, kind: &'static str, is_good: bool, took: Duration) {
        let result = if is_good { "ok" } else { "error" };
        self.reconciles.get_or_create(&Look { kind, result }).inc();
        self.durations.get_or_create(&KindLabel { kind }).observe(took.as_secs_f64());
    }

    /// Shows how many runs go on and how many wait for their turn.
    pub fn runs(&self, running: usize, waiting: usize) {
        for (state, count) in [("running", running), ("waiting", waiting)] {
            self.runs.get_or_create(&RunState { state }).set(whole(count as u64));
        }
    }

    /// Shows whether this replica works.
    pub fn leads(&self, is_leader: bool) {
        self.leader.set(is_leader.into());
    }
}
