//! The client of Customer.io through its public doors, against a server that follows a script.

mod account;
mod app;
mod delivering;
mod description;
mod emulated;
mod holding_back;
mod scripted;
mod secrecy;

use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use ciosync::customerio::spec::{RateLimitSpec, SizeLimitsSpec, UpdateTimestamps};
use ciosync::customerio::{
    Answer, Batch, BatchBuilder, Client, ConnectionConfig, DeliveryError, Limiter, RetryPolicy,
    SendClock, SendContext, Traffic,
};
use ciosync::model::record::Header;
use ciosync::model::secret::Secret;
use ciosync::model::{IdentifierKind, OperationKind, RecordBuf, RecordView, Target, canonical};
use tokio_util::sync::CancellationToken;

/// Far more than any test needs, so that only a fault of ours reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Returns a configuration for a server of this test, with pauses of at most milliseconds.
fn config(endpoint: &str) -> ConnectionConfig {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // Another test of this process may have installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let secret = |text: &str| Secret::new(text.to_owned());
    ConnectionConfig {
        endpoint: Some(endpoint.to_owned()),
        rate: RateLimitSpec {
            requests_per_second: 1_000,
            burst: 3_000,
            records_per_second: 1_000_000,
            max_in_flight: 8,
        },
        retry: RetryPolicy {
            backoff_base: Duration::from_millis(1),
            backoff_max: Duration::from_millis(4),
            account_max: PATIENCE,
        },
        ..ConnectionConfig::new(secret("site-4711"), secret("key-0815"))
    }
}

fn client_of(config: ConnectionConfig) -> Client {
    let limiter = Arc::new(Limiter::new(&config.rate));
    Client::new(config, limiter).unwrap()
}

fn client(endpoint: &str) -> Client {
    client_of(config(endpoint))
}

/// What a run owns and lends to its requests.
struct Run {
    deadline: Instant,
    cancel: CancellationToken,
    may_send: Box<dyn Fn() -> bool + Send + Sync>,
    clock: SendClock,
    traffic: Traffic,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            deadline: Instant::now() + PATIENCE,
            cancel: CancellationToken::new(),
            may_send: Box::new(|| true),
            clock: SendClock::default(),
            traffic: Traffic::default(),
        }
    }
}

impl Run {
    fn context(&self) -> SendContext<'_> {
        SendContext {
            deadline: self.deadline,
            cancel: &self.cancel,
            may_send: &*self.may_send,
            clock: &self.clock,
            traffic: &self.traffic,
        }
    }

    async fn send(&self, client: &Client, batch: &mut Batch) -> Result<Answer, DeliveryError> {
        client.send(batch, &self.context()).await
    }
}

fn record(operation: OperationKind, id: &str) -> RecordBuf {
    let mut record = RecordBuf::default();
    record.start(Header::plain(operation, Target::single(IdentifierKind::Id, id)), 2);
    canonical::write_string(record.attribute("name"), &format!("name of {id}"));
    canonical::write_integer(record.attribute("visits"), 7);
    record
}

/// Returns a batch that identifies people with these ids.
fn batch<'i>(ids: impl IntoIterator<Item = &'i str>) -> Batch {
    let mut builder = BatchBuilder::new(SizeLimitsSpec::default(), UpdateTimestamps::SendTime);
    for id in ids {
        let record = record(OperationKind::PersonIdentify, id);
        builder.push(&RecordView::parse(&record.canonical).unwrap()).unwrap();
    }
    builder.finish().unwrap()
}
