//! What was asked of the vendor's endpoints: counters, the latest requests, and a watch on both.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use serde::Serialize;
use tokio::sync::watch;

use crate::emulator::lock::lock;

/// Requests kept for a look; older ones are only counted.
const KEPT_MAX: usize = 1_000;

/// Totals over every request to the vendor's endpoints; the emulator's own pages do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests whose head has arrived.
    pub requests_started: u64,
    /// Requests that were answered, cut or abandoned by the client.
    pub requests_finished: u64,
    /// Requests that wait for a release.
    pub requests_held: u64,
    /// The most requests there ever were at once.
    pub in_flight_max: u64,
    /// Items accepted: of batches each one, of other requests one.
    pub items_accepted: u64,
    /// Items of v2 requests that were refused.
    pub items_rejected: u64,
    /// Bytes of bodies received.
    pub body_bytes: u64,
    /// Requests to `/api/v2/batch` that were answered with 200 or 207.
    pub batches: u64,
    /// Bytes of those batches.
    pub batch_bytes: u64,
    /// Answers with 429.
    pub throttled: u64,
}

/// One request as it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// The request's number, from 1, in the order of arrival.
    pub number: u64,
    /// The HTTP method.
    pub method: String,
    /// The route, for instance `/api/v1/customers/{identifier}`.
    pub endpoint: String,
    /// The path as sent.
    pub path: String,
    /// The status answered; 0 where no answer was given.
    pub status: u16,
    /// Bytes of the body.
    pub body_bytes: u64,
    /// Items accepted.
    pub items_accepted: u64,
    /// Items refused.
    pub items_rejected: u64,
    /// The fault that struck, if any.
    pub fault: Option<&'static str>,
    /// From arrival to the answer, in microseconds.
    pub duration_us: u64,
}

/// How often an endpoint answered with one status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointCount {
    /// Method and route.
    pub endpoint: String,
    /// The status; 0 where no answer was given.
    pub status: u16,
    /// The number of requests.
    pub count: u64,
    /// Bytes of their bodies.
    pub body_bytes: u64,
}

/// Items accepted and refused, as a handler reports them with its response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ItemCounts {
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
}

/// The log of requests.
#[derive(Debug)]
pub(crate) struct RequestLog {
    kept: Mutex<Kept>,
    stats: watch::Sender<Stats>,
}

#[derive(Debug, Default)]
struct Kept {
    latest: VecDeque<RequestRecord>,
    counts: BTreeMap<(String, u16), (u64, u64)>,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self { kept: Mutex::default(), stats: watch::Sender::new(Stats::default()) }
    }
}

impl RequestLog {
    /// Notes a request's arrival; the visit ends when it is dropped.
    pub(crate) fn begin(&self, parts: &Parts) -> Visit<'_> {
        let mut number = 0;
        self.stats.send_modify(|stats| {
            stats.requests_started += 1;
            number = stats.requests_started;
            let in_flight = stats.requests_started - stats.requests_finished;
            stats.in_flight_max = stats.in_flight_max.max(in_flight);
        });
        let endpoint = parts
            .extensions
            .get::<MatchedPath>()
            .map_or("(unknown)", MatchedPath::as_str)
            .to_owned();
        Visit {
            log: self,
            started: Instant::now(),
            held: false,
            record: RequestRecord {
                number,
                method: parts.method.to_string(),
                endpoint,
                path: parts.uri.path().to_owned(),
                status: 0,
                body_bytes: 0,
                items_accepted: 0,
                items_rejected: 0,
                fault: None,
                duration_us: 0,
            },
        }
    }

    /// Returns a watch on the totals.
    pub(crate) fn watch(&self) -> watch::Receiver<Stats> {
        self.stats.subscribe()
    }

    /// Returns the latest requests, newest first.
    pub(crate) fn latest(&self) -> Vec<RequestRecord> {
        self.kept().latest.iter().rev().cloned().collect()
    }

    /// Returns the counts by endpoint and status.
    pub(crate) fn counts(&self) -> Vec<EndpointCount> {
        self.kept()
            .counts
            .iter()
            .map(|((endpoint, status), (count, body_bytes))| EndpointCount {
                endpoint: endpoint.clone(),
                status: *status,
                count: *count,
                body_bytes: *body_bytes,
            })
            .collect()
    }

    /// Forgets everything but the requests still under way.
    pub(crate) fn clear(&self) {
        *self.kept() = Kept::default();
        self.stats.send_modify(|stats| {
            let in_flight = stats.requests_started - stats.requests_finished;
            *stats = Stats {
                requests_started: in_flight,
                requests_held: stats.requests_held,
                in_flight_max: in_flight,
                ..Stats::default()
            };
        });
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }
}

/// One request under way.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    log: &'a RequestLog,
    started: Instant,
    held: bool,
    /// What the log will say; without a status until there is one.
    pub(crate) record: RequestRecord,
}

impl Visit<'_> {
    /// Notes that the request waits for a release, or no longer does.
    pub(crate) fn set_held(&mut self, held: bool) {
        if self.held != held {
            self.held = held;
            self.log.stats.send_modify(|stats| {
                if held {
                    stats.requests_held += 1;
                } else {
                    stats.requests_held = stats.requests_held.saturating_sub(1);
                }
            });
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.set_held(false);
        let duration = self.started.elapsed().as_micros();
        self.record.duration_us = u64::try_from(duration).unwrap_or(u64::MAX);
        let record = &self.record;

        let mut kept = self.log.kept();
        let endpoint = format!("{} {}", record.method, record.endpoint);
        let (count, bytes) = kept.counts.entry((endpoint, record.status)).or_default();
        *count += 1;
        *bytes += record.body_bytes;
        if kept.latest.len() == KEPT_MAX {
            kept.latest.pop_front();
        }
        kept.latest.push_back(record.clone());
        drop(kept);

        let is_batch = record.endpoint == "/api/v2/batch" && matches!(record.status, 200 | 207);
        self.log.stats.send_modify(|stats| {
            stats.requests_finished += 1;
            stats.items_accepted += record.items_accepted;
            stats.items_rejected += record.items_rejected;
            stats.body_bytes += record.body_bytes;
            stats.batches += u64::from(is_batch);
            stats.batch_bytes += if is_batch { record.body_bytes } else { 0 };
            stats.throttled += u64::from(record.status == 429);
        });
    }
}
