//! Attributes that two Syncs of one connection write: good to know before the cluster holds one of
//! the two back.

use jiff::Timestamp;

use crate::api::ownership::{Writer, conflicts, not_compared};
use crate::api::{Finding, Severity, Sync};
use crate::manifest::complaint::Complaint;
use crate::manifest::object::Manifest;

/// Returns a note for each Sync that writes what an older one writes already. Files seldom say
/// when a Sync was created: then the first by name is taken for the older.
pub(super) fn attribute_conflicts(syncs: &[&Manifest<Sync>]) -> Vec<Complaint> {
    let mut notes = Vec::new();
    for sync in syncs {
        let connection = connection_of(sync);
        let others: Vec<&Manifest<Sync>> =
            syncs.iter().copied().filter(|other| connection_of(other) == connection).collect();
        let writers: Vec<Writer<'_>> = others.iter().map(|other| writer(other)).collect();
        for conflict in conflicts(writer(sync), &writers) {
            let Some(older) = others.get(conflict.older) else { continue };
            let name = format!("{}/{}", older.namespace, older.name);
            let finding =
                conflict.finding(&name, |path| format!("{} at {}", older.place_of(path), path));
            let hint = finding.hint.map(|hint| {
                format!("{hint}; in a cluster, the one that was created later doesn't run")
            });
            notes.push(sync.complaint(Finding { severity: Severity::Note, hint, ..finding }));
        }
        let other = not_compared(writer(sync), &writers).and_then(|index| others.get(index));
        notes.extend(other.map(|other| include(sync, other)));
    }
    notes
}

fn include(sync: &Manifest<Sync>, other: &Manifest<Sync>) -> Complaint {
    let message = format!(
        "which columns become attributes is known to a run only, so nobody sees whether Sync \
         {}/{} ({}) writes the same ones",
        other.namespace, other.name, other.place
    );
    let hint = "map the columns one by one, or make sure that the two have no attribute in common";
    sync.complaint(Finding::note("spec.unmappedColumns", message).hint(hint))
}

fn connection_of(sync: &Manifest<Sync>) -> (&str, &str) {
    let reference = &sync.object.spec.connection_ref;
    (reference.namespace_from(&sync.namespace), &reference.name)
}

fn writer(sync: &Manifest<Sync>) -> Writer<'_> {
    let created_at: Option<Timestamp> =
        sync.object.metadata.creation_timestamp.as_ref().map(|time| time.0);
    Writer { namespace: &sync.namespace, name: &sync.name, created_at, spec: &sync.object.spec }
}
