//! Documents to objects: ours, Secrets and ConfigMaps; others are skipped with a note.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::api::encoding::decode_base64;
use crate::api::finding::nearest;
use crate::api::{Finding, GROUP, Kind, VERSION, schema, validate};
use crate::manifest::complaint::{Complaint, Place};
use crate::manifest::document::Document;
use crate::manifest::lines::Lines;
use crate::manifest::{ConfigMapEntries, Manifests, SecretEntries, traps};

/// Similarity from which another group is taken for ours, misspelt (Jaro-Winkler).
const GROUP_SIMILARITY_MIN: f64 = 0.85;

/// Longest name of an object, in characters. Source: Kubernetes, DNS subdomain names.
const NAME_LENGTH_MAX: usize = 253;

/// An object with its name and place.
#[derive(Clone, Debug)]
pub struct Manifest<T> {
    /// The object. Its metadata holds the namespace, given or default.
    pub object: T,
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace, given or default.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where it begins.
    pub place: Place,
    lines: Arc<Lines>,
}

impl<T> Manifest<T> {
    /// Returns where a field stands, or the nearest field around it: `spec.mappings[2].type`.
    pub fn place_of(&self, path: &str) -> Place {
        Place { line: self.lines.line(path), ..self.place.clone() }
    }

    /// Returns a finding about this object with its place.
    pub fn complaint(&self, finding: Finding) -> Complaint {
        let object = format!("{} {}/{}", self.kind, self.namespace, self.name);
        Complaint::at(self.place_of(&finding.path), Some(object), finding)
    }
}

/// Kinds that were skipped: how many, and where the first is.
pub(super) type OtherKinds = BTreeMap<String, (usize, Place)>;

/// What a document is.
enum Found {
    Ours(Kind),
    Secret,
    ConfigMap,
    Other(String),
}

/// Adds the object of a document, or what is wrong with it.
pub(super) fn add(
    manifests: &mut Manifests,
    mut document: Document,
    default_namespace: &str,
    other_kinds: &mut OtherKinds,
) {
    let place = Place {
        file: document.file.clone(),
        line: document.lines.line(""),
        document: document.number,
    };
    let found = match what(&document.tree) {
        Ok(found) => found,
        Err(finding) => {
            let line = document.lines.line(&finding.path);
            let place = Place { line, ..place };
            manifests.complaints.push(Complaint::at(place, None, finding));
            return;
        }
    };
    let kind = match &found {
        Found::Ours(kind) => kind.as_str(),
        Found::Secret => "Secret",
        Found::ConfigMap => "ConfigMap",
        Found::Other(name) => {
            other_kinds.entry(name.clone()).or_insert((0, place)).0 += 1;
            return;
        }
    };
    let (namespace, name, mut findings) = identity(&document.tree, default_namespace);
    // Not kept beyond this: they may hold what a Secret holds.
    let plain = std::mem::take(&mut document.lines.plain);
    findings.extend(plain.iter().filter_map(traps::finding));
    let head =
        Manifest { object: (), kind, namespace, name, place, lines: Arc::new(document.lines) };
    if let Some(complaint) = duplicate(manifests, &head, &found) {
        manifests.complaints.push(complaint);
        return;
    }
    match found {
        Found::Ours(kind) => add_ours(manifests, kind, head, document.tree, findings),
        Found::Secret => {
            let entries = secret_entries(&document.tree, &mut findings);
            manifests.complaints.extend(findings.into_iter().map(|found| head.complaint(found)));
            manifests.secrets.push(head.with(entries));
        }
        Found::ConfigMap => {
            let entries = config_map_entries(&document.tree, &mut findings);
            manifests.complaints.extend(findings.into_iter().map(|found| head.complaint(found)));
            manifests.config_maps.push(head.with(entries));
        }
        Found::Other(_) => {}
    }
}

/// Returns one note for each kind that was skipped.
pub(super) fn notes_of_other_kinds(kinds: OtherKinds) -> Vec<Complaint> {
    kinds
        .into_iter()
        .map(|(kind, (count, place))| {
            let message = match count {
                1 => format!("{kind} was skipped: no kind of ours"),
                _ => format!("{count} objects of kind {kind} were skipped: no kind of ours"),
            };
            Complaint::at(place, None, Finding::note("", message))
        })
        .collect()
}

impl Manifest<()> {
    fn with<T>(self, object: T) -> Manifest<T> {
        let Self { kind, namespace, name, place, lines, .. } = self;
        Manifest { object, kind, namespace, name, place, lines }
    }
}

