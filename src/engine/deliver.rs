//! The second half of a run: changes into batches, batches to Customer.io, answers into the state.
//!
//! One future does all of it, with several requests in flight and a commit beside them; what waits
//! for a commit goes with the next one. Whatever ends it early, requests in flight are finished and
//! their answers committed.

mod journal;

use std::collections::VecDeque;
use std::path::PathBuf;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use self::journal::{Unwritten, Writing};
use super::changes::Changes;
use super::commit::Committer;
use super::error::RunError;
use super::fill::{Filled, Filler};
use super::ledger::Ledger;
use super::progress::Progress;
use super::refusals::Refusals;
use super::rejected::RejectedRows;
use crate::customerio::batch::Batch;
use crate::customerio::{Answer, Client, DeliveryError, ItemError, SendContext};
use crate::diff::Guards;
use crate::spill::{SpoolReader, SpoolWriter, spool};

/// Moved rows that are held in memory before they go to a file.
const MOVES_MEMORY_BYTES: usize = 1024 * 1024;

/// What delivering needs besides the changes.
pub struct DeliveryParts<'a> {
    /// Where requests go.
    pub client: &'a Client,
    /// Deadline, lock, clock and counters of the run; its `cancel` is `halt`.
    pub context: SendContext<'a>,
    /// Ends the waiting of all requests, once something went wrong or a person asked for it.
    pub halt: &'a CancellationToken,
    /// Turns changes into batches.
    pub filler: Filler,
    /// Writes what was accepted.
    pub committer: &'a mut Committer,
    /// What is known of refused rows.
    pub rejected: &'a RejectedRows,
    /// Counts what is refused now.
    pub refusals: &'a mut Refusals,
    /// The limits to watch.
    pub guards: Guards,
    /// Where moved rows wait.
    pub spill_dir: PathBuf,
    /// Who watches.
    pub progress: watch::Sender<Progress>,
}

/// A request that was answered, or not.
struct Sent {
    id: u64,
    is_half: bool,
    batch: Batch,
    ledger: Ledger,
    answer: Result<Answer, DeliveryError>,
}

/// Delivers the changes of one run.
pub struct Delivery<'a> {
    parts: DeliveryParts<'a>,
    /// Halves of batches that were refused as a whole, and closed batches that have not begun.
    waiting: VecDeque<(Batch, Ledger, bool)>,
    in_flight: FuturesUnordered<BoxFuture<'a, Sent>>,
    /// What the next commit takes along.
    unwritten: Vec<Unwritten>,
    /// At most one commit.
    writing: FuturesUnordered<Writing<'a>>,
    /// How many of [`Delivery::unwritten`] it took along.
    writing_count: usize,
    /// First keys of what is in flight, by request, for folding below them.
    outstanding: Vec<(u64, Vec<u8>)>,
    next_id: u64,
    in_flight_max: usize,
    moves: Option<SpoolWriter>,
    moves_reader: Option<SpoolReader>,
    failure: Option<RunError>,
}

impl<'a> Delivery<'a> {
    /// Returns a delivery that has sent nothing.
    pub fn new(parts: DeliveryParts<'a>) -> Self {
        let in_flight_max = parts.client.config().rate.max_in_flight.max(1) as usize;
        let (moves, moves_reader) = spool(&parts.spill_dir, MOVES_MEMORY_BYTES);
        Self {
            parts,
            waiting: VecDeque::new(),
            in_flight: FuturesUnordered::new(),
            unwritten: Vec::new(),
            writing: FuturesUnordered::new(),
            writing_count: 0,
            outstanding: Vec::new(),
            next_id: 0,
            in_flight_max,
            moves: Some(moves),
            moves_reader: Some(moves_reader),
            failure: None,
        }
    }

    /// Carries out all changes. Returns when every request is answered and committed.
    ///
    /// # Errors
    /// The first thing that went wrong; what was accepted until then is remembered.
    pub async fn run(mut self, mut changes: Changes) -> Result<(), RunError> {
        self.pass(&mut changes).await;
        if self.failure.is_none() {
            self.second_pass().await;
        }
        if !matches!(self.failure, Some(RunError::State(_)))
            && let Err(error) = self.parts.committer.flush_silent().await
        {
            self.failure.get_or_insert(error);
        }
        match self.failure.take() {
            Some(error) => Err(error),
            None => self.parts.refusals.check_at_end(&self.parts.guards),
        }
    }

    /// Moved rows are sent after their old targets were removed: between the two, neither the
    /// workspace nor the state knows them, so a crash there is mended by the next run.
    async fn second_pass(&mut self) {
        let (Some(moves), Some(reader)) = (self.moves.take(), self.moves_reader.take()) else {
            return;
        };
        // What was remembered silently must not follow keys that come anew.
        let written = match self.parts.committer.flush_silent().await {
            Ok(()) => moves.finish().await.map_err(RunError::from),
            Err(error) => Err(error),
        };
        match written.and_then(|()| Changes::new(reader, None)) {
            Ok(mut moved) => self.pass(&mut moved).await,
            Err(error) => self.fail(error),
        }
    }

