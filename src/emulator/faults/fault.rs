//! What can go wrong, as data: the same over HTTP and in the process.

use axum::http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

/// Something that goes wrong, and the requests to which it happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub action: Action,
    /// Whether it happens before or after the request takes effect. Rejections ignore it.
    #[serde(default)]
    pub when: When,
    /// How many requests it happens to; all, unless `at` is given, then one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// The first request it happens to, counted from 1 since the fault was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// Only requests whose path starts with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only this share of requests, from 0 to 1, picked at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// The seed of the random pick: the same seed picks the same requests.
    #[serde(default)]
    pub seed: u64,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// 429, with this `Retry-After` (seconds or a date) if any.
    Throttle {
        /// The header's value.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// 429 for whatever exceeds an allowance.
    RateLimit {
        /// Requests allowed per second.
        per_second: f64,
        /// Requests allowed at once; as many as per second when absent.
        #[serde(default)]
        burst: Option<f64>,
        /// Whether the 429 says when to come back, in whole seconds.
        #[serde(default)]
        retry_after: bool,
    },
    /// An answer with this status.
    Fail {
        /// The status.
        status: u16,
        /// What the body looks like.
        #[serde(default)]
        body: Body,
    },
    /// No answer until the client gives up or the emulator stops.
    Hang,
    /// The connection is reset instead of an answer.
    Cut,
    /// The request takes longer.
    Late {
        /// How much longer, in milliseconds.
        delay_ms: u64,
    },
    /// A redirect.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// Where to.
        location: String,
    },
    /// Items of a v2 request are refused, the others take effect.
    Reject {
        /// Which items.
        items: Pick,
        /// How the answer points at them.
        #[serde(default)]
        report: Report,
        /// What the answer says about them.
        #[serde(default)]
        error: Rejection,
    },
}

/// Whether a fault comes before or after a request takes effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The workspace never hears of the request.
    #[default]
    Before,
    /// The workspace has changed, whatever the client is told.
    After,
}

/// The body of a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// An error in JSON, as the API sends it.
    #[default]
    Json,
    /// The page of a proxy that stands in front.
    Html,
    /// Nothing.
    Empty,
    /// The first half of what `Content-Length` promised, then the end of the connection.
    Half,
}

/// Which items of a request are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// By their place in the batch, from 0.
    Indices(Vec<usize>),
    /// Those with this value among their identifiers.
    Identifier(String),
}

/// How a 207 points at the refused items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// By `batch_index`, as documented.
    #[default]
    BatchIndex,
    /// Not at all: `batch_index` is missing.
    NoIndex,
    /// By a `batch_index` that is past the end of the batch.
    WrongIndex,
    /// By a `batch_index` that is a string.
    TextIndex,
}

/// What is said about a refused item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rejection {
    /// The `reason`; no list of them is published.
    pub reason: String,
    /// The `field`.
    pub field: String,
    /// The `message`.
    pub message: String,
}

impl Default for Rejection {
    fn default() -> Self {
        Self {
            reason: "invalid".to_owned(),
            field: "attributes".to_owned(),
            message: "refused by a fault".to_owned(),
        }
    }
}

impl Fault {
    /// Returns a fault that happens to every request, before it takes effect.
    pub fn new(action: Action) -> Self {
        Self { action, when: When::Before, times: None, at: None, path: None, share: None, seed: 0 }
    }

    /// 429 with a `Retry-After` of so many seconds, or without.
    pub fn throttle(retry_after_seconds: Option<u64>) -> Self {
        let retry_after = retry_after_seconds.map(|seconds| seconds.to_string());
        Self::new(Action::Throttle { retry_after })
    }

    /// 429 for whatever exceeds so many requests per second.
    pub fn rate_limit(per_second: f64) -> Self {
        Self::new(Action::RateLimit { per_second, burst: None, retry_after: false })
    }

    /// An answer with this status and kind of body.
    pub fn fail(status: u16, body: Body) -> Self {
        Self::new(Action::Fail { status, body })
    }

    /// No answer.
    pub fn hang() -> Self {
        Self::new(Action::Hang)
    }

    /// A reset connection.
    pub fn cut() -> Self {
        Self::new(Action::Cut)
    }

    /// An answer that takes this much longer.
    pub fn late(delay_ms: u64) -> Self {
        Self::new(Action::Late { delay_ms })
    }

    /// A redirect to `location`.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::new(Action::Redirect { status, location: location.to_owned() })
    }

    /// A 207 that refuses the items at these places.
    pub fn reject_indices(indices: &[usize]) -> Self {
        Self::reject(Pick::Indices(indices.to_vec()))
    }

    /// Refuses the items with this value among their identifiers.
    pub fn reject_identifier(value: &str) -> Self {
        Self::reject(Pick::Identifier(value.to_owned()))
    }

    fn reject(items: Pick) -> Self {
        Self::new(Action::Reject { items, report: Report::default(), error: Rejection::default() })
    }

    /// Points at refused items in another way; changes nothing of other faults.
    #[must_use]
    pub fn reporting(mut self, how: Report) -> Self {
        if let Action::Reject { report, .. } = &mut self.action {
            *report = how;
        }
        self
    }

    /// Lets the request take effect first.
    #[must_use]
    pub fn after_acceptance(mut self) -> Self {
        self.when = When::After;
        self
    }

    /// Happens to so many requests.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Happens to the `at`-th request from now, counted from 1.
    #[must_use]
    pub fn at(mut self, at: u64) -> Self {
        self.at = Some(at);
        self
    }

    /// Happens only to paths that start with this.
    #[must_use]
    pub fn path(mut self, prefix: &str) -> Self {
        self.path = Some(prefix.to_owned());
        self
    }

    /// Happens to a random share of requests, the same for the same seed.
    #[must_use]
    pub fn share(mut self, share: f64, seed: u64) -> Self {
        self.share = Some(share);
        self.seed = seed;
        self
    }

    /// Returns what is wrong with a fault that came over HTTP.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err("share must lie between 0 and 1".to_owned());
        }
        if self.at == Some(0) {
            return Err("at counts from 1".to_owned());
        }
        match &self.action {
            Action::Fail { status, .. } => {
                let final_status =
                    StatusCode::from_u16(*status).ok().filter(|s| *s >= StatusCode::OK);
                final_status
                    .map(|_| ())
                    .ok_or_else(|| format!("{status} is not a final HTTP status"))
            }
            Action::Redirect { status, location } => {
                if !(300..400).contains(status) {
                    return Err(format!("{status} is not a redirect"));
                }
                HeaderValue::from_str(location)
                    .map(|_| ())
                    .map_err(|_| "location cannot stand in a header".to_owned())
            }
            Action::Throttle { retry_after: Some(text) } => HeaderValue::from_str(text)
                .map(|_| ())
                .map_err(|_| "retry_after cannot stand in a header".to_owned()),
            Action::RateLimit { per_second, burst, .. } => {
                let positive = |number: f64| number.is_finite() && number > 0.0;
                if positive(*per_second) && burst.is_none_or(|burst| burst >= 1.0) {
                    Ok(())
                } else {
                    Err("per_second must be above 0, burst at least 1".to_owned())
                }
            }
            Action::Throttle { retry_after: None }
            | Action::Hang
            | Action::Cut
            | Action::Late { .. }
            | Action::Reject { .. } => Ok(()),
        }
    }
}