/// Returns what a document is by its apiVersion and kind.
fn what(tree: &Map<String, Value>) -> Result<Found, Finding> {
    let text = |name: &str| tree.get(name).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let ours = format!("{GROUP}/{VERSION}");
    let known = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
    if api_version == ours {
        return known.map(Found::Ours).ok_or_else(|| {
            let finding = Finding::error("kind", format!("{ours} has no kind `{kind}`"));
            match nearest(kind, Kind::ALL.map(Kind::as_str)) {
                Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
                None => finding.hint("its kinds are Source, CustomerIoConnection and Sync"),
            }
        });
    }
    let group = api_version.split('/').next().unwrap_or_default();
    let means_us = group == GROUP
        || (known.is_some() && strsim::jaro_winkler(group, GROUP) >= GROUP_SIMILARITY_MIN)
        || (known.is_some() && api_version.is_empty());
    if means_us {
        let message = if api_version.is_empty() {
            "the field `apiVersion` is missing".to_owned()
        } else {
            format!("there is no apiVersion `{api_version}`")
        };
        return Err(Finding::error("apiVersion", message).hint(format!("write {ours}")));
    }
    Ok(match (api_version, kind) {
        ("v1", "Secret") => Found::Secret,
        ("v1", "ConfigMap") => Found::ConfigMap,
        (_, "") => Found::Other("a document without kind".to_owned()),
        (_, other) => Found::Other(format!("{other} ({api_version})")),
    })
}

/// Returns namespace and name, and what is wrong with them.
fn identity(tree: &Map<String, Value>, default_namespace: &str) -> (String, String, Vec<Finding>) {
    let mut findings = Vec::new();
    let metadata = tree.get("metadata").and_then(Value::as_object);
    let text = |field: &str| metadata.and_then(|fields| fields.get(field)).and_then(Value::as_str);
    let name = text("name").unwrap_or_default().to_owned();
    let namespace = text("namespace").unwrap_or(default_namespace).to_owned();
    if name.is_empty() {
        findings.push(
            Finding::error("metadata.name", "the object has no name")
                .hint("write `metadata: {name: customers}`"),
        );
    }
    for (path, text, length_max) in [
        ("metadata.name", &name, NAME_LENGTH_MAX),
        // A namespace is a DNS label.
        ("metadata.namespace", &namespace, 63),
    ] {
        if !text.is_empty() && !is_dns_name(text, length_max) {
            findings.push(
                Finding::error(path, format!("`{text}` can't be a name in Kubernetes"))
                    .hint("use lower-case letters, digits and `-`, a letter or digit at both ends"),
            );
        }
    }
    (namespace, name, findings)
}

fn is_dns_name(text: &str, length_max: usize) -> bool {
    text.len() <= length_max
        && text.split('.').all(|label| {
            let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            label.bytes().all(|byte| alphanumeric(&byte) || byte == b'-')
                && label.as_bytes().first().is_some_and(alphanumeric)
                && label.as_bytes().last().is_some_and(alphanumeric)
        })
}

/// Returns a complaint that names both places, if the object was defined before.
fn duplicate(manifests: &Manifests, head: &Manifest<()>, found: &Found) -> Option<Complaint> {
    let first = match found {
        Found::Ours(Kind::Source) => first_place(&manifests.sources, head),
        Found::Ours(Kind::CustomerIoConnection) => first_place(&manifests.connections, head),
        Found::Ours(Kind::Sync) => first_place(&manifests.syncs, head),
        Found::Secret => first_place(&manifests.secrets, head),
        Found::ConfigMap => first_place(&manifests.config_maps, head),
        Found::Other(_) => None,
    }?;
    let finding = Finding::error("metadata.name", format!("it is already defined at {first}"))
        .hint("give one of the two another name, or take it away");
    Some(head.complaint(finding))
}

fn first_place<'a, T>(known: &'a [Manifest<T>], head: &Manifest<()>) -> Option<&'a Place> {
    known
        .iter()
        .find(|other| other.namespace == head.namespace && other.name == head.name)
        .map(|other| &other.place)
}

