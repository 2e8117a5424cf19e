//! What the Source and the connection of a Sync mean for it.

use crate::api::condition::{Condition, ConditionStatus};
use crate::api::reference::ObjectRef;
use crate::api::{CustomerIoConnection, Kind, Source, SyncSpec};
use crate::controller::decide::view::{Problem, References};
use crate::model::{Disposition, Reason};

/// What was found under a reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a, K> {
    /// Nothing.
    Missing,
    /// Something whose `allowedNamespaces` doesn't name the namespace of the Sync.
    Forbidden,
    /// The resource.
    Here(&'a K),
}

/// Returns whether a Sync's Source and connection can be used. What doesn't pass by itself is named
/// first; a resource whose probe says nothing for certain is used where it was, and waited for
/// where it is new.
pub fn references(
    spec: &SyncSpec,
    source: Found<'_, Source>,
    connection: Found<'_, CustomerIoConnection>,
) -> References {
    let source = judge(Kind::Source, &spec.source_ref, source, |source| {
        source.status.as_ref().map_or(&[], |status| status.conditions.as_slice())
    });
    let connection =
        judge(Kind::CustomerIoConnection, &spec.connection_ref, connection, |connection| {
            connection.status.as_ref().map_or(&[], |status| status.conditions.as_slice())
        });
    let weight = |references: &References| match references {
        References::Broken(problem) if problem.disposition != Disposition::Transient => 3,
        References::Broken(_) => 2,
        References::Unproven => 1,
        References::Usable => 0,
    };
    if weight(&connection) > weight(&source) { connection } else { source }
}

fn judge<'a, K>(
    kind: Kind,
    reference: &ObjectRef,
    found: Found<'a, K>,
    conditions: impl Fn(&'a K) -> &'a [Condition],
) -> References {
    let kind_name = kind.as_str();
    match found {
        Found::Missing => broken(
            Reason::RefNotFound,
            format!("there is no {kind_name} `{reference}`"),
            format!("create it, or name another {kind_name}"),
        ),
        Found::Forbidden => broken(
            Reason::RefNotPermitted,
            format!("{kind_name} `{reference}` doesn't allow this namespace"),
            format!("add this namespace to the allowedNamespaces of the {kind_name}"),
        ),
        Found::Here(resource) => probed(kind, reference, conditions(resource)),
    }
}

fn broken(reason: Reason, message: String, hint: String) -> References {
    let disposition = Disposition::NeedsOperator;
    References::Broken(Problem { reason, message, hint: Some(hint), disposition })
}

fn probed(kind: Kind, reference: &ObjectRef, conditions: &[Condition]) -> References {
    let find = |name: &str| conditions.iter().find(|it| it.condition_type == name);
    let Some(ready) = find("Ready") else { return References::Unproven };
    match ready.status {
        ConditionStatus::True => References::Usable,
        ConditionStatus::Unknown => References::Unproven,
        ConditionStatus::False => {
            let is_stalled = find("Stalled").is_some_and(|it| it.status == ConditionStatus::True);
            let reason = match kind {
                Kind::CustomerIoConnection => Reason::ConnectionNotReady,
                Kind::Source | Kind::Sync => Reason::SourceNotReady,
            };
            References::Broken(Problem {
                reason,
                message: format!("{} ({})", ready.message.trim_end_matches('.'), ready.reason),
                hint: Some(format!("see to {} `{reference}`", kind.as_str())),
                disposition: if is_stalled {
                    Disposition::NeedsOperator
                } else {
                    Disposition::Transient
                },
            })
        }
    }
}
