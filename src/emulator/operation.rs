//! One thing asked of the workspace, read and checked, whichever API it came through.

use std::borrow::Cow;

use crate::emulator::json::{self, Entry};

/// How a request names a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PersonIdentifier<'a> {
    Id(Cow<'a, str>),
    Email(Cow<'a, str>),
    Phone(Cow<'a, str>),
    CioId(Cow<'a, str>),
    /// Somebody who has not identified themselves yet; events only.
    Anonymous(Cow<'a, str>),
}

impl PersonIdentifier<'_> {
    /// Returns the value alone.
    pub(crate) fn value(&self) -> &str {
        match self {
            Self::Id(value)
            | Self::Email(value)
            | Self::Phone(value)
            | Self::CioId(value)
            | Self::Anonymous(value) => value,
        }
    }
}

/// How a request names an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ObjectIdentifier<'a> {
    /// A type and an id unique within it.
    Typed { type_id: u32, id: Cow<'a, str> },
    /// The workspace's own id, for updates only.
    CioObjectId(Cow<'a, str>),
}

/// What a request says about an identifier in its attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum IdentifierChange<'a> {
    /// Nothing.
    #[default]
    Absent,
    /// `null` or `""`.
    Clear,
    /// This value.
    Set(Cow<'a, str>),
}

/// Add or update a person.
#[derive(Debug)]
pub(crate) struct IdentifyPerson<'a> {
    pub(crate) who: PersonIdentifier<'a>,
    pub(crate) id: IdentifierChange<'a>,
    pub(crate) email: IdentifierChange<'a>,
    pub(crate) phone: IdentifierChange<'a>,
    pub(crate) anonymous_id: IdentifierChange<'a>,
    /// The attributes that are neither identifiers nor controls.
    pub(crate) attributes: Vec<Entry<'a>>,
    /// Never create.
    pub(crate) update_only: bool,
    /// When the update happened, in unix seconds.
    pub(crate) timestamp: Option<i64>,
    pub(crate) relationships: Option<ObjectLinks<'a>>,
}

/// Objects to relate a person to, or to part from.
#[derive(Debug)]
pub(crate) struct ObjectLinks<'a> {
    pub(crate) remove: bool,
    pub(crate) links: Vec<ObjectLink<'a>>,
}

/// One object of a person's relationships.
#[derive(Debug)]
pub(crate) struct ObjectLink<'a> {
    pub(crate) object: ObjectIdentifier<'a>,
    pub(crate) attributes: Vec<Entry<'a>>,
}

/// One person of an object's relationships.
#[derive(Debug)]
pub(crate) struct PersonLink<'a> {
    pub(crate) person: PersonIdentifier<'a>,
    pub(crate) attributes: Vec<Entry<'a>>,
}

/// Something a person did.
#[derive(Debug)]
pub(crate) struct NewEvent<'a> {
    pub(crate) who: PersonIdentifier<'a>,
    pub(crate) kind: EventKind,
    pub(crate) name: Cow<'a, str>,
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) timestamp: Option<i64>,
    /// The event's data as JSON.
    pub(crate) data: &'a str,
}

/// The three kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    Event,
    Page,
    Screen,
}

impl EventKind {
    /// Returns the kind's name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Page => "page",
            Self::Screen => "screen",
        }
    }
}

/// A mobile device of a person.
#[derive(Debug)]
pub(crate) struct NewDevice<'a> {
    pub(crate) who: PersonIdentifier<'a>,
    pub(crate) token: Cow<'a, str>,
    pub(crate) platform: Cow<'a, str>,
    pub(crate) last_used: Option<i64>,
    /// The device's own attributes as JSON.
    pub(crate) attributes: &'a str,
}

/// Everything that can be asked.
#[derive(Debug)]
pub(crate) enum Operation<'a> {
    IdentifyPerson(Box<IdentifyPerson<'a>>),
    DeletePerson(PersonIdentifier<'a>),
    Suppress(PersonIdentifier<'a>),
    Unsuppress(PersonIdentifier<'a>),
    Event(NewEvent<'a>),
    AddDevice(NewDevice<'a>),
    DeleteDevice {
        who: PersonIdentifier<'a>,
        token: Cow<'a, str>,
    },
    RelatePerson {
        who: PersonIdentifier<'a>,
        objects: ObjectLinks<'a>,
    },
    Merge {
        primary: PersonIdentifier<'a>,
        secondary: PersonIdentifier<'a>,
    },
    IdentifyObject {
        object: ObjectIdentifier<'a>,
        attributes: Vec<Entry<'a>>,
        people: Vec<PersonLink<'a>>,
    },
    DeleteObject(ObjectIdentifier<'a>),
    RelateObject {
        object: ObjectIdentifier<'a>,
        remove: bool,
        people: Vec<PersonLink<'a>>,
    },
    Delivery {
        id: Cow<'a, str>,
        name: Cow<'a, str>,
        device_token: Cow<'a, str>,
    },
}

impl<'a> IdentifyPerson<'a> {
    /// Sorts a person's attributes into identifiers, controls and the rest.
    ///
    /// `_update` and `_timestamp` are controls. Source: Track API description, v1 identify.
    ///
    /// # Errors
    ///
    /// The name of an identifier that is neither a string nor a number.
    pub(crate) fn new(
        who: PersonIdentifier<'a>,
        entries: Vec<Entry<'a>>,
    ) -> Result<Self, &'static str> {
        let mut asked = Self {
            who,
            id: IdentifierChange::Absent,
            email: IdentifierChange::Absent,
            phone: IdentifierChange::Absent,
            anonymous_id: IdentifierChange::Absent,
            attributes: Vec::with_capacity(entries.len()),
            update_only: false,
            timestamp: None,
            relationships: None,
        };
        for entry in entries {
            match &*entry.name {
                "id" => asked.id = change(entry.value).ok_or("id")?,
                "email" => asked.email = change(entry.value).ok_or("email")?,
                "phone" => asked.phone = change(entry.value).ok_or("phone")?,
                "anonymous_id" => {
                    asked.anonymous_id = change(entry.value).ok_or("anonymous_id")?;
                }
                "_update" => asked.update_only = entry.value == "true",
                "_timestamp" => asked.timestamp = entry.value.parse().ok(),
                // The workspace's own id is never set from outside.
                "cio_id" => {}
                _ => asked.attributes.push(entry),
            }
        }
        Ok(asked)
    }
}

fn change(raw: &str) -> Option<IdentifierChange<'_>> {
    match raw {
        "null" | "\"\"" => Some(IdentifierChange::Clear),
        raw => json::text_or_number(raw).map(IdentifierChange::Set),
    }
}
