//! What the API server holds of our kinds, kept at hand: one watch for each namespace, joined into
//! one store for each kind.
//!
//! A store that is filled again (after a break, a relist of one namespace) is never seen half
//! full: what a namespace no longer has is taken out one by one.

use std::collections::BTreeSet;
use std::fmt::Debug;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use k8s_openapi::NamespaceResourceScope;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tracing::{info, warn};

use super::error::describe;
use super::readiness::Watched;

/// A kind that the operator watches.
pub trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}

impl<K> Kind for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

/// Namespace and name of an object.
pub type ObjectKey = (String, String);

/// Returns namespace and name of an object.
pub fn key_of<K: Resource>(object: &K) -> ObjectKey {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// Returns how a store names the object of that namespace and name.
pub fn reference_of<K: Kind>((namespace, name): &ObjectKey) -> ObjectRef<K> {
    ObjectRef::new(name).within(namespace)
}

/// Returns the events of all objects of a kind in `namespaces`, or in all where it is empty, for
/// the writer of `store`. Breaks are waited out, with growing pauses; `watched` is told of them and
/// of their end.
pub fn events<K: Kind>(
    client: &Client,
    namespaces: &[String],
    config: &watcher::Config,
    store: Store<K>,
    watched: Watched,
) -> BoxStream<'static, Result<Event<K>, watcher::Error>> {
    let apis: Vec<Api<K>> = match namespaces {
        [] => vec![Api::all(client.clone())],
        names => names.iter().map(|name| Api::namespaced(client.clone(), name)).collect(),
    };
    let mut joint = Joint::new(apis.len(), store);
    let streams = apis.into_iter().enumerate().map(|(place, api)| {
        let events = watcher::watcher(api, config.clone()).default_backoff();
        events.map(move |event| (place, event)).boxed()
    });
    stream::select_all(streams)
        .flat_map(move |(place, event)| {
            let taken: Vec<_> = match event {
                Ok(event) => {
                    tell_works(&watched, place);
                    let events = joint.take(place, event);
                    if events.iter().any(|event| matches!(event, Event::InitDone)) {
                        watched.filled();
                    }
                    events.into_iter().map(Ok).collect()
                }
                Err(error) => {
                    tell_broken(&watched, place, &error);
                    vec![Err(error)]
                }
            };
            stream::iter(taken)
        })
        .boxed()
}

fn tell_works(watched: &Watched, place: usize) {
    if watched.works(place) {
        info!(kind = watched.kind(), "the watch goes on");
    }
}

/// A watch that breaks after some minutes is usual; one that can't begin is not.
fn tell_broken(watched: &Watched, place: usize, error: &watcher::Error) {
    let problem = match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => describe(error),
        watcher::Error::WatchError(status) => status.message.clone(),
        watcher::Error::NoResourceVersion => "the list has no version".to_owned(),
    };
    if watched.broken(place, &problem) {
        warn!(kind = watched.kind(), problem, "the watch broke; it is tried again");
    }
}

/// Joins the events of several namespaces so that one store can take them.
struct Joint<K: Kind> {
    store: Store<K>,
    parts: Vec<Part>,
    /// What was deleted while not every namespace was listed.
    gone_early: Vec<K>,
    has_begun: bool,
    is_listed: bool,
}

#[derive(Default)]
struct Part {
    known: BTreeSet<ObjectKey>,
    /// What a list under way has brought so far.
    listed: BTreeSet<ObjectKey>,
    is_listed: bool,
}

impl<K: Kind> Joint<K> {
    fn new(parts: usize, store: Store<K>) -> Self {
        Self {
            store,
            parts: std::iter::repeat_with(Part::default).take(parts).collect(),
            gone_early: Vec::new(),
            has_begun: false,
            is_listed: false,
        }
    }

