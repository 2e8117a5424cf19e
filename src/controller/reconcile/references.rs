//! Whether what a Sync refers to is there, may be used, and works.

use crate::api::condition::{Condition, ConditionStatus};
use crate::api::reference::AllowedNamespaces;
use crate::api::{CustomerIoConnection, Source, Sync, validate};
use crate::controller::context::Context;
use crate::controller::decide::{Problem, References, SuspendedBy};
use crate::controller::error::ControllerError;
use crate::controller::follow::ready;
use crate::controller::objects::target;
use crate::controller::permission::{From, Permission, permission};
use crate::controller::watch::{ObjectKey, key_of};
use crate::model::{Disposition, Reason};

/// What was found out about the references of a Sync.
pub(super) struct Found {
    /// Whether they can be used.
    pub(super) references: References,
    /// Who suspends the Sync, besides its own spec.
    pub(super) suspended: Option<SuspendedBy>,
    /// What is wrong with the spec where it meets its Source and connection.
    pub(super) misfit: Option<Problem>,
    /// Why the connection can't be used for a clean-up, where it or its Secret is gone.
    pub(super) connection_gone: Option<String>,
}

/// Looks up what a Sync refers to.
///
/// # Errors
/// Where the labels of a namespace can't be had.
pub(super) async fn look_up(context: &Context, sync: &Sync) -> Result<Found, ControllerError> {
    let source = context.objects.source_of(sync);
    let connection = context.objects.connection_of(sync);
    let (source_key, connection_key) =
        (target(sync, &sync.spec.source_ref), target(sync, &sync.spec.connection_ref));
    let source_use = Use {
        kind: "Source",
        key: &source_key,
        allowed: source.as_ref().map(|source| &source.spec.allowed_namespaces),
        conditions: source.as_deref().map(source_conditions).unwrap_or_default(),
        not_ready: Reason::SourceNotReady,
    };
    let connection_use = Use {
        kind: "CustomerIoConnection",
        key: &connection_key,
        allowed: connection.as_ref().map(|it| &it.spec.allowed_namespaces),
        conditions: connection.as_deref().map(connection_conditions).unwrap_or_default(),
        not_ready: Reason::ConnectionNotReady,
    };
    let own = key_of(sync).0;
    let (first, second) =
        (source_use.judge(context, &own).await?, connection_use.judge(context, &own).await?);
    let suspended = match (&source, &connection) {
        (_, Some(connection)) if connection.spec.suspend => Some(SuspendedBy::Connection),
        (Some(source), _) if source.spec.suspend => Some(SuspendedBy::Source),
        _ => None,
    };
    let misfit = source.as_ref().and_then(|source| model_misfit(sync, source));
    let misfit = misfit.or_else(|| connection.as_ref().and_then(|it| app_key_misfit(sync, it)));
    let connection_gone = gone(&connection_use, connection.is_some());
    Ok(Found { references: worse(first, second), suspended, misfit, connection_gone })
}

/// One reference.
struct Use<'a> {
    kind: &'static str,
    key: &'a ObjectKey,
    /// Who may use the object; `None` where it doesn't exist.
    allowed: Option<&'a AllowedNamespaces>,
    conditions: Vec<Condition>,
    not_ready: Reason,
}

impl Use<'_> {
    async fn judge(&self, context: &Context, own: &str) -> Result<References, ControllerError> {
        let (namespace, name) = self.key;
        let Some(allowed) = self.allowed else {
            return Ok(self.broken(
                Reason::RefNotFound,
                format!("there is no {} {namespace}/{name}", self.kind),
                "create it, or name another",
            ));
        };
        if !is_permitted(context, allowed, namespace, own).await? {
            return Ok(self.broken(
                Reason::RefNotPermitted,
                format!("{} {namespace}/{name} may not be used from {own}", self.kind),
                "its spec.allowedNamespaces says who may",
            ));
        }
        let Some(ready) = ready(&self.conditions) else { return Ok(References::Unproven) };
        Ok(match ready.status {
            ConditionStatus::True => References::Usable,
            ConditionStatus::Unknown => References::Unproven,
            ConditionStatus::False => References::Broken(self.not_ready(ready)),
        })
    }

    /// A Source or connection that has a transient fault is tried again by itself.
    fn not_ready(&self, ready: &Condition) -> Problem {
        let (namespace, name) = self.key;
        let is_stalled = self
            .conditions
            .iter()
            .any(|it| it.condition_type == "Stalled" && it.status == ConditionStatus::True);
        let problem = ready.message.trim_end_matches('.');
        Problem {
            reason: self.not_ready,
            message: format!("{} {namespace}/{name} is not ready: {problem}", self.kind),
            hint: None,
            disposition: match is_stalled {
                true => Disposition::NeedsOperator,
                false => Disposition::Transient,
            },
        }
    }

    fn broken(&self, reason: Reason, message: String, hint: &str) -> References {
        let hint = Some(hint.to_owned());
        let disposition = Disposition::NeedsOperator;
        References::Broken(Problem { reason, message, hint, disposition })
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
            let from = From::Other(Some(&known.labels));
            permission(allowed, &from) == Permission::Granted
        }
    })
}

fn source_conditions(source: &Source) -> Vec<Condition> {
    source.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default()
}

fn connection_conditions(connection: &CustomerIoConnection) -> Vec<Condition> {
    connection.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default()
}

/// Returns the graver of two: what is broken for good, what is broken, what is unproven.
fn worse(first: References, second: References) -> References {
    let rank = |references: &References| match references {
        References::Broken(problem) if problem.disposition == Disposition::NeedsOperator => 3,
        References::Broken(_) => 2,
        References::Unproven => 1,
        References::Usable => 0,
    };
    if rank(&second) > rank(&first) { second } else { first }
}

fn model_misfit(sync: &Sync, source: &Source) -> Option<Problem> {
    let finding = validate::model_fits(&sync.spec.model, source.spec.block()?)?;
    Some(super::spec::problem(&finding, Reason::InvalidSpec))
}

fn app_key_misfit(sync: &Sync, connection: &CustomerIoConnection) -> Option<Problem> {
    let field = validate::needs_app_key(&sync.spec)?;
    if connection.spec.app_api_key.is_some() {
        return None;
    }
    let (namespace, name) = key_of(connection);
    Some(Problem {
        reason: Reason::InvalidSpec,
        message: format!("{field}: connection {namespace}/{name} has no appApiKey"),
        hint: Some("add spec.appApiKey to the connection".to_owned()),
        disposition: Disposition::NeedsOperator,
    })
}

/// Returns why nothing can be sent through a connection any more.
fn gone(connection: &Use<'_>, is_there: bool) -> Option<String> {
    let (namespace, name) = connection.key;
    if !is_there {
        return Some(format!("connection {namespace}/{name} is gone"));
    }
    let reason = ready(&connection.conditions).map(|ready| ready.reason.as_str())?;
    let lacks_secret = [Reason::SecretNotFound.as_str(), Reason::SecretKeyMissing.as_str()];
    lacks_secret.contains(&reason).then(|| format!("the Secret of connection {namespace}/{name} is gone"))
}
