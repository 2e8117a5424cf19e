//! What fits together across resources: references, Secrets, ConfigMaps, dependencies.

use crate::api::finding::nearest;
use crate::api::reference::{NamespacesFrom, ObjectRef};
use crate::api::{Finding, Kind, Source, Sync, validate};
use crate::manifest::Manifests;
use crate::manifest::complaint::Complaint;
use crate::manifest::cycles::cycles;
use crate::manifest::object::Manifest;
use crate::manifest::ownership::attribute_conflicts;

/// Returns what does not fit between the resources: missing ones, ones that may not be used from
/// here, models that their source can't read, dependencies that are missing or go round.
///
/// An object of another namespace that is not in the files is a note, and so is an attribute that
/// two Syncs write.
pub fn check_references(manifests: &Manifests) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for sync in manifests.syncs.iter().chain(&manifests.mended_syncs) {
        let findings = [
            reference(manifests, sync, Kind::Source),
            reference(manifests, sync, Kind::CustomerIoConnection),
            model(manifests, sync),
            app_key(manifests, sync),
            sql_from(manifests, sync),
            dependencies(manifests, sync),
            adoption(manifests, sync),
        ];
        let findings = findings.into_iter().flatten();
        complaints.extend(findings.map(|finding| sync.complaint(finding)));
    }
    complaints.extend(dependency_cycles(&manifests.syncs));
    let all: Vec<&Manifest<Sync>> = manifests.syncs.iter().chain(&manifests.mended_syncs).collect();
    complaints.extend(attribute_conflicts(&all));
    complaints
}

/// Returns what is wrong with the Secrets that Sources and connections name: a key that a Secret
/// lacks is a complaint, a Secret that is not in the files a note (Secrets aren't in Git).
pub fn check_secrets(manifests: &Manifests) -> Vec<Complaint> {
    let sources = manifests.sources.iter().flat_map(|source| {
        let findings = validate::source_secrets(&source.object.spec);
        secrets(manifests, source, findings)
    });
    let connections = manifests.connections.iter().flat_map(|connection| {
        let findings = validate::connection_secrets(&connection.object.spec);
        secrets(manifests, connection, findings)
    });
    sources.chain(connections).collect()
}

fn secrets<T>(
    manifests: &Manifests,
    owner: &Manifest<T>,
    named: Vec<validate::NamedSecret<'_>>,
) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for secret in named {
        let held = manifests
            .secrets
            .iter()
            .find(|held| held.namespace == owner.namespace && held.name == secret.name);
        let finding = match held {
            None => {
                let message =
                    format!("the Secret {}/{} is not in the files", owner.namespace, secret.name);
                Finding::note(format!("{}.name", secret.path), message)
            }
            Some(held) if held.object.contains_key(secret.key) => continue,
            Some(held) => {
                let message = format!(
                    "the Secret {}/{} ({}) has no key `{}`",
                    held.namespace, held.name, held.place, secret.key
                );
                let keys = held.object.keys().map(String::as_str);
                meant(Finding::error(format!("{}.key", secret.path), message), secret.key, keys)
            }
        };
        complaints.push(owner.complaint(finding));
    }
    complaints
}

