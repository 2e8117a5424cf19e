//! What rows become in the workspace: the words of a Sync for it, and how it is found there.

use std::collections::BTreeMap;

use ciosync::emulator::{Emulator, UnknownParty};
use serde_json::Value;

use super::world::{Person, email};

/// How rows become what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// People: `updateOrCreate` by id.
    Keep,
    /// People: `mirror` by id.
    Mirror,
    /// People: `mirror` by e-mail: a row may come to be about another person.
    MirrorByEmail,
    /// Objects: `mirror` by type and id.
    Objects,
    /// Relationships: `mirror`; a row may come to be about another object.
    Relationships,
    /// Devices: `mirror`; a row may come to be about another token.
    Devices,
    /// Members of a segment: `mirror`, through version 1.
    Members,
    /// Events: `append`.
    Events,
}

impl Style {
    /// Returns whether what left the source leaves the workspace.
    pub fn mirrors(self) -> bool {
        !matches!(self, Self::Keep | Self::Events)
    }

    /// Returns whether a row may come to be about another target.
    pub fn moves(self) -> bool {
        matches!(self, Self::MirrorByEmail | Self::Relationships | Self::Devices)
    }

    /// Returns whether a row says more than that it is there.
    pub fn says(self) -> bool {
        self != Self::Members
    }

    /// Returns the path of the requests that carry rows.
    pub fn path(self) -> &'static str {
        match self {
            Self::Members => "/api/v1/segments",
            _ => "/api/v2/batch",
        }
    }

    /// Returns the target that a row is about, as the state remembers it.
    pub fn target(self, id: i64, person: Person) -> String {
        match self {
            Self::Keep | Self::Mirror | Self::Objects | Self::Events => id.to_string(),
            Self::MirrorByEmail => email(id, person),
            Self::Relationships | Self::Devices => pair(&id.to_string(), &second(id, person)),
            Self::Members => long(id),
        }
    }

    /// Returns what a query needs of the table besides the columns of people.
    pub fn columns(self) -> &'static str {
        match self {
            Self::Keep | Self::Mirror | Self::MirrorByEmail => "",
            _ => ", second, long, 1700000000 + id as at",
        }
    }

    /// Returns the part of a Sync's spec that says so.
    pub fn spec(self, extra_mappings: &str) -> String {
        let object = "object: {typeId: \"1\", id: second}\n  identifiers: {id: id}";
        let device = "device: {token: second, platform: {constant: ios}}\n  identifiers: {id: id}";
        let (entity, behavior, block) = match self {
            Self::Keep => ("person", "updateOrCreate", "identifiers: {id: id}"),
            Self::Mirror => ("person", "mirror\n  onRemove: delete", "identifiers: {id: id}"),
            Self::MirrorByEmail => {
                ("person", "mirror\n  onRemove: delete", "identifiers: {email: email}")
            }
            Self::Objects => {
                ("object", "mirror\n  onRemove: delete", "object: {typeId: \"1\", id: id}")
            }
            Self::Relationships => ("relationship", "mirror", object),
            Self::Devices => ("device", "mirror", device),
            Self::Members => {
                ("segmentMembership", "mirror", "identifiers: {id: long}\n  segment: {id: 1}")
            }
            Self::Events => (
                "event",
                "append",
                "identifiers: {id: id}\n  event: {name: {constant: seen}, timestamp: at}",
            ),
        };
        let mappings = match self.says() {
            true => format!("mappings: [{{from: version}}, {{from: note}}{extra_mappings}]"),
            false => String::new(),
        };
        format!("entity: {entity}\n  behavior: {behavior}\n  {block}\n  {mappings}")
    }

    /// Makes what must be in the workspace before.
    pub fn prepare(self, emulator: &Emulator) {
        if self == Self::Members {
            assert_eq!(emulator.workspace().create_segment("members"), 1);
            emulator.settings().change(|settings| {
                settings.segment_for_unknown_person = UnknownParty::Create;
            });
        }
    }

    /// Returns what is in the workspace, by target.
    pub fn found(self, emulator: &Emulator) -> BTreeMap<String, Value> {
        let workspace = emulator.workspace();
        let mut found = BTreeMap::new();
        let mut add = |target: String, attributes| {
            let before = found.insert(target.clone(), attributes);
            assert_eq!(before, None, "{target} is there twice");
        };
        match self {
            Self::Keep | Self::Mirror | Self::MirrorByEmail => {
                for it in workspace.people() {
                    add(it.id.or(it.email).unwrap(), it.attributes);
                }
            }
            Self::Objects => {
                for it in workspace.objects() {
                    add(it.object_id, it.attributes);
                }
            }
            Self::Relationships => {
                for it in workspace.relationships() {
                    add(pair(&it.person, &it.object_id), it.attributes);
                }
            }
            Self::Devices => {
                for it in workspace.devices() {
                    add(pair(&it.person, &it.token), it.attributes);
                }
            }
            Self::Members => {
                for it in workspace.segment(1).unwrap().members {
                    add(it, Value::Null);
                }
            }
            Self::Events => {
                for it in workspace.events() {
                    add(it.person.unwrap(), it.data);
                }
            }
        }
        found
    }
}

/// The token of a row's device, or the object that it relates its person to.
pub fn second(id: i64, person: Person) -> String {
    format!("s{id}.{}", person.address)
}

/// The id of a row's member: so long that few fit into a small request.
pub fn long(id: i64) -> String {
    format!("{id:0>140}")
}

/// The text by which a person and something of theirs are remembered.
pub fn pair(person: &str, second: &str) -> String {
    format!("{}:{person}{second}", person.len())
}
