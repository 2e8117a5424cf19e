//! What a run reads back once everything is delivered: changes that Customer.io accepted and dropped
//! later. None of it can make a run fail that delivered well; what could not be read is told.

mod late;
mod matching;
pub(in crate::engine) mod membership;
mod reading;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use self::late::{Kind, Matched};
use self::matching::Matching;
use self::membership::{Membership, NoMembers};
use self::reading::{Failure, Failures, Read, Reading, Since};
use super::error::RunError;
use super::pipeline::Pipeline;
use super::rejected::RejectedRows;
use super::run::RunRequest;
use crate::customerio::app::App;
use crate::customerio::{DeliveryError, SendContext, Traffic};
use crate::model::{IdentifierKind, KeyShape, RunId};
use crate::state::RunLock;
use crate::state::store::{AuditMemo, HandledFailure, SyncMemo};

/// How long readings that don't come to their end try again from the same place, counted from the
/// first of them. After a day of more failures than can be read, those of now matter more.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// How many times as long the members of a segment may take as late failures do: there may be
/// millions, and a part of them says nothing.
const MEMBERS_TIMES: u32 = 10;

/// Everything an audit needs of the run that it follows.
pub(super) struct Audit<'a> {
    pub(super) request: &'a RunRequest,
    pub(super) lock: &'a Arc<RunLock>,
    pub(super) run: &'a RunId,
    pub(super) rejected: &'a RejectedRows,
    /// When the run made its plan: nothing of it was sent before.
    pub(super) planned_at: Timestamp,
    /// The segment whose members rows are.
    pub(super) segment: Option<u64>,
}

/// What an audit came to.
#[derive(Default)]
pub(super) struct Audited {
    /// Rows that count as rejected now.
    pub(super) rejected: u64,
    /// What a person should know, without row values.
    pub(super) notes: Vec<String>,
}

/// Takes note of the plan from which on failures are read, where there is none yet: a run that is
/// interrupted delivered too.
pub(super) fn begin(pipeline: &Pipeline, memo: &mut SyncMemo, planned_at: Timestamp) {
    if pipeline.audit.late_failures && pipeline.client.app().is_some() {
        memo.audit.get_or_insert_default().read_until.get_or_insert(planned_at);
    }
}

