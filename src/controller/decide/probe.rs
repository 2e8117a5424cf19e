//! What a probe's outcome makes of the status of a Source or a connection.
//!
//! A fault that passes by itself doesn't unseat a resource that worked: the last verdict holds for
//! some probes, so that a blip of the network stops no healthy Sync.

use jiff::{SignedDuration, Timestamp};

use crate::api::condition::{Condition, ConditionStatus};
use crate::api::connection::CustomerIoConnectionStatus;
use crate::api::source::SourceStatus;
use crate::api::{CustomerIoConnection, Kind, Source};
use crate::controller::decide::conditions::{Aspects, Moment, Reconciling};
use crate::controller::decide::draft::{length, plus, time, whole_second};
use crate::controller::decide::ready::Ready;
use crate::controller::decide::view::{Problem, SuspendedBy};
use crate::model::duration::GoDuration;
use crate::model::{Disposition, Reason};

/// How many intervals the last good verdict holds while probes fail for a cause that may pass.
const PATIENCE_INTERVALS: i32 = 2;

/// How soon a probe is repeated that failed for a cause that may pass.
pub const RETRY_INTERVAL: SignedDuration = SignedDuration::from_secs(30);

/// How often a connection is probed.
pub const CONNECTION_INTERVAL: GoDuration = GoDuration::from_mins(5);

/// What is known of a Source or connection.
#[derive(Clone, Debug)]
pub struct ProbeView<'a> {
    /// The generation of the resource.
    pub generation: i64,
    /// Its conditions so far.
    pub conditions: &'a [Condition],
    /// When it was probed last, before this look.
    pub last_probe_at: Option<Timestamp>,
    /// The generation that its status is about.
    pub observed_generation: Option<i64>,
    /// How often it is probed.
    pub interval: GoDuration,
    /// Whether it is suspended.
    pub is_suspended: bool,
    /// The time.
    pub now: Timestamp,
    /// What a probe found just now; `None` where there was none since the last look.
    pub outcome: Option<Result<(), Problem>>,
    /// What is wrong with the App API of a connection that works else.
    pub app_problem: Option<Problem>,
}

/// What follows for a Source or connection.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeDecision {
    /// The generation that the status is about: an edited spec counts as seen once it was probed.
    pub observed_generation: i64,
    /// The conditions as they should be now.
    pub conditions: Vec<Condition>,
    /// When it was probed last.
    pub last_probe_at: Option<Timestamp>,
    /// When to probe; at or before now where it is due, `None` while suspended.
    pub probe_at: Option<Timestamp>,
}

/// Returns what follows for a resource of `kind` (Source or CustomerIoConnection).
pub fn probed(kind: Kind, view: &ProbeView<'_>) -> ProbeDecision {
    let stamp = whole_second(view.now);
    let was = Ready::of(view.conditions);
    let was_empty = was.reason.is_empty();
    let retrying_since = view
        .conditions
        .iter()
        .find(|it| it.condition_type == "Reconciling" && it.reason == "ProgressingWithRetry")
        .map(|it| it.last_transition_time.0);
    let mut reconciling = retrying_since.map(|_| Reconciling::Retrying);
    let ready = match &view.outcome {
        Some(Ok(())) => {
            reconciling = None;
            yes(view.app_problem.as_ref())
        }
        Some(Err(problem)) if problem.disposition == Disposition::Transient => {
            reconciling = Some(Reconciling::Retrying);
            let patience = length(view.interval).saturating_mul(PATIENCE_INTERVALS);
            let gives_up_at = plus(retrying_since.unwrap_or(stamp), patience);
            if was.status == ConditionStatus::True && stamp < gives_up_at {
                was
            } else {
                no(kind, problem)
            }
        }
        Some(Err(problem)) => {
            reconciling = None;
            no(kind, problem)
        }
        None if was.reason.is_empty() => {
            reconciling = Some(Reconciling::Progressing);
            Ready::unknown("Progressing", &["wait: it was not probed yet"])
        }
        None => {
            reconciling = reconciling.or_else(|| {
                (was.status == ConditionStatus::Unknown).then_some(Reconciling::Progressing)
            });
            was
        }
    };
    // An edited spec counts as seen once it was probed.
    let is_unproven = view.outcome.is_none() && !view.is_suspended && !was_empty;
    let seen = view.observed_generation.filter(|seen| *seen >= 0 && is_unproven);
    let observed_generation = seen.unwrap_or(view.generation);
    let moment =
        Moment { stamp, now: view.now, generation: observed_generation, was: view.conditions };
    let conditions = moment.build(&Aspects {
        ready: &ready,
        reconciling,
        is_resolved: ready.status == ConditionStatus::True,
        fresh_until: None,
        suspended: view.is_suspended.then_some(SuspendedBy::Spec),
    });
    let last_probe_at = if view.outcome.is_some() { Some(stamp) } else { view.last_probe_at };
    let probe_at = (!view.is_suspended).then(|| probe_at(view, last_probe_at, reconciling));
    ProbeDecision { observed_generation, conditions, last_probe_at, probe_at }
}

