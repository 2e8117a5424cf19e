//! What is wrong with the spec of a Sync, by itself and beside others.

use std::collections::BTreeSet;

use kube::ResourceExt as _;

use crate::api::finding::Severity;
use crate::api::{Finding, Sync, validate};
use crate::controller::context::Context;
use crate::controller::decide::Problem;
use crate::controller::watch::{ObjectKey, key_of};
use crate::model::duration::GoDuration;
use crate::model::{Disposition, Reason};
use crate::schedule::Schedule;

/// Returns the schedule of a Sync, with the jitter of its uid.
///
/// # Errors
/// The first thing that is wrong with the spec.
pub(super) fn check(context: &Context, sync: &Sync) -> Result<Schedule, Problem> {
    let findings = validate::sync(&sync.spec);
    if let Some(finding) = findings.iter().find(|finding| finding.severity == Severity::Error) {
        return Err(problem(finding, reason_of(finding)));
    }
    dependencies(context, sync)?;
    let spec = &sync.spec;
    let interval = spec.interval.map(GoDuration::get);
    let schedule = Schedule::parse(spec.schedule.as_deref(), &spec.time_zone, interval);
    let schedule = schedule.map_err(|error| Problem {
        reason: Reason::InvalidSchedule,
        message: error.to_string(),
        hint: Some(error.hint().into()),
        disposition: Disposition::NeedsOperator,
    })?;
    Ok(schedule.with_jitter(&sync.uid().unwrap_or_default()))
}

/// Returns a finding as a problem that a person must mend.
pub(super) fn problem(finding: &Finding, reason: Reason) -> Problem {
    Problem {
        reason,
        message: format!("{}: {}", finding.path, finding.message),
        hint: finding.hint.clone(),
        disposition: Disposition::NeedsOperator,
    }
}

fn reason_of(finding: &Finding) -> Reason {
    match finding.path.as_str() {
        "spec.schedule" => Reason::InvalidSchedule,
        "spec.timeZone" => Reason::InvalidTimeZone,
        _ => Reason::InvalidSpec,
    }
}

/// Checks that the Syncs that this one waits for are there, and that none of them waits for it.
fn dependencies(context: &Context, sync: &Sync) -> Result<(), Problem> {
    let own = key_of(sync);
    for (index, named) in sync.spec.depends_on.iter().enumerate() {
        let key = (own.0.clone(), named.name.clone());
        if key != own && context.objects.sync(&key).is_none() {
            let message = format!("there is no Sync {}/{}", key.0, key.1);
            let finding = Finding::error(format!("spec.dependsOn[{index}].name"), message)
                .hint("create it, or take the name away");
            return Err(problem(&finding, Reason::InvalidSpec));
        }
    }
    match cycle(context, &own, sync) {
        None => Ok(()),
        Some(path) => {
            let message = format!("it depends on itself: {}", path.join(" -> "));
            let finding = Finding::error("spec.dependsOn", message)
                .hint("take one of these dependencies away: none of them could ever start");
            Err(problem(&finding, Reason::InvalidSpec))
        }
    }
}

/// Returns a way from a Sync over its dependencies back to itself.
fn cycle(context: &Context, own: &ObjectKey, sync: &Sync) -> Option<Vec<String>> {
    let names = |sync: &Sync| -> Vec<String> {
        sync.spec.depends_on.iter().map(|named| named.name.clone()).collect()
    };
    let mut seen = BTreeSet::new();
    let mut open: Vec<Vec<String>> =
        names(sync).into_iter().map(|name| vec![own.1.clone(), name]).collect();
    while let Some(path) = open.pop() {
        let last = path.last()?.clone();
        if last == own.1 {
            return Some(path);
        }
        if !seen.insert(last.clone()) {
            continue;
        }
        let Some(next) = context.objects.sync(&(own.0.clone(), last)) else { continue };
        open.extend(names(&next).into_iter().map(|name| {
            let mut longer = path.clone();
            longer.push(name);
            longer
        }));
    }
    None
}
