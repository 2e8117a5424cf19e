//! What statuses say, as figures.

use crate::api::condition::{Condition, ConditionStatus};
use crate::api::sync_status::SyncStatus;
use crate::metrics::SyncFigures;

/// Returns the figures of a Sync's status.
pub fn of_sync(status: &SyncStatus) -> SyncFigures {
    let is = |name: &str, wanted: ConditionStatus| {
        find(&status.conditions, name).is_some_and(|condition| condition.status == wanted)
    };
    let whole = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    SyncFigures {
        ready: ready(&status.conditions),
        is_stalled: is("Stalled", ConditionStatus::True),
        is_suspended: is("Suspended", ConditionStatus::True),
        is_blocked: status.blocked.is_some(),
        is_overdue: is("Fresh", ConditionStatus::False),
        last_success: status.last_successful_time.as_ref().map(|time| time.0),
        snapshot_rows: whole(status.snapshot_rows),
        parked_rows: whole(status.parked_rows),
        consecutive_failures: whole(status.consecutive_failures.map(i64::from)).unwrap_or(0),
        missed_schedules: whole(status.missed_schedules).unwrap_or(0),
    }
}

/// Returns whether an object is Ready; `None` where that is unknown.
pub fn ready(conditions: &[Condition]) -> Option<bool> {
    match find(conditions, "Ready")?.status {
        ConditionStatus::True => Some(true),
        ConditionStatus::False => Some(false),
        ConditionStatus::Unknown => None,
    }
}

fn find<'a>(conditions: &'a [Condition], name: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.condition_type == name)
}
