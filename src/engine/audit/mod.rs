//! What a run reads back once everything is delivered: changes that Customer.io accepted and dropped
//! later. None of it can make a run fail that delivered well; what could not be read is told.

mod late;
mod matching;
mod reading;

use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use self::late::Kind;
use self::matching::Matching;
use self::reading::{Reading, Since};
use super::error::RunError;
use super::pipeline::Pipeline;
use super::rejected::RejectedRows;
use super::run::RunRequest;
use crate::customerio::app::App;
use crate::customerio::{SendContext, Traffic};
use crate::model::{IdentifierKind, RunId};
use crate::state::RunLock;
use crate::state::store::{AuditMemo, SyncMemo};

/// How long readings that don't come to their end try again from the same place. After a day of
/// more failures than can be read, those of now matter more.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Everything an audit needs of the run that it follows.
pub(super) struct Audit<'a> {
    pub(super) request: &'a RunRequest,
    pub(super) lock: &'a Arc<RunLock>,
    pub(super) run: &'a RunId,
    pub(super) rejected: &'a RejectedRows,
    /// When the run made its plan: nothing of it was sent before.
    pub(super) planned_at: Timestamp,
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
        let Some(app) = pipeline.client.app() else { return Ok(audited) };
        // Counted apart: what a run asked of the Track API says how fast it delivered.
        let traffic = Traffic::default();
        let deadline = context.deadline.min(Instant::now() + pipeline.audit.time_max);
        let context = SendContext { deadline, traffic: &traffic, ..*context };
        if pipeline.audit.late_failures {
            self.late_failures(app, memo, &context, &mut audited).await?;
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
        context: &SendContext<'_>,
        audited: &mut Audited,
    ) -> Result<(), RunError> {
        let pipeline = &self.request.pipeline;
        let kinds = Kind::of(pipeline);
        if kinds.is_empty() {
            return Ok(());
        }
        if pipeline.record.identifier.0 == IdentifierKind::Phone {
            audited.notes.push(
                "late failures can't be told by phone number: Customer.io names whom they are \
                 about by id, email or cio_id alone"
                    .to_owned(),
            );
            return Ok(());
        }
        let Some(key_shape) = memo.key_shape.clone() else { return Ok(()) };
        let begun_at = Timestamp::now();
        let before = memo.audit.take().unwrap_or_default();
        let since = Since::new(before.read_until, self.planned_at, begun_at);
        audited.notes.extend(since.note());
        let rules = late::Rules::new(pipeline, &memo.attributes, &before);
        let mut reading = Reading::new(rules, since.at);
        let end = reading.read(app, &kinds, context).await;
        let read = reading.finish();
        let matching = Matching { audit: self, key_shape: &key_shape };
        let matched = matching.run(&read.failures).await?;
        audited.rejected += matched.rejected;
        audited.notes.extend(read.note());
        let read_until = match end {
            Ok(()) => begun_at,
            Err(problem) => {
                audited.notes.push(format!("late failures were not read to the end: {problem}"));
                let given_up = read.pages > 0 && begun_at.duration_since(since.at) > GIVEN_UP_AFTER;
                if given_up {
                    let from = since.at;
                    audited.notes.push(format!(
                        "there are too many to read them all: some from {from:.0} on never will be"
                    ));
                }
                if given_up { begun_at } else { since.at }
            }
        };
        let mut handled = before.handled;
        handled.extend(matched.handled);
        let still_due = Since::overlap(read_until);
        handled.retain(|handled| handled.at >= still_due.as_second());
        // The newest are kept; an older one is at worst counted once more.
        handled.sort_by_key(|handled| std::cmp::Reverse(handled.at));
        handled.truncate(AuditMemo::HANDLED_MAX);
        memo.audit = Some(AuditMemo { read_until: Some(read_until), handled });
        Ok(())
    }
}

/// Returns whether late failures of what a Sync sends can be found at all.
pub fn has_late_failures(pipeline: &Pipeline) -> bool {
    !Kind::of(pipeline).is_empty()
}
