//! Events of people, and of visitors who have not identified themselves.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::emulator::answer;
use crate::emulator::context::Context;
use crate::emulator::json::{self, Entry};
use crate::emulator::operation::{EventKind, NewEvent, Operation, PersonIdentifier};
use crate::emulator::settings::{NonUlidIds, Settings};
use crate::emulator::track_v1::customers::{perform, text_of};
use crate::emulator::track_v1::identifier;
use crate::emulator::ulid;

/// `POST /api/v1/customers/{identifier}/events`.
pub(super) async fn of_person(
    State(context): State<Arc<Context>>,
    Path(identifier): Path<String>,
    body: Bytes,
) -> Response {
    let settings = context.settings();
    let event = identifier::from_path(&identifier, &settings.limits)
        .and_then(|who| read(Some(who), &body, &settings));
    match event {
        Ok(event) => perform(&context, &Operation::Event(event)),
        Err(message) => answer::refused(&[message]),
    }
}

/// `POST /api/v1/events`. Without an `anonymous_id` the event belongs to nobody, ever.
pub(super) async fn anonymous(State(context): State<Arc<Context>>, body: Bytes) -> Response {
    let settings = context.settings();
    match read(None, &body, &settings) {
        Ok(event) => perform(&context, &Operation::Event(event)),
        Err(message) => answer::refused(&[message]),
    }
}

/// Reads an event. Messages: documentation, "invalid API requests".
fn read<'a>(
    who: Option<PersonIdentifier<'a>>,
    body: &'a Bytes,
    settings: &Settings,
) -> Result<NewEvent<'a>, String> {
    let limits = &settings.limits;
    let text = std::str::from_utf8(body).unwrap_or_default();
    let entries = json::entries(text).ok_or("event must be a hash")?;

    let name = name(&entries)?;
    if name.len() > limits.event_name_bytes {
        return Err(format!("event name cannot be longer than {} bytes", limits.event_name_bytes));
    }
    let data = json::member(&entries, "data").filter(|raw| *raw != "null").unwrap_or("{}");
    if json::kind(data) != json::Kind::Object {
        return Err("event data must be a hash".to_owned());
    }
    if data.len() > limits.event_data_bytes {
        return Err(format!("event data cannot be longer than {} bytes", limits.event_data_bytes));
    }
    let id = text_of(&entries, "id");
    if settings.non_ulid_ids == NonUlidIds::Refuse
        && id.as_ref().is_some_and(|id| ulid::parse(id).is_none())
    {
        return Err("event id must be a valid ULID".to_owned());
    }
    let who = who.unwrap_or_else(|| {
        PersonIdentifier::Anonymous(text_of(&entries, "anonymous_id").unwrap_or_default())
    });
    Ok(NewEvent { who, kind: kind(&entries), name, id, timestamp: timestamp(&entries)?, data })
}

/// Spaces around an event's name are dropped. Source: Track API description.
fn name<'a>(entries: &[Entry<'a>]) -> Result<Cow<'a, str>, String> {
    let name = match text_of(entries, "name") {
        Some(Cow::Borrowed(name)) => Cow::Borrowed(name.trim()),
        Some(Cow::Owned(name)) => Cow::Owned(name.trim().to_owned()),
        None => Cow::Borrowed(""),
    };
    if name.is_empty() { Err("event name must not be blank".to_owned()) } else { Ok(name) }
}

/// Whatever is neither page nor screen is an event. Source: Track API description, `eventsRequest`.
fn kind(entries: &[Entry<'_>]) -> EventKind {
    match text_of(entries, "type").as_deref() {
        Some("page") => EventKind::Page,
        Some("screen") => EventKind::Screen,
        Some(_) | None => EventKind::Event,
    }
}

fn timestamp(entries: &[Entry<'_>]) -> Result<Option<i64>, String> {
    match json::member(entries, "timestamp").filter(|raw| *raw != "null") {
        None => Ok(None),
        Some(raw) => match raw.parse() {
            Ok(seconds) => Ok(Some(seconds)),
            Err(_) => Err("event timestamp must be a unix timestamp".to_owned()),
        },
    }
}
