//! HTTP to Customer.io: one request, one answer read to its end, and nothing decided.

use std::error::Error as _;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, Url};

use super::answer;
use super::batch::Route;
use super::clock::parse_http_date;
use super::config::ConnectionConfig;
use super::error::{DeliveryError, Fault};
use super::retry::parse_retry_after;
use crate::model::secret::Secret;

/// Largest answer that is read, in bytes. One that lists an error of 300 bytes for every item of
/// the largest batch has 1.5 MB.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

const USER_AGENT: &str = concat!("ciosync/", env!("CARGO_PKG_VERSION"));

/// An address that requests go to.
#[derive(Clone)]
pub(super) struct Base {
    /// Without a slash at its end.
    url: String,
    parsed: Url,
    /// Host, and port where it is not the usual one: what messages show.
    pub(super) host: String,
}

impl Base {
    /// Reads an address; `Err` says what is wrong, in words that follow its name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text.trim()).map_err(|error| format!("is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("starts neither with https:// nor with http://".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds credentials".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("has a query or a fragment".to_owned());
        }
        let host = host_of(&url).ok_or("names no host")?;
        Ok(Self { url: url.as_str().trim_end_matches('/').to_owned(), parsed: url, host })
    }

    /// Returns the error for an answer that retrying won't change.
    pub(super) fn unexpected(&self, status: u16, body: &[u8]) -> DeliveryError {
        let vendor_text = answer::vendor_text_of(status, body);
        DeliveryError::UnexpectedStatus { host: self.host.clone(), status, vendor_text }
    }
}

fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    /// The whole body; the fault where it broke off.
    pub(super) body: Result<Bytes, Fault>,
    /// How long the server asks to wait, from when the answer came.
    pub(super) retry_after: Option<std::time::Duration>,
    /// The server's clock.
    pub(super) date: Option<Timestamp>,
    /// The host that a redirect points to.
    pub(super) location: Option<String>,
    /// When the answer came.
    pub(super) received_at: Timestamp,
}

/// Why there is no answer.
pub(super) enum NoReply {
    Fault(Fault),
    Final(DeliveryError),
}

/// Sends requests with the credentials of one connection.
pub(super) struct Http {
    client: reqwest::Client,
    site_id: Secret,
    api_key: Secret,
    app_key: Option<Secret>,
}

/// A request to the App API.
pub(super) struct AppRequest<'a> {
    pub(super) method: Method,
    /// The parts of the path, as they are before they are encoded.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'static str, String)],
    /// JSON.
    pub(super) body: Option<Bytes>,
}

impl Http {
    pub(super) fn new(config: &ConnectionConfig) -> Result<Self, DeliveryError> {
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(config.timeouts.connect)
            .timeout(config.timeouts.request)
            .build()
            .map_err(|error| {
                DeliveryError::Internal(format!("no HTTP client: {}", root(&error)))
            })?;
        Ok(Self {
            client,
            site_id: credential(&config.site_id, "siteId")?,
            api_key: credential(&config.api_key, "apiKey")?,
            app_key: match &config.app_api_key {
                Some(key) => Some(credential(key, "appApiKey")?),
                None => None,
            },
        })
    }

    /// Returns the question for the account's region and workspace.
    pub(super) fn account(&self, base: &Base) -> RequestBuilder {
        self.authorized(self.client.get(format!("{}/api/v1/accounts/region", base.url)))
    }

    /// Returns a request with a batch.
    pub(super) fn batch(&self, base: &Base, route: Route, body: Bytes) -> RequestBuilder {
        let url = match route {
            Route::Batch => format!("{}/api/v2/batch", base.url),
            Route::Segment { id, identifier, is_removal } => {
                let call = if is_removal { "remove_customers" } else { "add_customers" };
                let id_type = identifier.as_str();
                format!("{}/api/v1/segments/{id}/{call}?id_type={id_type}", base.url)
            }
        };
        self.authorized(self.client.post(url)).header(CONTENT_TYPE, "application/json").body(body)
    }

