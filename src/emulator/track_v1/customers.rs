//! Identify, delete, suppress, unsuppress.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::emulator::context::Context;
use crate::emulator::json::{self, Entry};
use crate::emulator::limits::Breach;
use crate::emulator::operation::{
    IdentifierChange, IdentifyPerson, ObjectIdentifier, ObjectLink, ObjectLinks, Operation,
    PersonIdentifier,
};
use crate::emulator::settings::Settings;
use crate::emulator::track_v1::identifier;
use crate::emulator::{answer, clock};

/// `PUT /api/v1/customers/{identifier}`. One thing wrong refuses the whole call.
pub(super) async fn identify(
    State(context): State<Arc<Context>>,
    Path(identifier): Path<String>,
    body: Bytes,
) -> Response {
    let settings = context.settings();
    match read_identify(&identifier, &body, &settings) {
        Ok(asked) => perform(&context, &Operation::IdentifyPerson(Box::new(asked))),
        Err(messages) => answer::refused(&messages),
    }
}

/// `DELETE /api/v1/customers/{identifier}`.
pub(super) async fn delete(
    State(context): State<Arc<Context>>,
    Path(identifier): Path<String>,
) -> Response {
    about(&context, &identifier, Operation::DeletePerson)
}

/// `POST /api/v1/customers/{identifier}/suppress`.
pub(super) async fn suppress(
    State(context): State<Arc<Context>>,
    Path(identifier): Path<String>,
) -> Response {
    about(&context, &identifier, Operation::Suppress)
}

/// `POST /api/v1/customers/{identifier}/unsuppress`.
pub(super) async fn unsuppress(
    State(context): State<Arc<Context>>,
    Path(identifier): Path<String>,
) -> Response {
    about(&context, &identifier, Operation::Unsuppress)
}

/// Carries an operation out and answers as v1 does whenever the form was right.
pub(super) fn perform(context: &Context, operation: &Operation<'_>) -> Response {
    let settings = context.settings();
    context.workspace().apply(operation, &settings, clock::now_seconds());

    answer::accepted()
}

fn about<'a>(
    context: &Context,
    identifier: &'a str,
    operation: impl FnOnce(PersonIdentifier<'a>) -> Operation<'a>,
) -> Response {
    match identifier::from_path(identifier, &context.settings().limits) {
        Ok(who) => perform(context, &operation(who)),
        Err(message) => answer::refused(&[message]),
    }
}

fn read_identify<'a>(
    identifier: &'a str,
    body: &'a Bytes,
    settings: &Settings,
) -> Result<IdentifyPerson<'a>, Vec<String>> {
    let who =
        identifier::from_path(identifier, &settings.limits).map_err(|message| vec![message])?;
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    let entries = if text.is_empty() { Some(Vec::new()) } else { json::entries(text) };
    let Some(mut entries) = entries else {
        return Err(vec!["attributes must be a hash".to_owned()]);
    };

    let mut messages: Vec<String> = settings
        .limits
        .breaches(&entries, settings.nested_values_are_limited)
        .into_iter()
        .filter(|breach| *breach != Breach::Value("cio_relationships"))
        .map(|breach| message(breach, settings))
        .collect();
    let relationships = entries.iter().position(|entry| entry.name == "cio_relationships");
    let relationships = relationships.map(|position| entries.remove(position));
    let mut asked = IdentifyPerson::new(who, entries)
        .map_err(|name| vec![format!("{name} attribute must be a string value")])?;
    if let (PersonIdentifier::Id(path), IdentifierChange::Set(body)) = (&asked.who, &asked.id)
        && path != body
    {
        messages.push("id attribute and identifier are not the same value".to_owned());
    }
    if let Some(raw) = relationships {
        match read_relationships(raw.value) {
            Some(links) => asked.relationships = Some(links),
            None => messages.push("cio_relationships is malformed".to_owned()),
        }
    }
    if messages.is_empty() { Ok(asked) } else { Err(messages) }
}

/// Returns a published message. Source: documentation, "invalid API requests".
fn message(breach: Breach<'_>, settings: &Settings) -> String {
    let limits = &settings.limits;
    match breach {
        Breach::TooMany => {
            format!("cannot identify more than {} attributes in one request", limits.attributes)
        }
        Breach::Name(_) => {
            format!("attribute name cannot be longer than {} bytes", limits.name_bytes)
        }
        Breach::Value(name) => {
            format!(
                "value for attribute '{name}' cannot be longer than {} bytes",
                limits.value_bytes
            )
        }
    }
}

/// Reads v1's shape: an action, and the relationships that it is about.
fn read_relationships(raw: &str) -> Option<ObjectLinks<'_>> {
    let entries = json::entries(raw)?;
    let remove = match json::member(&entries, "action").and_then(json::text)?.as_ref() {
        "add_relationships" => false,
        "delete_relationships" => true,
        _ => return None,
    };
    let links = json::elements(json::member(&entries, "relationships")?)?
        .into_iter()
        .map(read_link)
        .collect::<Option<Vec<_>>>()?;
    Some(ObjectLinks { remove, links })
}

fn read_link(raw: &str) -> Option<ObjectLink<'_>> {
    let link = json::entries(raw)?;
    let identifiers = json::entries(json::member(&link, "identifiers")?)?;
    let value = |name| json::member(&identifiers, name).and_then(json::text_or_number);
    let object = match (value("object_type_id"), value("object_id"), value("cio_object_id")) {
        (Some(type_id), Some(id), None) => {
            ObjectIdentifier::Typed { type_id: type_id.parse().ok()?, id }
        }
        (None, None, Some(own)) => ObjectIdentifier::CioObjectId(own),
        _ => return None,
    };
    let attributes: Vec<Entry<'_>> =
        json::member(&link, "relationship_attributes").and_then(json::entries).unwrap_or_default();
    Some(ObjectLink { object, attributes })
}

/// Returns a string of a body's object, for the other v1 calls.
pub(super) fn text_of<'a>(entries: &[Entry<'a>], name: &str) -> Option<Cow<'a, str>> {
    json::member(entries, name).and_then(json::text)
}
