//! One workspace: whose it is, and batches into it.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::account::{Account, NoAccount};
use super::answer::{self, Answer};
use super::app::{self, App};
use super::batch::Batch;
use super::call::{Call, Verdict};
use super::clock::SKEW_WARNED_FROM;
use super::config::ConnectionConfig;
use super::context::SendContext;
use super::error::{DeliveryError, Fault, Task};
use super::http::{Base, Http};
use super::limiter::Limiter;
use super::spec::Region;

/// Talks to one workspace with one pair of credentials. Shared by the Syncs of a connection.
pub struct Client {
    config: ConnectionConfig,
    pub(super) http: Http,
    limiter: Arc<Limiter>,
    app_limiter: Arc<Limiter>,
    /// Held by whoever makes something that must not be made twice.
    pub(super) making: tokio::sync::Mutex<()>,
    /// Where requests go; empty until the region is known.
    base: OnceLock<Base>,
    /// Where requests to the App API go; empty until the region is known.
    app_base: OnceLock<Base>,
    skew_ms: AtomicI64,
    skew_reported: AtomicBool,
}

impl Client {
    /// Returns a client for a connection. Connects to nothing yet.
    ///
    /// All clients of one workspace share one limiter, also across a change of credentials. A TLS
    /// provider must be installed in the process before.
    ///
    /// # Errors
    /// Where the endpoint or a credential can't be one.
    pub fn new(config: ConnectionConfig, limiter: Arc<Limiter>) -> Result<Self, DeliveryError> {
        let (base, app_base) = (OnceLock::new(), OnceLock::new());
        for (place, url) in [
            (&base, config.region.map(Region::track_url)),
            (&app_base, config.region.map(Region::app_url)),
        ] {
            let Some(url) = config.endpoint.as_deref().or(url) else { continue };
            let parsed = Base::parse(url).map_err(|problem| DeliveryError::InvalidConfig {
                field: "endpoint",
                problem,
                hint: "write it like https://proxy.example:8443, or leave it out",
            })?;
            place.get_or_init(|| parsed);
        }
        let http = Http::new(&config)?;
        Ok(Self {
            config,
            http,
            limiter,
            app_limiter: Arc::new(app::limiter()),
            making: tokio::sync::Mutex::new(()),
            base,
            app_base,
            skew_ms: AtomicI64::new(0),
            skew_reported: AtomicBool::new(false),
        })
    }

    /// Returns the client with this brake for the App API, which all clients of one workspace share.
    #[must_use]
    pub fn sharing_app_limiter(mut self, limiter: Arc<Limiter>) -> Self {
        self.app_limiter = limiter;
        self
    }