    fn take(&mut self, place: usize, event: Event<K>) -> Vec<Event<K>> {
        let Some(part) = self.parts.get_mut(place) else { return Vec::new() };
        match event {
            Event::Init => {
                part.listed.clear();
                if std::mem::replace(&mut self.has_begun, true) {
                    return Vec::new();
                }
                vec![Event::Init]
            }
            Event::InitApply(object) => {
                part.listed.insert(key_of(&object));
                vec![self.applied(object)]
            }
            Event::Apply(object) => {
                part.known.insert(key_of(&object));
                vec![self.applied(object)]
            }
            Event::Delete(object) => {
                part.known.remove(&key_of(&object));
                if self.is_listed {
                    return vec![Event::Delete(object)];
                }
                self.gone_early.push(object);
                Vec::new()
            }
            Event::InitDone => self.listed(place),
        }
    }

    fn applied(&self, object: K) -> Event<K> {
        if self.is_listed { Event::Apply(object) } else { Event::InitApply(object) }
    }

    /// A namespace is listed: what it no longer has is gone.
    fn listed(&mut self, place: usize) -> Vec<Event<K>> {
        let Some(part) = self.parts.get_mut(place) else { return Vec::new() };
        let listed = std::mem::take(&mut part.listed);
        let known = std::mem::replace(&mut part.known, listed);
        let was_listed = std::mem::replace(&mut part.is_listed, true);
        if was_listed {
            let gone = known.difference(&part.known);
            let last_seen = gone.filter_map(|key| self.store.get(&reference_of(key)));
            return last_seen.map(|object| Event::Delete(object.as_ref().clone())).collect();
        }
        if self.is_listed || !self.parts.iter().all(|part| part.is_listed) {
            return Vec::new();
        }
        self.is_listed = true;
        let mut events = vec![Event::InitDone];
        events.extend(self.gone_early.drain(..).map(Event::Delete));
        events
    }
}

#[cfg(test)]
mod tests {
    use kube::runtime::reflector;
    use serde_json::json;

    use super::*;
    use crate::api::Source;

    fn source(namespace: &str, name: &str) -> Source {
        let metadata = json!({"namespace": namespace, "name": name});
        let spec = json!({"sqlite": {"path": "a.db"}});
        serde_json::from_value(json!({
            "apiVersion": "ciosync.dev/v1alpha1", "kind": "Source",
            "metadata": metadata, "spec": spec,
        }))
        .unwrap()
    }

    struct Stores {
        joint: Joint<Source>,
        writer: reflector::store::Writer<Source>,
    }

    impl Stores {
        fn of_two_namespaces() -> Self {
            let (reader, writer) = reflector::store();
            Self { joint: Joint::new(2, reader), writer }
        }

        fn take(&mut self, place: usize, event: Event<Source>) {
            for event in self.joint.take(place, event) {
                self.writer.apply_watcher_event(&event);
            }
        }

        fn list(&mut self, place: usize, objects: &[Source]) {
            self.take(place, Event::Init);
            for object in objects {
                self.take(place, Event::InitApply(object.clone()));
            }
            self.take(place, Event::InitDone);
        }

        fn names(&self) -> Vec<String> {
            let objects = self.writer.as_reader().state();
            let mut names: Vec<String> =
                objects.iter().map(|object| key_of(object.as_ref()).1).collect();
            names.sort();
            names
        }
    }

    #[test]
    fn a_relist_of_one_namespace_takes_nothing_of_another() {
        let mut stores = Stores::of_two_namespaces();
        stores.list(0, &[source("a", "one"), source("a", "two")]);
        stores.list(1, &[source("b", "three")]);
        assert_eq!(stores.names(), ["one", "three", "two"]);

        stores.take(0, Event::Init);
        stores.take(0, Event::InitApply(source("a", "two")));
        assert_eq!(stores.names(), ["one", "three", "two"]);
        stores.take(0, Event::InitDone);

        assert_eq!(stores.names(), ["three", "two"]);
    }

    #[test]
    fn what_happens_in_a_namespace_while_another_is_listed_is_not_lost() {
        let mut stores = Stores::of_two_namespaces();
        stores.list(0, &[source("a", "one"), source("a", "two")]);
        stores.take(0, Event::Apply(source("a", "late")));
        stores.take(0, Event::Delete(source("a", "one")));
        assert!(stores.names().is_empty());

        stores.list(1, &[]);

        assert_eq!(stores.names(), ["late", "two"]);
    }
}
