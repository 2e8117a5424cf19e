//! Attributes that an older Sync of the connection writes already.

use std::sync::Arc;

use kube::{Resource as _, ResourceExt as _};

use super::spec;
use crate::api::Sync;
use crate::api::ownership::{Writer, conflicts};
use crate::controller::context::Context;
use crate::controller::decide::Problem;
use crate::controller::watch::key_of;
use crate::model::Reason;

/// Returns what an older Sync of the same connection writes too. Such a Sync is held back: its
/// first run would overwrite what is there, and the older one would never know that it must send
/// it again. A Sync that is being deleted neither waits nor is waited for.
pub(super) fn conflict(context: &Context, sync: &Sync) -> Option<Problem> {
    if sync.meta().deletion_timestamp.is_some() {
        return None;
    }
    let others: Vec<Arc<Sync>> = context
        .objects
        .neighbours_of(sync)
        .into_iter()
        .filter(|other| other.meta().deletion_timestamp.is_none())
        .collect();
    let keys: Vec<_> = others.iter().map(|other| key_of(other.as_ref())).collect();
    let writers: Vec<Writer<'_>> =
        others.iter().zip(&keys).map(|(other, key)| writer(other, key)).collect();
    let key = key_of(sync);
    let found = conflicts(writer(sync, &key), &writers);
    let conflict = found.first()?;
    let (namespace, name) = keys.get(conflict.older)?;
    let finding = conflict.finding(&format!("{namespace}/{name}"), str::to_owned);
    Some(spec::problem(&finding, Reason::AttributeConflict))
}

fn writer<'a>(sync: &'a Sync, (namespace, name): &'a (String, String)) -> Writer<'a> {
    let created_at = sync.creation_timestamp().map(|time| time.0);
    Writer { namespace, name, created_at, spec: &sync.spec }
}
