//! What is wrong with the spec of a Sync by itself.

use kube::ResourceExt as _;

use crate::api::finding::Severity;
use crate::api::{Finding, Sync, validate};
use crate::controller::decide::Problem;
use crate::model::duration::GoDuration;
use crate::model::{Disposition, Reason};
use crate::schedule::Schedule;

/// Returns the schedule of a Sync, with the jitter of its uid.
///
/// # Errors
/// The first thing that is wrong with the spec.
pub(super) fn check(sync: &Sync) -> Result<Schedule, Problem> {
    let findings = validate::sync(&sync.spec);
    if let Some(finding) = findings.iter().find(|finding| finding.severity == Severity::Error) {
        return Err(problem(finding, reason_of(finding)));
    }
    let spec = &sync.spec;
    let interval = spec.interval.map(GoDuration::get);
    let schedule = Schedule::parse(spec.schedule.as_deref(), &spec.time_zone, interval);
    let schedule = schedule.map_err(|error| Problem {
        reason: Reason::InvalidSchedule,
        message: error.to_string(),
        hint: Some(error.hint()),
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
