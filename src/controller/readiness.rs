//! Whether the operator can do its work, and what is missing where it can't: a right that is
//! lacking would otherwise leave it idle and silent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::context::Context;

/// How often watches and state are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// The definitions are there and new enough.
    Definitions,
    /// The state store can be used.
    State,
    /// The Lease can be sought.
    Lease,
    /// This replica leads; a standby is ready without.
    Leader,
    /// What the API server holds is at hand.
    Watches,
}

impl Gate {
    /// Returns the name by which `/readyz` lists it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Definitions => "definitions",
            Self::State => "state",
            Self::Lease => "lease",
            Self::Leader => "leader",
            Self::Watches => "watches",
        }
    }
}

/// What holds and what doesn't.
#[derive(Clone, Default)]
pub struct Gates(Arc<Mutex<BTreeMap<Gate, Result<(), String>>>>);

impl Gates {
    /// Notes whether something holds, or what is missing and what to do; returns whether that is
    /// news.
    pub fn set(&self, gate: Gate, holds: Result<(), String>) -> bool {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.insert(gate, holds.clone()) != Some(holds)
    }

    /// Looks at watches and state now and then. Never ends by itself.
    pub async fn watch(&self, watched: &[Watched], context: &Context) {
        loop {
            let broken = watched.iter().find_map(|watched| {
                let problem = watched.problem()?;
                Some(format!("the watch of {} is broken: {problem}", watched.kind()))
            });
            self.set(Gate::Watches, broken.map_or(Ok(()), Err));
            let asked = context.store.untouched_since(Timestamp::UNIX_EPOCH).await;
            self.set(Gate::State, asked.map(drop).map_err(|error| error.to_string()));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// What is known of the watch of one kind, which may be one for each namespace.
#[derive(Clone)]
pub struct Watched {
    kind: &'static str,
    broken: Arc<Mutex<BTreeMap<usize, String>>>,
}

impl Watched {
    /// Returns the watch of a kind, not broken so far.
    pub fn new(kind: &'static str) -> Self {
        Self { kind, broken: Arc::default() }
    }

    /// Returns the kind's name.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Notes that a part of the watch works; `true` where it did not before.
    pub fn works(&self, place: usize) -> bool {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).remove(&place).is_some()
    }

    /// Notes that a part of the watch broke; `true` where that is news.
    pub fn broken(&self, place: usize, problem: &str) -> bool {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.insert(place, problem.to_owned()).as_deref() != Some(problem)
    }

    /// Returns what is wrong with a part of the watch, if anything is.
    pub fn problem(&self) -> Option<String> {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.values().next().cloned()
    }
}
