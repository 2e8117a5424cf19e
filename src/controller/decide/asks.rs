//! Requests by annotation: written down when first seen, acted on once, echoed.

use jiff::Timestamp;

use crate::api::condition::ConditionStatus;
use crate::api::sync_status::RunSummary;
use crate::controller::decide::decision::{EventReason, Step, Trigger};
use crate::controller::decide::draft::{Draft, whole_second};
use crate::controller::decide::ready::Ready;
use crate::controller::decide::request::{RequestKind, StoredRequest};
use crate::controller::decide::view::CancelCause;
use crate::model::RunResult;

/// Says which run is asked for now: once for each new value.
pub const REQUESTED_AT: &str = "ciosync.dev/requestedAt";
/// As [`REQUESTED_AT`], where it has the same value: every current row is sent again.
pub const FULL_RESYNC_AT: &str = "ciosync.dev/fullResyncAt";
/// Names the blocked run that may pass, or `cleanup`.
pub const APPROVE: &str = "ciosync.dev/approve";
/// Asks to forget the snapshot: once for each new value.
pub const RESET_STATE: &str = "ciosync.dev/resetState";
/// Names the run to stop.
pub const CANCEL: &str = "ciosync.dev/cancel";

/// Longest token that the status can echo, in characters. Source: our own schema.
const TOKEN_LENGTH_MAX: usize = 256;

/// What is asked and not acted on yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asks {
    pub(super) cancel: Option<String>,
    pub(super) reset: Option<String>,
    pub(super) approve: Option<String>,
    pub(super) run: Option<String>,
    /// The token of `fullResyncAt`, as far as it is new.
    pub(super) full_resync: Option<String>,
}

/// Writes down what is asked for the first time, and returns all that waits.
pub(super) fn record(draft: &mut Draft<'_>) -> Asks {
    let run = waiting(draft, RequestKind::Run);
    let asks = Asks {
        full_resync: full_resync(draft, run.as_deref()),
        run,
        cancel: waiting(draft, RequestKind::Cancel),
        reset: waiting(draft, RequestKind::Reset),
        approve: waiting(draft, RequestKind::Approve),
    };
    settle_echoed(draft);
    asks
}

/// Returns the requests that were written down for this object. Those from before it was made were
/// for one of the same name that is gone.
fn known<'a>(draft: &Draft<'a>) -> impl Iterator<Item = &'a StoredRequest> {
    let made_at = made_at(draft);
    draft.view.requests.iter().filter(move |it| made_at.is_none_or(|made_at| it.seen_at >= made_at))
}

/// Returns when this object was made, in whole seconds.
fn made_at(draft: &Draft<'_>) -> Option<Timestamp> {
    draft.view.sync.metadata.creation_timestamp.as_ref().map(|time| whole_second(time.0))
}

/// Returns the token of a kind that waits: a new annotation, else one that was written down.
fn waiting(draft: &mut Draft<'_>, kind: RequestKind) -> Option<String> {
    let Some(token) = new_token(draft, kind) else {
        return known(draft)
            .filter(|request| request.kind == kind && !request.is_handled)
            .filter(|request| echo(draft, kind) != Some(request.token.as_str()))
            .max_by_key(|request| request.seen_at)
            .map(|request| request.token.clone());
    };
    if draft.seen_generation.is_none() && kind != RequestKind::Run {
        // It may have stood in Git for long.
        handled(draft, kind, &token);
        return None;
    }
    remember(draft, kind, &token);
    Some(token)
}

/// Returns the token of `fullResyncAt` where it goes with a run that waits.
fn full_resync(draft: &mut Draft<'_>, run: Option<&str>) -> Option<String> {
    let kind = RequestKind::FullResync;
    let annotated = new_token(draft, kind);
    if let Some(token) = &annotated {
        let is_late =
            run.is_none() && draft.status.last_handled_reconcile_at.as_ref() == Some(token);
        if draft.seen_generation.is_none() || is_late {
            handled(draft, kind, token);
            return None;
        }
    }
    let run = run?;
    if annotated.as_deref() == Some(run) {
        remember(draft, kind, run);
        return annotated;
    }
    known(draft)
        .find(|it| it.kind == kind && !it.is_handled && it.token == run)
        .filter(|it| echo(draft, kind) != Some(it.token.as_str()))
        .map(|it| it.token.clone())
}

