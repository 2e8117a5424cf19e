//! What the chart makes of its values.

use serde_json::{Value, json};

use crate::support::helm::{MATRIX, NAMESPACE, rendered};

const POSTGRES: [&str; 3] =
    ["state.backend=postgres", "state.postgres.secretName=state", "replicas=2"];

fn volume<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    pod["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == name)
}

#[test]
fn the_pod_fits_the_restricted_standard_with_any_values() {
    for values in MATRIX {
        let objects = rendered(values);
        let (pod, container) = (objects.pod(), objects.container());

        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{values:?}");
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(
            container["securityContext"],
            json!({
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            })
        );
        for word in ["hostNetwork", "hostPID", "hostIPC"] {
            assert_eq!(pod[word], Value::Null);
        }
        let allowed = ["emptyDir", "persistentVolumeClaim"];
        for volume in pod["volumes"].as_array().unwrap() {
            let kinds: Vec<&String> = volume.as_object().unwrap().keys().collect();
            assert!(kinds.iter().any(|kind| allowed.contains(&kind.as_str())), "{volume}");
        }
    }
}

#[test]
fn the_spool_has_a_limit_and_temporary_files_go_there() {
    let objects = rendered(&["spool.sizeLimit=3Gi"]);

    assert_eq!(volume(objects.pod(), "spool").unwrap()["emptyDir"]["sizeLimit"], "3Gi");
    assert!(objects.args().contains(&"--spool-dir=/var/spool/ciosync"));
    let env = objects.container()["env"].as_array().unwrap();
    assert!(env.contains(&json!({"name": "TMPDIR", "value": "/var/spool/ciosync"})));
}

