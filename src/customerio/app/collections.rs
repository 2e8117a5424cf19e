//! Collections: found by name, made, and replaced as a whole.
//! Source: App API description, `/v1/collections` and `/v1/collections/{collection_id}`.

use bytes::Bytes;
use reqwest::Method;
use serde_json::Value;

use super::App;
use super::answer::{self, Unread};
use super::question::Question;
use crate::customerio::context::SendContext;
use crate::customerio::error::DeliveryError;
use crate::model::canonical;

/// Largest content of a collection, in bytes of JSON. Source: App API description, "cannot be more
/// than 10 MB", in the stricter reading.
pub const CONTENT_BYTES_MAX: usize = 10_000_000;

/// Largest row of a collection, in bytes of JSON. Source: App API description, "no individual row
/// can be more than 10 KB", in the stricter reading.
pub const ROW_BYTES_MAX: usize = 10_000;

/// A collection, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its number.
    pub id: u64,
    /// Its name, by which messages find it.
    pub name: String,
}

impl App<'_> {
    /// Returns every collection of the workspace.
    ///
    /// # Errors
    /// Where nobody answers, or in a way that waiting doesn't mend.
    pub async fn collections(
        &self,
        context: &SendContext<'_>,
    ) -> Result<Vec<Collection>, DeliveryError> {
        let question = Question::get("list collections", &["v1", "collections"]);
        match self.ask(question, context, collections_of).await? {
            Some(collections) => Ok(collections),
            None => Err(self.not_there(context).await?),
        }
    }

    /// Makes a collection with this content, a JSON array of objects. Where it is unknown whether
    /// that was carried out it is not asked again.
    ///
    /// # Errors
    /// As [`App::collections`].
    pub async fn create_collection(
        &self,
        name: &str,
        content: &[u8],
        context: &SendContext<'_>,
    ) -> Result<Collection, DeliveryError> {
        let mut body = b"{\"name\":".to_vec();
        canonical::write_json_string(&mut body, name);
        body.extend_from_slice(b",\"data\":");
        body.extend_from_slice(content);
        body.push(b'}');
        let question = Question::make("create a collection", &["v1", "collections"], body.into());
        match self.ask(question, context, collection_of).await? {
            Some(collection) => Ok(collection),
            None => Err(self.not_there(context).await?),
        }
    }

    /// Replaces the whole content of a collection by a JSON array of objects; `None` where there
    /// is no such collection.
    ///
    /// # Errors
    /// As [`App::collections`].
    pub async fn replace_collection(
        &self,
        id: u64,
        content: &[u8],
        context: &SendContext<'_>,
    ) -> Result<Option<Collection>, DeliveryError> {
        let id = id.to_string();
        let path = ["v1", "collections", &id];
        let body = Bytes::from([b"{\"data\":", content, b"}"].concat());
        let question = Question::with_body("replace a collection", Method::PUT, &path, body);
        self.ask(question, context, collection_of).await
    }
}

/// Reads an answer that lists collections. Those without id or name are passed over.
///
/// # Errors
/// Where it lists none.
pub fn collections_of(body: &[u8]) -> Result<Vec<Collection>, Unread> {
    let body = answer::object(body)?;
    let collections = body.get("collections").and_then(Value::as_array);
    let collections = collections.ok_or(Unread::Strange("the answer lists no collections"))?;
    Ok(collections.iter().filter_map(collection).collect())
}

/// Reads an answer that shows one collection.
///
/// # Errors
/// Where it shows none.
pub fn collection_of(body: &[u8]) -> Result<Collection, Unread> {
    let body = answer::object(body)?;
    let shown = body.get("collection").and_then(collection);
    shown.ok_or(Unread::Strange("the answer shows no collection"))
}

fn collection(value: &Value) -> Option<Collection> {
    Some(Collection {
        id: answer::number(value.get("id"))?,
        name: value.get("name").and_then(Value::as_str)?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_are_read_by_id_and_name() {
        let listed = collections_of(br#"{"collections":[{"id":1,"name":"Coupons","rows":2},{}]}"#);

        assert_eq!(listed, Ok(vec![Collection { id: 1, name: "Coupons".to_owned() }]));
        assert!(matches!(collections_of(b"{}"), Err(Unread::Strange(_))));
        assert_eq!(collection_of(b"null").err(), Some(Unread::NoObject));
    }
}
