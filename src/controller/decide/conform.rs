//! The rules that every status must keep: a judge for tests.

use crate::api::Kind;
use crate::api::condition::{Condition, ConditionStatus};
use crate::controller::decide::text::MESSAGE_LENGTH_MAX;

use ConditionStatus::{False, True, Unknown};

/// Why Ready of a Sync may be False.
const SYNC_FALSE: &[&str] = &[
    "RunFailed",
    "SourceNotReady",
    "ConnectionNotReady",
    "DependencyNotReady",
    "RefNotFound",
    "RefNotPermitted",
    "SecretNotFound",
    "SecretKeyMissing",
    "InvalidSpec",
    "InvalidQuery",
    "InvalidSchedule",
    "InvalidTimeZone",
    "SchemaDrift",
    "AuthenticationFailed",
    "RateLimited",
    "GuardTripped",
    "TooManyRejected",
    "AttributeConflict",
    "RemovalUnsafe",
    "SegmentNotFound",
    "Timeout",
    "StateUnavailable",
    "StateLost",
    "StateMismatch",
    "Internal",
];

/// Why Ready of a Source may be False.
const SOURCE_FALSE: &[&str] = &[
    "ConnectionFailed",
    "AuthenticationFailed",
    "PermissionDenied",
    "SecretNotFound",
    "SecretKeyMissing",
    "InvalidSpec",
    "Internal",
];

/// Why Ready of a connection may be False.
const CONNECTION_FALSE: &[&str] = &[
    "ConnectionFailed",
    "AuthenticationFailed",
    "PermissionDenied",
    "SecretNotFound",
    "SecretKeyMissing",
    "InvalidSpec",
    "Internal",
    "RegionMismatch",
    "WorkspaceMismatch",
];

/// Returns the reasons that a condition of a status may carry; `None` where there is no such
/// condition, or where it is left out instead.
fn reasons(kind: Kind, name: &str, status: ConditionStatus) -> Option<&'static [&'static str]> {
    let ready_false = match kind {
        Kind::Sync => SYNC_FALSE,
        Kind::Source => SOURCE_FALSE,
        Kind::CustomerIoConnection => CONNECTION_FALSE,
    };
    let is_sync = kind == Kind::Sync;
    match (name, status) {
        ("Ready", True) if is_sync => {
            Some(&["Succeeded", "NoChanges", "PartiallySucceeded", "Scheduled"])
        }
        ("Ready", True) => Some(&["ProbeSucceeded"]),
        ("Ready", Unknown) if is_sync => Some(&["Progressing", "Interrupted"]),
        ("Ready", Unknown) => Some(&["Progressing"]),
        ("Ready", False) | ("Stalled", True) => Some(ready_false),
        ("Reconciling", True) => Some(&["Progressing", "ProgressingWithRetry"]),
        ("ResolvedRefs", True) => Some(&["ResolvedRefs"]),
        ("ResolvedRefs", False) => {
            Some(&["RefNotFound", "RefNotPermitted", "SecretNotFound", "SecretKeyMissing"])
        }
        ("Fresh", True) if is_sync => Some(&["WithinFreshness"]),
        ("Fresh", False) if is_sync => Some(&["Overdue"]),
        ("Suspended", True) => {
            Some(&["SuspendedBySpec", "SuspendedByConnection", "SuspendedBySource"])
        }
        _ => None,
    }
}

/// Returns what is wrong with the conditions of a resource, in words; nothing where they keep the
/// rules. `generation` is the resource's, `observed` that of its status.
pub fn conform(
    kind: Kind,
    generation: i64,
    observed: Option<i64>,
    conditions: &[Condition],
) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut rule = |holds: bool, complaint: String| {
        if !holds {
            complaints.push(complaint);
        }
    };
    let count = |name: &str| conditions.iter().filter(|it| it.condition_type == name).count();
    let find = |name: &str| conditions.iter().find(|it| it.condition_type == name);
    let (ready, stalled) = (find("Ready").map(|it| it.status), find("Stalled").is_some());
    let (reconciling, suspended) = (find("Reconciling").is_some(), find("Suspended").is_some());
    rule(
        observed == Some(generation),
        format!("observedGeneration is {observed:?}, not {generation}"),
    );
    rule(ready.is_some(), "Ready is missing".to_owned());
    rule(!stalled || ready == Some(False), "Stalled, and Ready is not False".to_owned());
    rule(!stalled || !reconciling, "Stalled and Reconciling at once".to_owned());
    rule(
        ready != Some(False) || stalled || reconciling || suspended,
        "Ready is False, and neither Stalled, Reconciling nor Suspended".to_owned(),
    );
    let refs = find("ResolvedRefs").map(|it| it.status);
    rule(
        refs != Some(False) || ready == Some(False),
        "references are not resolved, and Ready is not False".to_owned(),
    );
    for condition in conditions {
        let Condition { condition_type: name, status, reason, message, .. } = condition;
        rule(count(name) == 1, format!("{name} is there twice"));
        let allowed = reasons(kind, name, *status);
        rule(
            allowed.is_some_and(|allowed| allowed.contains(&reason.as_str())),
            format!("{name}={status:?} may not have the reason {reason}"),
        );
        rule(!message.is_empty(), format!("{name} has no message"));
        rule(
            message.len() <= MESSAGE_LENGTH_MAX,
            format!("{name} has a message of {} bytes", message.len()),
        );
        let of = condition.observed_generation;
        rule(of == Some(generation), format!("{name} is about generation {of:?}"));
    }
    complaints
}

/// Returns what is wrong with how conditions changed: a time of transition that moved without its
/// status, or didn't move with it. Both looks at one resource, in order.
pub fn conform_change(before: &[Condition], after: &[Condition]) -> Vec<String> {
    let mut complaints = Vec::new();
    for new in after {
        let name = &new.condition_type;
        let Some(old) = before.iter().find(|it| it.condition_type == *name) else { continue };
        let (old_time, new_time) = (&old.last_transition_time, &new.last_transition_time);
        if old.status == new.status && old_time != new_time {
            complaints.push(format!("lastTransitionTime of {name} moved, and its status did not"));
        }
        if old.status != new.status && new_time < old_time {
            complaints.push(format!("lastTransitionTime of {name} went back"));
        }
    }
    complaints
}