#[test]
fn sqlite_is_one_pod_on_a_volume_that_outlives_the_release() {
    let objects = rendered(&[]);
    let claim = objects.the("PersistentVolumeClaim");

    assert_eq!(objects.the("Deployment")["spec"]["replicas"], 1);
    assert_eq!(objects.the("Deployment")["spec"]["strategy"], json!({"type": "Recreate"}));
    assert_eq!(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    assert_eq!(
        volume(objects.pod(), "state").unwrap()["persistentVolumeClaim"]["claimName"],
        claim["metadata"]["name"]
    );
    assert!(objects.args().contains(&"--state=sqlite:/var/lib/ciosync/state.db"));
    assert!(objects.of("PodDisruptionBudget").is_empty(), "it would block every drain");

    let existing = rendered(&["state.sqlite.existingClaim=old"]);
    assert!(existing.of("PersistentVolumeClaim").is_empty());
    assert_eq!(
        volume(existing.pod(), "state").unwrap()["persistentVolumeClaim"]["claimName"],
        "old"
    );
}

#[test]
fn the_address_of_postgres_comes_from_its_secret_and_stands_nowhere_else() {
    let objects = rendered(&POSTGRES);

    let env = objects.container()["env"].as_array().unwrap();
    assert!(env.contains(&json!({
        "name": "CIOSYNC_STATE",
        "valueFrom": {"secretKeyRef": {"name": "state", "key": "url"}},
    })));
    assert!(!objects.args().iter().any(|arg| arg.starts_with("--state=")));
    assert!(objects.of("PersistentVolumeClaim").is_empty());
    assert_eq!(volume(objects.pod(), "state"), None);
}

#[test]
fn two_replicas_stand_apart_and_one_may_be_drained() {
    let objects = rendered(&POSTGRES);

    assert_eq!(objects.the("Deployment")["spec"]["replicas"], 2);
    assert_eq!(objects.the("Deployment")["spec"]["strategy"], json!({"type": "RollingUpdate"}));
    assert_eq!(objects.the("PodDisruptionBudget")["spec"]["maxUnavailable"], 1);
    assert!(objects.pod()["affinity"]["podAntiAffinity"].is_object());
    assert!(objects.args().contains(&"--leader-election=true"));
}

#[test]
fn without_a_lease_the_old_pod_goes_before_the_new_one_comes() {
    let mut alone = POSTGRES.to_vec();
    alone.extend(["replicas=1", "leaderElection.enabled=false"]);
    let objects = rendered(&alone);

    assert_eq!(objects.the("Deployment")["spec"]["strategy"], json!({"type": "Recreate"}));
}

#[test]
fn two_releases_of_one_namespace_have_a_lease_each() {
    for (name, lease) in [("blue", "--lease-name=blue"), ("green", "--lease-name=green")] {
        let values = format!("fullnameOverride={name}");
        assert!(rendered(&[&values]).args().contains(&lease), "{name}");
    }
}

#[test]
fn selectors_of_the_pods_agree() {
    let mut all = POSTGRES.to_vec();
    all.push("metrics.serviceMonitor.enabled=true");
    let objects = rendered(&all);
    let labels = &objects.the("Deployment")["spec"]["template"]["metadata"]["labels"];

    for selector in [
        &objects.the("Deployment")["spec"]["selector"]["matchLabels"],
        &objects.the("Service")["spec"]["selector"],
        &objects.the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        &objects.the("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ] {
        let selector = selector.as_object().unwrap();
        assert!(!selector.is_empty());
        for (name, value) in selector {
            assert_eq!(&labels[name], value);
        }
    }
    let wanted = &objects.the("ServiceMonitor")["spec"]["selector"]["matchLabels"];
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(&objects.the("Service")["metadata"]["labels"][name], value);
    }
}

#[test]
fn the_port_of_probes_and_metrics_is_the_only_way_in() {
    let objects = rendered(&[]);
    let policy = &objects.the("NetworkPolicy")["spec"];

    assert_eq!(policy["policyTypes"], json!(["Ingress"]));
    assert_eq!(policy["ingress"], json!([{"ports": [{"port": "http", "protocol": "TCP"}]}]));
    assert!(objects.args().contains(&"--listen=0.0.0.0:8080"));
    assert_eq!(
        objects.container()["ports"],
        json!([{"name": "http", "containerPort": 8080, "protocol": "TCP"}])
    );
    for (probe, path) in
        [("startupProbe", "/healthz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")]
    {
        assert_eq!(objects.container()[probe]["httpGet"], json!({"path": path, "port": "http"}));
    }

    let closed = rendered(MATRIX[5]);
    let egress = &closed.the("NetworkPolicy")["spec"]["egress"];
    assert_eq!(egress[0]["ports"][0]["port"], 53, "names must be found");
    assert_eq!(egress[1]["ports"][0]["port"], 443);
}

#[test]
fn every_namespaced_object_is_in_the_namespace_of_the_release() {
    const CLUSTER_WIDE: [&str; 3] =
        ["CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"];
    let objects = rendered(&POSTGRES);

    for object in &objects.0 {
        let is_cluster_wide = CLUSTER_WIDE.contains(&object["kind"].as_str().unwrap());
        let namespace = &object["metadata"]["namespace"];
        if is_cluster_wide {
            assert_eq!(namespace, &Value::Null);
            let is_crd = object["kind"] == "CustomResourceDefinition";
            let name = object["metadata"]["name"].as_str().unwrap();
            // Two releases of one name in two namespaces are two operators.
            assert!(is_crd || name.starts_with("ops-ciosync"), "{name}");
        } else {
            assert_eq!(namespace, NAMESPACE, "{object}");
        }
    }
}

#[test]
fn what_is_off_by_default_is_off() {
    let objects = rendered(&[]);

    for kind in ["ServiceMonitor", "PrometheusRule"] {
        assert!(objects.of(kind).is_empty(), "{kind}");
    }
    for word in ["--watch-secrets", "--local-sources", "--workload-identity", "--watch-namespaces"]
    {
        assert!(!objects.args().iter().any(|arg| arg.starts_with(word)), "{word}");
    }
}
