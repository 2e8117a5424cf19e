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
use self::reading::{Failure, Reading, Since};
use super::error::RunError;
use super::rejected::RejectedRows;
use super::run::RunRequest;
use crate::customerio::app::App;
use crate::customerio::{SendContext, Traffic};
use crate::model::{IdentifierKind, KeyShape, RunId};
use crate::state::RunLock;
use crate::state::store::{AuditMemo, HandledFailure, SyncMemo};

/// How long readings that don't come to their end try again from the same place. After a day of
/// more failures than can be read, those of now matter more.
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
            self.membership((app, segment), &key_shape, &context, &mut audited).await?;
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
        if is_by_phone && kinds.iter().any(|kind| kind.matched == Matched::ByPerson) {
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
        let end = reading.read(app, &kinds, context).await;
        let read = reading.finish();
        let matched = Matching { audit: self, key_shape }.run(&read.failures).await?;
        audited.rejected += matched.rejected;
        audited.notes.extend(read.notes());
        let read_until = match end {
            Ok(()) => begun_at,
            Err(problem) => {
                audited.notes.push(format!("late failures were not read to the end: {problem}"));
                let is_lost = read.pages > 0 && begun_at.duration_since(since.at) > GIVEN_UP_AFTER;
                if is_lost {
                    let from = since.at;
                    audited.notes.push(format!(
                        "there are too many to read them all: some from {from:.0} on never will be"
                    ));
                }
                if is_lost { begun_at } else { since.at }
            }
        };
        let handled = [before.handled, matched.handled, read.told].concat();
        memo.audit = Some(remembered(read_until, handled));
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
                audited.notes.push(format!("the segment's members were not compared: {problem}"));
                return Ok(());
            }
        };
        let kind = Kind::membership(pipeline.record.operation);
        let failure =
            |hash| (hash, Failure { kind: kind.clone(), field: None, told_by: Vec::new() });
        let failures = astray.hashes.into_iter().map(failure).collect();
        let matched = Matching { audit: self, key_shape }.run(&failures).await?;
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

/// Returns what is remembered of a reading: of the failures that were counted, those that the next
/// one meets again.
fn remembered(read_until: Timestamp, mut handled: Vec<HandledFailure>) -> AuditMemo {
    let still_due = Since::overlap(read_until);
    handled.retain(|handled| handled.at >= still_due.as_second());
    // The newest are kept; an older one is at worst counted once more.
    handled.sort_by_key(|handled| std::cmp::Reverse(handled.at));
    handled.truncate(AuditMemo::HANDLED_MAX);
    AuditMemo { read_until: Some(read_until), handled }
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
