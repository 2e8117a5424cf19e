//! Objects to be looked at again for another reason than a change of their own: a run ended, a
//! probe came back, something that they name changed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, Stream};
use kube::runtime::reflector::ObjectRef;
use tokio::sync::Notify;

use super::watch::{Kind, ObjectKey, reference_of};

/// The objects of one kind that wait to be looked at again. Each waits at most once.
#[derive(Clone, Default)]
pub struct Nudges(Arc<Inner>);

#[derive(Default)]
struct Inner {
    waiting: Mutex<BTreeSet<ObjectKey>>,
    wake: Notify,
}

impl Nudges {
    /// Has an object looked at again.
    pub fn push(&self, key: ObjectKey) {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        self.0.wake.notify_one();
    }

    /// Returns them as they come. There is one who reads them.
    pub fn stream<K: Kind>(&self) -> impl Stream<Item = ObjectRef<K>> + Send + 'static {
        stream::unfold(self.clone(), |nudges| async move {
            let key = nudges.next().await;
            Some((reference_of(&key), nudges))
        })
    }

    async fn next(&self) -> ObjectKey {
        loop {
            let next = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
            match next {
                Some(key) => return key,
                None => self.0.wake.notified().await,
            }
        }
    }
}