/// Returns whether a token was neither echoed nor written down before.
fn is_new(draft: &Draft<'_>, kind: RequestKind, token: &str) -> bool {
    let is_known = |it: &StoredRequest| it.kind == kind && it.token == token;
    echo(draft, kind) != Some(token) && !known(draft).any(is_known)
}

/// Returns an annotation's token that is new. One that is written down as done with, and whose echo
/// got lost with the status or by a crash between the two, is echoed again.
fn new_token(draft: &mut Draft<'_>, kind: RequestKind) -> Option<String> {
    let token = annotated(draft, kind)?;
    let is_done = |it: &StoredRequest| it.kind == kind && it.token == token && it.is_handled;
    if known(draft).any(is_done) {
        set_echo(draft, kind, &token);
    }
    Some(token).filter(|token| is_new(draft, kind, token))
}

/// Writes down that a request which the status echoes is done with: a crash came between the two.
fn settle_echoed(draft: &mut Draft<'_>) {
    let echoed: Vec<StoredRequest> = known(draft)
        .filter(|it| !it.is_handled && echo(draft, it.kind) == Some(it.token.as_str()))
        .cloned()
        .collect();
    for request in echoed {
        let is_written = draft.before.iter().any(|step| {
            matches!(step, Step::Remember(it) if it.kind == request.kind && it.token == request.token && it.is_handled)
        });
        if !is_written {
            draft.before.push(Step::Remember(StoredRequest { is_handled: true, ..request }));
        }
    }
}

fn annotated(draft: &Draft<'_>, kind: RequestKind) -> Option<String> {
    let name = match kind {
        RequestKind::Run => REQUESTED_AT,
        RequestKind::FullResync => FULL_RESYNC_AT,
        RequestKind::Approve => APPROVE,
        RequestKind::Reset => RESET_STATE,
        RequestKind::Cancel => CANCEL,
    };
    let token = draft.annotation(name)?;
    Some(token.chars().take(TOKEN_LENGTH_MAX).collect())
}

fn echo<'d>(draft: &'d Draft<'_>, kind: RequestKind) -> Option<&'d str> {
    let status = &draft.status;
    match kind {
        RequestKind::Run => status.last_handled_reconcile_at.as_deref(),
        RequestKind::FullResync => status.last_handled_full_resync_at.as_deref(),
        RequestKind::Approve => status.last_handled_approval.as_deref(),
        RequestKind::Reset => status.last_handled_reset.as_deref(),
        RequestKind::Cancel => status.last_handled_cancel.as_deref(),
    }
}

fn set_echo(draft: &mut Draft<'_>, kind: RequestKind, token: &str) {
    let status = &mut draft.status;
    let place = match kind {
        RequestKind::Run => &mut status.last_handled_reconcile_at,
        RequestKind::FullResync => &mut status.last_handled_full_resync_at,
        RequestKind::Approve => &mut status.last_handled_approval,
        RequestKind::Reset => &mut status.last_handled_reset,
        RequestKind::Cancel => &mut status.last_handled_cancel,
    };
    *place = Some(token.to_owned());
}

fn stored(draft: &Draft<'_>, kind: RequestKind, token: &str, is_handled: bool) -> Step {
    let known = known(draft).find(|it| it.kind == kind && it.token == token);
    // Our clock may be behind the one that stamps objects.
    let now = made_at(draft).map_or(draft.stamp, |made_at| draft.stamp.max(made_at));
    let seen_at = known.map_or(now, |known| known.seen_at);
    Step::Remember(StoredRequest { kind, token: token.to_owned(), is_handled, seen_at })
}

fn remember(draft: &mut Draft<'_>, kind: RequestKind, token: &str) {
    let step = stored(draft, kind, token, false);
    draft.before.push(step);
}

/// Echoes a request that is done with before the status is written.
fn handled(draft: &mut Draft<'_>, kind: RequestKind, token: &str) {
    let step = stored(draft, kind, token, true);
    draft.before.push(step);
    set_echo(draft, kind, token);
}

