//! Labels: names of objects and words out of closed sets, never anything out of a row.

use prometheus_client::encoding::EncodeLabelSet;

/// The object that a series is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ObjectName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectName {
    /// Returns the name of an object.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// A Sync and what became of some of its rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Outcome {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) outcome: &'static str,
}

/// A Sync and how some of its runs ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Ending {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) result: &'static str,
}

/// A kind of resource and how looking at one went.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Look {
    pub(super) kind: &'static str,
    pub(super) result: &'static str,
}

/// A kind of resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KindLabel {
    pub(super) kind: &'static str,
}

/// What a run does: it goes on, or waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RunState {
    pub(super) state: &'static str,
}

/// Which binary this is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Build {
    pub(super) version: &'static str,
}
