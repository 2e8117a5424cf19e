//! Manifests to pipelines: all complaints at once, before anything is opened.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::args::ManifestArgs;
use super::secrets::{LaptopSecrets, Variables};
use crate::api::validate::{self, NamedSecret};
use crate::api::{Finding, Severity, Sync};
use crate::customerio::Client;
use crate::engine::Pipeline;
use crate::manifest::{self, Complaint, Manifest, Manifests};
use crate::model::SyncId;
use crate::resolve::connection::Stand;
use crate::resolve::{self, ResolveError, SecretReader as _};
use crate::sources::Source;

/// What the files hold, checked.
pub struct Loaded {
    /// All resources.
    pub manifests: Manifests,
    /// Secrets of the command line and of the files.
    pub secrets: LaptopSecrets,
    /// What is good to know.
    pub notes: Vec<Complaint>,
}

/// Reads and checks the files that a person named.
///
/// # Errors
/// All complaints, where there is one that hinders.
pub fn load(args: &ManifestArgs) -> Result<Loaded, Vec<Complaint>> {
    let mut manifests = manifest::read(&args.paths, &args.namespace);
    let mut complaints = std::mem::take(&mut manifests.complaints);
    let mut notes = std::mem::take(&mut manifests.notes);
    complaints.extend(manifest::check_references(&manifests));
    match args.secrets.as_deref() {
        // What the files lack may be there; who needs the value looks for it.
        Some("env") => complaints.extend(ambiguous_secrets(&manifests)),
        Some(_) => {}
        None => complaints.extend(manifest::check_secrets(&manifests)),
    }
    let (errors, more_notes): (Vec<_>, Vec<_>) =
        complaints.into_iter().partition(|complaint| complaint.severity == Severity::Error);
    notes.extend(more_notes);
    if !errors.is_empty() {
        return Err(errors);
    }
    let secrets = LaptopSecrets::new(args.secrets.as_deref(), &manifests);
    Ok(Loaded { manifests, secrets, notes })
}

impl Loaded {
    /// Returns the notes that matter to who runs the files: objects that were skipped. The others
    /// are advice, which `validate` gives.
    pub fn skipped(&self) -> Vec<Complaint> {
        self.notes.iter().filter(|note| note.object.is_none()).cloned().collect()
    }
}

/// Finds secrets that would be read from one variable of the environment, whoever names them.
fn ambiguous_secrets(manifests: &Manifests) -> Vec<Complaint> {
    let mut variables = Variables::default();
    let mut complaints = Vec::new();
    for source in &manifests.sources {
        let named = validate::source_secrets(&source.object.spec);
        complaints.extend(variables.coinciding(&named).map(|finding| source.complaint(finding)));
    }
    for connection in &manifests.connections {
        let named = validate::connection_secrets(&connection.object.spec);
        complaints
            .extend(variables.coinciding(&named).map(|finding| connection.complaint(finding)));
    }
    complaints
}

/// A Sync that is ready to run.
pub struct Ready {
    /// Its name.
    pub id: SyncId,
    /// It, with everything that it refers to.
    pub pipeline: Arc<Pipeline>,
    /// What it waits for.
    pub depends_on: Vec<SyncId>,
}

/// Makes pipelines of Syncs, sources and clients made once each.
pub struct Workshop<'a> {
    loaded: &'a Loaded,
    stand: Option<Stand>,
    sources: BTreeMap<(String, String), Arc<dyn Source>>,
    clients: BTreeMap<(String, String), Arc<Client>>,
}

impl<'a> Workshop<'a> {
    /// Returns a workshop over `loaded`; with `stand` every connection leads there.
    pub fn new(loaded: &'a Loaded, stand: Option<Stand>) -> Self {
        Self { loaded, stand, sources: BTreeMap::new(), clients: BTreeMap::new() }
    }

    /// Makes the pipelines of `syncs`.
    ///
    /// # Errors
    /// All complaints.
    pub async fn make(&mut self, syncs: &[&Manifest<Sync>]) -> Result<Vec<Ready>, Vec<Complaint>> {
        let (mut ready, mut complaints) = (Vec::new(), Vec::new());
        for sync in syncs {
            match self.pipeline(sync).await {
                Ok(made) => ready.push(made),
                // Syncs that share a source share what is wrong with it.
                Err(found) => {
                    for complaint in found {
                        if !complaints.contains(&complaint) {
                            complaints.push(complaint);
                        }
                    }
                }
            }
        }
        if complaints.is_empty() { Ok(ready) } else { Err(complaints) }
    }

    async fn pipeline(&mut self, sync: &Manifest<Sync>) -> Result<Ready, Vec<Complaint>> {
        let spec = &sync.object.spec;
        let (source, client) = match (self.source(sync).await, self.client(sync).await) {
            (Ok(source), Ok(client)) => (source, client),
            (source, client) => {
                let errors = [source.err(), client.err()];
                return Err(errors.into_iter().flatten().flatten().collect());
            }
        };
        let id = SyncId::new(&sync.namespace, &sync.name);
        let sql = self.sql_from(sync);
        let pipeline = resolve::pipeline(id.clone(), spec, sql, source, client)
            .map_err(|error| vec![complaint(sync, "spec", &error)])?;
        let depends_on =
            spec.depends_on.iter().map(|it| SyncId::new(&sync.namespace, &it.name)).collect();
        Ok(Ready { id, pipeline: Arc::new(pipeline), depends_on })
    }