/// Checks `sourceRef` or `connectionRef`.
fn reference(manifests: &Manifests, sync: &Manifest<Sync>, kind: Kind) -> Option<Finding> {
    let (path, reference) = match kind {
        Kind::Source => ("spec.sourceRef", &sync.object.spec.source_ref),
        Kind::CustomerIoConnection => ("spec.connectionRef", &sync.object.spec.connection_ref),
        Kind::Sync => return None,
    };
    let namespace = reference.namespace_from(&sync.namespace);
    let what = kind.as_str();
    if !manifests.holds(kind, namespace, &reference.name) {
        return Some(missing(manifests, sync, kind, reference));
    }
    if namespace == sync.namespace {
        return None;
    }
    let is_it =
        |other_namespace: &str, name: &str| other_namespace == namespace && name == reference.name;
    let allowed = match kind {
        Kind::Source => manifests
            .sources
            .iter()
            .find(|source| is_it(&source.namespace, &source.name))
            .map(|source| source.object.spec.allowed_namespaces.from),
        Kind::CustomerIoConnection => manifests
            .connections
            .iter()
            .find(|connection| is_it(&connection.namespace, &connection.name))
            .map(|connection| connection.object.spec.allowed_namespaces.from),
        Kind::Sync => None,
    };
    match allowed {
        None | Some(NamespacesFrom::All) => None,
        Some(NamespacesFrom::Same) => Some(
            Finding::error(
                path,
                format!("the {what} {reference} may be used from its own namespace only"),
            )
            .hint("set its spec.allowedNamespaces, such as `{from: All}`"),
        ),
        Some(NamespacesFrom::Selector) => Some(Finding::note(
            path,
            format!(
                "whether {} may use the {what} {reference} depends on the namespace's labels",
                sync.namespace
            ),
        )),
    }
}

fn missing(
    manifests: &Manifests,
    sync: &Manifest<Sync>,
    kind: Kind,
    reference: &ObjectRef,
) -> Finding {
    let path = match kind {
        Kind::Source => "spec.sourceRef.name",
        Kind::CustomerIoConnection => "spec.connectionRef.name",
        Kind::Sync => "spec.dependsOn",
    };
    let namespace = reference.namespace_from(&sync.namespace);
    let what = kind.as_str();
    if namespace != sync.namespace {
        let message = format!("the {what} {reference} of another namespace is not in the files");
        return Finding::note(path, message);
    }
    let mut names: Vec<(&str, &str)> = match kind {
        Kind::Source => manifests.sources.iter().map(named).collect(),
        Kind::CustomerIoConnection => manifests.connections.iter().map(named).collect(),
        Kind::Sync => manifests.syncs.iter().map(named).collect(),
    };
    names.extend(manifests.unreadable_names(kind));
    let finding =
        Finding::error(path, format!("there is no {what} {namespace}/{}", reference.name));
    let elsewhere = names
        .iter()
        .find(|(other, name)| *other != namespace && *name == reference.name)
        .map(|(other, _)| *other);
    match elsewhere {
        Some(other) => finding.hint(format!(
            "there is one in the namespace {other}: add `namespace: {other}` to the reference"
        )),
        None => {
            let here =
                names.into_iter().filter(|(other, _)| *other == namespace).map(|(_, name)| name);
            meant(finding, &reference.name, here)
        }
    }
}

fn named<T>(manifest: &Manifest<T>) -> (&str, &str) {
    (&manifest.namespace, &manifest.name)
}

/// Adds the nearest name, or all of them if they are few.
fn meant<'a>(
    finding: Finding,
    written: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Finding {
    if let Some(name) = nearest(written, names.clone()) {
        return finding.hint(format!("did you mean `{name}`?"));
    }
    let names: Vec<&str> = names.take(6).collect();
    match names.len() {
        1..=5 => finding.hint(format!("there is {}", names.join(", "))),
        _ => finding,
    }
}

/// Returns the Source of a Sync, if it is in the files and readable.
fn source_of<'a>(manifests: &'a Manifests, sync: &Manifest<Sync>) -> Option<&'a Manifest<Source>> {
    let reference = &sync.object.spec.source_ref;
    let namespace = reference.namespace_from(&sync.namespace);
    manifests
        .sources
        .iter()
        .find(|source| source.namespace == namespace && source.name == reference.name)
}

/// Checks that the source can read such a model.
fn model(manifests: &Manifests, sync: &Manifest<Sync>) -> Option<Finding> {
    let source = source_of(manifests, sync)?;
    let block = source.object.spec.block()?;
    validate::model_fits(&sync.object.spec.model, block)
}

