//! The chart brings the definitions of exactly this operator.

use std::collections::BTreeMap;

use ciosync::api::crds::crds;
use serde_json::{Value, json};

use super::helm::{chart, rendered};

const KEEP: &str = "helm.sh/resource-policy";

#[test]
fn the_charts_copies_are_those_of_the_types() {
    let folder = chart().join("files/crds");
    let copies: BTreeMap<String, String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect();

    assert!(copies == BTreeMap::from_iter(crds()), "charts/ is stale: run `make generate`");
}

#[test]
fn they_are_rendered_word_for_word_and_kept() {
    let objects = rendered(&[]);
    let rendered = objects.of("CustomResourceDefinition");
    assert_eq!(rendered.len(), 3);

    for (file, yaml) in crds() {
        let mut wanted: Value = serde_yaml::from_str(&yaml).unwrap();
        wanted["metadata"]["annotations"][KEEP] = json!("keep");
        assert!(rendered.contains(&&wanted), "{file} changed on its way through helm");
    }
}

#[test]
fn they_go_with_the_release_or_stay_away_where_that_is_asked_for() {
    let gone = rendered(&["crds.keep=false"]);
    for definition in gone.of("CustomResourceDefinition") {
        assert_eq!(definition["metadata"]["annotations"][KEEP], Value::Null);
    }

    assert!(rendered(&["crds.enabled=false"]).of("CustomResourceDefinition").is_empty());
}
