//! What an operation says besides its target and its attributes: an event's name, a device's
//! platform, an object's type.

use super::OperationKind;
use super::event_id::EventId;
use super::varint;

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Something that happened.
    Event,
    /// A page view.
    Page,
    /// A screen view in an app.
    Screen,
}

impl EventKind {
    /// Returns the word for the kind in Customer.io's JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Page => "page",
            Self::Screen => "screen",
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Event => 1,
            Self::Page => 2,
            Self::Screen => 3,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Event, Self::Page, Self::Screen].into_iter().find(|kind| kind.code() == code)
    }
}

/// Where a device runs. Source: Track API description, `device_object_common`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Apple's phones and tablets.
    Ios,
    /// Android.
    Android,
}

impl Platform {
    /// Returns the word for the platform in Customer.io's JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Android => "android",
        }
    }

    /// Returns the platform of that word; upper and lower case are one.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Ios, Self::Android].into_iter().find(|it| word.eq_ignore_ascii_case(it.as_str()))
    }

    fn code(self) -> u8 {
        match self {
            Self::Ios => 1,
            Self::Android => 2,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Ios, Self::Android].into_iter().find(|platform| platform.code() == code)
    }
}

/// What stands between target and attributes of a record.
///
/// Has no `Debug`: names of events are row values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Details<'a> {
    /// Nothing.
    None,
    /// Of a device that is added.
    Device {
        /// Where it runs.
        platform: Platform,
        /// When it was last used, in unix seconds.
        last_used: Option<i64>,
    },
    /// Of an event.
    Event {
        /// Its kind.
        kind: EventKind,
        /// What it is called.
        name: &'a str,
        /// By which Customer.io drops repeats.
        id: EventId,
        /// When it happened, in unix seconds; `None` for when it is sent.
        at: Option<i64>,
    },
    /// Of an object, and of a relationship to one.
    Object {
        /// The object's type; `None` where Customer.io's own id names the object.
        type_id: Option<&'a str>,
    },
}

impl<'a> Details<'a> {
    /// Appends the details to canonical bytes.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Self::None => {}
            Self::Device { platform, last_used } => {
                out.push(platform.code());
                write_time(last_used, out);
            }
            Self::Event { kind, name, id, at } => {
                out.push(kind.code());
                varint::write_bytes(out, name.as_bytes());
                out.extend_from_slice(&id.to_bytes());
                write_time(at, out);
            }
            // No type is empty: the schema wants a number.
            Self::Object { type_id } => {
                varint::write_bytes(out, type_id.unwrap_or_default().as_bytes());
            }
        }
    }

    /// Takes the details of `operation` off the front of `input`; `None` where they are damaged.
    pub(super) fn read(operation: OperationKind, input: &mut &'a [u8]) -> Option<Self> {
        match operation {
            OperationKind::PersonIdentify
            | OperationKind::PersonUpdate
            | OperationKind::PersonDelete
            | OperationKind::PersonSuppress
            | OperationKind::PersonUnsuppress
            | OperationKind::PersonClear
            | OperationKind::DeviceDelete
            | OperationKind::SegmentAdd
            | OperationKind::SegmentRemove
            | OperationKind::CollectionReplace => Some(Self::None),
            OperationKind::DeviceAdd => {
                let platform = Platform::from_code(take_byte(input)?)?;
                Some(Self::Device { platform, last_used: read_time(input)? })
            }
            OperationKind::EventTrack => {
                let kind = EventKind::from_code(take_byte(input)?)?;
                let name = std::str::from_utf8(varint::read_bytes(input)?).ok()?;
                let (id, rest) = input.split_first_chunk::<16>()?;
                *input = rest;
                let id = EventId::from_bytes(*id);
                Some(Self::Event { kind, name, id, at: read_time(input)? })
            }
            OperationKind::ObjectIdentify
            | OperationKind::ObjectDelete
            | OperationKind::ObjectClear
            | OperationKind::RelationshipAdd
            | OperationKind::RelationshipDelete => {
                let type_id = std::str::from_utf8(varint::read_bytes(input)?).ok()?;
                Some(Self::Object { type_id: (!type_id.is_empty()).then_some(type_id) })
            }
        }
    }
}

fn write_time(seconds: Option<i64>, out: &mut Vec<u8>) {
    out.push(u8::from(seconds.is_some()));
    if let Some(seconds) = seconds {
        out.extend_from_slice(&seconds.to_le_bytes());
    }
}

fn read_time(input: &mut &[u8]) -> Option<Option<i64>> {
    match take_byte(input)? {
        0 => Some(None),
        1 => {
            let (bytes, rest) = input.split_first_chunk::<8>()?;
            *input = rest;
            Some(Some(i64::from_le_bytes(*bytes)))
        }
        _ => None,
    }
}

fn take_byte(input: &mut &[u8]) -> Option<u8> {
    let (&byte, rest) = input.split_first()?;
    *input = rest;
    Some(byte)
}
