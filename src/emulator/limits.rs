//! The sizes Customer.io allows. Support can raise an account's limits, so every one is a setting.

use serde::{Deserialize, Serialize};

use crate::emulator::json::{self, Entry};

/// Limits of a workspace; all sizes in bytes.
///
/// Source of the defaults: Track API description (32 KB an item, 500 KB a batch, 150-byte ids and
/// names, 1000-byte values, 300 attributes, 100-byte event names, 100,000 bytes of v1 event data,
/// 1000 segment ids); App API description (10 MB a collection, 10 KB a row of it). Whether a KB is 1000 or 1024 bytes is not said; these are the stricter reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest body of `/api/v2/entity`, and of one item of a batch.
    pub item_bytes: usize,
    /// Largest body of `/api/v2/batch`.
    pub batch_bytes: usize,
    /// Most items in one batch; none is documented.
    pub batch_items: Option<usize>,
    /// Largest identifier of a person or object.
    pub id_bytes: usize,
    /// Largest name of an attribute.
    pub name_bytes: usize,
    /// Largest value of an attribute.
    pub value_bytes: usize,
    /// Most attributes in one request, and on one person, object or relationship.
    pub attributes: usize,
    /// Largest sum of an object's or relationship's attributes.
    pub object_bytes: usize,
    /// Largest name of an event.
    pub event_name_bytes: usize,
    /// Largest `data` of a v1 event.
    pub event_data_bytes: usize,
    /// Most ids in one request to a segment.
    pub segment_ids: usize,
    /// Largest content of a collection, as JSON.
    pub collection_bytes: usize,
    /// Largest row of a collection, as JSON.
    pub collection_row_bytes: usize,
    /// Most ids in one `POST /v1/customers/attributes`.
    pub lookup_ids: usize,
    /// Requests per second to the Track API before 429; documented as 1000, "not strictly enforced".
    pub track_requests_per_second: Option<u32>,
    /// Requests per second to the App API before 429; documented as 10, off here unless set.
    pub app_requests_per_second: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            item_bytes: 32_000,
            batch_bytes: 500_000,
            batch_items: None,
            id_bytes: 150,
            name_bytes: 150,
            value_bytes: 1_000,
            attributes: 300,
            object_bytes: 100_000,
            event_name_bytes: 100,
            event_data_bytes: 100_000,
            segment_ids: 1_000,
            collection_bytes: 10_000_000,
            collection_row_bytes: 10_000,
            lookup_ids: 100,
            track_requests_per_second: None,
            app_requests_per_second: None,
        }
    }
}

/// One way in which attributes break the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breach<'a> {
    /// There are more attributes than allowed.
    TooMany,
    /// This name is too long.
    Name(&'a str),
    /// The value under this name is too long.
    Value(&'a str),
}

impl Limits {
    /// Returns every breach among `entries`. Nested values count with their JSON when `nested`.
    pub(crate) fn breaches<'e>(&self, entries: &'e [Entry<'_>], nested: bool) -> Vec<Breach<'e>> {
        let mut breaches = Vec::new();
        if entries.len() > self.attributes {
            breaches.push(Breach::TooMany);
        }
        for entry in entries {
            if entry.name.len() > self.name_bytes {
                breaches.push(Breach::Name(&entry.name));
            }
            if self.is_too_long(entry, nested) {
                breaches.push(Breach::Value(&entry.name));
            }
        }
        breaches
    }

    fn is_too_long(&self, entry: &Entry<'_>, nested: bool) -> bool {
        // Written as JSON a value is never shorter than the text it stands for.
        if entry.value.len() <= self.value_bytes {
            return false;
        }
        match json::kind(entry.value) {
            json::Kind::Text => {
                json::text(entry.value).is_none_or(|text| text.len() > self.value_bytes)
            }
            json::Kind::Object | json::Kind::Array => {
                nested && entry.name != "cio_subscription_preferences"
            }
            json::Kind::Number | json::Kind::Bool | json::Kind::Null => true,
        }
    }
}
