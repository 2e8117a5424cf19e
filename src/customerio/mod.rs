//! The only room that knows Customer.io: entity JSON, batching, limiter, retry, client.
//!
//! Facts about the API stand beside the code that relies on them, with their source.

pub mod account;
pub mod answer;
pub mod app;
pub mod batch;
mod bucket;
mod call;
pub mod client;
pub mod clock;
pub mod config;
pub mod context;
mod entities;
pub mod error;
mod http;
pub mod limiter;
mod line;
pub mod operation;
mod pace;
pub mod rejection;
pub mod retry;
pub mod spec;
#[cfg(test)]
mod testing;
pub mod vendor_text;

pub use account::Account;
pub use answer::{Answer, ItemError, SplitCause};
pub use app::App;
pub use batch::{Batch, BatchBuilder, Route};
pub use client::Client;
pub use clock::SendClock;
pub use config::ConnectionConfig;
pub use context::{SendContext, Traffic};
pub use error::{DeliveryError, Fault, Task};
pub use limiter::Limiter;
pub use retry::RetryPolicy;
pub use vendor_text::VendorText;
