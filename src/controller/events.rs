//! Events of Syncs. One that can't be published is logged and otherwise ignored: a cluster that
//! takes no events still gets its data.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tracing::{info, warn};

use super::decide::Notice;
use super::error::{bounded, describe};

/// Longest note, in bytes; the API server refuses longer ones.
/// Source: Kubernetes, `events.k8s.io/v1`, field `note`: "maximum length is 1kB".
const NOTE_MAX: usize = 1_024;

/// For how long the recorder counts an event of the same reason up, instead of writing a new one.
/// Source: kube-runtime, `events.rs`, `CACHE_TTL`.
const COUNTED_FOR: Duration = Duration::from_secs(360);

/// What an event is about: the object's UID and the reason.
type About = (String, &'static str);

/// Publishes events.
pub struct Events {
    client: Client,
    reporter: Reporter,
    /// The recorder counts an event up whatever its note, and shows the first one: so there is one
    /// for each note.
    recorders: Mutex<HashMap<About, Recorded>>,
}

struct Recorded {
    note: String,
    recorder: Recorder,
    used_at: Instant,
}

impl Events {
    /// Returns a publisher; `identity` is this replica's.
    pub fn new(client: Client, identity: &str) -> Self {
        let instance = Some(identity.to_owned());
        let reporter = Reporter { controller: "ciosync.dev/controller".to_owned(), instance };
        Self { client, reporter, recorders: Mutex::default() }
    }

    /// Publishes an event about an object.
    pub async fn publish(&self, notice: &Notice, about: &ObjectReference) {
        let Notice { reason, message } = notice;
        let (reason, type_) = match reason.is_warning() {
            true => (reason.as_str(), EventType::Warning),
            false => (reason.as_str(), EventType::Normal),
        };
        let namespace = about.namespace.as_deref().unwrap_or_default();
        let name = about.name.as_deref().unwrap_or_default();
        info!(namespace, name, reason, note = message, "event");
        let note = within(message, NOTE_MAX);
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(note.to_owned()),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        let recorder = self.recorder((about.uid.clone().unwrap_or_default(), reason), note);
        if let Err(error) = bounded(recorder.publish(&event, about)).await {
            let problem = describe(&error);
            warn!(namespace, name, reason, problem, "the event could not be published");
        }
    }

    /// Returns the recorder that said this last, or a new one.
    fn recorder(&self, about: About, note: &str) -> Recorder {
        let mut recorders = self.recorders.lock().unwrap_or_else(PoisonError::into_inner);
        recorders.retain(|_, recorded| recorded.used_at.elapsed() < COUNTED_FOR);
        let now = Instant::now();
        if let Some(recorded) = recorders.get_mut(&about).filter(|it| it.note == note) {
            recorded.used_at = now;
            return recorded.recorder.clone();
        }
        let recorder = Recorder::new(self.client.clone(), self.reporter.clone());
        let recorded = Recorded { note: note.to_owned(), recorder: recorder.clone(), used_at: now };
        recorders.insert(about, recorded);
        recorder
    }
}

/// Returns the front of a text that has at most `max` bytes.
fn within(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_between_characters() {
        assert_eq!(within("short", 10), "short");
        assert_eq!(within("abcdef", 3), "abc");
        assert_eq!(within("aéé", 2), "a");
        assert_eq!(within("", 2), "");
    }
}
