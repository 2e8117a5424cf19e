//! Manual segments: found by name, made, and their members listed.
//! Source: App API description, `/v1/segments` and `/v1/segments/{segment_id}/membership`.

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use super::answer::{self, Unread};
use super::question::Question;
use super::{App, Names};
use crate::customerio::context::SendContext;
use crate::customerio::error::DeliveryError;

/// Members on a page. The API gives up to 30,000; this many keep an answer near one megabyte.
const MEMBERS: &str = "10000";

/// What a segment says of itself where we made it.
const DESCRIPTION: &str = "Made and kept by ciosync";

/// A segment of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its number.
    pub id: u64,
    /// Its name; names may repeat.
    pub name: String,
    /// Whether people are put into it by hand or by API, and not by rules.
    pub is_manual: bool,
}

/// A page of a segment's members.
pub struct MemberPage {
    /// The members.
    pub members: Vec<Names>,
    /// The token of the next page; `None` after the last.
    pub next: Option<String>,
}

impl App<'_> {
    /// Returns every segment of the workspace.
    ///
    /// # Errors
    /// Where nobody answers, or in a way that waiting doesn't mend.
    pub async fn segments(&self, context: &SendContext<'_>) -> Result<Vec<Segment>, DeliveryError> {
        let question = Question::get("list segments", &["v1", "segments"]);
        match self.ask(question, context, segments_of).await? {
            Some(segments) => Ok(segments),
            None => Err(self.not_there(context).await?),
        }
    }

    /// Waits until no other Sync of the connection looks for a segment to make it, and keeps them
    /// waiting while what is returned lives.
    pub async fn making_turn(&self) -> MutexGuard<'_, ()> {
        self.client.making.lock().await
    }

    /// Makes an empty manual segment. Where it is unknown whether that was carried out it is not
    /// asked again: names may repeat.
    ///
    /// # Errors
    /// As [`App::segments`].
    pub async fn create_segment(
        &self,
        name: &str,
        context: &SendContext<'_>,
    ) -> Result<Segment, DeliveryError> {
        let segment = json!({"segment": {"name": name, "description": DESCRIPTION}});
        let body = Bytes::from(segment.to_string());
        let question = Question::make("create a segment", &["v1", "segments"], body);
        match self.ask(question, context, segment_of).await? {
            Some(segment) => Ok(segment),
            None => Err(self.not_there(context).await?),
        }
    }

    /// Returns a page of a segment's members, behind the page whose token `start` is; `None` where
    /// there is no such segment.
    ///
    /// # Errors
    /// As [`App::segments`].
    pub async fn members(
        &self,
        segment_id: u64,
        start: Option<&str>,
        context: &SendContext<'_>,
    ) -> Result<Option<MemberPage>, DeliveryError> {
        let id = segment_id.to_string();
        let path = ["v1", "segments", &id, "membership"];
        let mut question = Question::get("list a segment's members", &path).query("limit", MEMBERS);
        if let Some(start) = start {
            question = question.query("start", start);
        }
        self.ask(question, context, MemberPage::from_answer).await
    }
}

/// Reads an answer that lists segments. Those without id or name are passed over.
///
/// # Errors
/// Where it lists none.
pub fn segments_of(body: &[u8]) -> Result<Vec<Segment>, Unread> {
    let body = answer::object(body)?;
    let segments = body.get("segments").and_then(Value::as_array);
    let segments = segments.ok_or(Unread::Strange("the answer lists no segments"))?;
    Ok(segments.iter().filter_map(segment).collect())
}

/// Reads an answer that shows one segment.
///
/// # Errors
/// Where it shows none.
pub fn segment_of(body: &[u8]) -> Result<Segment, Unread> {
    let body = answer::object(body)?;
    body.get("segment").and_then(segment).ok_or(Unread::Strange("the answer shows no segment"))
}

fn segment(value: &Value) -> Option<Segment> {
    Some(Segment {
        id: answer::number(value.get("id"))?,
        name: value.get("name").and_then(Value::as_str)?.to_owned(),
        is_manual: value.get("type").and_then(Value::as_str) == Some("manual"),
    })
}

impl MemberPage {
    /// Reads an answer.
    ///
    /// # Errors
    /// Where it lists no members.
    pub fn from_answer(body: &[u8]) -> Result<Self, Unread> {
        let body = answer::object(body)?;
        let strange = Unread::Strange("the answer lists no members");
        let identifiers = body.get("identifiers").and_then(Value::as_array);
        let identifiers = identifiers.ok_or(strange)?;
        let members = identifiers.iter().map(|member| Names::of(Some(member))).collect();
        Ok(Self { members, next: answer::next(&body) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_read_with_their_kind() {
        let segments = segments_of(
            br#"{"segments":[{"id":7,"name":"VIP","type":"manual"},
                {"id":"8","name":"New","type":"dynamic"},{"id":null},3]}"#,
        );

        let vip = Segment { id: 7, name: "VIP".to_owned(), is_manual: true };
        let new = Segment { id: 8, name: "New".to_owned(), is_manual: false };
        assert_eq!(segments, Ok(vec![vip, new]));
        assert!(matches!(segments_of(b"{}"), Err(Unread::Strange(_))));
        assert!(matches!(segment_of(br#"{"segment":[]}"#), Err(Unread::Strange(_))));
    }

    #[test]
    fn members_are_read_by_every_name_they_have() {
        let page = MemberPage::from_answer(
            br#"{"segment_id":7,"ids":["1",""],"identifiers":[{"id":"1","email":null,"cio_id":"a"},
                {"id":null,"email":"b@c.d","cio_id":"b"}],"next":"2"}"#,
        );

        let page = page.ok().unwrap();
        assert_eq!(page.next.as_deref(), Some("2"));
        let emails: Vec<_> = page.members.iter().map(|names| names.email.as_deref()).collect();
        assert_eq!(emails, [None, Some("b@c.d")]);
        assert!(matches!(MemberPage::from_answer(b"{}").err(), Some(Unread::Strange(_))));
    }
}
