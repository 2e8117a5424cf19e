//! The operator's own figures, in the form that Prometheus reads.
//!
//! Names begin with `ciosync_`, and times and sizes carry their unit. Labels are the names of
//! objects and words out of closed sets; a series goes when its object goes. Described for users
//! in `docs/operations/metrics.md`, which a test holds against the registry.

mod connections;
mod labels;
mod operator;
mod syncs;

use std::sync::Arc;

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

pub use connections::{ConnectionFigures, ConnectionMetrics};
pub use labels::ObjectName;
pub use operator::OperatorMetrics;
pub use syncs::{SyncFigures, SyncMetrics};

/// The media type of [`Metrics::exposition`].
/// Source: the OpenMetrics specification, "Content-Type".
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All figures of one operator. Cheap to clone; clones show the same figures.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Of Syncs and their runs.
    pub syncs: SyncMetrics,
    /// Of connections.
    pub connections: ConnectionMetrics,
    /// Of the operator itself.
    pub operator: OperatorMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Returns figures of an operator that has done nothing yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("ciosync");
        let syncs = SyncMetrics::register(&mut registry);
        let connections = ConnectionMetrics::register(&mut registry);
        let operator = OperatorMetrics::register(&mut registry);
        Self { registry: Arc::new(registry), syncs, connections, operator }
    }

    /// Returns all figures as OpenMetrics text.
    ///
    /// # Errors
    /// Where the text can't be written, which no figure of ours causes.
    pub fn exposition(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::model::{RunCounts, RunResult};

    fn people() -> ObjectName {
        ObjectName::new("growth", "people")
    }

    fn filled() -> Metrics {
        let metrics = Metrics::new();
        let figures = SyncFigures {
            ready: Some(true),
            last_success: Some(jiff::Timestamp::UNIX_EPOCH),
            snapshot_rows: Some(5),
            parked_rows: Some(0),
            ..SyncFigures::default()
        };
        metrics.syncs.set(&people(), &figures);
        let counts = RunCounts { delivered: 7, rejected: 2, ..RunCounts::default() };
        metrics.syncs.run_ended(&people(), RunResult::Succeeded, &counts, Duration::from_secs(3));
        metrics.connections.set(&people(), &ConnectionFigures::default());
        metrics.operator.reconciled("Sync", true, Duration::from_millis(4));
        metrics
    }

    #[test]
    fn every_name_has_the_prefix_and_is_described_for_users() {
        let described = include_str!("../../docs/operations/metrics.md");
        let text = filled().exposition().unwrap();
        let names: BTreeSet<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next().map(str::to_owned))
            .collect();
        let told: BTreeSet<String> = described
            .lines()
            .filter_map(|line| line.strip_prefix("| `ciosync")?.split(['`', '{']).next())
            .map(|name| format!("ciosync{}", name.trim_end_matches("_total")))
            .collect();

        assert!(names.iter().all(|name| name.starts_with("ciosync_")), "{names:?}");
        assert_eq!(names, told);
    }

    #[test]
    fn series_go_with_their_object() {
        let metrics = filled();
        assert!(metrics.exposition().unwrap().contains("people"));

        metrics.syncs.remove(&people());
        metrics.connections.remove(&people());

        assert!(!metrics.exposition().unwrap().contains("people"));
    }

    #[test]
    fn rows_and_runs_are_counted_up() {
        let metrics = filled();
        let counts = RunCounts { delivered: 1, ..RunCounts::default() };
        metrics.syncs.run_ended(&people(), RunResult::Succeeded, &counts, Duration::ZERO);

        let text = metrics.exposition().unwrap();
        let rows =
            "ciosync_rows_total{namespace=\"growth\",name=\"people\",outcome=\"delivered\"} 8";
        assert!(text.contains(rows), "{text}");
        let runs =
            "ciosync_runs_total{namespace=\"growth\",name=\"people\",result=\"Succeeded\"} 2";
        assert!(text.contains(runs), "{text}");
    }
}
