//! Schedules, time zones and durations.

use std::time::Duration;

use crate::api::finding::Finding;
use crate::api::{SourceSpec, SyncSpec};
use crate::model::duration::GoDuration;
use crate::schedule::{self, Schedule, ScheduleError};

/// Returns what is wrong with a Sync's times.
pub(super) fn sync(spec: &SyncSpec) -> Vec<Finding> {
    let mut findings = Vec::new();
    let interval = spec.interval.map(GoDuration::get);
    let in_zone = |zone: &str| Schedule::parse(spec.schedule.as_deref(), zone, interval).err();
    let in_its_own = in_zone(&spec.time_zone);
    // An unknown zone hides what else is wrong.
    let in_utc =
        in_its_own.as_ref().filter(|error| error.is_time_zone()).and_then(|_| in_zone("UTC"));
    // A rule of the schema says already that both are set.
    let errors = in_its_own.into_iter().chain(in_utc).filter(|it| *it != ScheduleError::Both);
    for error in errors {
        let path = match &error {
            ScheduleError::UnknownZone { .. } => "spec.timeZone",
            ScheduleError::IntervalTooShort
            | ScheduleError::IntervalTooLong
            | ScheduleError::Both => "spec.interval",
            ScheduleError::ZoneInside
            | ScheduleError::Every
            | ScheduleError::UnknownWord { .. }
            | ScheduleError::FieldCount { .. }
            | ScheduleError::Field { .. }
            | ScheduleError::Never { .. } => "spec.schedule",
        };
        findings.push(Finding::error(path, error.to_string()).hint(error.hint()));
    }
    for (index, mapping) in spec.mappings.iter().enumerate() {
        let Some(zone) = &mapping.time_zone else { continue };
        if !schedule::is_time_zone(zone) {
            let error = ScheduleError::UnknownZone { name: zone.clone() };
            let path = format!("spec.mappings[{index}].timeZone");
            findings.push(Finding::error(path, error.to_string()).hint(error.hint()));
        }
    }
    findings.extend(positive("spec.timeout", Some(spec.timeout)));
    findings.extend(positive("spec.startingDeadline", spec.starting_deadline));
    findings.extend(positive("spec.freshness", spec.freshness));
    findings.extend(positive("spec.refresh", spec.refresh));
    if spec.refresh.is_some() && spec.model.cursor.is_some() {
        findings.push(
            Finding::error(
                "spec.refresh",
                "needs every row, and `model.cursor` reads only new ones",
            )
            .hint("take `refresh` or `model.cursor` away"),
        );
    }
    if spec.retry.min_backoff > spec.retry.max_backoff {
        findings.push(Finding::error(
            "spec.retry.minBackoff",
            format!(
                "the shortest pause, {}, is longer than the longest, {}",
                spec.retry.min_backoff, spec.retry.max_backoff
            ),
        ));
    }
    findings
}

/// Returns what is wrong with a Source's times.
pub(super) fn source(spec: &SourceSpec) -> Vec<Finding> {
    let postgres = spec.postgres.as_ref().map(|block| block.statement_timeout);
    let redshift = spec.redshift.as_ref().map(|block| block.statement_timeout);
    [
        positive("spec.probeInterval", Some(spec.probe_interval)),
        positive("spec.postgres.statementTimeout", postgres),
        positive("spec.redshift.statementTimeout", redshift),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn positive(path: &str, duration: Option<GoDuration>) -> Option<Finding> {
    let is_zero = duration.is_some_and(|duration| duration.get() == Duration::ZERO);
    is_zero.then(|| Finding::error(path, "it must be longer than nothing"))
}
