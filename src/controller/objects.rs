//! What the watches hold of all three kinds, for those who look things up.

use std::sync::Arc;

use kube::runtime::reflector::Store;

use super::watch::{Kind, ObjectKey, key_of, reference_of};
use crate::api::reference::ObjectRef;
use crate::api::{CustomerIoConnection, Source, Sync};
use crate::model::Reason;

/// The objects of the namespaces that are watched, as last seen.
#[derive(Clone)]
pub struct Objects {
    /// The Syncs.
    pub syncs: Store<Sync>,
    /// The Sources.
    pub sources: Store<Source>,
    /// The connections.
    pub connections: Store<CustomerIoConnection>,
}

impl Objects {
    /// Returns the Source that a Sync reads.
    pub fn source_of(&self, sync: &Sync) -> Option<Arc<Source>> {
        get(&self.sources, &target(sync, &sync.spec.source_ref))
    }

    /// Returns the connection that a Sync delivers to.
    pub fn connection_of(&self, sync: &Sync) -> Option<Arc<CustomerIoConnection>> {
        get(&self.connections, &target(sync, &sync.spec.connection_ref))
    }

    /// Returns a Sync by its name.
    pub fn sync(&self, key: &ObjectKey) -> Option<Arc<Sync>> {
        get(&self.syncs, key)
    }

    /// Returns the Syncs that read a Source.
    pub fn readers_of(&self, source: &ObjectKey) -> Vec<ObjectKey> {
        self.syncs_where(|sync| target(sync, &sync.spec.source_ref) == *source)
    }

    /// Returns the Syncs that deliver to a connection.
    pub fn users_of(&self, connection: &ObjectKey) -> Vec<ObjectKey> {
        self.syncs_where(|sync| target(sync, &sync.spec.connection_ref) == *connection)
    }

    /// Returns the Syncs that deliver to the connection of a Sync; it is one of them.
    pub fn neighbours_of(&self, sync: &Sync) -> Vec<Arc<Sync>> {
        let connection = target(sync, &sync.spec.connection_ref);
        self.syncs.state_filter(|other| target(other, &other.spec.connection_ref) == connection)
    }

    /// Returns the Syncs that another one may hold back by what it writes, or may have held back
    /// until now.
    pub fn rivals_of(&self, sync: &Sync) -> Vec<ObjectKey> {
        let connection = target(sync, &sync.spec.connection_ref);
        self.syncs_where(|other| {
            target(other, &other.spec.connection_ref) == connection || is_held_back(other)
        })
    }

    /// Returns the Syncs that wait for another one.
    pub fn dependents_of(&self, sync: &ObjectKey) -> Vec<ObjectKey> {
        self.syncs_where(|other| {
            let is_near = key_of(other).0 == sync.0;
            is_near && other.spec.depends_on.iter().any(|named| named.name == sync.1)
        })
    }

    /// Returns the Syncs that take over the state of another one.
    pub fn adopters_of(&self, sync: &ObjectKey) -> Vec<ObjectKey> {
        self.syncs_where(|other| {
            let from = other.spec.adopt_state_from.as_ref();
            from.is_some_and(|from| target(other, from) == *sync)
        })
    }

    fn syncs_where(&self, is_meant: impl Fn(&Sync) -> bool) -> Vec<ObjectKey> {
        let found = self.syncs.state_filter(|sync| is_meant(sync));
        found.iter().map(|sync| key_of(sync.as_ref())).collect()
    }
}

/// Returns what a reference of a Sync names.
pub fn target(sync: &Sync, reference: &ObjectRef) -> ObjectKey {
    let own = key_of(sync).0;
    (reference.namespace_from(&own).to_owned(), reference.name.clone())
}

/// Returns whether a Sync waits because another one writes the same attributes.
fn is_held_back(sync: &Sync) -> bool {
    let conditions = sync.status.iter().flat_map(|status| &status.conditions);
    conditions
        .filter(|condition| condition.condition_type == "Ready")
        .any(|ready| ready.reason == Reason::AttributeConflict.as_str())
}

fn get<K: Kind>(store: &Store<K>, key: &ObjectKey) -> Option<Arc<K>> {
    store.get(&reference_of(key))
}
