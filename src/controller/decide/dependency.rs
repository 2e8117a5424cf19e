//! How the Syncs of `dependsOn` stand, and whether the names in it make sense.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::api;
use crate::api::condition::ConditionStatus;
use crate::controller::decide::ready::WITHOUT_A_RUN;
use crate::controller::decide::view::{Hold, Problem, Standing};
use crate::model::{Disposition, Reason};

/// Returns how each Sync stands that this one depends on. `find` gives a Sync of the same namespace
/// by its name.
///
/// # Errors
/// A name that no Sync has, or a circle that leads back to this one.
pub fn standings<'a>(
    sync: &api::Sync,
    find: impl Fn(&str) -> Option<&'a api::Sync>,
    now: Timestamp,
) -> Result<Vec<Standing>, Problem> {
    let own = sync.metadata.name.as_deref().unwrap_or_default();
    let mut all = Vec::new();
    for (index, reference) in sync.spec.depends_on.iter().enumerate() {
        let name = reference.name.as_str();
        let path = format!("spec.dependsOn[{index}]");
        let Some(found) = find(name).filter(|_| name != own) else {
            return Err(match name == own {
                true => problem(format!("{path}: the Sync depends on itself")),
                false => problem(format!("{path}: there is no Sync `{name}` in this namespace")),
            });
        };
        if leads_to(own, found, &find) {
            return Err(problem(format!("{path}: `{name}` depends on this Sync in turn")));
        }
        all.push(Standing { name: name.to_owned(), hold: hold(found, now) });
    }
    Ok(all)
}

fn problem(message: String) -> Problem {
    Problem {
        reason: Reason::InvalidSpec,
        message,
        hint: Some("name other Syncs of this namespace in dependsOn, without a circle".to_owned()),
        disposition: Disposition::NeedsOperator,
    }
}

/// Returns whether `dependsOn` leads from a Sync to the one named `own`. Each is visited once.
fn leads_to<'a>(
    own: &str,
    from: &'a api::Sync,
    find: &impl Fn(&str) -> Option<&'a api::Sync>,
) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(sync) = open.pop() {
        for reference in &sync.spec.depends_on {
            if reference.name == own {
                return true;
            }
            if seen.insert(reference.name.as_str()) {
                open.extend(find(&reference.name));
            }
        }
    }
    false
}

/// Returns what a Sync means for those that depend on it.
pub fn hold(sync: &api::Sync, now: Timestamp) -> Hold {
    let status = sync.status.clone().unwrap_or_default();
    let is_true = |name: &str| {
        status
            .conditions
            .iter()
            .any(|it| it.condition_type == name && it.status == ConditionStatus::True)
    };
    let slot: Option<Timestamp> =
        status.next_schedule_time.as_deref().and_then(|slot| slot.parse().ok());
    if sync.spec.suspend || is_true("Suspended") {
        return Hold::Go;
    }
    if status.current_run.is_some() {
        return Hold::Wait;
    }
    let is_due = slot.is_some_and(|slot| slot <= now) || status.next_retry_time.is_some();
    // What stalled on its last run is tried at its slot; what can't start at all is due for ever.
    let stalled = status.conditions.iter().find(|it| it.condition_type == "Stalled");
    if stalled.is_some_and(|it| !is_due || WITHOUT_A_RUN.contains(&it.reason.as_str())) {
        return Hold::Failed;
    }
    if is_due {
        return Hold::Wait;
    }
    match status.last_run.as_ref().map(|run| run.result.as_str()) {
        None | Some("Interrupted") => Hold::Wait,
        Some("Succeeded" | "NoChanges" | "PartiallySucceeded") => Hold::Go,
        Some(_) => Hold::Failed,
    }
}
