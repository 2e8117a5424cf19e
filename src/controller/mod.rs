//! The operator: Syncs that run themselves in a cluster.

pub mod connections;
pub mod decide;
pub mod error;
pub mod leader;
pub mod namespaces;
pub mod nudges;
pub mod objects;
pub mod options;
pub mod permission;
pub mod policy;
pub mod probe;
pub mod readiness;
pub mod secrets;
pub mod startup;
pub mod status;
pub mod supervisor;
pub mod watch;
