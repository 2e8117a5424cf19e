//! What a change of one object means for others: a Source that works again, a Sync that ended its
//! run, an object that is gone.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use kube::ResourceExt as _;
use kube::runtime::watcher::Event;

use super::changes::Named;
use super::context::Context;
use super::decide::CancelCause;
use super::status::HasStatus;
use super::watch::{ObjectKey, key_of};
use crate::api::condition::{Condition, ConditionStatus};
use crate::api::{CustomerIoConnection, Source, Sync};
use crate::metrics::ObjectName;

/// Sees each event of a kind after it stands in the store.
pub struct Follower<K> {
    context: Arc<Context>,
    /// What others look at of each object, hashed.
    seen: Mutex<HashMap<ObjectKey, Seen>>,
    kind: std::marker::PhantomData<fn(K)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    generation: i64,
    is_ready: bool,
    rest: u64,
}

/// A kind that others look at.
pub trait Followed: HasStatus {
    /// Returns the hash of whatever else others look at.
    fn rest(&self) -> u64;

    /// Has those looked at again that look at this one.
    fn nudge(context: &Context, key: &ObjectKey);

    /// Has those looked at again whom its spec concerns, though they don't name it. It was made,
    /// edited or deleted.
    fn edited(&self, _context: &Context) {}

    /// Returns how it is named by others, where its changes count.
    fn named(key: &ObjectKey) -> Option<Named>;

    /// Lets go of everything that is kept of an object.
    fn forget(context: &Context, key: &ObjectKey);
}

impl<K: Followed> Follower<K> {
    /// Returns a follower that has seen nothing.
    pub fn new(context: Arc<Context>) -> Self {
        Self { context, seen: Mutex::default(), kind: std::marker::PhantomData }
    }

    /// Takes an event in.
    pub fn follow(&self, event: &Event<K>) {
        match event {
            Event::Apply(object) | Event::InitApply(object) => self.changed(object),
            Event::Delete(object) => {
                let key = key_of(object);
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
                K::forget(&self.context, &key);
                if let Some(named) = K::named(&key) {
                    self.context.changes.forget(&named);
                    self.context.probes.forget(&named);
                }
                K::nudge(&self.context, &key);
                object.edited(&self.context);
            }
            Event::Init | Event::InitDone => {}
        }
    }

    fn changed(&self, object: &K) {
        let key = key_of(object);
        let now = Seen {
            generation: object.meta().generation.unwrap_or_default(),
            is_ready: is_ready(object),
            rest: object.rest(),
        };
        let before =
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), now);
        if before == Some(now) {
            return;
        }
        let is_mended = before.is_some_and(|before| {
            before.generation != now.generation || (now.is_ready && !before.is_ready)
        });
        if is_mended && let Some(named) = K::named(&key) {
            self.context.changes.note(named);
        }
        K::nudge(&self.context, &key);
        if before.is_none_or(|before| before.generation != now.generation) {
            object.edited(&self.context);
        }
    }
}

fn is_ready<K: HasStatus>(object: &K) -> bool {
    let Some(status) = object.status() else { return false };
    let mut status = status.clone();
    ready(K::conditions(&mut status)).is_some_and(|ready| ready.status == ConditionStatus::True)
}

/// Returns the condition Ready.
pub fn ready(conditions: &[Condition]) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.condition_type == "Ready")
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn reason(conditions: &[Condition]) -> Option<&str> {
    ready(conditions).map(|ready| ready.reason.as_str())
}

impl Followed for Source {
    fn rest(&self) -> u64 {
        hash((self.uid(), self.status.as_ref().and_then(|status| reason(&status.conditions))))
    }

    fn nudge(context: &Context, key: &ObjectKey) {
        context
            .objects
            .readers_of(key)
            .into_iter()
            .for_each(|sync| context.nudges.syncs.push(sync));
    }

    fn named(key: &ObjectKey) -> Option<Named> {
        Some(Named::Source(key.clone()))
    }

    fn forget(context: &Context, key: &ObjectKey) {
        context.source_statuses.forget(key);
    }
}

impl Followed for CustomerIoConnection {
    fn rest(&self) -> u64 {
        hash((self.uid(), self.status.as_ref().and_then(|status| reason(&status.conditions))))
    }

    fn nudge(context: &Context, key: &ObjectKey) {
        context.objects.users_of(key).into_iter().for_each(|sync| context.nudges.syncs.push(sync));
    }

    fn named(key: &ObjectKey) -> Option<Named> {
        Some(Named::Connection(key.clone()))
    }

    fn forget(context: &Context, key: &ObjectKey) {
        context.connection_statuses.forget(key);
        context.connections.forget(key);
        context.metrics.connections.remove(&ObjectName::new(&key.0, &key.1));
    }
}

impl Followed for Sync {
    fn rest(&self) -> u64 {
        let Some(status) = &self.status else { return hash(self.uid()) };
        let run = |id: &String| id.clone();
        hash((
            self.uid(),
            status.current_run.as_ref().map(|it| run(&it.id)),
            status.last_run.as_ref().map(|it| run(&it.id)),
            &status.next_schedule_time,
            status.next_retry_time.as_ref().map(|time| time.0),
            reason(&status.conditions),
        ))
    }

    fn nudge(context: &Context, key: &ObjectKey) {
        let waiting = context.objects.dependents_of(key);
        waiting.into_iter().for_each(|sync| context.nudges.syncs.push(sync));
    }

    fn edited(&self, context: &Context) {
        let rivals = context.objects.rivals_of(self);
        rivals.into_iter().for_each(|sync| context.nudges.syncs.push(sync));
    }

    fn named(_key: &ObjectKey) -> Option<Named> {
        None
    }

    /// What was deleted has no run: one that goes on stops at its next batch.
    fn forget(context: &Context, key: &ObjectKey) {
        context.supervisor.cancel(key, None, CancelCause::Deleted);
        context.supervisor.settle(key);
        for adopter in context.objects.adopters_of(key) {
            context.changes.note(Named::Adopted(adopter.clone()));
            context.nudges.syncs.push(adopter);
        }
        context.changes.forget(&Named::Adopted(key.clone()));
        context.sync_statuses.forget(key);
        context.outages.end(key);
        context.metrics.syncs.remove(&ObjectName::new(&key.0, &key.1));
    }
}
