//! The CRDs in `crds/`: fresh, and in the shape that API servers and people want.

use std::collections::BTreeMap;
use std::path::Path;

use ciosync::api::crds::crds;
use serde_json::Value;

fn definitions() -> BTreeMap<String, Value> {
    crds()
        .into_iter()
        .map(|(_, text)| {
            let definition: Value = serde_yaml::from_str(&text).unwrap();
            (definition["spec"]["names"]["kind"].as_str().unwrap().to_owned(), definition)
        })
        .collect()
}

fn schema(definition: &Value) -> &Value {
    &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
}

/// Calls `look` with every schema below one, and its path.
fn each_schema(schema: &Value, path: &str, look: &mut impl FnMut(&str, &Value)) {
    look(path, schema);
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        each_schema(child, &format!("{path}.{name}"), look);
    }
    for part in ["items", "additionalProperties"] {
        if schema[part].is_object() {
            each_schema(&schema[part], &format!("{path}[]"), look);
        }
    }
}

#[test]
fn the_definitions_in_the_repository_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");

    for (name, text) in crds() {
        let kept = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(kept == text, "crds/{name} is stale: run `make generate` and commit the result");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), crds().len(), "files of old kinds");
}

#[test]
fn every_string_list_and_map_has_a_bound() {
    let mut unbounded = Vec::new();

    for (kind, definition) in definitions() {
        each_schema(schema(&definition), &kind, &mut |path, schema| {
            let is_bounded = match schema["type"].as_str() {
                Some("string") => {
                    schema["maxLength"].is_u64()
                        || schema["enum"].is_array()
                        || schema["format"] == "date-time"
                }
                Some("array") => schema["maxItems"].is_u64(),
                Some("object") if schema["additionalProperties"].is_object() => {
                    schema["maxProperties"].is_u64()
                }
                _ => true,
            };
            if !is_bounded && !path.ends_with(".apiVersion") && !path.ends_with(".kind") {
                unbounded.push(path.to_owned());
            }
        });
    }

    assert_eq!(unbounded, Vec::<String>::new());
}

#[test]
fn every_field_is_described() {
    let mut silent = Vec::new();

    for (kind, definition) in definitions() {
        each_schema(&schema(&definition)["properties"]["spec"], &kind, &mut |path, schema| {
            let is_entry = path.ends_with("[]");
            if !is_entry && schema["description"].as_str().is_none_or(|text| text.len() < 10) {
                silent.push(path.to_owned());
            }
        });
    }

    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn only_a_constant_may_be_null() {
    let mut nullable = Vec::new();

    for (kind, definition) in definitions() {
        each_schema(schema(&definition), &kind, &mut |path, schema| {
            if schema["nullable"] == true {
                nullable.push(path.to_owned());
            }
        });
    }

    assert_eq!(nullable, ["Sync.spec.mappings[].constant"]);
}

#[test]
fn columns_come_in_the_order_that_people_read() {
    let columns = |kind: &str, wide: bool| -> String {
        let definition = &definitions()[kind];
        let columns = definition["spec"]["versions"][0]["additionalPrinterColumns"].as_array();
        let names = columns.unwrap().iter().filter(|column| (column["priority"] == 1) == wide);
        names
            .map(|column| column["name"].as_str().unwrap().to_uppercase())
            .collect::<Vec<_>>()
            .join(", ")
    };

    insta::assert_snapshot!(
        ["Source", "CustomerIoConnection", "Sync"]
            .map(|kind| format!("{kind}: {}\n  wide: {}", columns(kind, false), columns(kind, true)))
            .join("\n"),
        @"
        Source: READY, STATUS, TYPE, AGE
          wide: LAST-PROBE, MESSAGE
        CustomerIoConnection: READY, STATUS, REGION, WORKSPACE, AGE
          wide: RATE, THROTTLED, MESSAGE
        Sync: READY, STATUS, LAST SUCCESS, NEXT, SUSPENDED, AGE
          wide: SOURCE, CONNECTION, ENTITY, BEHAVIOR, SCHEDULE, ROWS, ADDED, CHANGED, REMOVED, INVALID, REJECTED, MESSAGE
        "
    );
    let next = &definitions()["Sync"]["spec"]["versions"][0]["additionalPrinterColumns"][3];
    assert_eq!((&next["name"], &next["type"]), (&"Next".into(), &"string".into()));
}

#[test]
fn a_new_object_was_not_looked_at_yet() {
    for (kind, definition) in definitions() {
        let status = &schema(&definition)["properties"]["status"];

        assert_eq!(status["default"], serde_json::json!({"observedGeneration": -1}), "{kind}");
        assert!(definition["spec"]["versions"][0]["subresources"]["status"].is_object(), "{kind}");
    }
}

#[test]
fn the_names_are_those_that_people_type() {
    let names = |kind: &str| definitions()[kind]["spec"]["names"].clone();

    assert_eq!(names("Source")["shortNames"], serde_json::json!(["ciosrc"]));
    assert_eq!(names("CustomerIoConnection")["shortNames"], serde_json::json!(["cioconn"]));
    assert_eq!(names("Sync")["plural"], "syncs");
    assert!(definitions().values().all(|definition| {
        definition["spec"]["names"]["categories"] == serde_json::json!(["ciosync"])
            && definition["spec"]["group"] == "ciosync.dev"
            && definition["spec"]["scope"] == "Namespaced"
    }));
    assert_eq!(
        definitions()["Sync"]["spec"]["versions"][0]["selectableFields"],
        serde_json::json!([
            {"jsonPath": ".spec.sourceRef.name"},
            {"jsonPath": ".spec.connectionRef.name"},
        ])
    );
}

#[test]
fn defaults_are_visible_in_the_schema() {
    let sync = &definitions()["Sync"];
    let spec = &schema(sync)["properties"]["spec"]["properties"];
    let default = |field: &str| spec[field]["default"].clone();

    assert_eq!(default("unmappedColumns"), "ignore");
    assert_eq!(default("nulls"), "send");
    assert_eq!(default("initialRun"), "backfill");
    assert_eq!(default("timeZone"), "UTC");
    assert_eq!(default("timeout"), "1h");
    assert_eq!(
        default("retry"),
        serde_json::json!({"limit": 5, "minBackoff": "30s", "maxBackoff": "30m"})
    );
    assert_eq!(default("deletionPolicy"), "Orphan");
    assert_eq!(default("historyLimit"), 5);
    assert_eq!(default("execution"), "inProcess");
    let connection = &definitions()["CustomerIoConnection"];
    let spec = &schema(connection)["properties"]["spec"]["properties"];
    assert_eq!(
        spec["rateLimit"]["default"],
        serde_json::json!({
            "requestsPerSecond": 150, "burst": 600, "recordsPerSecond": 20000, "maxInFlight": 32,
        })
    );
    assert_eq!(
        spec["limits"]["default"],
        serde_json::json!({"itemBytes": 32000, "batchBytes": 475_000})
    );
    let source = &definitions()["Source"];
    let spec = &schema(source)["properties"]["spec"]["properties"];
    assert_eq!(spec["probeInterval"]["default"], "5m");
    assert_eq!(spec["postgres"]["properties"]["statementTimeout"]["default"], "15m");
    assert_eq!(
        spec["postgres"]["properties"]["tls"]["properties"]["mode"]["default"],
        "verify-full"
    );
}
