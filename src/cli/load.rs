//! Manifests to pipelines: all complaints at once, before anything is opened.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::args::ManifestArgs;
use super::secrets::{LaptopSecrets, ambiguous_variables};
use crate::api::{Finding, Severity, Sync};
use crate::customerio::Client;
use crate::engine::Pipeline;
use crate::manifest::{self, Complaint, Manifest, Manifests};
use crate::model::SyncId;
use crate::model::secret::SecretKeyRef;
use crate::resolve::connection::Stand;
use crate::resolve::{self, ResolveError};
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
    complaints.extend(manifest::check_secrets(&manifests));
    if args.secrets.as_deref() == Some("env") {
        complaints.extend(ambiguous_secrets(&manifests));
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

fn ambiguous_secrets(manifests: &Manifests) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for connection in &manifests.connections {
        let spec = &connection.object.spec;
        let references: Vec<&SecretKeyRef> = spec
            .site_id
            .secret_key_ref
            .iter()
            .chain([&spec.api_key.secret_key_ref])
            .chain(spec.app_api_key.as_ref().map(|it| &it.secret_key_ref))
            .collect();
        for (one, other) in ambiguous_variables(references) {
            let message = format!("{one} and {other} would both be read from one variable");
            let finding =
                Finding::error("spec", message).hint("rename one, or use `--secrets DIR`");
            complaints.push(connection.complaint(finding));
        }
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
                Err(complaint) => {
                    let complaint = *complaint;
                    if !complaints.contains(&complaint) {
                        complaints.push(complaint);
                    }
                }
            }
        }
        if complaints.is_empty() { Ok(ready) } else { Err(complaints) }
    }

    async fn pipeline(&mut self, sync: &Manifest<Sync>) -> Result<Ready, Box<Complaint>> {
        let spec = &sync.object.spec;
        let source = self.source(sync).await?;
        let client = self.client(sync).await?;
        let id = SyncId::new(&sync.namespace, &sync.name);
        let sql = self.sql_from(sync);
        let pipeline = resolve::pipeline(id.clone(), spec, sql, source, client)
            .map_err(|error| complaint(sync, "spec", &error))?;
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

    async fn source(&mut self, sync: &Manifest<Sync>) -> Result<Arc<dyn Source>, Box<Complaint>> {
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
            .ok_or_else(|| absent(sync, "spec.sourceRef", "Source", &key))?;
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
    ) -> Result<Arc<dyn Source>, Box<Complaint>> {
        let base: PathBuf = manifest.place.folder();
        let spec = &manifest.object.spec;
        resolve::source(&manifest.namespace, spec, &base, &self.loaded.secrets)
            .await
            .map_err(|error| complaint(manifest, "spec", &error))
    }

    async fn client(&mut self, sync: &Manifest<Sync>) -> Result<Arc<Client>, Box<Complaint>> {
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
            .ok_or_else(|| absent(sync, "spec.connectionRef", "CustomerIoConnection", &key))?;
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
    ) -> Result<Arc<Client>, Box<Complaint>> {
        let spec = &manifest.object.spec;
        resolve::client(&manifest.namespace, spec, &self.loaded.secrets, self.stand.as_ref())
            .await
            .map_err(|error| complaint(manifest, "spec", &error))
    }
}

fn absent(
    sync: &Manifest<Sync>,
    path: &str,
    kind: &str,
    (namespace, name): &(String, String),
) -> Box<Complaint> {
    let message = format!("there is no {kind} `{namespace}/{name}` in the files");
    Box::new(sync.complaint(Finding::error(path, message).hint("add its file with another -f")))
}

fn complaint<T>(manifest: &Manifest<T>, path: &str, error: &ResolveError) -> Box<Complaint> {
    let (path, message) = match error {
        ResolveError::InvalidSpec { path, message, .. } => (path.as_str(), message.clone()),
        other => (path, other.to_string()),
    };
    let mut finding = Finding::error(path, message);
    finding.hint = error.hint();
    Box::new(manifest.complaint(finding))
}