    async fn pass(&mut self, changes: &mut Changes) {
        let mut ended = false;
        loop {
            self.begin_waiting();
            if let Err(error) = self.begin_write() {
                self.fail(error);
            }
            let can_fill = self.failure.is_none() && !ended && self.has_room();
            if !can_fill && self.in_flight.is_empty() && self.writing.is_empty() {
                break;
            }
            let close_at = self.parts.filler.close_at();
            let filled = tokio::select! {
                biased;
                Some((items, written)) = self.writing.next(), if !self.writing.is_empty() => {
                    if let Err(error) = self.written(items, written).await {
                        self.fail(error);
                    }
                    continue;
                }
                Some(sent) = self.in_flight.next(), if !self.in_flight.is_empty() => {
                    if let Err(error) = self.answered(sent) {
                        self.fail(error);
                    }
                    continue;
                }
                filled = self.parts.filler.fill(changes, self.parts.committer), if can_fill => filled,
                () = until(close_at), if can_fill && close_at.is_some() => {
                    self.close_batches();
                    continue;
                }
                () = self.parts.halt.cancelled(), if can_fill => {
                    self.fail(RunError::Stopped);
                    continue;
                }
            };
            match filled {
                Ok(filled) => {
                    ended = filled.has_ended;
                    if let Err(error) = self.take(filled).await {
                        self.fail(error);
                    }
                }
                Err(error) => self.fail(error),
            }
        }
    }

    /// Answers that are not yet written count like requests: after a crash both are repeated.
    fn has_room(&self) -> bool {
        self.in_flight.len() + self.unwritten.len() + self.writing_count < self.in_flight_max
    }

    async fn take(&mut self, filled: Filled) -> Result<(), RunError> {
        if let Some((batch, ledger)) = filled.batch {
            self.begin(batch, ledger);
        }
        if let Some(moved) = filled.moved
            && let Some(moves) = &mut self.moves
        {
            moves.push(&moved).await?;
        }
        if filled.is_silent_full {
            self.unwritten.extend(self.parts.committer.take_silent().map(Unwritten::Silent));
        }
        if filled.has_ended {
            self.close_batches();
        }
        Ok(())
    }

    /// Closes what is being filled: a batch of each kind, for which there may not be room at once.
    fn close_batches(&mut self) {
        let closed = self.parts.filler.close().into_iter();
        self.waiting.extend(closed.map(|(batch, ledger)| (batch, ledger, false)));
    }

    /// Sends a batch for the first time, at once where nothing is remembered of its rows.
    fn begin(&mut self, batch: Batch, ledger: Ledger) {
        if ledger.iter().any(|note| note.is_known) {
            self.unwritten.push(Unwritten::Doubted(batch, ledger));
        } else {
            self.dispatch(batch, ledger, false);
        }
    }

    fn begin_waiting(&mut self) {
        while self.failure.is_none()
            && self.has_room()
            && let Some((batch, ledger, is_half)) = self.waiting.pop_front()
        {
            match is_half {
                // Of the whole it was written down.
                true => self.dispatch(batch, ledger, true),
                false => self.begin(batch, ledger),
            }
        }
    }

    fn dispatch(&mut self, mut batch: Batch, ledger: Ledger, is_half: bool) {
        let id = self.next_id;
        self.next_id += 1;
        self.outstanding.push((id, ledger.first_key().unwrap_or_default().to_vec()));
        let (client, context) = (self.parts.client, self.parts.context);
        self.in_flight.push(Box::pin(async move {
            let answer = client.send(&mut batch, &context).await;
            Sent { id, is_half, batch, ledger, answer }
        }));
    }

    fn fail(&mut self, error: RunError) {
        // Others that wait or retry end too; what is on the wire is still answered.
        self.parts.halt.cancel();
        if self.failure.is_none() {
            self.failure = Some(error);
        }
    }

    /// Takes what an answer says. The request counts as done only once that is written.
    fn answered(&mut self, sent: Sent) -> Result<(), RunError> {
        let Sent { id, is_half, batch, ledger, answer } = sent;
        debug!(operation_count = ledger.len(), size_bytes = batch.body().len(), "batch answered");
        let refused = match answer {
            Ok(Answer::Accepted) => {
                if is_half && ledger.len() == 1 {
                    self.parts.refusals.single(None);
                }
                Vec::new()
            }
            Ok(Answer::Partial { rejected }) => rejected,
            Ok(Answer::Refused(error)) => {
                if is_half {
                    self.parts.refusals.single(Some(&error));
                }
                vec![ItemError { index: 0, ..error }]
            }
            Ok(Answer::Split { cause }) => {
                debug!(operation_count = ledger.len(), cause = cause.as_str(), "batch is halved");
                let (first, second) = ledger.split();
                if let Some((front, back)) = batch.split() {
                    self.waiting.push_front((back, second, true));
                    self.waiting.push_front((front, first, true));
                }
                self.done(id);
                return Ok(());
            }
            Err(error) => {
                self.done(id);
                return Err(match error {
                    DeliveryError::Cancelled => RunError::Stopped,
                    error => error.into(),
                });
            }
        };
        self.parts.filler.reuse(batch);
        self.unwritten.push(Unwritten::Answered { id, ledger, refused });
        Ok(())
    }

    fn done(&mut self, id: u64) {
        self.outstanding.retain(|(other, _)| *other != id);
        self.report_progress();
    }

    fn report_progress(&self) {
        let (delivered, rejected) = (self.parts.refusals.accepted(), self.parts.refusals.refused());
        let requests = self.parts.context.traffic.requests();
        self.parts.progress.send_modify(|progress| {
            progress.delivered = delivered;
            progress.rejected = rejected;
            progress.requests = requests;
        });
    }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
}