    /// Returns a request to the App API.
    pub(super) fn app(&self, base: &Base, asked: &AppRequest<'_>) -> RequestBuilder {
        let mut url = base.parsed.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            // An address may end with a slash, which would leave an empty part.
            path.pop_if_empty().extend(asked.path);
        }
        let mut request = self.client.request(asked.method.clone(), url).query(asked.query);
        if let Some(key) = &self.app_key {
            // Marks the header as sensitive too.
            request = request.bearer_auth(key.expose());
        }
        match &asked.body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.clone()),
            None => request,
        }
    }

    /// Marks the header as sensitive, so no log of the libraries below shows it.
    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(self.site_id.expose(), Some(self.api_key.expose()))
    }

    /// Sends a request and reads its answer to the end.
    ///
    /// When the future is dropped the request may or may not have been acted upon.
    pub(super) async fn send(
        &self,
        base: &Base,
        request: RequestBuilder,
    ) -> Result<Reply, NoReply> {
        let response = request.send().await.map_err(|error| no_reply(base, &error))?;
        let received_at = Timestamp::now();
        let headers = response.headers();
        Ok(Reply {
            status: response.status().as_u16(),
            retry_after: header(headers, &RETRY_AFTER)
                .and_then(|text| parse_retry_after(text, received_at)),
            date: header(headers, &DATE).and_then(parse_http_date),
            location: header(headers, &LOCATION)
                .and_then(|to| response.url().join(to).ok())
                .and_then(|url| host_of(&url)),
            received_at,
            body: read_body(response).await,
        })
    }
}

/// Takes white space off a credential: a Secret made from a file mostly ends with a line feed.
fn credential(secret: &Secret, field: &'static str) -> Result<Secret, DeliveryError> {
    let text = secret.expose().trim();
    let problem = if text.is_empty() {
        "is empty"
    } else if text.chars().any(char::is_control) {
        "holds control characters"
    } else if field == "siteId" && text.contains(':') {
        // HTTP's Basic authentication would take what follows for the key.
        "holds a colon"
    } else {
        return Ok(Secret::new(text.to_owned()));
    };
    let hint = match field {
        "appApiKey" => {
            "copy it from Settings > API and webhook credentials > App API keys in Customer.io"
        }
        _ => "copy it from Settings > API and webhook credentials in Customer.io",
    };
    Err(DeliveryError::InvalidConfig { field, problem: problem.to_owned(), hint })
}

fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

async fn read_body(mut response: Response) -> Result<Bytes, Fault> {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_BYTES_MAX => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => {
                return Err(Fault::Broken { cause: "the answer is too long".to_owned() });
            }
            Ok(None) => return Ok(body.freeze()),
            Err(error) if error.is_timeout() => return Err(Fault::TimedOut),
            Err(error) => return Err(Fault::Broken { cause: root(&error) }),
        }
    }
}

fn no_reply(base: &Base, error: &reqwest::Error) -> NoReply {
    let cause = root(error);
    if error.is_builder() {
        return NoReply::Final(DeliveryError::Internal(format!("no request: {cause}")));
    }
    // The words of rustls; waiting makes no certificate trusted.
    if cause.starts_with("invalid peer certificate") {
        return NoReply::Final(DeliveryError::Untrusted { host: base.host.clone(), cause });
    }
    NoReply::Fault(if error.is_timeout() {
        Fault::TimedOut
    } else if error.is_connect() {
        Fault::Unreachable { cause }
    } else {
        Fault::Broken { cause }
    })
}

/// Returns the text of the innermost cause: those around it only repeat the URL.
fn root(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_and_nothing_more() {
        let base = Base::parse("http://127.0.0.1:8080/proxy/").ok().unwrap();
        assert_eq!(
            (base.url.as_str(), base.host.as_str()),
            ("http://127.0.0.1:8080/proxy", "127.0.0.1:8080")
        );
        assert_eq!(
            Base::parse("https://track.customer.io").ok().unwrap().host,
            "track.customer.io"
        );

        for text in
            ["", "track.customer.io", "ftp://a", "https://u:p@a", "https://a/?b=c", "https://a#b"]
        {
            assert!(Base::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_line_feed_behind_a_credential_is_no_part_of_it() {
        let secret = |text: &str| Secret::new(text.to_owned());

        let taken = credential(&secret("abc123\n"), "apiKey").unwrap();

        assert_eq!(taken.expose(), "abc123");
        for text in ["", " \n", "a:b", "a\nb"] {
            assert!(credential(&secret(text), "siteId").is_err(), "{text:?}");
        }
        assert!(credential(&secret("a:b"), "apiKey").is_ok());
    }
}
