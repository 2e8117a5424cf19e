//! Why something could not be asked of Customer.io, or was not answered.

use std::fmt;
use std::time::Duration;

use super::spec::Region;
use super::vendor_text::VendorText;
use crate::model::{Disposition, Reason};

/// What went wrong with one request and may pass by itself.
///
/// The text continues a sentence that begins with the host: "track.customer.io …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection could be made.
    Unreachable {
        /// What the system said: about names, addresses and ports, never about a row.
        cause: String,
    },
    /// No complete answer came within the time for one request.
    TimedOut,
    /// The connection broke before the answer was complete.
    Broken {
        /// What the system said.
        cause: String,
    },
    /// Answered with a status that asks to try again: 408, 429, 5xx.
    Status(u16),
    /// Answered with a status of success and something that Customer.io doesn't answer.
    Unreadable {
        /// The status.
        status: u16,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { cause } => write!(f, "can't be reached: {cause}"),
            Self::TimedOut => f.write_str("did not answer in time"),
            Self::Broken { cause } => write!(f, "broke the connection: {cause}"),
            Self::Status(429) => f.write_str("asked to slow down (status 429)"),
            Self::Status(status) => write!(f, "answered with status {status}"),
            Self::Unreadable { status } => write!(
                f,
                "answered with status {status} and no complete JSON object, so nothing counts as \
                 accepted"
            ),
        }
    }
}

/// What was asked of Customer.io.
///
/// The text follows "attempts to".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// To say whose key it is.
    Account,
    /// To take a batch.
    Batch {
        /// How many records it holds.
        records: usize,
    },
    /// What follows "attempts to", of the App API; to ask it again changes nothing.
    Ask(&'static str),
    /// As [`Task::Ask`], but it makes something anew each time it is carried out.
    Make(&'static str),
}

impl Task {
    /// Returns whether the request goes to the App API.
    pub(super) fn is_app(self) -> bool {
        matches!(self, Self::Ask(_) | Self::Make(_))
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str("look up the account"),
            Self::Batch { records: 1 } => f.write_str("deliver 1 record"),
            Self::Batch { records } => write!(f, "deliver {records} records"),
            Self::Ask(what) | Self::Make(what) => f.write_str(what),
        }
    }
}

/// Why a delivery, or a look at the account, came to nothing.
///
/// No text holds a row's value or a credential. Customer.io's own words are apart, in
/// [`DeliveryError::vendor_text`].
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The settings of the connection can't be used.
    #[error("the connection's {field} {problem}")]
    InvalidConfig {
        /// The field of the resource.
        field: &'static str,
        /// What is wrong with it, in words that follow the field's name.
        problem: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The credentials were refused.
    #[error("{host} refused the credentials (status {status})")]
    AuthenticationFailed {
        /// The host, with its port where that is not the usual one.
        host: String,
        /// 401 or 403.
        status: u16,
        /// Customer.io's own words.
        vendor_text: Option<VendorText>,
    },
    /// The App API key was refused.
    #[error("{host} refused the App API key (status {status})")]
    AppKeyRefused {
        /// The host, with its port where that is not the usual one.
        host: String,
        /// 401 or 403.
        status: u16,
        /// Customer.io's own words.
        vendor_text: Option<VendorText>,
    },
    /// The App API key belongs to another account than the Track API credentials.
    #[error("the App API key belongs to an account that has no workspace {workspace_id}")]
    AppKeyElsewhere {
        /// The workspace of the Track API credentials.
        workspace_id: u64,
    },
    /// The account is in another region than the connection says.
    #[error("the workspace is in region {}, the connection says {}", found.as_str(), expected.as_str())]
    RegionMismatch {
        /// What the connection says.
        expected: Region,
        /// What Customer.io answered.
        found: Region,
    },
    /// The key belongs to another workspace than the connection says.
    #[error("the key belongs to workspace {found}, the connection says {expected}")]
    WorkspaceMismatch {
        /// What the connection says.
        expected: u64,
        /// What Customer.io answered.
        found: u64,
    },
    /// Answered with a redirect, which is never followed: it would carry credentials and people
    /// to another host.
    #[error("{host} redirected to {} (status {status})", to.as_deref().unwrap_or("nowhere"))]
    Redirected {
        /// The host that was asked.
        host: String,
        /// The status.
        status: u16,
        /// The host that it pointed to.
        to: Option<String>,
    },
    /// The host's certificate is not trusted.
    #[error("the certificate of {host} is not trusted: {cause}")]
    Untrusted {
        /// The host.
        host: String,
        /// What the check of the certificate said.
        cause: String,
    },
    /// Answered with a status that retrying won't change.
    #[error("{host} answered with status {status}")]
    UnexpectedStatus {
        /// The host.
        host: String,
        /// The status.
        status: u16,
        /// Customer.io's own words.
        vendor_text: Option<VendorText>,
    },
    /// A question was answered by something that is not Customer.io.
    #[error("{host} does not answer as Customer.io's {api} does: {problem}")]
    NotCustomerIo {
        /// The host.
        host: String,
        /// Which of its APIs was asked.
        api: &'static str,
        /// What is missing or unknown in the answer.
        problem: &'static str,
    },
    /// The time for the request was over, and its last attempt had failed. It is the run's time,
    /// and less for the account (`RetryPolicy::account_max`).
    #[error("{host} {fault}; gave up {} in {} s", tried(*attempts, *task), spent.as_secs())]
    GaveUp {
        /// The host.
        host: String,
        /// What the last attempt ended with.
        fault: Fault,
        /// What was asked for.
        task: Task,
        /// How many attempts were made.
        attempts: u32,
        /// How long after the first attempt left it was given up.
        spent: Duration,
    },
    /// The run's time was over before the request was first made.
    #[error("the time was over before {host} could be asked")]
    OutOfTime {
        /// The host.
        host: String,
        /// Whether the request waited because Customer.io had asked to slow down.
        throttled: bool,
    },
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The run may no longer send: its lock is not held any more.
    #[error("the run no longer holds its lock, so nothing more was sent")]
    NotAllowed,
    /// Our own invariant broke.
    #[error("internal error in the client of Customer.io: {0}")]
    Internal(String),
}

