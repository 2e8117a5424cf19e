//! The two ways in: Basic for the Track API, Bearer for the App API.

use axum::http::{HeaderMap, header};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The credentials, in the words of the `Authorization` header.
pub(crate) struct Credentials {
    basic: String,
    bearer: String,
}

impl Credentials {
    /// Prepares what a valid header must carry.
    pub(crate) fn new(site_id: &str, api_key: &str, app_api_key: &str) -> Self {
        Self {
            basic: base64(format!("{site_id}:{api_key}").as_bytes()),
            bearer: app_api_key.to_owned(),
        }
    }

    /// Whether the header carries the Track API's site id and key.
    pub(crate) fn allow_track(&self, headers: &HeaderMap) -> bool {
        carries(headers, "basic", &self.basic)
    }

    /// Whether the header carries the App API's key.
    pub(crate) fn allow_app(&self, headers: &HeaderMap) -> bool {
        carries(headers, "bearer", &self.bearer)
    }
}

fn carries(headers: &HeaderMap, scheme: &str, credentials: &str) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .is_some_and(|(given_scheme, given)| {
            given_scheme.eq_ignore_ascii_case(scheme) && given.trim() == credentials
        })
}

/// Encodes with the standard alphabet and padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let digit = char::from(BASE64[(bits >> (18 - 6 * position)) as usize & 63]);
            text.push(if position > chunk.len() { '=' } else { digit });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_follows_the_vectors_of_the_standard() {
        // RFC 4648, section 10.
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
