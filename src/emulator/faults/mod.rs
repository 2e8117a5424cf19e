//! Faults on demand: what may go wrong between a client and Customer.io.
//!
//! A [`Fault`] says what happens and to which requests; the script decides request by request.

mod fault;
mod handle;
mod script;

pub use fault::{Action, Body, Fault, Pick, Rejection, Report, When};
pub use handle::{FaultStatus, FaultsHandle};
pub(crate) use script::{FaultScript, ItemFaults, Strike};