impl DeliveryError {
    /// Returns what the error means for what comes next.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::InvalidConfig { .. }
            | Self::AuthenticationFailed { .. }
            | Self::AppKeyRefused { .. }
            | Self::AppKeyElsewhere { .. }
            | Self::RegionMismatch { .. }
            | Self::WorkspaceMismatch { .. }
            | Self::Redirected { .. }
            | Self::Untrusted { .. }
            | Self::UnexpectedStatus { .. }
            | Self::NotCustomerIo { .. } => Disposition::NeedsOperator,
            Self::GaveUp { .. } | Self::OutOfTime { .. } | Self::Cancelled | Self::NotAllowed => {
                Disposition::Transient
            }
            Self::Internal(_) => Disposition::Bug,
        }
    }

    /// Returns the reason that names the error in conditions and output.
    pub fn reason(&self) -> Reason {
        match self {
            Self::InvalidConfig { .. } => Reason::InvalidSpec,
            Self::AuthenticationFailed { .. } | Self::AppKeyRefused { .. } => {
                Reason::AuthenticationFailed
            }
            Self::AppKeyElsewhere { .. } => Reason::WorkspaceMismatch,
            Self::RegionMismatch { .. } => Reason::RegionMismatch,
            Self::WorkspaceMismatch { .. } => Reason::WorkspaceMismatch,
            Self::GaveUp { fault: Fault::Status(429), .. }
            | Self::OutOfTime { throttled: true, .. } => Reason::RateLimited,
            Self::OutOfTime { throttled: false, .. } => Reason::Timeout,
            Self::Redirected { .. }
            | Self::Untrusted { .. }
            | Self::UnexpectedStatus { .. }
            | Self::NotCustomerIo { .. }
            | Self::GaveUp { .. } => Reason::ConnectionNotReady,
            Self::Cancelled => Reason::RunFailed,
            Self::NotAllowed => Reason::StateUnavailable,
            Self::Internal(_) => Reason::Internal,
        }
    }

    /// Returns what the person should do next, where that is more than to try again.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::InvalidConfig { hint, .. } => (*hint).to_owned(),
            Self::AuthenticationFailed { .. } => "check `siteId` and `apiKey`: they are the Track \
                API credentials under Settings > API and webhook credentials in Customer.io, not \
                an App API key"
                .to_owned(),
            Self::AppKeyRefused { .. } => "check `appApiKey`: it is an App API key under Settings > \
                API and webhook credentials > App API keys in Customer.io, not the Track API's, and \
                it must allow the addresses that ciosync comes from"
                .to_owned(),
            Self::AppKeyElsewhere { .. } => "give the App API key of the same workspace as `siteId` \
                and `apiKey`"
                .to_owned(),
            Self::RegionMismatch { found, .. } => {
                format!("set `region: {}`, or leave it out", found.as_str())
            }
            Self::WorkspaceMismatch { found, .. } => format!(
                "use the key of the workspace you meant, or set `workspaceId: {found}` if this is it"
            ),
            Self::Redirected { to, .. } => redirect_hint(to.as_deref()),
            Self::Untrusted { .. } => "check `endpoint`, and that the authority that signed the \
                host's certificate is among the trusted ones where ciosync runs"
                .to_owned(),
            Self::UnexpectedStatus { status: 404 | 405, .. } | Self::NotCustomerIo { .. } => {
                "check `endpoint`: it replaces https://track.customer.io and \
                 https://api.customer.io, without /api"
                    .to_owned()
            }
            Self::UnexpectedStatus { .. } => {
                "look at the state of the account in Customer.io, and at any proxy on the way"
                    .to_owned()
            }
            Self::GaveUp { fault: Fault::Status(429), .. }
            | Self::OutOfTime { throttled: true, .. } => {
                "lower `rateLimit` of the connection, or raise `timeout` of the Sync".to_owned()
            }
            Self::OutOfTime { throttled: false, .. } => {
                "raise `timeout` of the Sync, or `rateLimit` of the connection".to_owned()
            }
            Self::GaveUp { fault: Fault::Unreachable { .. }, .. } => {
                "check that the host can be reached from where ciosync runs (names, proxies, \
                 network policies), and `endpoint` where the connection has one"
                    .to_owned()
            }
            Self::GaveUp { fault: Fault::Unreadable { .. }, .. } => {
                "something on the way answers in Customer.io's place: check proxies, and \
                 `endpoint` where the connection has one"
                    .to_owned()
            }
            Self::GaveUp { .. } | Self::Cancelled | Self::NotAllowed | Self::Internal(_) => {
                return None;
            }
        };
        Some(hint)
    }

    /// Returns Customer.io's own words, which are shown only where a person asked for values.
    pub fn vendor_text(&self) -> Option<&VendorText> {
        match self {
            Self::AuthenticationFailed { vendor_text, .. }
            | Self::AppKeyRefused { vendor_text, .. }
            | Self::UnexpectedStatus { vendor_text, .. } => vendor_text.as_ref(),
            Self::InvalidConfig { .. }
            | Self::AppKeyElsewhere { .. }
            | Self::RegionMismatch { .. }
            | Self::WorkspaceMismatch { .. }
            | Self::Redirected { .. }
            | Self::Untrusted { .. }
            | Self::NotCustomerIo { .. }
            | Self::GaveUp { .. }
            | Self::OutOfTime { .. }
            | Self::Cancelled
            | Self::NotAllowed
            | Self::Internal(_) => None,
        }
    }
}

