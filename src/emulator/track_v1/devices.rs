//! Devices of a person.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::emulator::answer;
use crate::emulator::context::Context;
use crate::emulator::json;
use crate::emulator::operation::{NewDevice, Operation};
use crate::emulator::settings::Settings;
use crate::emulator::track_v1::customers::{perform, text_of};
use crate::emulator::track_v1::identifier;

/// `PUT /api/v1/customers/{identifier}/devices`.
pub(super) async fn add(
    State(context): State<Arc<Context>>,
    Path(identifier): Path<String>,
    body: Bytes,
) -> Response {
    let settings = context.settings();
    match read(&identifier, &body, &settings) {
        Ok(device) => perform(&context, &Operation::AddDevice(device)),
        Err(message) => answer::refused(&[message]),
    }
}

/// `DELETE /api/v1/customers/{identifier}/devices/{device_id}`.
pub(super) async fn delete(
    State(context): State<Arc<Context>>,
    Path((identifier, device_id)): Path<(String, String)>,
) -> Response {
    match identifier::from_path(&identifier, &context.settings().limits) {
        Ok(who) => {
            perform(&context, &Operation::DeleteDevice { who, token: Cow::Owned(device_id) })
        }
        Err(message) => answer::refused(&[message]),
    }
}

fn read<'a>(
    identifier: &'a str,
    body: &'a Bytes,
    settings: &Settings,
) -> Result<NewDevice<'a>, String> {
    let who = identifier::from_path(identifier, &settings.limits)?;
    let text = std::str::from_utf8(body).unwrap_or_default();
    let device = json::entries(text)
        .and_then(|entries| json::member(&entries, "device"))
        .and_then(json::entries)
        .ok_or("device must be a hash")?;
    let token = text_of(&device, "id").filter(|token| !token.trim().is_empty());
    let platform =
        text_of(&device, "platform").filter(|platform| matches!(&**platform, "ios" | "android"));
    let last_used = json::member(&device, "last_used").filter(|raw| *raw != "null");
    let seconds = last_used.and_then(|raw| raw.parse().ok());
    if last_used.is_some() && seconds.is_none() {
        return Err("device last_used must be a timestamp".to_owned());
    }
    let attributes = json::member(&device, "attributes").filter(|raw| *raw != "null");
    Ok(NewDevice {
        who,
        token: token.ok_or("device id cannot be blank")?,
        platform: platform.ok_or("device platform must be ios or android")?,
        last_used: seconds,
        attributes: attributes.unwrap_or("{}"),
    })
}
