//! The alerts: each says what to do, and stands on metrics that the operator has.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::helm::{Objects, rendered};

const ON: &str = "metrics.prometheusRule.enabled=true";

fn alerts(objects: &Objects) -> Vec<Value> {
    let groups = objects.the("PrometheusRule")["spec"]["groups"].as_array().unwrap().clone();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// Returns the metrics that an expression names.
fn metrics(expression: &str) -> BTreeSet<String> {
    expression
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("ciosync_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_alert_says_what_happened_to_whom_and_what_to_do() {
    let alerts = alerts(&rendered(&[ON]));

    assert!(alerts.len() >= 8);
    for alert in &alerts {
        let text = |path: &str| alert.pointer(path).and_then(Value::as_str).unwrap_or_default();
        assert!(text("/alert").starts_with("Ciosync"), "{alert}");
        assert!(["info", "warning", "critical"].contains(&text("/labels/severity")), "{alert}");
        assert!(!text("/for").is_empty(), "{alert}");
        assert!(text("/annotations/description").ends_with('.'), "{alert}");
        // Helm must leave to Prometheus what is for Prometheus.
        let is_of_a_sync = text("/expr").contains("ciosync_sync_");
        let names_it =
            text("/annotations/summary").contains("{{ $labels.namespace }}/{{ $labels.name }}");
        assert_eq!(is_of_a_sync, names_it, "{alert}");
    }
}

#[test]
fn labels_of_whoever_installs_it_are_on_every_alert() {
    let values = [ON, "metrics.prometheusRule.alertLabels.team=growth"];

    for alert in alerts(&rendered(&values)) {
        assert_eq!(alert["labels"]["team"], "growth");
        assert!(alert["labels"]["severity"].is_string(), "{alert}");
    }
}

#[test]
fn alerts_stand_on_metrics_that_are_documented() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();

    for alert in alerts(&rendered(&[ON])) {
        let named = metrics(alert["expr"].as_str().unwrap());
        assert!(!named.is_empty(), "{alert}");
        for metric in named {
            // As the page's table writes a name: to its end, or to its labels.
            let is_told = ["`", "{"].iter().any(|end| page.contains(&format!("`{metric}{end}")));
            assert!(is_told, "no metric is called {metric}: {alert}");
        }
    }
}