    fn sql_from(&self, sync: &Manifest<Sync>) -> Option<String> {
        let reference = &sync.object.spec.model.sql_from.as_ref()?.config_map_key_ref;
        let maps = &self.loaded.manifests.config_maps;
        let map =
            maps.iter().find(|it| it.namespace == sync.namespace && it.name == reference.name)?;
        map.object.get(&reference.key).cloned()
    }

    async fn source(&mut self, sync: &Manifest<Sync>) -> Result<Arc<dyn Source>, Vec<Complaint>> {
        let reference = &sync.object.spec.source_ref;
        let key = (reference.namespace_from(&sync.namespace).to_owned(), reference.name.clone());
        if let Some(source) = self.sources.get(&key) {
            return Ok(Arc::clone(source));
        }
        let found = self
            .loaded
            .manifests
            .sources
            .iter()
            .find(|it| (&it.namespace, &it.name) == (&key.0, &key.1))
            .ok_or_else(|| vec![absent(sync, "spec.sourceRef", "Source", &key)])?;
        let made = self.make_source(found).await?;
        self.sources.insert(key, Arc::clone(&made));
        Ok(made)
    }

    /// Returns the source of a manifest.
    ///
    /// # Errors
    /// What is wrong with its settings or secrets.
    pub async fn make_source(
        &self,
        manifest: &Manifest<crate::api::Source>,
    ) -> Result<Arc<dyn Source>, Vec<Complaint>> {
        let base: PathBuf = manifest.place.folder();
        let spec = &manifest.object.spec;
        self.check_secrets(manifest, &validate::source_secrets(spec)).await?;
        resolve::source(&manifest.namespace, spec, &base, &self.loaded.secrets)
            .await
            .map_err(|error| vec![complaint(manifest, "spec", &error)])
    }

    async fn client(&mut self, sync: &Manifest<Sync>) -> Result<Arc<Client>, Vec<Complaint>> {
        let reference = &sync.object.spec.connection_ref;
        let key = (reference.namespace_from(&sync.namespace).to_owned(), reference.name.clone());
        if let Some(client) = self.clients.get(&key) {
            return Ok(Arc::clone(client));
        }
        let found = self
            .loaded
            .manifests
            .connections
            .iter()
            .find(|it| (&it.namespace, &it.name) == (&key.0, &key.1))
            .ok_or_else(|| {
                vec![absent(sync, "spec.connectionRef", "CustomerIoConnection", &key)]
            })?;
        let made = self.make_client(found).await?;
        self.clients.insert(key, Arc::clone(&made));
        Ok(made)
    }

    /// Returns the client of a manifest.
    ///
    /// # Errors
    /// What is wrong with its settings or secrets.
    pub async fn make_client(
        &self,
        manifest: &Manifest<crate::api::CustomerIoConnection>,
    ) -> Result<Arc<Client>, Vec<Complaint>> {
        let spec = &manifest.object.spec;
        if self.stand.is_none() {
            self.check_secrets(manifest, &validate::connection_secrets(spec)).await?;
        }
        resolve::client(&manifest.namespace, spec, &self.loaded.secrets, self.stand.as_ref())
            .await
            .map_err(|error| vec![complaint(manifest, "spec", &error)])
    }

    /// Looks for all secrets that a resource names, so that none is missed only after the next was
    /// given.
    async fn check_secrets<T>(
        &self,
        manifest: &Manifest<T>,
        named: &[NamedSecret<'_>],
    ) -> Result<(), Vec<Complaint>> {
        let mut complaints = Vec::new();
        for secret in named {
            let read = self.loaded.secrets.read(&manifest.namespace, &secret.reference()).await;
            if let Err(error) = read {
                complaints.push(complaint(manifest, &secret.path, &error));
            }
        }
        if complaints.is_empty() { Ok(()) } else { Err(complaints) }
    }
}

fn absent(
    sync: &Manifest<Sync>,
    path: &str,
    kind: &str,
    (namespace, name): &(String, String),
) -> Complaint {
    let message = format!("there is no {kind} `{namespace}/{name}` in the files");
    sync.complaint(Finding::error(path, message).hint("add its file with another -f"))
}

fn complaint<T>(manifest: &Manifest<T>, path: &str, error: &ResolveError) -> Complaint {
    let (path, message) = match error {
        ResolveError::InvalidSpec { path, message, .. } => (path.as_str(), message.clone()),
        other => (path, other.to_string()),
    };
    let mut finding = Finding::error(path, message);
    finding.hint = error.hint();
    manifest.complaint(finding)
}