/// Checks that the connection has the key that the Sync needs.
fn app_key(manifests: &Manifests, sync: &Manifest<Sync>) -> Option<Finding> {
    let path = validate::needs_app_key(&sync.object.spec)?;
    let reference = &sync.object.spec.connection_ref;
    let namespace = reference.namespace_from(&sync.namespace);
    let connection = manifests
        .connections
        .iter()
        .find(|item| item.namespace == namespace && item.name == reference.name)?;
    if connection.object.spec.app_api_key.is_some() {
        return None;
    }
    let message = format!("it needs an appApiKey, and the connection {reference} has none");
    let hint = match path {
        "spec.segment.name" => {
            "add spec.appApiKey to the connection, or name the segment by its id"
        }
        _ => "add spec.appApiKey to the connection",
    };
    Some(Finding::error(path, message).hint(hint))
}

/// Checks the ConfigMap that holds the SQL, and the SQL in it.
fn sql_from(manifests: &Manifests, sync: &Manifest<Sync>) -> Option<Finding> {
    let reference = &sync.object.spec.model.sql_from.as_ref()?.config_map_key_ref;
    let path = "spec.model.sqlFrom.configMapKeyRef";
    let here = || manifests.config_maps.iter().filter(|map| map.namespace == sync.namespace);
    let Some(map) = here().find(|map| map.name == reference.name) else {
        let message = format!("there is no ConfigMap {}/{}", sync.namespace, reference.name);
        let names = here().map(|map| map.name.as_str());
        return Some(meant(
            Finding::error(format!("{path}.name"), message),
            &reference.name,
            names,
        ));
    };
    let Some(sql) = map.object.get(&reference.key) else {
        let message = format!(
            "the ConfigMap {}/{} ({}) has no key `{}`",
            map.namespace, map.name, map.place, reference.key
        );
        let keys = map.object.keys().map(String::as_str);
        return Some(meant(Finding::error(format!("{path}.key"), message), &reference.key, keys));
    };
    validate::check_sql("spec.model.sqlFrom", sql)
}

/// Checks that the Sync whose state is taken over is not there any more.
fn adoption(manifests: &Manifests, sync: &Manifest<Sync>) -> Option<Finding> {
    let from = sync.object.spec.adopt_state_from.as_ref()?;
    let namespace = from.namespace_from(&sync.namespace);
    if !manifests.holds(Kind::Sync, namespace, &from.name) {
        return None;
    }
    let message = format!("the Sync {from} is still in the files");
    let hint = "its state can move only once it is gone: take it out, or take this field away";
    Some(Finding::error("spec.adoptStateFrom", message).hint(hint))
}

/// Checks that the Syncs that one depends on are there.
fn dependencies(manifests: &Manifests, sync: &Manifest<Sync>) -> Option<Finding> {
    let (index, unknown) = sync
        .object
        .spec
        .depends_on
        .iter()
        .enumerate()
        .find(|(_, other)| !manifests.holds(Kind::Sync, &sync.namespace, &other.name))?;
    let reference = ObjectRef { name: unknown.name.clone(), namespace: None };
    let finding = missing(manifests, sync, Kind::Sync, &reference);
    Some(Finding { path: format!("spec.dependsOn[{index}].name"), ..finding })
}

fn dependency_cycles(syncs: &[Manifest<Sync>]) -> Vec<Complaint> {
    let position = |namespace: &str, name: &str| {
        syncs.iter().position(|sync| sync.namespace == namespace && sync.name == name)
    };
    let edges: Vec<Vec<usize>> = syncs
        .iter()
        .map(|sync| {
            let names = sync.object.spec.depends_on.iter();
            names.filter_map(|other| position(&sync.namespace, &other.name)).collect()
        })
        .collect();
    cycles(&edges)
        .into_iter()
        .filter_map(|cycle| {
            let members: Vec<&Manifest<Sync>> =
                cycle.iter().filter_map(|index| syncs.get(*index)).collect();
            let first = *members.first()?;
            let mut names: Vec<&str> = members.iter().map(|sync| sync.name.as_str()).collect();
            names.push(&first.name);
            let message = format!("it depends on itself: {}", names.join(" -> "));
            let hint = "take one of these dependencies away: none of them could ever start";
            Some(first.complaint(Finding::error("spec.dependsOn", message).hint(hint)))
        })
        .collect()
}