/// Returns when to probe next: at once for a new generation, sooner while a fault may pass.
fn probe_at(
    view: &ProbeView<'_>,
    last_probe_at: Option<Timestamp>,
    reconciling: Option<Reconciling>,
) -> Timestamp {
    let is_edited = view.outcome.is_none() && view.observed_generation != Some(view.generation);
    let Some(last) = last_probe_at.filter(|_| !is_edited) else { return view.now };
    let interval = length(view.interval);
    let pause = match reconciling {
        Some(_) => interval.min(RETRY_INTERVAL),
        None => interval,
    };
    // A clock that went back must not hold a probe off for long.
    plus(last, pause).min(plus(view.now, pause))
}

/// A connection is Ready also without its App API: most Syncs never ask it, and a run that must says
/// itself why it can't.
fn yes(app_problem: Option<&Problem>) -> Ready {
    let Some(problem) = app_problem else {
        return Ready::yes("ProbeSucceeded", &["nothing to do: the last probe succeeded"]);
    };
    let hint = problem.hint.as_deref().unwrap_or_default();
    let rest = "only what asks the App API is held up";
    Ready::yes("ProbeSucceeded", &[hint, &problem.message, rest])
}

fn no(kind: Kind, problem: &Problem) -> Ready {
    let reason = match problem.reason {
        Reason::AuthenticationFailed
        | Reason::PermissionDenied
        | Reason::SecretNotFound
        | Reason::SecretKeyMissing
        | Reason::Internal => problem.reason.as_str(),
        Reason::RegionMismatch | Reason::WorkspaceMismatch
            if kind == Kind::CustomerIoConnection =>
        {
            problem.reason.as_str()
        }
        _ if problem.disposition == Disposition::Transient => "ConnectionFailed",
        Reason::SourceNotReady | Reason::ConnectionNotReady => "ConnectionFailed",
        _ => "InvalidSpec",
    };
    let hint = problem.hint.as_deref().unwrap_or_default();
    let is_stalled = problem.disposition != Disposition::Transient;
    Ready::no(reason, &[hint, &problem.message], is_stalled)
}

/// Returns the view of a Source.
pub fn source_view(
    source: &Source,
    now: Timestamp,
    outcome: Option<Result<(), Problem>>,
) -> ProbeView<'_> {
    let status = source.status.as_ref();
    ProbeView {
        generation: source.metadata.generation.unwrap_or_default(),
        conditions: status.map_or(&[], |status| status.conditions.as_slice()),
        last_probe_at: status.and_then(|status| status.last_probe_time.as_ref()).map(|it| it.0),
        observed_generation: status.and_then(|status| status.observed_generation),
        interval: source.spec.probe_interval,
        is_suspended: source.spec.suspend,
        now,
        outcome,
        app_problem: None,
    }
}

/// Returns the view of a connection; a probe that succeeded may have found a problem of its App API.
pub fn connection_view(
    connection: &CustomerIoConnection,
    now: Timestamp,
    outcome: Option<Result<Option<Problem>, Problem>>,
) -> ProbeView<'_> {
    let status = connection.status.as_ref();
    ProbeView {
        generation: connection.metadata.generation.unwrap_or_default(),
        conditions: status.map_or(&[], |status| status.conditions.as_slice()),
        last_probe_at: status.and_then(|status| status.last_probe_time.as_ref()).map(|it| it.0),
        observed_generation: status.and_then(|status| status.observed_generation),
        interval: CONNECTION_INTERVAL,
        is_suspended: connection.spec.suspend,
        now,
        app_problem: outcome.as_ref().and_then(|it| it.as_ref().ok()).cloned().flatten(),
        outcome: outcome.map(|it| it.map(drop)),
    }
}

/// Returns the status of a Source, and when to probe it.
pub fn source(
    source: &Source,
    now: Timestamp,
    outcome: Option<Result<(), Problem>>,
) -> (SourceStatus, Option<Timestamp>) {
    let decision = probed(Kind::Source, &source_view(source, now, outcome));
    let status = SourceStatus {
        observed_generation: Some(decision.observed_generation),
        conditions: decision.conditions,
        source_type: source.spec.block().map(str::to_owned),
        last_probe_time: decision.last_probe_at.and_then(time),
    };
    (status, decision.probe_at)
}

/// Returns the status of a connection, and when to probe it. Region, workspace and throttling are
/// left as they were: they come from the API's answers, not from the verdict.
pub fn connection(
    connection: &CustomerIoConnection,
    now: Timestamp,
    outcome: Option<Result<Option<Problem>, Problem>>,
) -> (CustomerIoConnectionStatus, Option<Timestamp>) {
    let decision = probed(Kind::CustomerIoConnection, &connection_view(connection, now, outcome));
    let status = CustomerIoConnectionStatus {
        observed_generation: Some(decision.observed_generation),
        conditions: decision.conditions,
        last_probe_time: decision.last_probe_at.and_then(time),
        ..connection.status.clone().unwrap_or_default()
    };
    (status, decision.probe_at)
}
