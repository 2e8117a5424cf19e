//! What a row is about besides a person, as a spec says it: an object, a device, an event, a
//! relationship.

use crate::model::{EventKind, OperationKind};

/// A value that a column gives, or that is the same for all rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// The column of that name gives it.
    Column(String),
    /// The same for every row.
    Constant(String),
}

impl Given {
    fn column(&self) -> Option<&str> {
        match self {
            Self::Column(name) => Some(name),
            Self::Constant(_) => None,
        }
    }
}

/// What a row is about, beside its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The person whom the identifier names, and nothing else.
    Person,
    /// The object that the identifier names.
    Object {
        /// Its type; `None` where the identifier is Customer.io's own id.
        type_id: Option<String>,
    },
    /// A person's relationship to an object.
    Relationship {
        /// The object's type; `None` where the column holds Customer.io's own id.
        type_id: Option<String>,
        /// The column with the object's id.
        object: String,
    },
    /// A person's device.
    Device {
        /// The column with its token.
        token: String,
        /// Where it runs.
        platform: Given,
        /// The column with the time of its last use.
        last_used: Option<String>,
    },
    /// A row of a collection, which has no identifier of its own; the spec's is the first column of
    /// the key, and is not looked at.
    CollectionRow,
    /// An event.
    Event {
        /// Its kind.
        kind: EventKind,
        /// What it is called.
        name: Given,
        /// The column with the time at which it happened.
        at: Option<String>,
        /// What its id is made from, besides name and key.
        id_scope: String,
    },
}

impl About {
    /// Returns the columns that rows sent as `operation` need, beside the identifier's.
    pub fn columns(&self, operation: OperationKind) -> Vec<&str> {
        match self {
            Self::Person | Self::Object { .. } | Self::CollectionRow => Vec::new(),
            Self::Relationship { object, .. } => vec![object],
            Self::Device { token, platform, last_used } => {
                let mut columns = vec![token.as_str()];
                if operation == OperationKind::DeviceAdd {
                    columns.extend(platform.column());
                    columns.extend(last_used.as_deref());
                }
                columns
            }
            Self::Event { name, at, .. } => {
                name.column().into_iter().chain(at.as_deref()).collect()
            }
        }
    }
}
