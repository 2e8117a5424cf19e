//! The operator: Syncs that run themselves in a cluster.

pub mod changes;
pub mod connections;
pub mod context;
pub mod decide;
pub mod error;
pub mod events;
pub mod figures;
pub mod follow;
pub mod housekeeping;
pub mod leader;
pub mod namespaces;
pub mod nudges;
pub mod objects;
mod operate;
pub mod options;
pub mod outages;
pub mod overview;
pub mod permission;
pub mod policy;
pub mod probe;
pub mod readiness;
pub mod reconcile;
pub mod requests;
pub mod rights;
pub mod run;
pub mod secret_watch;
pub mod secrets;
pub mod startup;
pub mod status;
pub mod supervisor;
pub mod watch;

pub use error::ControllerError;
pub use options::{ControllerOptions, LeaseOptions, RunLimits};
pub use run::run;
