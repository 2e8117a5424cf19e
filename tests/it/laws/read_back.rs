//! Whatever a server answers to a question of the App API: it is read without a panic, what is no
//! JSON object is no answer, and nothing is read that does not stand there.
//!
//! The bytes are a body.

use ciosync::customerio::app::{
    ActivityPage, MemberPage, Unread, collections, objects, people, segments,
};
use serde_json::Value;

/// Fails where the law does not hold for these bytes; may be given any.
pub fn check(body: &[u8]) {
    let json: Option<Value> = serde_json::from_slice(body).ok().filter(Value::is_object);
    let listed = |name: &str| {
        json.as_ref().and_then(|json| json.get(name)).and_then(Value::as_array).map(Vec::len)
    };

    let activities = ActivityPage::from_answer(body).map(|page| page.activities.len());
    check_list(activities, listed("activities"), json.is_some());
    let members = MemberPage::from_answer(body).map(|page| page.members.len());
    check_list(members, listed("identifiers"), json.is_some());
    let segments_read = segments::segments_of(body).map(|segments| segments.len());
    check_list(segments_read, listed("segments"), json.is_some());
    let collections_read = collections::collections_of(body).map(|all| all.len());
    check_list(collections_read, listed("collections"), json.is_some());
    let people_read = people::people_of(body).map(|people| people.len());
    check_list(people_read, listed("customers"), json.is_some());

    let text = String::from_utf8_lossy(body);
    if let Ok(person) = people::person_of(body) {
        assert!(text.contains("customer") && text.contains("attributes"));
        assert!(person.attributes.len() <= body.len());
    }
    if objects::object_of(body).is_ok() {
        assert!(text.contains("object") && text.contains("attributes"));
    }
    if let Ok(segment) = segments::segment_of(body) {
        assert!(json.as_ref().is_some_and(|json| json["segment"]["name"] == segment.name));
    }
    if let Ok(collection) = collections::collection_of(body) {
        assert!(json.as_ref().is_some_and(|json| json["collection"]["name"] == collection.name));
    }
}

/// A list is read where one stands there, and never has more than that one.
fn check_list(read: Result<usize, Unread>, listed: Option<usize>, is_object: bool) {
    match read {
        Ok(count) => assert!(listed.is_some_and(|listed| count <= listed), "{count} were made up"),
        Err(Unread::NoObject) => assert!(!is_object, "an answer was not read"),
        Err(Unread::Strange(_)) => assert!(is_object && listed.is_none(), "a list was passed over"),
    }
}
