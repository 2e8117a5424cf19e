//! One question to the App API, and its answer over all attempts.

use bytes::Bytes;
use reqwest::Method;

use super::App;
use super::answer::Unread;
use crate::customerio::call::{Call, Verdict};
use crate::customerio::context::SendContext;
use crate::customerio::error::{DeliveryError, Fault, Task};
use crate::customerio::http::AppRequest;

/// What the App API is called in messages.
const NAME: &str = "App API";

/// A request that is put together.
pub(super) struct Question<'q> {
    task: Task,
    method: Method,
    path: &'q [&'q str],
    query: Vec<(&'static str, String)>,
    body: Option<Bytes>,
}

impl<'q> Question<'q> {
    /// Returns a question that changes nothing. `what` follows "attempts to".
    pub(super) fn get(what: &'static str, path: &'q [&'q str]) -> Self {
        Self { task: Task::Ask(what), method: Method::GET, path, query: Vec::new(), body: None }
    }

    /// Returns a question that takes a body and may be repeated.
    pub(super) fn with_body(
        what: &'static str,
        method: Method,
        path: &'q [&'q str],
        body: Bytes,
    ) -> Self {
        Self { task: Task::Ask(what), method, path, query: Vec::new(), body: Some(body) }
    }

    /// Returns a request that makes something: it is not repeated where it may have been carried
    /// out.
    pub(super) fn make(what: &'static str, path: &'q [&'q str], body: Bytes) -> Self {
        let (task, method) = (Task::Make(what), Method::POST);
        Self { task, method, path, query: Vec::new(), body: Some(body) }
    }

    /// Adds a parameter.
    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

impl App<'_> {
    /// Asks until there is an answer; `None` where what was asked for does not exist (404).
    pub(super) async fn ask<T>(
        &self,
        question: Question<'_>,
        context: &SendContext<'_>,
        read: impl Fn(&[u8]) -> Result<T, Unread> + Send + Sync,
    ) -> Result<Option<T>, DeliveryError> {
        let base = self.client.app_base(context).await?;
        let Question { task, method, path, query, body } = question;
        let asked = AppRequest { method, path, query: &query, body };
        let size_bytes = asked.body.as_ref().map_or(0, Bytes::len);
        let request = || (self.client.http.app(&base, &asked), size_bytes);
        let judge = |status: u16, body: &[u8]| match status {
            404 => Verdict::Done(None),
            200..=299 => match read(body) {
                Ok(answer) => Verdict::Done(Some(answer)),
                Err(Unread::NoObject) => {
                    Verdict::Again { fault: Fault::Unreadable { status }, retry_after: None }
                }
                Err(Unread::Strange(problem)) => {
                    let host = base.host.clone();
                    Verdict::Failed(DeliveryError::NotCustomerIo { host, api: NAME, problem })
                }
            },
            _ => Verdict::Failed(base.unexpected(status, body)),
        };
        Call::new(self.client, &base, context, task).run(request, judge).await
    }

    /// Returns the error for a list that every workspace has and this address doesn't.
    pub(super) async fn not_there(
        &self,
        context: &SendContext<'_>,
    ) -> Result<DeliveryError, DeliveryError> {
        let base = self.client.app_base(context).await?;
        Ok(base.unexpected(404, &[]))
    }
}
