//! People read back. Source: App API description, `/v1/customers/attributes` and
//! `/v1/customers/{customer_id}/attributes`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};

use super::App;
use super::answer::{self, Unread};
use super::question::Question;
use crate::customerio::context::SendContext;
use crate::customerio::error::DeliveryError;
use crate::model::{IdentifierKind, Target};

/// Most ids in one question. Source: App API description.
pub const IDS_MAX: usize = 100;

/// The identifiers of a person, as far as they are told.
///
/// Has no `Debug`: an identifier must not reach a log.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The workspace's own id for the person.
    pub id: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Customer.io's own id.
    pub cio_id: Option<String>,
}

impl Names {
    /// Reads `identifiers` as the App API writes them.
    pub(super) fn of(value: Option<&Value>) -> Self {
        let name = |name| value.and_then(|value| answer::identifier(value.get(name)));
        Self { id: name("id"), email: name("email"), cio_id: name("cio_id") }
    }

    /// Returns the identifier of a kind; `None` where it is not told. Phone numbers never are.
    pub fn target(&self, kind: IdentifierKind) -> Option<Target<'_>> {
        let text = match kind {
            IdentifierKind::Id => self.id.as_deref(),
            IdentifierKind::Email => self.email.as_deref(),
            IdentifierKind::CioId => self.cio_id.as_deref(),
            IdentifierKind::Phone
            | IdentifierKind::AnonymousId
            | IdentifierKind::ObjectId
            | IdentifierKind::CioObjectId => None,
        };
        text.map(|text| Target::single(kind, text))
    }
}

/// A person as the App API shows them.
///
/// Has no `Debug`: all of it is data.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// The identifiers.
    pub names: Names,
    /// The attributes; every value is text, and what is not set is missing.
    pub attributes: BTreeMap<String, String>,
}

impl App<'_> {
    /// Returns the people with these ids, at most [`IDS_MAX`], in no order. Nobody is left out
    /// without a word: who is not there does not exist.
    ///
    /// # Errors
    /// Where nobody answers, or in a way that waiting doesn't mend.
    pub async fn people(
        &self,
        ids: &[&str],
        context: &SendContext<'_>,
    ) -> Result<Vec<Profile>, DeliveryError> {
        let path = ["v1", "customers", "attributes"];
        let body = Bytes::from(json!({ "ids": ids }).to_string());
        let question = Question::with_body("read people back", Method::POST, &path, body);
        let people = self.ask(question, context, people_of).await?;
        match people {
            Some(people) => Ok(people),
            None => Err(self.not_there(context).await?),
        }
    }

    /// Returns the person whom an identifier names; `None` where there is none.
    ///
    /// # Errors
    /// As [`App::people`].
    pub async fn person(
        &self,
        (kind, name): (IdentifierKind, &str),
        context: &SendContext<'_>,
    ) -> Result<Option<Profile>, DeliveryError> {
        // Source: App API description, "if you use a person's cio_id, you must prefix the value".
        let text = match kind {
            IdentifierKind::CioId if !name.starts_with("cio_") => Cow::Owned(format!("cio_{name}")),
            _ => Cow::Borrowed(name),
        };
        let path = ["v1", "customers", &text, "attributes"];
        let question = Question::get("read people back", &path).query("id_type", kind.as_str());
        self.ask(question, context, person_of).await
    }
}

/// Reads an answer that lists people.
///
/// # Errors
/// Where it lists none.
pub fn people_of(body: &[u8]) -> Result<Vec<Profile>, Unread> {
    let body = answer::object(body)?;
    let people = body.get("customers").and_then(Value::as_array);
    let people = people.ok_or(Unread::Strange("the answer lists no customers"))?;
    // The description wraps each of them once more.
    let unwrapped = people.iter().map(|person| person.get("customer").unwrap_or(person));
    Ok(unwrapped.filter_map(profile).collect())
}

/// Reads an answer that shows one person.
///
/// # Errors
/// Where it shows none.
pub fn person_of(body: &[u8]) -> Result<Profile, Unread> {
    let body = answer::object(body)?;
    body.get("customer").and_then(profile).ok_or(Unread::Strange("the answer shows no customer"))
}

fn profile(person: &Value) -> Option<Profile> {
    let mut attributes = attributes(person.get("attributes")?)?;
    // Shown apart from the attributes, whether it was ever set or not.
    if let Some(flag) = person.get("unsubscribed").and_then(Value::as_bool) {
        attributes.entry("unsubscribed".to_owned()).or_insert_with(|| flag.to_string());
    }
    let mut names = Names::of(person.get("identifiers"));
    names.id = names.id.or_else(|| answer::identifier(person.get("id")));
    Some(Profile { names, attributes })
}

/// Reads attributes: text as it is, other JSON as it is written, and null as not set.
pub(super) fn attributes(value: &Value) -> Option<BTreeMap<String, String>> {
    let members = value.as_object()?.iter();
    let texts = members.filter_map(|(name, value)| {
        let text = match value {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some((name.clone(), text))
    });
    Some(texts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_with_every_attribute_as_text() {
        let people = people_of(
            br#"{"customers":[{"customer":{"id":"1","identifiers":{"id":"1","email":null,
                "cio_id":"a3"},"attributes":{"plan":"pro","seats":7,"gone":null},"devices":[]}},
                {"customer":7},{}]}"#,
        );

        let people = people.unwrap_or_else(|_| panic!("the answer was not read"));
        let [person] = people.as_slice() else { panic!("one is expected") };
        assert_eq!(person.names.id.as_deref(), Some("1"));
        let attributes: Vec<_> = person.attributes.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(attributes, [("plan", "pro"), ("seats", "7")]);
    }

    #[test]
    fn what_lists_nobody_is_not_an_empty_list() {
        assert_eq!(people_of(b"").err(), Some(Unread::NoObject));
        assert!(matches!(people_of(b"{}").err(), Some(Unread::Strange(_))));
        assert!(matches!(person_of(br#"{"customer":{}}"#).err(), Some(Unread::Strange(_))));
        assert_eq!(people_of(br#"{"customers":[]}"#).ok().unwrap().len(), 0);
    }
}
