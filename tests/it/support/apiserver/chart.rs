//! The chart in a cluster: what it makes is applied, and its ServiceAccount is the operator.

use serde_json::Value;

use super::account::Account;
use super::cluster::Cluster;
use crate::support::helm::{Objects, rendered_into};

/// Kinds that only a cluster with the Prometheus operator knows.
const FOREIGN: [&str; 2] = ["ServiceMonitor", "PrometheusRule"];

impl Cluster {
    /// Applies what the chart makes of these values, as a release `ciosync` in a namespace, and
    /// returns its objects.
    ///
    /// # Panics
    /// When the API server refuses one of them.
    pub async fn install_chart(&self, namespace: &str, values: &[&str]) -> Objects {
        let objects = rendered_into(namespace, values);
        let is_known =
            |object: &&Value| object["kind"].as_str().is_some_and(|kind| !FOREIGN.contains(&kind));
        for object in objects.0.iter().filter(is_known) {
            let applied = self.apply(namespace, &object.to_string()).await;
            applied.unwrap_or_else(|refusal| panic!("{refusal}\n{object}"));
        }
        objects
    }

    /// Returns the account of an operator that was installed by the chart: its rights are those of
    /// the chart and no more.
    pub async fn operator_account(&self, namespace: &str, values: &[&str]) -> Account {
        let objects = self.install_chart(namespace, values).await;
        let name = objects.pod()["serviceAccountName"].as_str().unwrap().to_owned();
        self.service_account(namespace, &name).await
    }
}
