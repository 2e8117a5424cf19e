//! A connection ready for use: secrets in hand, every setting with its value.

use std::time::Duration;

use super::retry::RetryPolicy;
use super::spec::{RateLimitSpec, Region, SizeLimitsSpec, UpdateTimestamps};
use crate::model::secret::Secret;

/// A Customer.io workspace, the credentials for it, and how to treat it.
#[derive(Clone, Debug)]
pub struct ConnectionConfig {
    /// The Track API's site id: the user of its Basic authentication.
    pub site_id: Secret,
    /// The Track API's key: the password of its Basic authentication.
    pub api_key: Secret,
    /// The App API's key; `None` where nothing is read back.
    pub app_api_key: Option<Secret>,
    /// The region that the workspace must be in; `None`: found by asking.
    pub region: Option<Region>,
    /// The workspace that the key must belong to; `None`: any.
    pub workspace_id: Option<u64>,
    /// How fast to send, shared by all Syncs of the connection.
    pub rate: RateLimitSpec,
    /// Largest item and largest request.
    pub limits: SizeLimitsSpec,
    /// Whether updates of people carry the time of sending.
    pub update_timestamps: UpdateTimestamps,
    /// Base URL that takes the place of Customer.io's hosts for every request: a proxy, or the
    /// emulator. It may have a path, and neither credentials nor a query.
    pub endpoint: Option<String>,
    /// How failed requests are repeated.
    pub retry: RetryPolicy,
    /// When a request counts as failed.
    pub timeouts: Timeouts,
}

impl ConnectionConfig {
    /// Returns the configuration with these credentials and the defaults of the resource.
    pub fn new(site_id: Secret, api_key: Secret) -> Self {
        Self {
            site_id,
            api_key,
            app_api_key: None,
            region: None,
            workspace_id: None,
            rate: RateLimitSpec::default(),
            limits: SizeLimitsSpec::default(),
            update_timestamps: UpdateTimestamps::default(),
            endpoint: None,
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// When a request counts as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection with TLS to stand.
    pub connect: Duration,
    /// For the whole request, from the first byte sent to the last byte of the answer.
    pub request: Duration,
}

impl Default for Timeouts {
    /// The vendor's own clients wait 10 to 30 seconds for one record; a batch carries a thousand.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(60) }
    }
}

impl Region {
    /// Returns the word for the region in Customer.io's answers and in a resource.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
        }
    }

    /// Returns the base URL of the Track API in the region.
    /// Source: Track API description, `servers`.
    pub fn track_url(self) -> &'static str {
        match self {
            Self::Us => "https://track.customer.io",
            Self::Eu => "https://track-eu.customer.io",
        }
    }

    /// Returns the base URL of the App API in the region.
    /// Source: App API description, `servers`, and the vendor's clients.
    pub fn app_url(self) -> &'static str {
        match self {
            Self::Us => "https://api.customer.io",
            Self::Eu => "https://api-eu.customer.io",
        }
    }

    /// Returns the region of that word; upper and lower case are one.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Us, Self::Eu].into_iter().find(|region| word.eq_ignore_ascii_case(region.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_credentials() {
        let config = ConnectionConfig::new(
            Secret::new("site-1234".to_owned()),
            Secret::new("key-5678".to_owned()),
        );

        let printed = format!("{config:?}");

        assert!(!printed.contains("1234") && !printed.contains("5678"), "{printed}");
    }
}
