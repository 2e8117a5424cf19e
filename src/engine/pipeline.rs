//! Everything a run needs, valid and with secrets in hand. Made once, by `resolve.rs`;
//! nothing below it checks again.

use std::sync::Arc;
use std::time::Duration;

use crate::customerio::Client;
use crate::diff::Guards;
use crate::mapping::{About, RecordSpec};
use crate::model::{OperationKind, SyncId};
use crate::sources::{Model, Source};

/// What happens to rows that left the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRemove {
    /// What the row was sent as is deleted: the person, the object, the relationship, the device,
    /// the membership.
    Delete,
    /// The mapped attributes are set to null.
    Clear,
    /// The person is deleted and the identifier blocked.
    Suppress,
}

impl OnRemove {
    /// Returns the operation that carries it out on rows that are sent as `sent`; `None` where
    /// there is none.
    pub fn operation(self, sent: OperationKind) -> Option<OperationKind> {
        let removal = match (sent, self) {
            (OperationKind::PersonIdentify, Self::Delete) => OperationKind::PersonDelete,
            (OperationKind::PersonIdentify, Self::Clear) => OperationKind::PersonClear,
            (OperationKind::PersonIdentify, Self::Suppress) => OperationKind::PersonSuppress,
            (OperationKind::ObjectIdentify, Self::Delete) => OperationKind::ObjectDelete,
            (OperationKind::ObjectIdentify, Self::Clear) => OperationKind::ObjectClear,
            (OperationKind::RelationshipAdd, Self::Delete) => OperationKind::RelationshipDelete,
            (OperationKind::DeviceAdd, Self::Delete) => OperationKind::DeviceDelete,
            (OperationKind::SegmentAdd, Self::Delete) => OperationKind::SegmentRemove,
            _ => return None,
        };
        Some(removal)
    }
}

/// A manual segment, as a spec names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentRef {
    /// By its number.
    Id(u64),
    /// By its name, which a run looks up before it reads a row.
    Name(String),
}

/// What a first run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialRun {
    /// Sends every row.
    Backfill,
    /// Remembers every row as delivered and sends nothing.
    Baseline,
    /// Plans, and waits for a person's approval.
    Review,
}

/// Reads only rows whose column lies in a moving window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorRule {
    /// The column with the time of load or update.
    pub column: String,
    /// How far behind the last value each run looks again.
    pub lookback: Duration,
}

/// What is read back from Customer.io once everything is delivered. Needs an App API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRule {
    /// Whether changes that were accepted and dropped later are looked for.
    pub late_failures: bool,
    /// Whether the members of a segment are compared with what was sent.
    pub membership: bool,
    /// How long that may take.
    pub time_max: Duration,
}

/// One Sync, ready to run.
pub struct Pipeline {
    /// The Sync.
    pub sync: SyncId,
    /// A Sync that is gone, and whose state this one takes over where it has none of its own.
    pub adopt_from: Option<SyncId>,
    /// The entity and behavior as the spec writes them, for messages: `person updateOrCreate`.
    pub entity: String,
    /// See [`Pipeline::entity`].
    pub behavior: String,
    /// Where rows come from.
    pub source: Arc<dyn Source>,
    /// What is read there.
    pub model: Model,
    /// Which of its rows are read; `None` for all of them.
    pub cursor: Option<CursorRule>,
    /// What is sent for a row.
    pub record: RecordSpec,
    /// What happens to rows that left the source; `None` for all behaviors but mirror.
    pub on_remove: Option<OnRemove>,
    /// How long a mirror's row must have been missing from every complete read before it is
    /// removed; zero removes it at once.
    pub remove_after: Duration,
    /// How often every row is sent again; `None` for never.
    pub refresh: Option<Duration>,
    /// The segment whose members rows are; `None` for any other entity.
    pub segment: Option<SegmentRef>,
    /// The name of the collection that rows are the content of; `None` for any other entity.
    pub collection: Option<String>,
    /// Whether no other Sync writes these people or objects.
    pub exclusive: bool,
    /// What a first run does.
    pub initial_run: InitialRun,
    /// The limits that stop a run.
    pub guards: Guards,
    /// What is read back afterwards.
    pub audit: AuditRule,
    /// How long a run may take.
    pub timeout: Duration,
    /// Finished runs that are kept.
    pub history_limit: u32,
    /// Where rows go to. Shared by all Syncs of the connection, its limiter with it.
    pub client: Arc<Client>,
}

impl Pipeline {
    /// Returns whether rows are events: each is sent once, and none is ever removed.
    pub fn appends(&self) -> bool {
        self.record.operation == OperationKind::EventTrack
    }

    /// Returns the type of the objects that rows are about, or relate people to; `None` where there
    /// are none, or Customer.io's own ids name them.
    pub fn object_type(&self) -> Option<&str> {
        match &self.record.about {
            About::Object { type_id } | About::Relationship { type_id, .. } => type_id.as_deref(),
            About::Person | About::Device { .. } | About::Event { .. } | About::CollectionRow => {
                None
            }
        }
    }
}
