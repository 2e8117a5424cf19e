//! The offline rules and the API server's are the same: each case of the offline tests is put to both.

use std::collections::BTreeSet;

use ciosync::api::{Finding, Kind, crds, schema};
use serde_json::{Value, json};

use crate::rules::cases::{accepted, edits, misshapen, patched, refused, resource};
use crate::rules::messages;
use crate::support::apiserver::cluster::{Cluster, Refusal};
use crate::support::cluster;

/// The texts of all rules of our CRDs.
fn rule_texts() -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for (_, text) in crds::crds() {
        messages(&serde_yaml::from_str(&text).unwrap(), &mut texts);
    }
    texts
}

/// Returns the broken rules with their fields, by the offline check.
fn offline(findings: &[Finding], texts: &BTreeSet<String>) -> BTreeSet<(String, String)> {
    let broken = findings.iter().filter(|finding| texts.contains(&finding.message));
    broken.map(|finding| (finding.path.clone(), finding.message.clone())).collect()
}

/// The same by the API server, which puts the kind of error and sometimes the value before the text.
fn online(refusal: &Refusal, texts: &BTreeSet<String>) -> BTreeSet<(String, String)> {
    let rule = |said: &str| {
        let found = texts.iter().filter(|text| said.ends_with(text.as_str()));
        found.max_by_key(|text| text.len()).cloned()
    };
    let causes = refusal.causes().into_iter();
    // The API server calls the resource itself `<nil>`, offline it has no name.
    let named = |field: String| if field == "<nil>" { String::new() } else { field };
    causes.filter_map(|(field, said)| Some((named(field), rule(&said)?))).collect()
}

#[tokio::test]
async fn what_is_accepted_offline_is_accepted_online() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;

    for (kind, patch) in accepted() {
        let answer = cluster.check(&namespace, &resource(kind, &patch)).await;

        assert!(answer.is_ok(), "{patch}: {}", answer.unwrap_err());
    }
}

#[tokio::test]
async fn the_same_rules_are_broken_at_the_same_fields() {
    let (cluster, texts) = (cluster().await, rule_texts());
    let namespace = cluster.namespace().await;
    let mut differences = Vec::new();

    for (kind, patch) in refused() {
        let object = resource(kind, &patch);
        let findings = schema::check(kind, &object);
        let here = offline(&findings, &texts);
        // The API server asks no rule before the shape is right; offline both are told.
        let is_misshapen = here.len() < findings.len();
        match cluster.check(&namespace, &object).await.map_err(|said| (online(&said, &texts), said))
        {
            Err((there, _)) if there == here || is_misshapen => {}
            said => differences.push(format!("{patch}\n  offline {here:?}\n  online  {said:?}")),
        }
    }

    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// An enum would refuse such a word before any rule could say which one to write.
#[tokio::test]
async fn the_words_of_other_tools_and_wrong_words_are_answered_with_ours() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;

    for (field, word, cause) in [
        (
            "behavior",
            "upsert",
            "upsert is called updateOrCreate here: write `behavior: updateOrCreate`",
        ),
        ("entity", "company", "this is called object here: write `entity: object`"),
        (
            "entity",
            "persn",
            "write one of person, device, event, object, relationship, segmentMembership, collection",
        ),
        (
            "behavior",
            "mirorr",
            "write one of updateOrCreate, updateOnly, append, mirror, delete, suppress, unsuppress",
        ),
    ] {
        let sync = resource(Kind::Sync, &json!({ field: word }));

        let refusal = cluster.check(&namespace, &sync).await.unwrap_err();

        let said: Vec<_> = online(&refusal, &rule_texts()).into_iter().collect();
        assert_eq!(said, [(format!("spec.{field}"), cause.to_owned())], "{word}: {refusal}");
        assert!(!schema::check(Kind::Sync, &sync).is_empty(), "{word}");
    }
}

