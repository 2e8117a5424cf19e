//! What the resources' schema and rules accept and refuse, offline, by the same texts that the API
//! server runs. Each rule of the CRDs is broken here at least once.

pub mod cases;

use std::collections::BTreeSet;

use ciosync::api::{Finding, Kind, crds, schema};
use serde_json::{Value, json};

use cases::{accepted, edits, misshapen, patched, refused, resource};

fn check(kind: Kind, patch: &Value) -> Vec<Finding> {
    schema::check(kind, &resource(kind, patch))
}

fn report(cases: &[(Kind, Value)]) -> String {
    let lines = cases.iter().map(|(kind, patch)| {
        let findings = check(*kind, patch);
        assert!(!findings.is_empty(), "accepted: {patch}");
        findings.iter().map(|finding| format!("{finding}\n")).collect::<String>()
    });
    lines.collect::<Vec<_>>().join("---\n")
}

#[test]
fn what_the_documentation_shows_is_accepted() {
    for (kind, patch) in accepted() {
        let findings: Vec<String> = check(kind, &patch).iter().map(ToString::to_string).collect();

        assert_eq!(findings, Vec::<String>::new(), "{patch}");
    }
}

#[test]
fn each_rule_says_what_to_write() {
    insta::assert_snapshot!(report(&refused()));
}

#[test]
fn a_wrong_shape_is_told_by_field() {
    insta::assert_snapshot!(report(&misshapen()));
}

#[test]
fn every_rule_is_broken_by_an_example() {
    let mut rules = BTreeSet::new();
    for (_, text) in crds::crds() {
        let definition: Value = serde_yaml::from_str(&text).unwrap();
        messages(&definition, &mut rules);
    }
    // These stand in for an enum, whose offline complaint names the nearest word instead.
    rules.retain(|message| !message.starts_with("write one of "));
    let mut said: BTreeSet<String> = refused()
        .iter()
        .flat_map(|(kind, patch)| check(*kind, patch))
        .map(|finding| finding.message)
        .collect();
    said.extend(edits().iter().flat_map(|(base, patch)| edit(base, patch)));
    let long = json!({
        "apiVersion": "ciosync.dev/v1alpha1",
        "kind": "Sync",
        "metadata": {"name": "x".repeat(53)},
        "spec": resource(Kind::Sync, &json!({}))["spec"],
    });
    said.extend(schema::check(Kind::Sync, &long).into_iter().map(|finding| finding.message));

    let unbroken: Vec<&String> = rules.difference(&said).collect();

    assert_eq!(unbroken, Vec::<&String>::new());
}

/// Collects the messages of all rules of a schema.
pub fn messages(tree: &Value, rules: &mut BTreeSet<String>) {
    match tree {
        Value::Object(fields) => {
            for rule in fields.get("x-kubernetes-validations").into_iter().flat_map(Value::as_array)
            {
                rules.extend(rule.iter().map(|rule| rule["message"].as_str().unwrap().to_owned()));
            }
            fields.values().for_each(|child| messages(child, rules));
        }
        Value::Array(items) => items.iter().for_each(|child| messages(child, rules)),
        _ => {}
    }
}

/// Returns what is said to a patch of a Sync that was made with another.
fn edit(base: &Value, patch: &Value) -> Vec<String> {
    let old = resource(Kind::Sync, base);
    let mut new = old.clone();
    new["spec"] = patched(old["spec"].clone(), patch);
    schema::check_edit(Kind::Sync, &new, &old).into_iter().map(|finding| finding.message).collect()
}

#[test]
fn what_identifies_rows_and_people_cant_be_edited() {
    for (base, patch) in edits() {
        let said = edit(&base, &patch);

        assert!(
            said.iter().any(|message| message.contains("can't be changed: make a new Sync")
                && message.contains("ciosync.dev/resetState")),
            "{patch}: {said:?}"
        );
    }
}

#[test]
fn all_else_may_be_edited() {
    let edits = [
        json!({"behavior": "mirror", "onRemove": "delete"}),
        json!({"identifiers": {"id": "customer_id"}}),
        json!({"model": {"sql": "select 2"}}),
        json!({"mappings": [{"from": "email"}], "schedule": "@daily"}),
    ];
    for patch in edits {
        assert_eq!(edit(&json!({}), &patch), Vec::<String>::new(), "{patch}");
    }
}

#[test]
fn a_constant_null_is_not_an_absent_constant() {
    use ciosync::mapping::spec::{ConstantSpec, MappingSpec};
    let read = |json: Value| serde_json::from_value::<MappingSpec>(json).unwrap().constant;

    assert_eq!(read(json!({"constant": null, "to": "x"})), Some(ConstantSpec::Null));
    assert_eq!(read(json!({"from": "x"})), None);
    assert_eq!(
        serde_json::to_value(MappingSpec {
            constant: Some(ConstantSpec::Null),
            to: Some("x".into()),
            ..MappingSpec::default()
        })
        .unwrap(),
        json!({"constant": null, "to": "x"})
    );
}
