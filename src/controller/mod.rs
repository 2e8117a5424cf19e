//! The operator: Syncs that run themselves in a cluster.

pub mod decide;
pub mod requests;
