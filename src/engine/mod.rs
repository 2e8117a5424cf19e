//! One run: plan, spool, deliver, commit, report. Knows nothing of Kubernetes.
//!
//! [`run()`] is the spine and [`plan`](preview::plan) its first half; `plan` sends nothing and
//! writes nothing, and shares every line up to the gate between the two.

pub mod audit;
pub mod begin;
pub mod change;
pub mod changes;
pub mod cleanup;
pub mod collection;
pub mod commit;
pub mod cursor;
pub mod deliver;
pub mod error;
pub mod fill;
pub mod gate;
pub mod invalid;
pub mod ledger;
pub mod pipeline;
pub mod plan;
pub mod preview;
pub mod progress;
pub mod read;
pub mod refusals;
pub mod rejected;
pub mod run;
pub mod segment;
pub mod session;
pub mod settle;
pub mod targets;
pub mod verify;

pub use error::RunError;
pub use pipeline::{AuditRule, CursorRule, InitialRun, OnRemove, Pipeline, SegmentRef};
pub use preview::{Preview, PreviewRequest, plan};
pub use progress::{Phase, Progress};
pub use run::{RunOptions, RunOutcome, RunPurpose, RunRequest, run};
