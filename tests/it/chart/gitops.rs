//! The repository layout under `examples/gitops`: its values are ones that the chart takes, and
//! what stands twice in it is the same.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::helm::{Objects, rendered_with_file};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gitops")
}

fn text(path: &str) -> String {
    let path = folder().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

fn documents(path: &str) -> Vec<Value> {
    let text = text(path);
    serde_yaml::Deserializer::from_str(&text).map(|one| Value::deserialize(one).unwrap()).collect()
}

#[track_caller]
fn of_kind(path: &str, kind: &str) -> Value {
    documents(path).into_iter().find(|object| object["kind"] == kind).unwrap()
}

#[track_caller]
fn install(values: &Value, namespace: &str) -> Objects {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("values.yaml");
    std::fs::write(&file, values.to_string()).unwrap();
    rendered_with_file("ciosync", namespace, &file)
}

#[test]
fn the_chart_takes_the_values_of_both() {
    let application = of_kind("argocd/applications/operator.yaml", "Application");
    let source = &application["spec"]["source"];
    let argo = install(&source["helm"]["valuesObject"], "ciosync");

    assert_eq!(source["path"], "charts/ciosync");
    assert_eq!(argo.of("PrometheusRule").len(), 1);

    let release = of_kind("flux/operator/release.yaml", "HelmRelease");
    let flux = install(&release["spec"]["values"], "ciosync");

    assert_eq!(release["spec"]["chart"]["spec"]["chart"], "charts/ciosync");
    assert_eq!(flux.the("Deployment")["spec"]["replicas"], 2);
}

#[test]
fn flux_waits_for_the_operator_and_then_for_the_syncs() {
    let kustomizations = documents("flux/cluster.yaml");

    assert_eq!(kustomizations.len(), 2);
    for one in &kustomizations {
        assert_eq!(one["spec"]["wait"], true);
        let path = one["spec"]["path"].as_str().unwrap();
        assert!(folder().join(path).is_dir(), "{path}");
    }
    assert_eq!(
        kustomizations[1]["spec"]["dependsOn"],
        json!([{"name": kustomizations[0]["metadata"]["name"]}])
    );
}

#[test]
fn the_kustomization_names_every_file_beside_it() {
    let kustomization = of_kind("syncs/kustomization.yaml", "Kustomization");
    let mut named: Vec<&str> = kustomization["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    named.sort_unstable();
    let mut files: Vec<String> = std::fs::read_dir(folder().join("syncs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "kustomization.yaml")
        .collect();
    files.sort_unstable();

    assert_eq!(named, files);
}

#[test]
fn the_configmap_for_argo_cd_holds_the_lua_of_the_files() {
    let map = of_kind("argocd/argocd-cm.yaml", "ConfigMap");
    let data = &map["data"];

    for kind in ["Sync", "Source", "CustomerIoConnection"] {
        assert_eq!(
            data[format!("resource.customizations.health.ciosync.dev_{kind}")],
            text(&format!("argocd/health/{kind}.lua"))
        );
    }
    let actions = data["resource.customizations.actions.ciosync.dev_Sync"].as_str().unwrap();
    let actions: Value = serde_yaml::from_str(actions).unwrap();
    assert_eq!(actions["discovery.lua"], text("argocd/actions/discovery.lua"));
    let definitions = actions["definitions"].as_array().unwrap();
    assert_eq!(definitions.len(), 5);
    for definition in definitions {
        let name = definition["name"].as_str().unwrap();
        assert_eq!(definition["action.lua"], text(&format!("argocd/actions/{name}.lua")));
    }
    assert_eq!(data.as_object().unwrap().len(), 4);
}
