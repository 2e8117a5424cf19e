//! Objects read back. Source: App API description, `/v1/objects/{object_type_id}/{object_id}/attributes`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::App;
use super::answer::{self, Unread};
use super::people::attributes;
use super::question::Question;
use crate::customerio::context::SendContext;
use crate::customerio::error::DeliveryError;

/// An object as the App API shows it.
///
/// Has no `Debug`: all of it is data.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectProfile {
    /// The attributes; every value as text, and what is not set is missing.
    pub attributes: BTreeMap<String, String>,
}

impl App<'_> {
    /// Returns the object of a type with that id; `None` where there is none. `id_type` is
    /// `object_id` or `cio_object_id`.
    ///
    /// # Errors
    /// Where nobody answers, or in a way that waiting doesn't mend.
    pub async fn object(
        &self,
        (type_id, id): (&str, &str),
        id_type: &'static str,
        context: &SendContext<'_>,
    ) -> Result<Option<ObjectProfile>, DeliveryError> {
        let path = ["v1", "objects", type_id, id, "attributes"];
        let question = Question::get("read objects back", &path).query("id_type", id_type);
        self.ask(question, context, object_of).await
    }
}

/// Reads an answer that shows one object.
///
/// # Errors
/// Where it shows none.
pub fn object_of(body: &[u8]) -> Result<ObjectProfile, Unread> {
    let body = answer::object(body)?;
    body.get("object")
        .and_then(|object| attributes(object.get("attributes").unwrap_or(&Value::Null)))
        .map(|attributes| ObjectProfile { attributes })
        .ok_or(Unread::Strange("the answer shows no object"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_with_every_attribute_as_text() {
        let object = object_of(
            br#"{"object":{"object_type_id":"1","identifiers":{"object_id":"acme"},
                "attributes":{"name":"Acme","seats":7,"gone":null},"timestamps":{}}}"#,
        );

        let attributes = object.ok().unwrap().attributes;
        assert_eq!(attributes.get("seats").map(String::as_str), Some("7"));
        assert_eq!(attributes.len(), 2);
        assert!(matches!(object_of(br#"{"object":1}"#).err(), Some(Unread::Strange(_))));
        assert_eq!(object_of(b"[]").err(), Some(Unread::NoObject));
    }
}
