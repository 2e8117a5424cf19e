//! Consent flows one way: only the opt-out is sent, unless a mapping says `consent: overwrite`.
//!
//! A person who clicked unsubscribe must not be subscribed again because some other column of the
//! row changed.

use serde_json::Value as Json;

use super::convert::{ConvertError, boolean};
use crate::model::rejection::InvalidCode;
use crate::model::{RecordBuf, Value, canonical};

/// The attribute by which a person is unsubscribed from everything.
pub const UNSUBSCRIBED: &str = "unsubscribed";

/// The attribute that holds a person's topics.
pub const PREFERENCES: &str = "cio_subscription_preferences";

const TOPICS_PREFIX: &str = "cio_subscription_preferences.topics.";

/// What a consent attribute means, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentKind {
    /// `unsubscribed`: true is the opt-out.
    Unsubscribed,
    /// One topic, by its path: false is the opt-out.
    Topic,
    /// All topics as one JSON object.
    Preferences,
}

impl ConsentKind {
    /// Returns what attribute `name` means for consent; `None` for any other attribute.
    pub fn of(name: &str) -> Option<Self> {
        if name == UNSUBSCRIBED {
            Some(Self::Unsubscribed)
        } else if name == PREFERENCES {
            Some(Self::Preferences)
        } else if name.starts_with(TOPICS_PREFIX) {
            Some(Self::Topic)
        } else {
            None
        }
    }

    /// Appends what of `value` is an opt-out to `record` and returns how many attributes that took.
    ///
    /// # Errors
    /// Where the value tells neither opt-in nor opt-out: a row whose opt-out can't be read must
    /// not go out as if there were none.
    pub fn write_opt_out(
        self,
        name: &str,
        value: Value<'_>,
        record: &mut RecordBuf,
    ) -> Result<u16, ConvertError> {
        if value == Value::Null || value == Value::Text("") {
            return Ok(0);
        }
        match self {
            Self::Unsubscribed => {
                if !boolean(value)? {
                    return Ok(0);
                }
                canonical::write_bool(record.attribute(name), true);
                Ok(1)
            }
            Self::Topic => {
                if boolean(value)? {
                    return Ok(0);
                }
                canonical::write_bool(record.attribute(name), false);
                Ok(1)
            }
            Self::Preferences => write_topics(value, record),
        }
    }
}

/// The object as a whole replaces what is set, so each topic that is off is sent by its own path.
/// Source: Track API, "cio_subscription_preferences.topics.topic_<id>" as a flat key.
fn write_topics(value: Value<'_>, record: &mut RecordBuf) -> Result<u16, ConvertError> {
    const NOT_TOPICS: ConvertError = ConvertError {
        code: InvalidCode::InvalidJson,
        message: "is not a JSON object like {\"topics\": {\"topic_1\": false}}",
    };
    let (Value::Json(text) | Value::Text(text)) = value else { return Err(NOT_TOPICS) };
    let document: Json = serde_json::from_str(text).map_err(|_| NOT_TOPICS)?;
    let topics = document.get("topics").and_then(Json::as_object).ok_or(NOT_TOPICS)?;
    let mut names: Vec<&String> = topics
        .iter()
        .filter(|(_, subscribed)| **subscribed == Json::Bool(false))
        .map(|(topic, _)| topic)
        .collect();
    names.sort();
    for topic in &names {
        canonical::write_bool(record.attribute(&format!("{TOPICS_PREFIX}{topic}")), false);
    }
    u16::try_from(names.len()).map_err(|_| NOT_TOPICS)
}
