//! A real helm, and the objects that it makes of the chart.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize as _;
use serde_json::Value;

/// The namespace that every release of the tests goes to.
pub const NAMESPACE: &str = "ops";

/// Values that stand for what people install, each as one would type them after `--set`.
pub const MATRIX: [&[&str]; 6] = [
    &[],
    &["state.backend=postgres", "state.postgres.secretName=state", "replicas=2"],
    &["watchNamespaces={growth,sales}", "secrets.watch=true"],
    &["metrics.serviceMonitor.enabled=true", "metrics.prometheusRule.enabled=true"],
    &["crds.keep=false", "leaderElection.enabled=false", "state.sqlite.existingClaim=old"],
    &[
        "networkPolicy.egress.enabled=true",
        "networkPolicy.egress.to[0].ports[0].port=443",
        "localSources.existingClaim=sheets",
        "extraEnv[0].name=HTTPS_PROXY",
        "extraEnv[0].value=http://proxy:3128",
        "serviceAccount.annotations.iam=role",
    ],
];

/// Returns the folder of the chart.
pub fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/ciosync")
}

/// Runs helm to its end.
///
/// # Panics
/// Where there is none: `make test` builds it.
pub fn helm<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Output {
    let program = std::env::var_os("CIOSYNC_TEST_HELM").expect(
        "CIOSYNC_TEST_HELM names no helm: run `make test`, or set it to what tests/setup/helm.sh prints",
    );
    let mut command = Command::new(&program);
    // No settings, plugins or cluster of whoever runs the tests.
    command.env_clear().env("HOME", "/nonexistent").args(args);
    command.output().unwrap_or_else(|err| panic!("{}: {err}", program.display()))
}

fn template(release: &str, namespace: &str, args: &[&str]) -> Output {
    let chart = chart();
    let mut words = vec!["template", release, chart.to_str().unwrap(), "--namespace", namespace];
    words.extend(args);
    helm(words)
}

/// Returns the arguments that set values.
pub fn set<'a>(values: &[&'a str]) -> Vec<&'a str> {
    values.iter().flat_map(|value| ["--set", *value]).collect()
}

/// Returns the objects of a release `ciosync` with these values.
#[track_caller]
pub fn rendered(values: &[&str]) -> Objects {
    let output = template("ciosync", NAMESPACE, &set(values));
    assert!(output.status.success(), "{values:?}: {}", String::from_utf8_lossy(&output.stderr));
    Objects::read(&output.stdout)
}

/// Returns the objects of a release with the values of a file.
#[track_caller]
pub fn rendered_with_file(release: &str, namespace: &str, values: &Path) -> Objects {
    let output = template(release, namespace, &["--values", values.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Objects::read(&output.stdout)
}

/// Returns what helm says against these values.
#[track_caller]
pub fn refusal(values: &[&str]) -> String {
    let output = template("ciosync", NAMESPACE, &set(values));
    assert!(!output.status.success(), "{values:?} was not refused");
    String::from_utf8(output.stderr).unwrap()
}

/// Objects, in the order in which helm wrote them.
#[derive(Debug)]
pub struct Objects(pub Vec<Value>);

impl Objects {
    fn read(yaml: &[u8]) -> Self {
        let documents = serde_yaml::Deserializer::from_slice(yaml);
        let objects = documents.map(|one| Value::deserialize(one).unwrap());
        Self(objects.filter(|object| !object.is_null()).collect())
    }

    /// Returns the objects of a kind.
    pub fn of<'a>(&'a self, kind: &str) -> Vec<&'a Value> {
        self.0.iter().filter(|object| object["kind"] == kind).collect()
    }

    /// Returns the one object of a kind.
    #[track_caller]
    pub fn the(&self, kind: &str) -> &Value {
        let found = self.of(kind);
        assert_eq!(found.len(), 1, "there is not one {kind}");
        found[0]
    }

    /// Returns the spec of the pod.
    #[track_caller]
    pub fn pod(&self) -> &Value {
        &self.the("Deployment")["spec"]["template"]["spec"]
    }

    /// Returns the container.
    #[track_caller]
    pub fn container(&self) -> &Value {
        let containers = self.pod()["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 1);
        &containers[0]
    }

    /// Returns the operator's arguments.
    #[track_caller]
    pub fn args(&self) -> Vec<&str> {
        self.container()["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|arg| arg.as_str().unwrap())
            .collect()
    }
}