/// Echoes a request that the status announces; it is written down as done with once the run was
/// started.
pub(super) fn started(draft: &mut Draft<'_>, kind: RequestKind, token: &str) {
    let step = stored(draft, kind, token, true);
    draft.after.push(step);
    set_echo(draft, kind, token);
}

/// Acts on what needs no run: cancel, reset, and everything that can only be ignored. Takes it out
/// of `asks`.
pub(super) fn act(draft: &mut Draft<'_>, asks: &mut Asks) {
    if let Some(token) = asks.cancel.take() {
        cancel(draft, &token);
    }
    if draft.running.is_none()
        && !draft.view.is_stopping
        && let Some(token) = asks.reset.take()
    {
        draft.before.push(Step::Reset { token: token.clone() });
        handled(draft, RequestKind::Reset, &token);
        draft.status.blocked = None;
        draft.status.snapshot_rows = Some(0);
        draft.status.parked_rows = Some(0);
    }
    let is_waiting = |draft: &Draft<'_>, id: &str| {
        draft.status.blocked.as_ref().is_some_and(|blocked| blocked.id == id)
    };
    if draft.running.is_none()
        && let Some(id) = asks.approve.take_if(|id| !is_waiting(draft, id))
    {
        handled(draft, RequestKind::Approve, &id);
    }
    if draft.view.suspended.is_some() {
        ignore_while_suspended(draft, asks);
    }
}

/// Returns whether a person asked for this run to be stopped, seen or not yet.
pub(super) fn is_cancelled(draft: &Draft<'_>, run: &str) -> bool {
    let is_stored = |it: &StoredRequest| it.kind == RequestKind::Cancel && it.token == run;
    echo(draft, RequestKind::Cancel) == Some(run)
        || annotated(draft, RequestKind::Cancel).as_deref() == Some(run)
        || known(draft).any(is_stored)
}

/// Stops the run that a token names.
fn cancel(draft: &mut Draft<'_>, token: &str) {
    if let Some(running) = draft.running.filter(|running| running.id.0 == token)
        && running.cancelled != Some(CancelCause::Requested)
    {
        let run = running.id.clone();
        draft.before.push(Step::Cancel { run, cause: CancelCause::Requested });
    }
    stay_stopped(draft, token);
    handled(draft, RequestKind::Cancel, token);
}

/// Makes a cancelled run of one that was interrupted: it is not gone on with.
fn stay_stopped(draft: &mut Draft<'_>, run: &str) {
    let status = &mut draft.status;
    let is_meant = |it: &RunSummary| it.id == run && it.result == RunResult::Interrupted.as_str();
    if !status.last_run.as_ref().is_some_and(is_meant) {
        return;
    }
    for run in status.last_run.iter_mut().chain(&mut status.history).filter(|it| is_meant(it)) {
        RunResult::Cancelled.as_str().clone_into(&mut run.result);
    }
    if draft.ready.status == ConditionStatus::Unknown {
        draft.ready = Ready::cancelled();
    }
}

fn ignore_while_suspended(draft: &mut Draft<'_>, asks: &mut Asks) {
    let Asks { approve, run, full_resync, .. } = asks;
    let ignored = [
        (RequestKind::Approve, approve.take()),
        (RequestKind::Run, run.take()),
        (RequestKind::FullResync, full_resync.take()),
    ];
    let mut names = Vec::new();
    for (kind, token) in ignored {
        let Some(token) = token else { continue };
        handled(draft, kind, &token);
        names.push(token);
    }
    if !names.is_empty() {
        let what =
            format!("request {} was not carried out: the Sync is suspended", names.join(", "));
        draft.notice(EventReason::Suspended, &["resume the Sync, then ask again", &what]);
    }
}

/// Returns what a request's run is called, and echoes it.
pub(super) fn start_run(draft: &mut Draft<'_>, token: &str, full_resync: Option<&str>) -> Trigger {
    started(draft, RequestKind::Run, token);
    let Some(full_resync) = full_resync else { return Trigger::Request };
    started(draft, RequestKind::FullResync, full_resync);
    // An event is never sent again.
    if draft.spec().behavior.as_str() == "append" { Trigger::Request } else { Trigger::FullResync }
}