/// Adds one of our resources if its schema accepts it.
fn add_ours(
    manifests: &mut Manifests,
    kind: Kind,
    head: Manifest<()>,
    mut tree: Map<String, Value>,
    traps: Vec<Finding>,
) {
    if let Some(metadata) = tree.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("namespace".into(), Value::String(head.namespace.clone()));
    }
    let tree = schema::without_nulls(kind, &Value::Object(tree));
    let mut findings = schema::check(kind, &tree);
    // Where a word means something else to kubectl, that is what there is to say.
    findings.retain(|found| traps.iter().all(|trap| trap.path != found.path));
    findings.extend(traps);
    let is_accepted = findings.is_empty();
    let mut say = |findings: Vec<Finding>| {
        let said = findings.into_iter().map(|finding| head.complaint(finding));
        let (complaints, notes): (Vec<_>, Vec<_>) = said.partition(Complaint::hinders);
        manifests.complaints.extend(complaints);
        manifests.notes.extend(notes);
    };
    say(findings);
    if !is_accepted {
        add_refused(manifests, kind, head, &tree);
        return;
    }
    match kind {
        Kind::Source => match typed::<crate::api::Source>(tree) {
            Ok(source) => {
                say(validate::source(&source.spec));
                manifests.sources.push(head.with(source));
            }
            Err(finding) => say(vec![finding]),
        },
        Kind::CustomerIoConnection => match typed::<crate::api::CustomerIoConnection>(tree) {
            Ok(connection) => {
                say(validate::connection(&connection.spec));
                manifests.connections.push(head.with(connection));
            }
            Err(finding) => say(vec![finding]),
        },
        Kind::Sync => match typed::<crate::api::Sync>(tree) {
            Ok(sync) => {
                say(validate::sync(&sync.spec));
                manifests.syncs.push(head.with(sync));
            }
            Err(finding) => say(vec![finding]),
        },
    }
}

/// Notes that a resource is there, and looks at what of it can be looked at.
fn add_refused(manifests: &mut Manifests, kind: Kind, head: Manifest<()>, tree: &Value) {
    manifests.unreadable.push((kind, head.namespace.clone(), head.name.clone()));
    let mended = schema::mended(kind, tree);
    let findings = match kind {
        Kind::Source => typed::<crate::api::Source>(mended)
            .map(|source| validate::source(&source.spec))
            .unwrap_or_default(),
        Kind::CustomerIoConnection => typed::<crate::api::CustomerIoConnection>(mended)
            .map(|connection| validate::connection(&connection.spec))
            .unwrap_or_default(),
        Kind::Sync => match typed::<crate::api::Sync>(mended) {
            Ok(sync) => {
                let findings = validate::sync(&sync.spec);
                let complaints = findings.into_iter().map(|finding| head.complaint(finding));
                manifests.complaints.extend(complaints.filter(Complaint::hinders));
                manifests.mended_syncs.push(head.with(sync));
                return;
            }
            Err(_) => return,
        },
    };
    let complaints = findings.into_iter().map(|finding| head.complaint(finding));
    manifests.complaints.extend(complaints.filter(Complaint::hinders));
}

/// Returns the resource of a tree that its schema accepts.
fn typed<T: DeserializeOwned>(tree: Value) -> Result<T, Finding> {
    serde_json::from_value(tree).map_err(|error| Finding::error("", format!("{error}")))
}

/// Returns the values of a Secret: `data` in base64, and `stringData`, which wins.
fn secret_entries(tree: &Map<String, Value>, findings: &mut Vec<Finding>) -> SecretEntries {
    let mut entries = SecretEntries::new();
    for (key, value) in strings(tree, "data", findings) {
        let text = decode_base64(value).and_then(|bytes| String::from_utf8(bytes).ok());
        match text {
            Some(text) => {
                entries.insert(key.to_owned(), SecretString::from(text));
            }
            None => findings.push(
                Finding::error(format!("data.{key}"), "the value is not base64 of a text")
                    .hint("write the value itself under stringData"),
            ),
        }
    }
    for (key, value) in strings(tree, "stringData", findings) {
        entries.insert(key.to_owned(), SecretString::from(value.to_owned()));
    }
    entries
}

fn config_map_entries(tree: &Map<String, Value>, findings: &mut Vec<Finding>) -> ConfigMapEntries {
    strings(tree, "data", findings)
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Returns the entries of a block of strings. Complaints name no value: it may be a secret.
fn strings<'a>(
    tree: &'a Map<String, Value>,
    block: &str,
    findings: &mut Vec<Finding>,
) -> Vec<(&'a str, &'a str)> {
    let fields = match tree.get(block) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Object(fields)) => fields,
        Some(_) => {
            findings.push(Finding::error(block, "it must be a block of fields"));
            return Vec::new();
        }
    };
    let mut entries = Vec::new();
    for (key, value) in fields {
        match value {
            Value::String(text) => entries.push((key.as_str(), text.as_str())),
            Value::Null => {}
            _ => findings.push(
                Finding::error(format!("{block}.{key}"), "the value must be a string")
                    .hint("put it in quotes"),
            ),
        }
    }
    entries
}
