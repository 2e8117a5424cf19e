//! Activities: what failed after a 200. Source: App API description, `/v1/activities`.

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::answer::{self, Unread};
use super::question::Question;
use super::{App, Names};
use crate::customerio::context::SendContext;
use crate::customerio::error::DeliveryError;
use crate::model::EventId;

/// Activities on a page: the most that is given.
const PAGE: &str = "100";

/// One entry of the activity log.
///
/// Has no `Debug`: whom it is about must not reach a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Activity {
    /// Hash of the entry's own id, by which it is known again; of all that is known where it has
    /// none.
    pub id_hash: u64,
    /// The entry's own id, where it is a ULID. Of a failed event it may be the id that the event was
    /// sent with: the description calls it "the identifier for the action".
    pub ulid: Option<EventId>,
    /// Whom it is about, as far as it says.
    pub person: Names,
    /// The attributes that were to change; empty where it doesn't say.
    pub attributes: Vec<String>,
    /// The name of the event, where it names one.
    pub event: Option<String>,
    /// When it happened, in unix seconds.
    pub timestamp: i64,
}

/// A page of activities.
pub struct ActivityPage {
    /// The activities.
    pub activities: Vec<Activity>,
    /// The token of the next page; `None` after the last.
    pub next: Option<String>,
}

impl App<'_> {
    /// Returns a page of the activities of one type, behind the page whose token `start` is.
    ///
    /// # Errors
    /// Where nobody answers, or in a way that waiting doesn't mend.
    pub async fn activities(
        &self,
        kind: &str,
        start: Option<&str>,
        context: &SendContext<'_>,
    ) -> Result<ActivityPage, DeliveryError> {
        let mut question = Question::get("read activities", &["v1", "activities"])
            .query("type", kind)
            .query("limit", PAGE);
        if let Some(start) = start {
            question = question.query("start", start);
        }
        let page = self.ask(question, context, ActivityPage::from_answer).await?;
        match page {
            Some(page) => Ok(page),
            None => Err(self.not_there(context).await?),
        }
    }
}

impl ActivityPage {
    /// Reads an answer. Entries that are no objects are passed over.
    ///
    /// # Errors
    /// Where the answer lists no activities.
    pub fn from_answer(body: &[u8]) -> Result<Self, Unread> {
        let body = answer::object(body)?;
        let next = answer::next(&body);
        let activities = body.get("activities").and_then(Value::as_array);
        let activities = activities.ok_or(Unread::Strange("the answer lists no activities"))?;
        let activities =
            activities.iter().filter(|activity| activity.is_object()).map(activity).collect();
        Ok(Self { activities, next })
    }
}

fn activity(entry: &Value) -> Activity {
    let data = entry.get("data");
    let id = answer::identifier(entry.get("id")).unwrap_or_else(|| entry.to_string());
    let mut person = Names::of(entry.get("customer_identifiers"));
    person.id = person.id.or_else(|| answer::identifier(entry.get("customer_id")));
    Activity {
        id_hash: xxh3_64(id.as_bytes()),
        ulid: EventId::from_ulid(&id),
        person,
        // An attribute that changes has what it was and what it becomes.
        attributes: data
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(_, change)| change.is_object())
            .map(|(name, _)| name.clone())
            .collect(),
        event: data.and_then(|data| answer::identifier(data.get("name"))),
        timestamp: entry.get("timestamp").and_then(Value::as_i64).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Result<ActivityPage, Unread> {
        ActivityPage::from_answer(text.as_bytes())
    }

    #[test]
    fn an_activity_names_whom_it_is_about_and_which_attributes_failed() {
        let page = page(
            r#"{"activities":[{"id":"01AK","type":"failed_attribute_change","timestamp":1397566226,
                "customer_id":"42","customer_identifiers":{"id":42,"email":null,"cio_id":"a3"},
                "data":{"email":{"from":"a@b.c","to":"d@e.f"}},"delivery_id":""},
                {"data":{"name":"bought"}}, 7],"next":"n2"}"#,
        )
        .unwrap_or_else(|_| panic!("the page was not read"));

        assert_eq!(page.next.as_deref(), Some("n2"));
        let [first, second] = page.activities.as_slice() else { panic!("two are expected") };
        assert_eq!(first.person.id.as_deref(), Some("42"));
        assert_eq!(
            (first.person.email.as_deref(), first.person.cio_id.as_deref()),
            (None, Some("a3"))
        );
        assert_eq!(
            (first.attributes.as_slice(), first.timestamp),
            (&["email".to_owned()][..], 1_397_566_226)
        );
        assert_eq!((second.event.as_deref(), second.attributes.len()), (Some("bought"), 0));
        assert_ne!(first.id_hash, second.id_hash);
    }

    #[test]
    fn what_lists_no_activities_is_not_an_empty_list() {
        assert_eq!(page("<html>").err(), Some(Unread::NoObject));
        assert!(matches!(page("{}").err(), Some(Unread::Strange(_))));
        assert!(matches!(page(r#"{"activities":{}}"#).err(), Some(Unread::Strange(_))));
        assert_eq!(page(r#"{"activities":[]}"#).ok().unwrap().activities.len(), 0);
    }
}
