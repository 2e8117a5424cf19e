//! One request on its way to an answer, over all its attempts.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::RequestBuilder;

use super::client::Client;
use super::clock;
use super::context::SendContext;
use super::error::{DeliveryError, Fault, Task};
use super::http::{Base, NoReply, Reply};
use super::limiter::{Limiter, Permit};
use super::retry::is_retried;

/// Failures of one request after which a person who watches should know of it.
const FAILURES_WARNED_AT: u32 = 3;

/// What one answer means.
pub(super) enum Verdict<T> {
    /// The request was answered.
    Done(T),
    /// It may be answered the next time.
    Again { fault: Fault, retry_after: Option<Duration> },
    /// It won't be.
    Failed(DeliveryError),
}

/// A request that is made until it is answered.
pub(super) struct Call<'a> {
    client: &'a Client,
    base: &'a Base,
    context: &'a SendContext<'a>,
    task: Task,
    attempts: u32,
    first_sent_at: Option<Instant>,
    last_fault: Option<Fault>,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        client: &'a Client,
        base: &'a Base,
        context: &'a SendContext<'a>,
        task: Task,
    ) -> Self {
        Self { client, base, context, task, attempts: 0, first_sent_at: None, last_fault: None }
    }

    /// Makes the request again and again. `request` returns it with the size of its body, right
    /// before it leaves; `read` judges the body of a 2xx, 400, 413 or 422.
    pub(super) async fn run<T>(
        mut self,
        mut request: impl FnMut() -> (RequestBuilder, usize) + Send,
        read: impl Fn(u16, &[u8]) -> Verdict<T> + Send,
    ) -> Result<T, DeliveryError> {
        loop {
            let permit = self.admit().await?;
            let (request, size_bytes) = request();
            self.context.traffic.count_request(size_bytes, self.attempts > 0);
            self.attempts = self.attempts.saturating_add(1);
            self.first_sent_at.get_or_insert(permit.granted_at);
            let sent_at = Timestamp::now();
            let verdict = match self.client.http.send(self.base, request).await {
                Ok(reply) => {
                    self.heed(&reply, &permit, sent_at);
                    self.judge(&reply, &read)
                }
                Err(NoReply::Fault(fault)) => Verdict::Again { fault, retry_after: None },
                Err(NoReply::Final(error)) => Verdict::Failed(error),
            };
            drop(permit);
            match verdict {
                Verdict::Done(answer) => return Ok(answer),
                Verdict::Failed(error) => return Err(error),
                Verdict::Again { fault, retry_after } => self.back_off(fault, retry_after).await?,
            }
        }
    }

    /// Returns the brake that the request goes by: the App API has one of its own.
    fn limiter(&self) -> &'a Limiter {
        if self.task.is_app() { self.client.app_limiter() } else { self.client.limiter() }
    }

    /// Waits for leave to send, and makes sure that the run still may.
    async fn admit(&self) -> Result<Permit<'a>, DeliveryError> {
        let ends_at = self.ends_at();
        let records = match self.task {
            Task::Account | Task::Ask(_) | Task::Make(_) => 0,
            Task::Batch { records } => records,
        };
        let permit = tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => return Err(DeliveryError::Cancelled),
            () = tokio::time::sleep_until(ends_at.into()) => {
                return Err(self.out_of_time());
            }
            permit = self.limiter().acquire(self.context.traffic, records) => permit,
        };
        self.context.traffic.count_throttled(permit.throttled);
        // Leave that comes at once wins over a timer of this millisecond.
        if Instant::now() >= ends_at {
            return Err(self.out_of_time());
        }
        if (self.context.may_send)() { Ok(permit) } else { Err(DeliveryError::NotAllowed) }
    }

    /// Waits before the next attempt; ends at once where the time would be over by then.
    async fn back_off(
        &mut self,
        fault: Fault,
        retry_after: Option<Duration>,
    ) -> Result<(), DeliveryError> {
        let policy = self.client.config().retry;
        let delay = policy.delay(self.attempts, fastrand::f64(), retry_after);
        self.log(&fault, delay);
        if fault == Fault::Status(429) {
            self.context.traffic.count_throttled(delay);
        }
        let may_be_done = !matches!(fault, Fault::Status(429) | Fault::Unreachable { .. });
        self.last_fault = Some(fault);
        // Twice asked could be twice made.
        if matches!(self.task, Task::Make(_)) && may_be_done {
            return Err(self.out_of_time());
        }
        if Instant::now() + delay >= self.ends_at() {
            return Err(self.out_of_time());
        }
        tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => Err(DeliveryError::Cancelled),
            () = tokio::time::sleep(delay) => Ok(()),
        }
    }

    fn log(&self, fault: &Fault, delay: Duration) {
        let (host, attempt, delay_ms) = (&self.base.host, self.attempts, delay.as_millis());
        if attempt == FAILURES_WARNED_AT {
            tracing::warn!(host, attempt, %fault, "no good answer yet, going on trying");
        } else {
            tracing::debug!(host, attempt, delay_ms, %fault, "request will be made again");
        }
    }

    /// Returns when the time for this request is over: with the run's, and for all but batches a
    /// while after the first attempt.
    fn ends_at(&self) -> Instant {
        let deadline = self.context.deadline;
        match (self.task, self.first_sent_at) {
            (Task::Account | Task::Ask(_) | Task::Make(_), Some(first_sent_at)) => {
                let ends_at = first_sent_at.checked_add(self.client.config().retry.account_max);
                ends_at.map_or(deadline, |ends_at| ends_at.min(deadline))
            }
            (Task::Account | Task::Ask(_) | Task::Make(_), None) | (Task::Batch { .. }, _) => {
                deadline
            }
        }
    }

    fn out_of_time(&self) -> DeliveryError {
        let host = self.base.host.clone();
        match (self.last_fault.clone(), self.first_sent_at) {
            (Some(fault), Some(first_sent_at)) => DeliveryError::GaveUp {
                host,
                fault,
                task: self.task,
                attempts: self.attempts,
                spent: first_sent_at.elapsed(),
            },
            (_, None) | (None, _) => {
                let throttled = self.limiter().throttled_until().is_some();
                DeliveryError::OutOfTime { host, throttled }
            }
        }
    }

    /// Does what an answer asks of the whole connection.
    fn heed(&self, reply: &Reply, permit: &Permit<'_>, sent_at: Timestamp) {
        let (limiter, host) = (self.limiter(), self.base.host.as_str());
        if reply.status == 429 && limiter.slow_down(permit.granted_at) {
            let retry_after_s = reply.retry_after.map(|pause| pause.as_secs());
            tracing::warn!(host, retry_after_s, "asked to slow down: the rate is halved for now");
        }
        if let Some(pause) = reply.retry_after.filter(|_| is_retried(reply.status)) {
            limiter.pause(pause);
        }
        if let Some(date) = reply.date {
            self.client.note_skew(host, clock::skew(date, sent_at, reply.received_at));
        }
    }

    fn judge<T>(&self, reply: &Reply, read: &impl Fn(u16, &[u8]) -> Verdict<T>) -> Verdict<T> {
        let (status, host) = (reply.status, || self.base.host.clone());
        let body = reply.body.as_deref().unwrap_or_default();
        match status {
            300..=399 => {
                let to = reply.location.clone();
                Verdict::Failed(DeliveryError::Redirected { host: host(), status, to })
            }
            401 | 403 => {
                let (host, vendor_text) = (host(), super::answer::vendor_text_of(status, body));
                Verdict::Failed(if self.task.is_app() {
                    DeliveryError::AppKeyRefused { host, status, vendor_text }
                } else {
                    DeliveryError::AuthenticationFailed { host, status, vendor_text }
                })
            }
            status if is_retried(status) => {
                let fault = Fault::Status(status);
                Verdict::Again { fault, retry_after: reply.retry_after }
            }
            200..=299 => match &reply.body {
                Ok(body) => read(status, body),
                Err(fault) => Verdict::Again { fault: fault.clone(), retry_after: None },
            },
            // A refusal counts by its status, whatever became of its words.
            400 | 413 | 422 => read(status, body),
            // What the App API doesn't have is an answer too.
            404 if self.task.is_app() => read(status, body),
            _ => Verdict::Failed(self.base.unexpected(status, body)),
        }
    }
}
