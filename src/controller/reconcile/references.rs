//! What a Sync refers to: looked up, and asked whether it may be used from where the Sync is.

use std::sync::Arc;

use crate::api::reference::AllowedNamespaces;
use crate::api::{CustomerIoConnection, Finding, Source, Sync, validate};
use crate::controller::context::Context;
use crate::controller::decide::{self, Found, Problem, References, SuspendedBy};
use crate::controller::error::ControllerError;
use crate::controller::follow::ready;
use crate::controller::permission::{From, Permission, permission};
use crate::controller::watch::key_of;
use crate::model::Reason;

/// What a Sync refers to, as far as it exists and may be used.
pub(super) struct Referred {
    source: Reference<Source>,
    connection: Reference<CustomerIoConnection>,
}

enum Reference<K> {
    Missing,
    Forbidden,
    Here(Arc<K>),
}

impl<K> Reference<K> {
    fn found(&self) -> Found<'_, K> {
        match self {
            Self::Missing => Found::Missing,
            Self::Forbidden => Found::Forbidden,
            Self::Here(object) => Found::Here(object),
        }
    }

    fn here(&self) -> Option<&K> {
        match self {
            Self::Here(object) => Some(object),
            Self::Missing | Self::Forbidden => None,
        }
    }
}

impl Referred {
    /// Looks up what a Sync refers to.
    ///
    /// # Errors
    /// Where the labels of a namespace are needed and can't be had.
    pub(super) async fn look_up(context: &Context, sync: &Sync) -> Result<Self, ControllerError> {
        let own = key_of(sync).0;
        let source = match context.objects.source_of(sync) {
            None => Reference::Missing,
            Some(source) => {
                let from = key_of(source.as_ref()).0;
                let allowed = &source.spec.allowed_namespaces;
                match is_permitted(context, allowed, &from, &own).await? {
                    true => Reference::Here(source),
                    false => Reference::Forbidden,
                }
            }
        };
        let connection = match context.objects.connection_of(sync) {
            None => Reference::Missing,
            Some(connection) => {
                let from = key_of(connection.as_ref()).0;
                let allowed = &connection.spec.allowed_namespaces;
                match is_permitted(context, allowed, &from, &own).await? {
                    true => Reference::Here(connection),
                    false => Reference::Forbidden,
                }
            }
        };
        Ok(Self { source, connection })
    }

    /// Says whether it can be used.
    pub(super) fn judge(&self, sync: &Sync) -> References {
        decide::references(&sync.spec, self.source.found(), self.connection.found())
    }

    /// Returns who holds the Sync back, besides its own spec.
    pub(super) fn suspended(&self) -> Option<SuspendedBy> {
        let connection = self.connection.here().is_some_and(|connection| connection.spec.suspend);
        let source = self.source.here().is_some_and(|source| source.spec.suspend);
        match (connection, source) {
            (true, _) => Some(SuspendedBy::Connection),
            (false, true) => Some(SuspendedBy::Source),
            (false, false) => None,
        }
    }

    /// Says what of the spec doesn't fit the Source or the connection.
    pub(super) fn misfit(&self, sync: &Sync) -> Option<Problem> {
        let block = self.source.here().and_then(|source| source.spec.block());
        let finding = block.and_then(|block| validate::model_fits(&sync.spec.model, block));
        let problem = finding.map(|finding| super::spec::problem(&finding, Reason::InvalidSpec));
        problem.or_else(|| self.without_app_key(sync))
    }

    /// Says what of the spec needs an App API key that the connection doesn't have.
    fn without_app_key(&self, sync: &Sync) -> Option<Problem> {
        let path = validate::needs_app_key(&sync.spec)?;
        let connection = self.connection.here()?;
        if connection.spec.app_api_key.is_some() {
            return None;
        }
        let (reason, hint) = match sync.spec.segment {
            Some(_) if path == "spec.segment.name" => (
                Reason::SegmentNotFound,
                "add spec.appApiKey to the connection, or name the segment by its id",
            ),
            _ => (Reason::InvalidSpec, "add spec.appApiKey to the connection"),
        };
        let message = format!("connection {} has no appApiKey", key_of(connection).1);
        Some(super::spec::problem(&Finding::error(path, message).hint(hint), reason))
    }

    /// Says why nothing can be sent any more, where the connection or its Secret is gone.
    pub(super) fn connection_gone(&self, sync: &Sync) -> Option<String> {
        let reference = &sync.spec.connection_ref;
        let Some(connection) = self.connection.here() else {
            return Some(format!("connection {reference} is gone"));
        };
        let conditions = connection.status.as_ref().map_or(&[][..], |status| &status.conditions);
        let reason = ready(conditions).map(|ready| ready.reason.as_str());
        let lacking = [Reason::SecretNotFound.as_str(), Reason::SecretKeyMissing.as_str()];
        let is_lacking = reason.is_some_and(|reason| lacking.contains(&reason));
        is_lacking.then(|| format!("the Secret of connection {reference} is gone"))
    }
}

async fn is_permitted(
    context: &Context,
    allowed: &AllowedNamespaces,
    namespace: &str,
    own: &str,
) -> Result<bool, ControllerError> {
    let from = if namespace == own { From::Same } else { From::Other(None) };
    Ok(match permission(allowed, &from) {
        Permission::Granted => true,
        Permission::Denied => false,
        Permission::NeedsLabels => {
            let known = context.namespaces.get(own).await?;
            permission(allowed, &From::Other(Some(&known.labels))) == Permission::Granted
        }
    })
}
