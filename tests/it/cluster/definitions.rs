//! The CRDs on a real API server: accepted, named, explained, and a status that waits for us.

use ciosync::api::Kind;
use serde_json::{Value, json};

use crate::rules::cases::resource;
use crate::support::apiserver::cluster::has_condition;
use crate::support::cluster;

const CRDS: [&str; 3] =
    ["syncs.ciosync.dev", "sources.ciosync.dev", "customerioconnections.ciosync.dev"];

#[tokio::test]
async fn the_crds_are_accepted_and_established() {
    let cluster = cluster().await;

    for name in CRDS {
        let crd = cluster.object("CustomResourceDefinition", "", name).get().await;

        for (condition, status) in [("NamesAccepted", "True"), ("Established", "True")] {
            assert!(has_condition(&crd, condition, status), "{name}: {}", crd["status"]);
        }
        assert!(!has_condition(&crd, "NonStructuralSchema", "True"), "{name}");
        assert_eq!(crd["metadata"]["annotations"]["ciosync.dev/schema-version"], "1", "{name}");
    }
}

/// The API server warns about what it will not keep: formats it doesn't know, fields it drops.
#[tokio::test]
async fn applying_the_crds_warns_of_nothing() {
    let cluster = cluster().await;
    for (name, text) in ciosync::api::crds::crds() {
        let args = ["apply", "--server-side", "--force-conflicts", "--dry-run=server"];
        let args = [&args[..], &["--validate=strict", "--warnings-as-errors", "-f", "-"]].concat();

        let said = cluster.kubectl_with(&args, &text).await.unwrap();

        assert!(said.contains("serverside-applied"), "{name}: {said}");
    }
}

#[tokio::test]
async fn all_short_ways_to_ask_for_our_resources_work() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    for kind in Kind::ALL {
        cluster.create(&namespace, &resource(kind, &json!({}))).await.unwrap();
    }
    let names = async |what: &str| {
        let printed =
            cluster.kubectl(&["get", what, "-n", &namespace, "-o", "name"]).await.unwrap();
        printed.lines().map(str::to_owned).collect::<Vec<_>>()
    };

    let mut all = names("ciosync").await;
    all.sort();
    let expected = CRDS.map(|crd| {
        format!("{}.ciosync.dev/customers", singular(crd.trim_end_matches(".ciosync.dev")))
    });
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(all, expected);
    for (word, singular) in [
        ("ciosrc", "source"),
        ("sources.ciosync.dev", "source"),
        ("cioconn", "customerioconnection"),
        ("customerioconnections", "customerioconnection"),
        ("syncs", "sync"),
        ("sync", "sync"),
    ] {
        assert_eq!(names(word).await, [format!("{singular}.ciosync.dev/customers")], "{word}");
    }
}

fn singular(plural: &str) -> &str {
    plural.trim_end_matches('s')
}

#[tokio::test]
async fn kubectl_explains_each_field_in_our_words() {
    let cluster = cluster().await;

    for (path, words) in [
        ("sync.spec.mappings", "mapping"),
        ("sync.spec.model.primaryKey", "identif"),
        ("source.spec.postgres", "PostgreSQL"),
        ("customerioconnection.spec.apiKey", "key"),
    ] {
        let path = if path.starts_with("source") {
            path.replacen("source", "sources.ciosync.dev", 1)
        } else {
            path.to_owned()
        };
        let said = cluster.kubectl(&["explain", &path]).await.unwrap();

        let (_, description) = said.split_once("DESCRIPTION:").unwrap();
        assert!(!description.contains("<empty>"), "{said}");
        assert!(description.contains(words), "{path}: {said}");
    }
}

#[tokio::test]
async fn syncs_are_found_by_their_source_and_connection() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    for (name, source, connection) in
        [("a", "warehouse", "production"), ("b", "warehouse", "staging"), ("c", "lake", "staging")]
    {
        let refs = json!({"sourceRef": {"name": source}, "connectionRef": {"name": connection}});
        let mut sync = resource(Kind::Sync, &refs);
        sync["metadata"]["name"] = Value::from(name);
        cluster.create(&namespace, &sync).await.unwrap();
    }
    let found = async |selector: &str| {
        let args = ["get", "syncs", "-n", &namespace, "-o", "name", "--field-selector", selector];
        cluster.kubectl(&args).await
    };

    assert_eq!(
        found("spec.sourceRef.name=warehouse").await.unwrap(),
        "sync.ciosync.dev/a\nsync.ciosync.dev/b"
    );
    assert_eq!(
        found("spec.sourceRef.name=warehouse,spec.connectionRef.name=staging").await.unwrap(),
        "sync.ciosync.dev/b"
    );
    assert!(found("spec.entity=person").await.unwrap_err().contains("field label not supported"));
}

/// By this nobody takes a resource for good that we haven't looked at: not kstatus, by which Flux
/// waits, and not `kubectl wait`.
#[tokio::test]
async fn a_new_resource_is_in_progress_until_we_looked_at_it() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;

    for kind in Kind::ALL {
        let new = cluster.create(&namespace, &resource(kind, &json!({}))).await.unwrap();

        assert_eq!(new["status"], json!({"observedGeneration": -1}), "{kind:?}");
        let judgement = cluster.kstatus(&new).await;
        assert!(judgement.starts_with("InProgress "), "{kind:?}: {judgement}");

        let ready = json!({"observedGeneration": 1, "conditions": [condition("Ready", "True", "ProbeSucceeded")]});
        let object = cluster.object(kind.as_str(), &namespace, "customers");
        let ready = object.patch_status(ready).await.unwrap();
        assert!(cluster.kstatus(&ready).await.starts_with("Current "), "{kind:?}");
    }
}

/// Only what the schema of the status knows is kept.
#[tokio::test]
async fn the_status_is_written_apart_from_the_spec() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    let new = cluster.create(&namespace, &resource(Kind::Sync, &json!({}))).await.unwrap();
    let sync = cluster.object("Sync", &namespace, "customers");

    let patched = sync.patch(json!({"status": {"observedGeneration": 7}})).await.unwrap();
    assert_eq!(patched["status"]["observedGeneration"], -1);

    let status = json!({"observedGeneration": 1, "brandNew": true});
    let patched = sync.patch_status(status).await.unwrap();
    assert_eq!(patched["status"], json!({"observedGeneration": 1}));
    assert_eq!(patched["metadata"]["generation"], new["metadata"]["generation"]);
}

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": reason, "message": "it is",
        "lastTransitionTime": "2026-11-23T18:00:00Z", "observedGeneration": 1,
    })
}
