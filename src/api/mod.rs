//! The custom resources as data: types, validation rules, conditions.
//!
//! What a resource may say is written once, as Rust types with rules; the CRDs in `crds/`, the
//! offline checks of `ciosync validate` and the reading of resources all come from them.
//! Knows no files and no API server.

pub mod condition;
pub mod connection;
pub mod crds;
pub mod encoding;
pub mod finding;
pub mod guards;
pub mod ownership;
pub mod reference;
pub mod schema;
pub mod source;
pub mod sync;
pub mod sync_status;
pub mod validate;

pub use connection::{CustomerIoConnection, CustomerIoConnectionSpec};
pub use finding::{Finding, Severity};
pub use source::{Source, SourceSpec};
pub use sync::{Sync, SyncSpec};

/// API group of the custom resources.
pub const GROUP: &str = "ciosync.dev";

/// Version of the custom resources.
pub const VERSION: &str = "v1alpha1";

/// A kind of custom resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A warehouse.
    Source,
    /// A Customer.io workspace.
    CustomerIoConnection,
    /// A Sync.
    Sync,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Source, Self::CustomerIoConnection, Self::Sync];

    /// Returns the word in the field `kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::CustomerIoConnection => "CustomerIoConnection",
            Self::Sync => "Sync",
        }
    }
}
