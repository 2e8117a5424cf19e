//! Why a run did not end well.

use crate::customerio::{DeliveryError, VendorText};
use crate::diff::Tripped;
use crate::mapping::MappingComplaint;
use crate::model::{Disposition, Reason, RunId, SyncId, ValueKind};
use crate::sources::SourceError;
use crate::spill::SpillError;
use crate::state::StateError;

/// What stopped a run. Rows are never a cause: a bad row is a rejection.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source could not be read to its end.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The state could not be read or written.
    #[error("{0}")]
    State(#[from] StateError),
    /// Customer.io could not be reached, or refused more than a row.
    #[error("{0}")]
    Delivery(#[from] DeliveryError),
    /// The disk for temporary files failed.
    #[error("{0}")]
    Spill(#[from] SpillError),
    /// The spec doesn't fit the query's columns.
    #[error("{}", first_of(.0))]
    Mapping(Vec<MappingComplaint>),
    /// The source gave its rows in another order than it was asked to.
    #[error("the source gave its rows out of order of the primary key")]
    OutOfOrder,
    /// One column of the key holds values of several kinds.
    #[error("primary key column `{column}` holds {} as well as {expected}", found.as_str())]
    MixedKey {
        /// The column.
        column: String,
        /// What it held first.
        expected: &'static str,
        /// What it holds too.
        found: ValueKind,
    },
    /// The key's columns have other kinds than those remembered.
    #[error("the primary key was {remembered} when rows were remembered, and is {found} now")]
    KeyChanged {
        /// The kinds that are remembered.
        remembered: String,
        /// The kinds that the source has now.
        found: String,
    },
    /// What is remembered belongs to something else.
    #[error("what is remembered of this Sync belongs to another {what}: {remembered}, not {found}")]
    IdentityChanged {
        /// What differs (`workspace`, `primary key`).
        what: &'static str,
        /// What is remembered.
        remembered: String,
        /// What the spec or the credentials say now.
        found: String,
    },
    /// A guard stopped the run before anything was sent.
    #[error("{tripped}")]
    Guard {
        /// The guard and its numbers.
        tripped: Tripped,
        /// What a person approves.
        blocked_id: RunId,
    },
    /// A first run waits for a person.
    #[error("the first run waits for a review of its plan")]
    Review {
        /// What a person approves.
        blocked_id: RunId,
    },
    /// An approval names a run that is not blocked.
    #[error("run {given} is not waiting for an approval")]
    NothingToApprove {
        /// What the person gave.
        given: RunId,
        /// What is waiting, if anything is.
        blocked_id: Option<RunId>,
    },
    /// Customer.io refused more rows than `maxRejected` allows.
    #[error("Customer.io refused {refused} of {answered} rows{}", code.as_ref().map(|code| format!(", mostly with code {code}")).unwrap_or_default())]
    TooManyRejected {
        /// Rows that were refused.
        refused: u64,
        /// Rows that were answered.
        answered: u64,
        /// The most frequent code.
        code: Option<String>,
    },
    /// It can't be known whether removals would hit what another Sync holds.
    #[error(
        "{other} may hold what this Sync would remove, but names it by {identifier}, so it can't be known"
    )]
    RemovalUnsafe {
        /// The other Sync.
        other: SyncId,
        /// Its kind of identifier.
        identifier: &'static str,
    },
    /// A segment is named and there is no key to look it up.
    #[error("the segment `{name}` can't be looked up without an App API key")]
    SegmentNeedsKey {
        /// Its name.
        name: String,
    },
    /// A name means more than one segment.
    #[error("{} manual segments are called `{name}` (numbers {})", ids.len(), numbers(ids))]
    SegmentAmbiguous {
        /// The name.
        name: String,
        /// Their numbers.
        ids: Vec<u64>,
    },
    /// A name means a segment that nobody can be put into.
    #[error("the segment `{name}` is filled by rules in Customer.io, so nobody can be put into it")]
    SegmentNotManual {
        /// Its name.
        name: String,
    },
    /// The segment that rows were put into is gone.
    #[error("the segment `{name}` that rows were put into (number {id}) is no longer there")]
    SegmentGone {
        /// Its name.
        name: String,
        /// Its number.
        id: String,
    },
    /// A collection is larger than Customer.io takes.
    #[error(
        "the collection takes {size_bytes} bytes as JSON, more than the {limit} that Customer.io takes"
    )]
    CollectionTooLarge {
        /// Its size.
        size_bytes: usize,
        /// The largest size.
        limit: usize,
    },
    /// Replacing a collection would drop rows that the source still has.
    #[error("{rows} rows that the collection holds are invalid now; replacing it would drop them")]
    CollectionHeld {
        /// How many.
        rows: u64,
    },
    /// A name means more than one collection.
    #[error("{} collections are called `{name}` (numbers {})", ids.len(), numbers(ids))]
    CollectionAmbiguous {
        /// The name.
        name: String,
        /// Their numbers.
        ids: Vec<u64>,
    },
    /// What is asked for needs an App API key.
    #[error("{0}, which needs an App API key, and the connection has none")]
    NoAppKey(&'static str),
    /// What a Sync does leaves nothing behind that can be read back.
    #[error("what `{operation}` does can't be read back from Customer.io")]
    NotVerifiable {
        /// The operation.
        operation: &'static str,
    },
    /// The members of a segment could not be read.
    #[error("the segment's members can't be read: {problem}")]
    NoMembers {
        /// Why, in our words.
        problem: String,
    },
    /// There is nothing to read back yet.
    #[error("nothing was delivered by this Sync yet")]
    NothingDelivered,
    /// The run's time was over.
    #[error("the run did not end within its timeout of {0:?}")]
    Timeout(std::time::Duration),
    /// A person or the system asked the run to stop.
    #[error("the run was stopped")]
    Stopped,
    /// Our own invariant broke.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

fn first_of(complaints: &[MappingComplaint]) -> String {
    let Some(first) = complaints.first() else { return "the mapping doesn't fit".to_owned() };
    let more = match complaints.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    format!("{}: {}{more}", first.path, first.message)
}

fn numbers(ids: &[u64]) -> String {
    ids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

impl RunError {
    /// Returns what the error means for what comes next.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Source(error) => error.disposition(),
            Self::State(error) => error.disposition(),
            Self::Delivery(error) => error.disposition(),
            Self::Spill(_) | Self::NoMembers { .. } | Self::Timeout(_) | Self::Stopped => {
                Disposition::Transient
            }
            Self::Mapping(_)
            | Self::MixedKey { .. }
            | Self::KeyChanged { .. }
            | Self::IdentityChanged { .. }
            | Self::Guard { .. }
            | Self::Review { .. }
            | Self::NothingToApprove { .. }
            | Self::TooManyRejected { .. }
            | Self::SegmentNeedsKey { .. }
            | Self::SegmentAmbiguous { .. }
            | Self::SegmentNotManual { .. }
            | Self::SegmentGone { .. }
            | Self::CollectionTooLarge { .. }
            | Self::CollectionHeld { .. }
            | Self::CollectionAmbiguous { .. }
            | Self::NoAppKey(_)
            | Self::NotVerifiable { .. }
            | Self::NothingDelivered
            | Self::RemovalUnsafe { .. } => Disposition::NeedsOperator,
            Self::OutOfOrder | Self::Internal(_) => Disposition::Bug,
        }
    }

    /// Returns the reason that names the error in conditions and output.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Source(error) => error.reason(),
            Self::State(error) => error.reason(),
            Self::Delivery(error) => error.reason(),
            Self::Spill(_) | Self::Stopped | Self::NothingToApprove { .. } => Reason::RunFailed,
            Self::Mapping(_) | Self::MixedKey { .. } | Self::KeyChanged { .. } => {
                Reason::SchemaDrift
            }
            Self::IdentityChanged { .. } => Reason::StateMismatch,
            Self::Guard { .. } | Self::Review { .. } => Reason::GuardTripped,
            Self::TooManyRejected { .. } => Reason::TooManyRejected,
            Self::RemovalUnsafe { .. } => Reason::RemovalUnsafe,
            Self::SegmentNeedsKey { .. }
            | Self::SegmentAmbiguous { .. }
            | Self::SegmentNotManual { .. }
            | Self::SegmentGone { .. } => Reason::SegmentNotFound,
            Self::NoAppKey(_) | Self::NotVerifiable { .. } | Self::CollectionAmbiguous { .. } => {
                Reason::InvalidSpec
            }
            // Waiting mends neither: a guard on what Customer.io can hold.
            Self::CollectionTooLarge { .. } | Self::CollectionHeld { .. } => Reason::GuardTripped,
            Self::NothingDelivered => Reason::RunFailed,
            Self::NoMembers { .. } => Reason::ConnectionNotReady,
            Self::Timeout(_) => Reason::Timeout,
            Self::OutOfOrder | Self::Internal(_) => Reason::Internal,
        }
    }

    /// Returns what the person should do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.hint.clone(),
            Self::State(error) => error.hint(),
            Self::Delivery(error) => error.hint(),
            Self::Spill(_) => {
                Some("free some disk, or name another folder with --spool-dir".into())
            }
            Self::Mapping(complaints) => complaints.first().and_then(|it| it.hint.clone()),
            Self::MixedKey { column, .. } => {
                Some(format!("cast it in the query: `cast({column} as text) as {column}`"))
            }
            Self::KeyChanged { remembered, .. } => Some(format!(
                "cast the key back to {remembered} in the query, or forget what is remembered with \
                 `ciosync state reset` (the next run then follows initialRun)"
            )),
            Self::IdentityChanged { what: "workspace", .. } => Some(
                "give the credentials of that workspace back, or forget what is remembered with \
                 `ciosync state reset` to start anew in this one"
                    .into(),
            ),
            Self::IdentityChanged { .. } => Some(
                "make a new Sync for it, or forget what is remembered with `ciosync state reset`"
                    .into(),
            ),
            Self::Guard { blocked_id, .. } => Some(format!(
                "look at the changes with `ciosync plan`; if they are meant, run with \
                 `--approve {blocked_id}`"
            )),
            Self::Review { blocked_id } => Some(format!(
                "look at the changes with `ciosync plan`, then run with `--approve {blocked_id}`"
            )),
            Self::NothingToApprove { blocked_id: Some(id), .. } => {
                Some(format!("the run that waits is {id}"))
            }
            Self::NothingToApprove { blocked_id: None, .. } => Some("nothing waits".into()),
            Self::TooManyRejected { .. } => Some(
                "look at them with `ciosync get rejections`; raise guards.maxRejected if they are \
                 meant to be refused"
                    .into(),
            ),
            Self::RemovalUnsafe { .. } => Some(
                "identify by the same identifier in both, use `onRemove: clear`, or say \
                 `exclusive: true` if no other Sync writes these people or objects"
                    .into(),
            ),
            Self::SegmentNeedsKey { .. }
            | Self::SegmentAmbiguous { .. }
            | Self::SegmentNotManual { .. }
            | Self::SegmentGone { .. }
            | Self::CollectionTooLarge { .. }
            | Self::CollectionHeld { .. }
            | Self::CollectionAmbiguous { .. }
            | Self::NoAppKey(_)
            | Self::NothingDelivered => self.app_hint().map(Into::into),
            Self::NotVerifiable { .. } | Self::NoMembers { .. } => None,
            Self::Timeout(_) => {
                Some("raise `timeout`; the next run goes on where this one was".into())
            }
            Self::OutOfOrder => Some("please report this; nothing was removed".into()),
            Self::Stopped | Self::Internal(_) => None,
        }
    }

    /// Returns what the person should do next about what is read or written through the App API.
    fn app_hint(&self) -> Option<&'static str> {
        let hint = match self {
            Self::SegmentNeedsKey { .. } => {
                "add `appApiKey` to the connection, or name the segment by its `id`"
            }
            Self::SegmentAmbiguous { .. } | Self::CollectionAmbiguous { .. } => {
                "give all but one of them another name in Customer.io"
            }
            Self::SegmentNotManual { .. } => {
                "name a manual segment, or give that one another name: a manual one is then made"
            }
            Self::SegmentGone { .. } => {
                "give the segment its name back, or forget what is remembered with `ciosync state \
                 reset`: then one is found or made anew"
            }
            Self::CollectionTooLarge { .. } => "select fewer rows or columns",
            Self::CollectionHeld { .. } => {
                "look at them with `ciosync get rejections`; mend them, or take them out of the query"
            }
            Self::NoAppKey(_) => "add `appApiKey` to the connection",
            Self::NothingDelivered => "run it first: `ciosync run`",
            _ => return None,
        };
        Some(hint)
    }

    /// Returns the vendor's own words, which may quote row values, for a person who asks for them.
    pub fn vendor_text(&self) -> Option<&str> {
        match self {
            Self::Source(error) => error.vendor_text.as_deref(),
            Self::Delivery(error) => error.vendor_text().map(VendorText::reveal),
            _ => None,
        }
    }
}
