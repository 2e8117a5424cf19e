//! Figures of connections to Customer.io.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::labels::ObjectName;

/// What a connection's status says, in figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionFigures {
    /// Whether it is Ready; `None` where that is unknown.
    pub ready: Option<bool>,
    /// Whether Customer.io asked for slower going.
    pub is_throttled: bool,
}

/// See [`ConnectionFigures`].
#[derive(Clone, Default)]
pub struct ConnectionMetrics {
    ready: Family<ObjectName, Gauge>,
    throttled: Family<ObjectName, Gauge>,
}

impl ConnectionMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self { ready, throttled } = metrics.clone();
        registry.register(
            "connection_ready",
            "1 where the connection is Ready, 0 where it is not, -1 where that is not known",
            ready,
        );
        registry.register(
            "connection_throttled",
            "1 while Customer.io asked for slower going",
            throttled,
        );
        metrics
    }

    /// Shows what a status says.
    pub fn set(&self, connection: &ObjectName, figures: &ConnectionFigures) {
        self.ready.get_or_create(connection).set(figures.ready.map_or(-1, i64::from));
        self.throttled.get_or_create(connection).set(figures.is_throttled.into());
    }

    /// Takes the series of a connection away.
    pub fn remove(&self, connection: &ObjectName) {
        self.ready.remove(connection);
        self.throttled.remove(connection);
    }
}