#[tokio::test]
async fn a_wrong_shape_is_refused_by_both_and_all_of_it_is_told_offline() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;

    for (kind, patch) in misshapen() {
        let object = resource(kind, &patch);
        let here: Vec<String> =
            schema::check(kind, &object).iter().map(ToString::to_string).collect();

        let refusal = cluster.check(&namespace, &object).await.expect_err(&patch.to_string());

        assert!(!here.is_empty(), "{patch}");
        for (field, said) in refusal.causes() {
            // What is missing is told offline at the block that lacks it.
            let block = field.rsplit_once('.').map_or("", |(block, _)| block);
            let is_told = here.iter().any(|line| {
                line.starts_with(&format!("{field}:"))
                    || (line.starts_with(&format!("{block}:")) && said.starts_with("Required"))
            });
            assert!(
                is_told || said.contains("some validation rules were not checked"),
                "{patch}\n{field}: {said}\n{here:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_identifies_rows_and_people_cant_be_edited_online_either() {
    let (cluster, texts) = (cluster().await, rule_texts());

    for (base, patch) in edits() {
        let namespace = cluster.namespace().await;
        let old = cluster.create(&namespace, &resource(Kind::Sync, &base)).await.unwrap();
        let mut new = old.clone();
        new["spec"] = patched(old["spec"].clone(), &patch);
        let here = offline(&schema::check_edit(Kind::Sync, &new, &old), &texts);

        let refusal = cluster.replace(&namespace, &new).await.expect_err(&patch.to_string());

        assert_eq!(online(&refusal, &texts), here, "{patch}");
        assert!(!here.is_empty(), "{patch}");
    }
}

#[tokio::test]
async fn all_else_may_be_edited_online_too() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    cluster.create(&namespace, &resource(Kind::Sync, &json!({}))).await.unwrap();
    let sync = cluster.object("Sync", &namespace, "customers");

    for spec in [
        json!({"behavior": "mirror", "onRemove": "delete"}),
        json!({"identifiers": {"id": "customer_id"}}),
        json!({"model": {"sql": "select 2"}}),
        json!({"mappings": [{"from": "email"}], "schedule": "@daily"}),
    ] {
        let edited = sync.patch(json!({ "spec": spec })).await;

        assert!(edited.is_ok(), "{spec}: {}", edited.unwrap_err());
    }
}

#[tokio::test]
async fn a_name_too_long_for_a_job_is_refused() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    let named = |length: usize| {
        let mut sync = resource(Kind::Sync, &json!({}));
        sync["metadata"]["name"] = Value::from("x".repeat(length));
        sync
    };

    let refusal = cluster.check(&namespace, &named(53)).await.unwrap_err();

    assert!(
        refusal.to_string().contains("the name of a Sync has at most 52 characters"),
        "{refusal}"
    );
    assert!(cluster.check(&namespace, &named(52)).await.is_ok());
}

/// Defaults that people see with `kubectl get -o yaml`, and that an offline reader adds by itself.
#[tokio::test]
async fn the_api_server_writes_the_defaults_that_we_read() {
    let cluster = cluster().await;
    let namespace = cluster.namespace().await;
    let spec = async |kind: Kind, patch: Value| check(&cluster, &namespace, kind, &patch).await;

    let sync = spec(Kind::Sync, json!({"behavior": "mirror", "onRemove": "delete"})).await;
    for (field, value) in [
        ("/unmappedColumns", json!("ignore")),
        ("/nulls", json!("send")),
        ("/initialRun", json!("backfill")),
        ("/timeZone", json!("UTC")),
        ("/timeout", json!("1h")),
        ("/retry", json!({"limit": 5, "minBackoff": "30s", "maxBackoff": "30m"})),
        ("/deletionPolicy", json!("Orphan")),
        ("/historyLimit", json!(5)),
        ("/execution", json!("inProcess")),
        ("/suspend", json!(false)),
    ] {
        assert_eq!(sync.pointer(field), Some(&value), "{field}");
    }
    assert_eq!(sync.get("startingDeadline"), None);

    let postgres = json!({"sqlite": null, "postgres": {"host": "db", "database": "d", "user": "u", "tls": {},
        "password": {"secretKeyRef": {"name": "s", "key": "k"}}}});
    let source = spec(Kind::Source, postgres).await;
    assert_eq!(source["probeInterval"], "5m");
    assert_eq!(source["postgres"]["statementTimeout"], "15m");
    assert_eq!(source["postgres"]["tls"]["mode"], "verify-full");
    assert_eq!(source["allowedNamespaces"], json!({"from": "Same"}));

    let connection = spec(Kind::CustomerIoConnection, json!({})).await;
    assert_eq!(connection["limits"], json!({"itemBytes": 32000, "batchBytes": 475_000}));
    assert_eq!(connection["updateTimestamps"], "SendTime");
    assert_eq!(
        connection["rateLimit"],
        json!({"requestsPerSecond": 150, "burst": 600, "recordsPerSecond": 20000, "maxInFlight": 32})
    );
}

/// Returns the spec as the API server would store it, after seeing that we read the same in both.
async fn check(cluster: &Cluster, namespace: &str, kind: Kind, patch: &Value) -> Value {
    let written = resource(kind, patch)["spec"].clone();
    let stored = cluster.check(namespace, &resource(kind, patch)).await.unwrap()["spec"].clone();
    let read = |spec: &Value| match kind {
        Kind::Sync => again::<ciosync::api::SyncSpec>(spec),
        Kind::Source => again::<ciosync::api::SourceSpec>(spec),
        Kind::CustomerIoConnection => again::<ciosync::api::CustomerIoConnectionSpec>(spec),
    };
    assert_eq!(read(&stored), read(&written), "{patch}");
    stored
}

fn again<T: serde::de::DeserializeOwned + serde::Serialize>(spec: &Value) -> Value {
    serde_json::to_value(serde_json::from_value::<T>(spec.clone()).unwrap()).unwrap()
}
