//! Which of the Syncs in the files a command is about.

use crate::api::{Finding, Sync};
use crate::manifest::{Complaint, Manifest, Manifests};
use crate::model::SyncId;

/// The Syncs a command is about, and what was left out.
pub struct Selected<'a> {
    /// Those to go on with.
    pub syncs: Vec<&'a Manifest<Sync>>,
    /// Those that are suspended and were not named.
    pub suspended: Vec<&'a Manifest<Sync>>,
}

/// Returns the Syncs of the files, or only those in `names`.
///
/// # Errors
/// Names that no Sync has.
pub fn select<'a>(
    manifests: &'a Manifests,
    names: &[String],
    namespace: &str,
) -> Result<Selected<'a>, String> {
    let wanted = ids(manifests, names, namespace)?;
    let (suspended, syncs) = manifests
        .syncs
        .iter()
        .filter(|sync| wanted.is_empty() || wanted.contains(&id_of(sync)))
        .partition(|sync| sync.object.spec.suspend && wanted.is_empty());
    Ok(Selected { syncs, suspended })
}

/// Returns the ids that `names` stand for.
///
/// # Errors
/// Names that no Sync has.
pub fn ids(
    manifests: &Manifests,
    names: &[String],
    namespace: &str,
) -> Result<Vec<SyncId>, String> {
    let (mut ids, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        let id = match name.split_once('/') {
            Some((namespace, name)) => SyncId::new(namespace, name),
            None => SyncId::new(namespace, name),
        };
        match manifests.syncs.iter().any(|sync| id_of(sync) == id) {
            true => ids.push(id),
            false => unknown.push(format!("`{id}`")),
        }
    }
    if unknown.is_empty() {
        return Ok(ids);
    }
    let all: Vec<String> = manifests.syncs.iter().map(|sync| id_of(sync).to_string()).collect();
    let held = if all.is_empty() { "no Sync".to_owned() } else { all.join(", ") };
    Err(format!("there is no Sync {} in the files; they hold {held}", unknown.join(", ")))
}

/// Returns the name under which a Sync's state is kept.
pub fn id_of(sync: &Manifest<Sync>) -> SyncId {
    SyncId::new(&sync.namespace, &sync.name)
}

/// Returns the note about a Sync that is suspended.
pub fn suspended_note(sync: &Manifest<Sync>) -> Complaint {
    let message = "is suspended and was skipped";
    sync.complaint(Finding::note("spec.suspend", message).hint("name it with --sync to run it"))
}