fn tried(attempts: u32, task: Task) -> String {
    let attempts_word = if attempts == 1 { "attempt" } else { "attempts" };
    format!("after {attempts} {attempts_word} to {task}")
}

fn redirect_hint(to: Option<&str>) -> String {
    let region = [Region::Us, Region::Eu].into_iter().find(|region| {
        let urls = [region.track_url(), region.app_url()];
        to.is_some_and(|host| urls.iter().any(|url| url.ends_with(&format!("/{host}"))))
    });
    match region {
        Some(region) => format!("set `region: {}`", region.as_str()),
        None => "set `endpoint` to the address that answers itself, or leave it out".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_to_the_other_region_names_the_region() {
        let error = |to: &str| DeliveryError::Redirected {
            host: "track.customer.io".to_owned(),
            status: 301,
            to: Some(to.to_owned()),
        };

        assert_eq!(error("track-eu.customer.io").hint().unwrap(), "set `region: eu`");
        assert_eq!(error("track.customer.io").hint().unwrap(), "set `region: us`");
        assert!(error("login.example").hint().unwrap().contains("endpoint"));
        assert!(error("customer.io").hint().unwrap().contains("endpoint"));
    }

    #[test]
    fn being_throttled_to_the_end_has_a_reason_of_its_own() {
        let gave_up = |fault| DeliveryError::GaveUp {
            host: "h".to_owned(),
            fault,
            task: Task::Batch { records: 500 },
            attempts: 9,
            spent: Duration::from_secs(3600),
        };

        assert_eq!(gave_up(Fault::Status(429)).reason(), Reason::RateLimited);
        assert_eq!(gave_up(Fault::Status(503)).reason(), Reason::ConnectionNotReady);
        let message = gave_up(Fault::Status(503)).to_string();
        assert_eq!(
            message,
            "h answered with status 503; gave up after 9 attempts to deliver 500 records in 3600 s"
        );
    }
}
