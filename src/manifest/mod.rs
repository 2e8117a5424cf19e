//! YAML files to resources and back, with file, document and line in every complaint.
//!
//! Reads the same files that go to the cluster: files, folders, or the standard input. All
//! complaints of all files come at once. Secrets' values are held in custody and shown nowhere.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::api::{CustomerIoConnection, Kind, Source, Sync};

pub mod check;
pub mod complaint;
mod cycles;
mod document;
mod lines;
mod object;
mod ownership;
mod read;
mod traps;

pub use check::{check_references, check_secrets};
pub use complaint::{Complaint, Place};
pub use object::Manifest;
pub use read::{STDIN, read};

/// The values of a Secret by key. `Debug` shows the keys only.
pub type SecretEntries = BTreeMap<String, SecretString>;

/// The texts of a ConfigMap by key.
pub type ConfigMapEntries = BTreeMap<String, String>;

/// All that was found in the files, in the order of files and documents.
#[derive(Debug, Default)]
pub struct Manifests {
    /// Sources that their schema accepts.
    pub sources: Vec<Manifest<Source>>,
    /// Connections that their schema accepts.
    pub connections: Vec<Manifest<CustomerIoConnection>>,
    /// Syncs that their schema accepts.
    pub syncs: Vec<Manifest<Sync>>,
    /// Secrets.
    pub secrets: Vec<Manifest<SecretEntries>>,
    /// ConfigMaps.
    pub config_maps: Vec<Manifest<ConfigMapEntries>>,
    /// What hinders: empty if each resource by itself can be used.
    pub complaints: Vec<Complaint>,
    /// What is good to know, such as objects of other kinds that were skipped.
    pub notes: Vec<Complaint>,
    /// Resources that are there but can't be read, so that nobody complains that they are missing.
    unreadable: Vec<(Kind, String, String)>,
    /// Whether a syntax error hides what else is there.
    is_cut_off: bool,
    /// Syncs that their schema refuses, mended as far as they can be: only for finding what else is
    /// wrong with them.
    mended_syncs: Vec<Manifest<Sync>>,
}

impl Manifests {
    /// Reads texts with their files' names, without touching files. References between the
    /// resources are not looked at: see [`check_references`].
    ///
    /// An object without namespace is in `default_namespace`.
    pub fn parse<'a>(
        texts: impl IntoIterator<Item = (&'a str, &'a str)>,
        default_namespace: &str,
    ) -> Self {
        let mut manifests = Self::default();
        let mut other_kinds = BTreeMap::new();
        for (file, text) in texts {
            let complaint_count = manifests.complaints.len();
            let documents = document::documents(file, text, &mut manifests.complaints);
            manifests.is_cut_off |= documents.is_cut_off;
            for document in documents.readable {
                object::add(&mut manifests, document, default_namespace, &mut other_kinds);
            }
            if let Some(of_file) = manifests.complaints.get_mut(complaint_count..) {
                of_file.sort_by_key(|complaint| complaint.place.line);
            }
        }
        manifests.notes.extend(object::notes_of_other_kinds(other_kinds));
        manifests
    }

    /// Returns whether a resource is in the files, readable or not. Where a syntax error hides a
    /// part of them, it may be in that part.
    pub fn holds(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        let is_it = |other_namespace: &str, other_name: &str| {
            other_namespace == namespace && other_name == name
        };
        let is_readable = match kind {
            Kind::Source => self.sources.iter().any(|item| is_it(&item.namespace, &item.name)),
            Kind::CustomerIoConnection => {
                self.connections.iter().any(|item| is_it(&item.namespace, &item.name))
            }
            Kind::Sync => self.syncs.iter().any(|item| is_it(&item.namespace, &item.name)),
        };
        is_readable
            || self.is_cut_off
            || self.unreadable_names(kind).any(|(other, item)| is_it(other, item))
    }

    /// Returns namespace and name of the resources that are there but can't be read.
    fn unreadable_names(&self, kind: Kind) -> impl Iterator<Item = (&str, &str)> {
        self.unreadable
            .iter()
            .filter(move |(other, ..)| *other == kind)
            .map(|(_, namespace, name)| (namespace.as_str(), name.as_str()))
    }
}
