//! The conditions of all three kinds, built in one place.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::condition::{Condition, ConditionStatus};
use crate::controller::decide::ready::Ready;
use crate::controller::decide::text::sentences;
use crate::controller::decide::view::SuspendedBy;

/// Reasons that say that a reference can't be followed.
const UNRESOLVED: [&str; 4] =
    ["RefNotFound", "RefNotPermitted", "SecretNotFound", "SecretKeyMissing"];

/// What the conditions of a resource are built from.
pub(super) struct Aspects<'a> {
    pub(super) ready: &'a Ready,
    /// What is under way or about to be, if anything; left out beside Stalled.
    pub(super) reconciling: Option<Reconciling>,
    /// Whether the references are known; `None` where nothing was looked at.
    pub(super) is_resolved: bool,
    /// Until when the last success is fresh, where that is watched.
    pub(super) fresh_until: Option<Timestamp>,
    pub(super) suspended: Option<SuspendedBy>,
}

/// Why a resource is reconciling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reconciling {
    /// A new generation is taken in.
    Progressing,
    /// Something failed and is tried again.
    Retrying,
}

/// The moment that conditions are built for.
pub(super) struct Moment<'a> {
    pub(super) stamp: Timestamp,
    pub(super) now: Timestamp,
    pub(super) generation: i64,
    /// The conditions so far: where a status doesn't flip, its time of transition stays.
    pub(super) was: &'a [Condition],
}

impl Moment<'_> {
    /// Returns all conditions of a resource.
    pub(super) fn build(&self, aspects: &Aspects<'_>) -> Vec<Condition> {
        let Aspects { ready, reconciling, is_resolved, fresh_until, suspended } = *aspects;
        let mut all = vec![self.condition("Ready", ready.status, &ready.reason, &ready.message)];
        let yes = ConditionStatus::True;
        if ready.is_stalled {
            all.push(self.condition("Stalled", yes, &ready.reason, &ready.message));
        } else if let Some(why) = reconciling {
            let (reason, phrase) = match why {
                Reconciling::Progressing => {
                    ("Progressing", "wait: the resource is new or its spec changed")
                }
                Reconciling::Retrying => {
                    ("ProgressingWithRetry", "wait: what failed is tried again")
                }
            };
            all.push(self.condition("Reconciling", yes, reason, &sentences(&[phrase])));
        }
        all.extend(self.resolved_refs(ready, is_resolved));
        all.extend(fresh_until.map(|until| self.fresh(until)));
        all.extend(suspended.map(|by| self.suspended(by)));
        all
    }

    fn condition(
        &self,
        condition_type: &str,
        status: ConditionStatus,
        reason: &str,
        message: &str,
    ) -> Condition {
        let was = self.was.iter().find(|it| it.condition_type == condition_type);
        let since = was.filter(|was| was.status == status).map(|was| was.last_transition_time.0);
        Condition {
            condition_type: condition_type.to_owned(),
            status,
            reason: reason.to_owned(),
            message: message.to_owned(),
            last_transition_time: Time(since.unwrap_or(self.stamp)),
            observed_generation: Some(self.generation),
        }
    }

    fn resolved_refs(&self, ready: &Ready, is_resolved: bool) -> Option<Condition> {
        let name = "ResolvedRefs";
        if ready.status == ConditionStatus::False && UNRESOLVED.contains(&ready.reason.as_str()) {
            let no = ConditionStatus::False;
            return Some(self.condition(name, no, &ready.reason, &ready.message));
        }
        let message = sentences(&["nothing to do: everything that the spec names is there"]);
        is_resolved.then(|| self.condition(name, ConditionStatus::True, name, &message))
    }

    fn fresh(&self, until: Timestamp) -> Condition {
        let name = "Fresh";
        if until > self.now {
            let message = sentences(&["nothing to do: a run ended well not long ago"]);
            self.condition(name, ConditionStatus::True, "WithinFreshness", &message)
        } else {
            let phrase = "look at Ready: no run ended well for longer than `freshness`";
            self.condition(name, ConditionStatus::False, "Overdue", &sentences(&[phrase]))
        }
    }

    fn suspended(&self, by: SuspendedBy) -> Condition {
        let (reason, phrase) = match by {
            SuspendedBy::Spec => ("SuspendedBySpec", "set `suspend: false` to go on"),
            SuspendedBy::Connection => {
                ("SuspendedByConnection", "set `suspend: false` on the connection to go on")
            }
            SuspendedBy::Source => {
                ("SuspendedBySource", "set `suspend: false` on the Source to go on")
            }
        };
        self.condition("Suspended", ConditionStatus::True, reason, &sentences(&[phrase]))
    }
}
