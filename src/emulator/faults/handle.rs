//! The faults of a running emulator, for tests and for the door.

use std::sync::Arc;

use serde::Serialize;

use crate::emulator::context::Context;
use crate::emulator::faults::fault::Fault;

/// A fault that is set, and what it has done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultStatus {
    /// The fault's number.
    pub id: u64,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests it looked at.
    pub seen: u64,
    /// Requests it happened to.
    pub fired: u64,
}

/// Sets faults and takes them away.
#[derive(Clone)]
pub struct FaultsHandle {
    context: Arc<Context>,
}

impl FaultsHandle {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Sets a fault; returns its number.
    pub fn add(&self, fault: Fault) -> u64 {
        self.context.faults.add(fault)
    }

    /// Takes a fault away; returns whether it was set.
    pub fn remove(&self, id: u64) -> bool {
        self.context.faults.remove(id)
    }

    /// Takes every fault away.
    pub fn clear(&self) {
        self.context.faults.clear();
    }

    /// Returns the faults that are set.
    pub fn list(&self) -> Vec<FaultStatus> {
        self.context.faults.list()
    }
}
