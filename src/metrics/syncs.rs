//! Figures of Syncs and their runs.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::labels::{Ending, ObjectName, Outcome};
use crate::model::{RunCounts, RunResult};

type Seconds = Gauge<f64, AtomicU64>;

/// What rows can come to, as the label `outcome` says it.
const OUTCOMES: [&str; 3] = ["delivered", "invalid", "rejected"];

/// What a Sync's status says, in figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct SyncFigures {
    /// Whether it is Ready; `None` where that is unknown.
    pub ready: Option<bool>,
    /// Whether it needs a person.
    pub is_stalled: bool,
    /// Whether it is suspended.
    pub is_suspended: bool,
    /// Whether a guard blocks it.
    pub is_blocked: bool,
    /// Whether it is later than its `freshness` allows.
    pub is_overdue: bool,
    /// When a run last ended well.
    pub last_success: Option<Timestamp>,
    /// Rows that are remembered.
    pub snapshot_rows: Option<u64>,
    /// Rejected rows that are no longer tried by themselves.
    pub parked_rows: Option<u64>,
    /// Runs that failed since the last one that ended well.
    pub consecutive_failures: u64,
    /// Slots that passed without a run.
    pub missed_schedules: u64,
}

/// See [`SyncFigures`]; and what runs did.
#[derive(Clone, Default)]
pub struct SyncMetrics {
    ready: Family<ObjectName, Gauge>,
    stalled: Family<ObjectName, Gauge>,
    suspended: Family<ObjectName, Gauge>,
    blocked: Family<ObjectName, Gauge>,
    overdue: Family<ObjectName, Gauge>,
    last_success: Family<ObjectName, Seconds>,
    last_run_duration: Family<ObjectName, Seconds>,
    snapshot_rows: Family<ObjectName, Gauge>,
    parked_rows: Family<ObjectName, Gauge>,
    consecutive_failures: Family<ObjectName, Gauge>,
    missed_schedules: Family<ObjectName, Gauge>,
    rows: Family<Outcome, Counter>,
    runs: Family<Ending, Counter>,
    requests: Family<ObjectName, Counter>,
}

impl SyncMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self { ready, stalled, suspended, blocked, overdue, .. } = metrics.clone();
        registry.register(
            "sync_ready",
            "1 where the Sync is Ready, 0 where it is not, -1 where that is not known",
            ready,
        );
        registry.register("sync_stalled", "1 where the Sync needs a person", stalled);
        registry.register("sync_suspended", "1 where the Sync is suspended", suspended);
        registry.register("sync_blocked", "1 where a guard blocks the Sync", blocked);
        registry.register(
            "sync_overdue",
            "1 where the Sync is later than its freshness allows",
            overdue,
        );
        let Self { last_success, last_run_duration, .. } = metrics.clone();
        registry.register_with_unit(
            "sync_last_success_timestamp",
            "When a run last ended well, in unix time",
            Unit::Seconds,
            last_success,
        );
        registry.register_with_unit(
            "sync_last_run_duration",
            "How long the last run took",
            Unit::Seconds,
            last_run_duration,
        );
        let Self { snapshot_rows, parked_rows, consecutive_failures, missed_schedules, .. } =
            metrics.clone();
        registry.register(
            "sync_snapshot_rows",
            "Rows that Customer.io accepted and that are remembered",
            snapshot_rows,
        );
        registry.register(
            "sync_parked_rows",
            "Rejected rows that are no longer tried by themselves",
            parked_rows,
        );
        registry.register(
            "sync_consecutive_failures",
            "Runs that failed since the last one that ended well",
            consecutive_failures,
        );
        registry.register(
            "sync_missed_schedules",
            "Slots that passed without a run since the Sync was made",
            missed_schedules,
        );
        let Self { rows, runs, requests, .. } = metrics.clone();
        registry.register("rows", "Rows by what became of them", rows);
        registry.register("runs", "Runs by how they ended", runs);
        registry.register("requests", "Requests to Customer.io, retries included", requests);
        metrics
    }

    /// Shows what a status says.
    pub fn set(&self, sync: &ObjectName, figures: &SyncFigures) {
        let ready = figures.ready.map_or(-1, i64::from);
        self.ready.get_or_create(sync).set(ready);
        self.stalled.get_or_create(sync).set(figures.is_stalled.into());
        self.suspended.get_or_create(sync).set(figures.is_suspended.into());
        self.blocked.get_or_create(sync).set(figures.is_blocked.into());
        self.overdue.get_or_create(sync).set(figures.is_overdue.into());
        self.consecutive_failures.get_or_create(sync).set(whole(figures.consecutive_failures));
        self.missed_schedules.get_or_create(sync).set(whole(figures.missed_schedules));
        if let Some(at) = figures.last_success {
            self.last_success.get_or_create(sync).set(at.as_millisecond() as f64 / 1_000.0);
        }
        if let Some(rows) = figures.snapshot_rows {
            self.snapshot_rows.get_or_create(sync).set(whole(rows));
        }
        if let Some(rows) = figures.parked_rows {
            self.parked_rows.get_or_create(sync).set(whole(rows));
        }
    }

    /// Counts a run that ended.
    pub fn run_ended(
        &self,
        sync: &ObjectName,
        result: RunResult,
        counts: &RunCounts,
        took: Duration,
    ) {
        let rows = [counts.delivered, counts.invalid, counts.rejected];
        for (outcome, rows) in OUTCOMES.into_iter().zip(rows) {
            self.rows.get_or_create(&outcome_of(sync, outcome)).inc_by(rows);
        }
        self.runs.get_or_create(&ending_of(sync, result.as_str())).inc();
        self.requests.get_or_create(sync).inc_by(counts.requests);
        self.last_run_duration.get_or_create(sync).set(took.as_secs_f64());
    }

    /// Takes the series of a Sync away.
    pub fn remove(&self, sync: &ObjectName) {
        for gauge in [
            &self.ready,
            &self.stalled,
            &self.suspended,
            &self.blocked,
            &self.overdue,
            &self.snapshot_rows,
            &self.parked_rows,
            &self.consecutive_failures,
            &self.missed_schedules,
        ] {
            gauge.remove(sync);
        }
        self.last_success.remove(sync);
        self.last_run_duration.remove(sync);
        self.requests.remove(sync);
        for outcome in OUTCOMES {
            self.rows.remove(&outcome_of(sync, outcome));
        }
        for result in RunResult::ALL {
            self.runs.remove(&ending_of(sync, result.as_str()));
        }
    }
}

fn outcome_of(sync: &ObjectName, outcome: &'static str) -> Outcome {
    Outcome { namespace: sync.namespace.clone(), name: sync.name.clone(), outcome }
}

fn ending_of(sync: &ObjectName, result: &'static str) -> Ending {
    Ending { namespace: sync.namespace.clone(), name: sync.name.clone(), result }
}

pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
