//! What a status says while the state store can't be asked: then nothing can be decided, and what it
//! said before must not stand there as if it were of now.

use jiff::{SignedDuration, Timestamp};

use crate::api::Sync;
use crate::api::condition::ConditionStatus;
use crate::api::sync_status::SyncStatus;
use crate::controller::decide::conditions::{Aspects, Moment, Reconciling};
use crate::controller::decide::draft::{fresh_until, whole_second};
use crate::controller::decide::ready::Ready;
use crate::controller::decide::view::{Problem, SuspendedBy};
use crate::model::Disposition;

/// How long an outage may last before Ready tells of it: a database that is started anew is no
/// reason to wake anybody.
pub const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Returns the status of a Sync about which nothing can be decided since `since`; `None` while the
/// outage is young. The spec doesn't count as seen, and no slot or request is touched: all of it is
/// taken up where it was once the store is back.
pub fn without_state(
    sync: &Sync,
    problem: &Problem,
    since: Timestamp,
    now: Timestamp,
) -> Option<SyncStatus> {
    let is_passing = problem.disposition == Disposition::Transient;
    if is_passing && now.duration_since(since) < PATIENCE {
        return None;
    }
    let mut status = sync.status.clone().unwrap_or_default();
    let was = std::mem::take(&mut status.conditions);
    let is_resolved = was
        .iter()
        .any(|it| it.condition_type == "ResolvedRefs" && it.status == ConditionStatus::True);
    let seen = status.observed_generation.filter(|generation| *generation >= 0);
    let generation = seen.or(sync.metadata.generation).unwrap_or_default();
    let stamp = whole_second(now);
    let suspended = was.iter().find(|it| it.condition_type == "Suspended");
    let aspects = Aspects {
        ready: &Ready::problem(problem),
        reconciling: Some(Reconciling::Retrying),
        is_resolved,
        fresh_until: fresh_until(sync, &status, stamp),
        suspended: suspended.map(|it| suspended_by(&it.reason)),
    };
    status.conditions = Moment { stamp, now, generation, was: &was }.build(&aspects);
    Some(status)
}

fn suspended_by(reason: &str) -> SuspendedBy {
    match reason {
        "SuspendedByConnection" => SuspendedBy::Connection,
        "SuspendedBySource" => SuspendedBy::Source,
        _ => SuspendedBy::Spec,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Kind;
    use crate::controller::decide::conform;
    use crate::model::Reason;

    fn sync() -> Sync {
        let condition = |name: &str, reason: &str| {
            json!({
                "type": name, "status": "True", "reason": reason, "message": "as it was",
                "lastTransitionTime": "2026-11-24T05:00:00Z", "observedGeneration": 3,
            })
        };
        serde_json::from_value(json!({
            "apiVersion": "ciosync.dev/v1alpha1", "kind": "Sync",
            "metadata": {"name": "people", "namespace": "growth", "generation": 4},
            "spec": {
                "sourceRef": {"name": "warehouse"}, "connectionRef": {"name": "production"},
                "model": {"table": "people", "primaryKey": ["id"]}, "entity": "person",
                "behavior": "updateOrCreate", "identifiers": {"id": "id"}, "freshness": "1h",
            },
            "status": {
                "observedGeneration": 3, "nextScheduleTime": "2026-11-24T06:15:00Z",
                "lastSuccessfulTime": "2026-11-24T05:00:00Z",
                "conditions": [
                    condition("Ready", "Succeeded"),
                    condition("ResolvedRefs", "ResolvedRefs"),
                    condition("Fresh", "WithinFreshness"),
                ],
            },
        }))
        .unwrap()
    }

    fn problem(disposition: Disposition) -> Problem {
        let (reason, message) = (Reason::StateUnavailable, "it can't be reached".to_owned());
        Problem { reason, message, hint: None, disposition }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_short_outage_leaves_the_status_alone_and_a_long_one_does_not_look_well() {
        let (sync, since) = (sync(), at("2026-11-24T06:10:00Z"));
        let passing = problem(Disposition::Transient);
        assert_eq!(without_state(&sync, &passing, since, at("2026-11-24T06:10:59Z")), None);

        let status = without_state(&sync, &passing, since, at("2026-11-24T06:11:00Z")).unwrap();

        let shown: Vec<(&str, ConditionStatus, &str)> = status
            .conditions
            .iter()
            .map(|it| (it.condition_type.as_str(), it.status, it.reason.as_str()))
            .collect();
        let (yes, no) = (ConditionStatus::True, ConditionStatus::False);
        assert_eq!(
            shown,
            [
                ("Ready", no, "StateUnavailable"),
                ("Reconciling", yes, "ProgressingWithRetry"),
                ("ResolvedRefs", yes, "ResolvedRefs"),
                ("Fresh", no, "Overdue"),
            ]
        );
        assert!(conform(Kind::Sync, 3, status.observed_generation, &status.conditions).is_empty());
        // The edit of generation 4 waits to be seen, and the slot to be served.
        assert_eq!(status.observed_generation, Some(3));
        assert_eq!(status.next_schedule_time.as_deref(), Some("2026-11-24T06:15:00Z"));
    }

    #[test]
    fn an_outage_that_a_person_must_end_is_told_at_once() {
        let now = at("2026-11-24T06:10:00Z");

        let status = without_state(&sync(), &problem(Disposition::NeedsOperator), now, now);

        let conditions = status.unwrap().conditions;
        assert!(conditions.iter().any(|it| it.condition_type == "Stalled"), "{conditions:#?}");
        assert!(conform(Kind::Sync, 3, Some(3), &conditions).is_empty());
    }
}