impl Audit<'_> {
    /// Reads back what the spec asks for, and writes down how far that went.
    ///
    /// # Errors
    /// Where the state can't be read or written.
    pub(super) async fn run(
        &self,
        memo: &mut SyncMemo,
        context: &SendContext<'_>,
    ) -> Result<Audited, RunError> {
        let pipeline = &self.request.pipeline;
        let mut audited = Audited::default();
        let (Some(app), Some(key_shape)) = (pipeline.client.app(), memo.key_shape.clone()) else {
            return Ok(audited);
        };
        // Counted apart: what a run asked of the Track API says how fast it delivered.
        let traffic = Traffic::default();
        let within = |time_max: Duration| SendContext {
            deadline: context.deadline.min(Instant::now() + time_max),
            traffic: &traffic,
            ..*context
        };
        if pipeline.audit.late_failures {
            let context = within(pipeline.audit.time_max);
            self.late_failures(app, memo, (&key_shape, &context), &mut audited).await?;
        }
        if let Some(segment) = self.segment.filter(|_| pipeline.audit.membership) {
            let context = within(pipeline.audit.time_max * MEMBERS_TIMES);
            match proven(app, memo, &context).await {
                Ok(()) => {
                    self.membership((app, segment), &key_shape, &context, &mut audited).await?;
                }
                Err(problem) => audited.notes.push(not_compared(&problem)),
            }
        }
        for note in &audited.notes {
            warn!(note, "what was delivered could not be audited in full");
        }
        Ok(audited)
    }

    async fn late_failures(
        &self,
        app: App<'_>,
        memo: &mut SyncMemo,
        (key_shape, context): (&KeyShape, &SendContext<'_>),
        audited: &mut Audited,
    ) -> Result<(), RunError> {
        let pipeline = &self.request.pipeline;
        let kinds = Kind::of(pipeline);
        if kinds.is_empty() {
            return Ok(());
        }
        let is_by_phone = pipeline.record.identifier.0 == IdentifierKind::Phone;
        let by_person = [Matched::ByPerson, Matched::ByOnlyOne];
        if is_by_phone && kinds.iter().any(|kind| by_person.contains(&kind.matched)) {
            audited.notes.push(
                "late failures can't be told by phone number: Customer.io names whom they are \
                 about by id, email or cio_id alone"
                    .to_owned(),
            );
            return Ok(());
        }
        let begun_at = Timestamp::now();
        let before = memo.audit.take().unwrap_or_default();
        let since = Since::new(before.read_until, self.planned_at, begun_at);
        audited.notes.extend(since.note());
        let rules = late::Rules::new(pipeline, &memo.attributes, &before);
        let mut reading = Reading::new(rules, since.at);
        let end = match proven(app, memo, context).await {
            Ok(()) => reading.read(app, &kinds, context).await,
            Err(problem) => Err(problem),
        };
        let mut read = reading.finish();
        let failures = std::mem::take(&mut read.failures);
        let by = kinds.first().map_or(Matched::Never, |kind| kind.matched);
        let matched = Matching { audit: self, key_shape, by }.run(failures).await?;
        audited.rejected += matched.rejected;
        read.take_left(matched.left);
        audited.notes.extend(read.notes());
        let Read { told, pages, .. } = read;
        let (read_until, failing_since) = match end {
            Ok(()) => (begun_at, None),
            Err(problem) => {
                audited.notes.push(format!("late failures were not read to the end: {problem}"));
                let failing_since = before.failing_since.unwrap_or(begun_at);
                if pages > 0 && is_given_up(failing_since, begun_at) {
                    let from = since.at;
                    audited.notes.push(format!(
                        "there are too many to read them all: some from {from:.0} on never will be"
                    ));
                    (begun_at, None)
                } else {
                    (since.at, Some(failing_since))
                }
            }
        };
        let handled = [before.handled, matched.handled, told].concat();
        memo.audit = Some(AuditMemo { failing_since, ..remembered(read_until, handled) });
        Ok(())
    }

    /// Finds rows that Customer.io passed over behind a 200, because it knows nobody of that name.
    async fn membership(
        &self,
        (app, segment): (App<'_>, u64),
        key_shape: &KeyShape,
        context: &SendContext<'_>,
        audited: &mut Audited,
    ) -> Result<(), RunError> {
        let RunRequest { pipeline, store, spill_dir, .. } = self.request;
        let membership = Membership { pipeline, store, key_shape, spill_dir };
        let astray = match membership.astray(app, segment, context).await {
            Ok(astray) => astray,
            Err(NoMembers::Failed(error)) => return Err(error),
            Err(NoMembers::Unread(problem)) => {
                audited.notes.push(not_compared(&problem));
                return Ok(());
            }
        };
        let kind = Kind::membership(pipeline.record.operation);
        let failure =
            |hash| (hash, Failure { kind: kind.clone(), field: None, told_by: vec![], rows: 0 });
        let by_hash = astray.hashes.into_iter().map(failure).collect();
        let failures = Failures { by_hash, ..Failures::default() };
        let by = kind.matched;
        let matched = Matching { audit: self, key_shape, by }.run(failures).await?;
        audited.rejected += matched.rejected;
        if astray.more > 0 {
            audited.notes.push(format!(
                "{} more rows are not where they should be in the segment; later runs go on with \
                 them",
                astray.more
            ));
        }
        Ok(())
    }
}

/// Makes sure that the key is of the account that rows were sent to: another one has people of the
/// same names. `Err` says what is wrong, in words for a person.
async fn proven(app: App<'_>, memo: &SyncMemo, context: &SendContext<'_>) -> Result<(), String> {
    let workspace_id = memo.identity.as_ref().map_or(0, |identity| identity.workspace_id);
    app.check(workspace_id, context).await.map_err(|error| in_words(&error))
}

fn in_words(error: &DeliveryError) -> String {
    match error.hint() {
        Some(hint) => format!("{error} ({hint})"),
        None => error.to_string(),
    }
}

fn not_compared(problem: &str) -> String {
    format!("the segment's members were not compared: {problem}")
}

/// Returns whether what was not read by `now` is left, where readings fail since `failing_since`.
fn is_given_up(failing_since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(failing_since) > GIVEN_UP_AFTER
}

/// Returns what is remembered of a reading: of the failures that were counted, those that the next
/// one meets again.
fn remembered(read_until: Timestamp, mut handled: Vec<HandledFailure>) -> AuditMemo {
    let still_due = Since::overlap(read_until);
    handled.retain(|handled| handled.at >= still_due.as_second());
    // The newest are kept; an older one is at worst counted once more.
    handled.sort_by_key(|handled| std::cmp::Reverse(handled.at));
    handled.truncate(AuditMemo::HANDLED_MAX);
    AuditMemo { read_until: Some(read_until), failing_since: None, handled }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_that_no_reading_meets_again_are_forgotten_and_the_newest_kept() {
        let at = |at| HandledFailure { id_hash: 1, at };
        let read_until = Timestamp::from_second(1_772_000_000).unwrap();
        let many = (0..6_000).map(|second| at(1_772_000_000 - second)).collect();

        let memo = remembered(read_until, many);

        assert_eq!(memo.handled.len(), 601);
        let crowd = vec![at(1_772_000_000); 6_000];
        assert_eq!(remembered(read_until, crowd).handled.len(), AuditMemo::HANDLED_MAX);
    }
}
