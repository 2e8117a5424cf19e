//! The operator's side of a cluster: the only room with a Kubernetes client.

pub mod requests;
