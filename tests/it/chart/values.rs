//! Every value is explained, and known to the schema; helm itself has nothing to say against it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::helm::{MATRIX, chart, helm, set};

fn read(path: &str) -> String {
    std::fs::read_to_string(chart().join(path)).unwrap()
}

#[test]
fn helm_lints_every_combination() {
    for values in MATRIX {
        let chart = chart();
        let mut args = vec!["lint", "--strict", chart.to_str().unwrap()];
        args.extend(set(values));
        let output = helm(args);

        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{values:?}: {said}");
        assert!(!said.contains("[WARNING]"), "{values:?}: {said}");
    }
}

#[test]
fn every_value_has_a_comment_above_it() {
    let text = read("values.yaml");
    let lines: Vec<&str> = text.lines().collect();

    let mut values = 0;
    for pair in lines.windows(2) {
        let line = pair[1].trim();
        let is_value = line.split_once(": ").is_some_and(|(name, _)| !name.starts_with('#'));
        if is_value {
            values += 1;
            assert!(pair[0].trim().starts_with('#'), "nothing explains `{line}`");
        }
    }
    assert!(values > 40, "only {values} values were found");
}

#[test]
fn the_schema_names_the_values_and_no_others() {
    let values: Value = serde_yaml::from_str(&read("values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let mut named = BTreeSet::new();
    names(&values, &schema, "", &mut named);

    assert!(named.contains("state.sqlite.size"));
}

/// Walks both trees: an object of the schema that closes its properties has those of the values.
fn names(values: &Value, schema: &Value, path: &str, named: &mut BTreeSet<String>) {
    if schema["type"] != "object" || schema["additionalProperties"] != false {
        named.insert(path.to_owned());
        return;
    }
    let keys = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let mut known = keys(&schema["properties"]);
    // Helm gives it to a chart inside another one.
    known.remove("global");
    assert_eq!(keys(values), known, "below `{path}`");
    for key in known {
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        names(&values[&key], &schema["properties"][&key], &below, named);
    }
}
