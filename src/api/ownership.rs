//! Who owns an attribute: of two Syncs of one connection that write the same one, the older.
//!
//! Each Sync sends what changed in its own source, so two that write one attribute overwrite each
//! other by chance of timing, and neither ever sees it. The younger one is told. What
//! `unmappedColumns: include` adds is known to a run only, and not compared.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::api::SyncSpec;
use crate::api::finding::Finding;
use crate::customerio::spec::{Behavior, Entity};
use crate::mapping::spec::UnmappedColumns;

/// Attributes that one message names; the rest are counted.
const NAMED_MAX: usize = 5;

/// A Sync among others of its connection.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// When it was created; `None` where it is not in a cluster.
    pub created_at: Option<Timestamp>,
    /// What it does.
    pub spec: &'a SyncSpec,
}

/// Attributes that a Sync and an older one of its connection both write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The older Sync, by its place among those that were given.
    pub older: usize,
    /// The attributes, in the order of the Sync's mappings. Not empty.
    pub attributes: Vec<SharedAttribute>,
}

/// An attribute that two Syncs write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedAttribute {
    /// Its name.
    pub name: String,
    /// The field that says so in the Sync.
    pub path: String,
    /// The field that says so in the older one.
    pub older_path: String,
}

/// What the attributes belong to: those of other things never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope<'a> {
    Person,
    Device,
    /// Objects of one type; `None` where they are named by Customer.io's own id, which doesn't tell
    /// their type.
    Object(Option<&'a str>),
    Relationship(Option<&'a str>),
    Collection(&'a str),
}

impl<'a> Writer<'a> {
    /// Returns what orders Syncs by age. Of two that are equally old the first by name is the older.
    fn age(&self) -> (bool, Option<Timestamp>, &'a str, &'a str) {
        (self.created_at.is_none(), self.created_at, self.name, self.namespace)
    }

    /// Returns what its attributes belong to; `None` where it writes none.
    fn scope(&self) -> Option<Scope<'a>> {
        match self.spec.behavior {
            Behavior::UpdateOrCreate | Behavior::UpdateOnly | Behavior::Mirror => {}
            Behavior::Append | Behavior::Delete | Behavior::Suppress | Behavior::Unsuppress => {
                return None;
            }
        }
        let object_type = || self.spec.object.as_ref().and_then(|object| object.type_id.as_deref());
        match self.spec.entity {
            Entity::Person => Some(Scope::Person),
            Entity::Device => Some(Scope::Device),
            Entity::Object => Some(Scope::Object(object_type())),
            Entity::Relationship => Some(Scope::Relationship(object_type())),
            Entity::Collection => {
                self.spec.collection.as_ref().map(|collection| Scope::Collection(&collection.name))
            }
            Entity::Event | Entity::SegmentMembership => None,
        }
    }

    /// Returns the attributes that its mappings name, with their fields.
    fn attributes(&self) -> impl Iterator<Item = (&'a str, String)> + use<'a> {
        self.spec.mappings.iter().enumerate().filter_map(|(index, mapping)| {
            let field = if mapping.to.is_some() { "to" } else { "from" };
            Some((mapping.attribute()?, format!("spec.mappings[{index}].{field}")))
        })
    }

    fn shares(&self, attribute: &str) -> bool {
        self.spec.shared_attributes.iter().any(|shared| shared == attribute)
    }

    /// Returns whether it takes over from that one, which then is no other Sync.
    fn follows(&self, other: &Writer<'_>) -> bool {
        self.spec.adopt_state_from.as_ref().is_some_and(|from| {
            from.name == other.name && from.namespace_from(self.namespace) == other.namespace
        })
    }
}

/// Returns what `sync` writes that older Syncs of its connection write too, unless
/// `sharedAttributes` of one of the two names it. `others` may hold the Sync itself.
pub fn conflicts(sync: Writer<'_>, others: &[Writer<'_>]) -> Vec<Conflict> {
    let Some(scope) = sync.scope() else { return Vec::new() };
    let is_older = |other: &Writer<'_>| {
        other.age() < sync.age() && other.scope() == Some(scope) && !sync.follows(other)
    };
    others
        .iter()
        .enumerate()
        .filter(|(_, other)| is_older(other))
        .filter_map(|(older, other)| {
            let theirs: HashMap<&str, String> = other.attributes().collect();
            let is_shared = |name: &str| sync.shares(name) || other.shares(name);
            let attributes: Vec<SharedAttribute> = sync
                .attributes()
                .filter(|(name, _)| !is_shared(name))
                .filter_map(|(name, path)| {
                    let older_path = theirs.get(name)?.clone();
                    Some(SharedAttribute { name: name.to_owned(), path, older_path })
                })
                .collect();
            (!attributes.is_empty()).then_some(Conflict { older, attributes })
        })
        .collect()
}

/// Returns the first other Sync of the connection that writes to the same people or objects, where
/// `sync` includes columns that only a run knows, so that nobody can compare them.
pub fn not_compared(sync: Writer<'_>, others: &[Writer<'_>]) -> Option<usize> {
    let scope = sync.scope()?;
    if sync.spec.unmapped_columns != UnmappedColumns::Include {
        return None;
    }
    others.iter().position(|other| {
        let is_other = (other.namespace, other.name) != (sync.namespace, sync.name);
        is_other && other.scope() == Some(scope) && !sync.follows(other) && !other.follows(&sync)
    })
}

impl Conflict {
    /// Returns the conflict as something that hinders, at its first attribute. `older` names the
    /// older Sync, and `place_of` a field of it.
    pub fn finding(&self, older: &str, place_of: impl Fn(&str) -> String) -> Finding {
        let path = self.attributes.first().map(|first| first.path.as_str()).unwrap_or_default();
        let named: Vec<String> = self
            .attributes
            .iter()
            .take(NAMED_MAX)
            .map(|shared| format!("`{}` ({})", shared.name, place_of(&shared.older_path)))
            .collect();
        let rest = self.attributes.len() - named.len();
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let word = if self.attributes.len() == 1 { "the attribute" } else { "the attributes" };
        let message = format!("Sync {older} writes {word} {}{more} already", named.join(", "));
        Finding::error(path, message).hint(
            "map each attribute in one Sync only, or name it in sharedAttributes of one of the two",
        )
    }
}

#[cfg(test)]
mod tests;
