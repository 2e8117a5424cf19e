//! The field's words as values: value, row, key, record, fingerprint, change, report.
//!
//! Every other room speaks in these types. This one knows none of them, does no I/O,
//! and takes the time as an argument.

pub mod canonical;
pub mod change;
pub mod details;
pub mod disposition;
pub mod duration;
pub mod entry;
pub mod event_id;
pub mod fingerprint;
pub mod key;
pub mod limits;
pub mod number;
pub mod record;
pub mod rejection;
pub mod report;
pub mod row;
pub mod secret;
pub mod sync_id;
pub mod target;
pub mod text;
pub mod value;
pub mod varint;

pub use change::{ChangeKind, OperationKind};
pub use details::{Details, EventKind, Platform};
pub use disposition::{Disposition, Reason};
pub use entry::{Entry, EntryBuf, EntryFlags};
pub use event_id::{EventId, EventIds};
pub use fingerprint::{Encoding, Fingerprint};
pub use key::{KeyKind, KeyShape};
pub use record::{RecordBuf, RecordView};
pub use rejection::{Rejection, RejectionKind};
pub use report::{RunCounts, RunId, RunReport, RunResult};
pub use row::{Column, Row, RowBatch};
pub use sync_id::SyncId;
pub use target::{IdentifierKind, Target, TargetKind};
pub use value::{Value, ValueKind};