    /// Returns the App API of the workspace; `None` where the connection has no key for it.
    pub fn app(&self) -> Option<App<'_>> {
        self.config.app_api_key.is_some().then(|| App::new(self))
    }

    /// Returns the settings of the connection.
    pub fn config(&self) -> &ConnectionConfig {
        &self.config
    }

    /// Returns the limiter that all requests go through.
    pub fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// Returns the brake that all requests to the App API go through.
    pub(super) fn app_limiter(&self) -> &Limiter {
        &self.app_limiter
    }

    /// Returns where requests to the App API go; asks for the region where it is unknown.
    pub(super) async fn app_base(&self, context: &SendContext<'_>) -> Result<Base, DeliveryError> {
        if let Some(base) = self.app_base.get() {
            return Ok(base.clone());
        }
        let region = self.account(context).await?.region;
        Base::parse(region.app_url()).map_err(no_base)
    }

    /// Asks whose key this is, which also proves the credentials. Where neither region nor
    /// endpoint is configured, all later requests go to the region answered here.
    ///
    /// Waits, repeats and ends as [`Client::send`] does, but repeats for a minute at most
    /// (`RetryPolicy::account_max`).
    ///
    /// # Errors
    /// As [`Client::send`], and where region or workspace differ from those configured.
    pub async fn account(&self, context: &SendContext<'_>) -> Result<Account, DeliveryError> {
        let base = match self.base.get() {
            Some(base) => base.clone(),
            None => region_base(Region::Us)?,
        };
        let request = || (self.http.account(&base), 0);
        let read = |status: u16, body: &[u8]| match Account::from_answer(body) {
            Ok(account) if is_success(status) => Verdict::Done(account),
            Err(NoAccount::Strange(problem)) if is_success(status) => {
                Verdict::Failed(DeliveryError::NotCustomerIo {
                    host: base.host.clone(),
                    api: "Track API",
                    problem,
                })
            }
            Err(NoAccount::Unreadable) if is_success(status) => {
                Verdict::Again { fault: Fault::Unreadable { status }, retry_after: None }
            }
            Ok(_) | Err(_) => Verdict::Failed(base.unexpected(status, body)),
        };
        let account = Call::new(self, &base, context, Task::Account).run(request, read).await?;
        account.check(&self.config)?;
        let base = region_base(account.region)?;
        self.base.get_or_init(|| base);
        let app_base = Base::parse(account.region.app_url()).map_err(no_base)?;
        self.app_base.get_or_init(|| app_base);
        Ok(account)
    }

    /// Proves every credential of the connection without side effects: asks whose key this is, and
    /// for the App API where the connection has a key for it.
    ///
    /// # Errors
    /// As [`Client::account`]; the message names the key that was refused.
    pub async fn probe(&self, context: &SendContext<'_>) -> Result<Account, DeliveryError> {
        let account = self.account(context).await?;
        if let Some(app) = self.app() {
            app.check(account.workspace_id, context).await?;
        }
        Ok(account)
    }

    /// Sends a batch until it is answered.
    ///
    /// Right before it is first put on the wire the batch is stamped with the Sync's clock. A
    /// retry sends the same bytes, and is stamped anew where more than 30 s have passed since.
    /// Network faults, 408, 425, 429 and 5xx are repeated until the deadline. A cancel or the
    /// deadline ends the waiting; a request in flight is finished.
    ///
    /// When the future is dropped, the batch may or may not have been accepted.
    ///
    /// # Errors
    /// Where the batch was not answered, or in a way that stops the run. Whether its last request
    /// was accepted is then unknown; sending it again is safe.
    pub async fn send(
        &self,
        batch: &mut Batch,
        context: &SendContext<'_>,
    ) -> Result<Answer, DeliveryError> {
        let base = match self.base.get() {
            Some(base) => base,
            None => {
                self.account(context).await?;
                let missing = || DeliveryError::Internal("the region is unknown".to_owned());
                self.base.get().ok_or_else(missing)?
            }
        };
        let item_count = batch.len();
        let task = Task::Batch { records: item_count };
        let request = || {
            let now = Instant::now();
            if batch.is_stamp_due(now) {
                batch.stamp(context.clock.second(Timestamp::now()), now);
            }
            (self.http.batch(base, batch.route(), batch.wire()), batch.body().len())
        };
        let read = |status: u16, body: &[u8]| match answer::of_batch(status, body, item_count) {
            Ok(answer) => Verdict::Done(answer),
            Err(answer::Unreadable) => {
                Verdict::Again { fault: Fault::Unreadable { status }, retry_after: None }
            }
        };
        Call::new(self, base, context, task).run(request, read).await
    }

    /// Returns how far Customer.io's clock is ahead of ours (negative: behind), as its last answer
    /// showed; zero before the first answer, and where request and answer enclose its date.
    pub fn clock_skew(&self) -> SignedDuration {
        SignedDuration::from_millis(self.skew_ms.load(Ordering::Relaxed))
    }

    /// Remembers the difference of the clocks, and warns once where it is large.
    pub(super) fn note_skew(&self, host: &str, skew: SignedDuration) {
        let skew_ms = i64::try_from(skew.as_millis()).unwrap_or(i64::MAX);
        self.skew_ms.store(skew_ms, Ordering::Relaxed);
        if skew.unsigned_abs() > SKEW_WARNED_FROM
            && !self.skew_reported.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                host,
                skew_ms,
                "the clock here differs from customer.io's; it may drop updates that seem old"
            );
        }
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

fn region_base(region: Region) -> Result<Base, DeliveryError> {
    Base::parse(region.track_url()).map_err(no_base)
}

fn no_base(problem: String) -> DeliveryError {
    DeliveryError::Internal(format!("the region's address {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customerio::testing;

    fn host(region: Option<Region>, endpoint: Option<&str>) -> Option<String> {
        let endpoint = endpoint.map(str::to_owned);
        let config = ConnectionConfig { region, endpoint, ..testing::config() };
        let limiter = Arc::new(Limiter::new(&config.rate));
        let client = Client::new(config, limiter).unwrap();
        client.base.get().map(|base| base.host.clone())
    }

    #[tokio::test]
    async fn an_endpoint_goes_before_the_region_and_an_unknown_region_is_asked_for() {
        assert_eq!(host(Some(Region::Us), None).as_deref(), Some("track.customer.io"));
        assert_eq!(host(Some(Region::Eu), None).as_deref(), Some("track-eu.customer.io"));
        let endpoint = Some("http://127.0.0.1:1");
        assert_eq!(host(Some(Region::Eu), endpoint).as_deref(), Some("127.0.0.1:1"));
        assert_eq!(host(None, None), None);
    }
}
