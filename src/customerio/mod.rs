//! The only room that knows Customer.io: entity JSON, batching, limiter, retry, client.
//!
//! Facts about the API stand beside the code that relies on them, with their source.

pub mod spec;
