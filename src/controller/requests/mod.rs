//! What a person asks of an operator: run now, suspend, resume, approve, cancel.
//!
//! Goes through the API server with the rights of whoever asks, and writes nothing but annotations
//! and `spec.suspend`, under a field manager of its own, so that a GitOps tool leaves its edits
//! alone. Knows nothing of the operator's process: the answer is in the status.

pub mod access;
pub mod cluster;
pub mod error;
pub mod request;
pub mod standing;

pub use access::Access;
pub use cluster::Cluster;
pub use error::RequestError;
pub use request::Request;
pub use standing::Standing;
