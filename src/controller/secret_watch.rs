//! Secrets that are labelled to be watched: their metadata alone. A changed one has those probed
//! again at once that name it, and with them the Syncs that stalled on it.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, reflector};

use super::changes::Named;
use super::context::Context;
use super::readiness::Watched;
use super::watch::{self, ObjectKey, key_of};
use crate::api::validate;

/// The label of Secrets that are watched.
const LABEL: &str = "ciosync.dev/watch=true";

/// Follows labelled Secrets. Never ends by itself.
pub async fn follow(context: &Arc<Context>, namespaces: &[String], watched: Watched) {
    let (reader, writer) = reflector::store::<PartialObjectMeta<Secret>>();
    let config = watcher::Config::default().labels(LABEL);
    let events = watch::events(&context.client, namespaces, &config, reader, watched);
    let mut events = events.reflect(writer).boxed();
    let mut versions: HashMap<ObjectKey, Option<String>> = HashMap::new();
    while let Some(event) = events.next().await {
        match event {
            // What is there at the start is read by the first probes anyhow.
            Ok(Event::InitApply(secret)) => {
                versions.insert(key_of(&secret), secret.resource_version());
            }
            Ok(Event::Apply(secret)) => {
                let key = key_of(&secret);
                let version = secret.resource_version();
                if versions.insert(key.clone(), version.clone()) != Some(version) {
                    changed(context, &key);
                }
            }
            Ok(Event::Delete(secret)) => {
                let key = key_of(&secret);
                versions.remove(&key);
                changed(context, &key);
            }
            Ok(Event::Init | Event::InitDone) | Err(_) => {}
        }
    }
}

/// Has those probed again that name a Secret.
fn changed(context: &Context, (namespace, name): &ObjectKey) {
    for source in context.objects.sources.state() {
        let key = key_of(source.as_ref());
        let named = validate::source_secrets(&source.spec);
        if key.0 == *namespace && named.iter().any(|secret| secret.name == name) {
            context.probes.expire(&Named::Source(key.clone()));
            context.nudges.sources.push(key);
        }
    }
    for connection in context.objects.connections.state() {
        let key = key_of(connection.as_ref());
        let named = validate::connection_secrets(&connection.spec);
        if key.0 == *namespace && named.iter().any(|secret| secret.name == name) {
            context.probes.expire(&Named::Connection(key.clone()));
            context.nudges.connections.push(key);
        }
    }
}
