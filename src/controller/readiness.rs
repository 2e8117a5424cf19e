//! Whether the operator can do its work, and what is missing where it can't: a right that is
//! lacking would otherwise leave it idle and silent.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use tracing::{info, warn};

use super::options::ControllerOptions;
use super::rights;
use crate::state::StateStore;
use crate::web::Check;

/// How often the state store is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often the rights are looked at while the operator works. They change rarely, and whatever
/// they keep from being done says so in the log.
const RIGHTS_EVERY: Duration = Duration::from_secs(300);

/// What must hold before a replica may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// The definitions are there and new enough.
    Definitions,
    /// The operator may do what it can't do without.
    Rights,
    /// The state store can be used.
    State,
    /// The Lease can be sought.
    Lease,
}

impl Gate {
    const ALL: [Self; 4] = [Self::Definitions, Self::Rights, Self::State, Self::Lease];

    fn name(self) -> &'static str {
        match self {
            Self::Definitions => "definitions",
            Self::Rights => "rights",
            Self::State => "state",
            Self::Lease => "lease",
        }
    }
}

/// What holds and what doesn't. Clones share it.
#[derive(Clone, Default)]
pub struct Gates(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    gates: BTreeMap<Gate, Result<(), String>>,
    /// The watches of a replica that leads; a standby has none.
    watched: Vec<Watched>,
}

impl Gates {
    /// Notes whether something holds, or what is missing and what to do; returns whether that is
    /// news.
    pub fn set(&self, gate: Gate, holds: Result<(), String>) -> bool {
        self.known().gates.insert(gate, holds.clone()) != Some(holds)
    }

    /// Notes the watches that must hold from now on.
    pub fn lead(&self, watched: &[Watched]) {
        self.known().watched = watched.to_vec();
    }

    /// Looks at the state store now and then, and tells `on_return` each time that it is back after
    /// it could not be asked. Never ends by itself.
    pub async fn watch_state(&self, store: &dyn StateStore, on_return: impl Fn()) {
        let mut was_there = true;
        loop {
            let asked = store.untouched_since(Timestamp::UNIX_EPOCH).await;
            let asked = asked.map(drop).map_err(|error| error.to_string());
            let is_there = asked.is_ok();
            if is_there != std::mem::replace(&mut was_there, is_there) {
                match &asked {
                    Ok(()) => {
                        info!("the state store is back");
                        on_return();
                    }
                    Err(problem) => warn!(problem, "the state store can't be asked"),
                }
            }
            self.set(Gate::State, asked);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Looks at the rights now and then. Never ends by itself.
    pub async fn watch_rights(&self, client: &Client, options: &ControllerOptions) -> Infallible {
        loop {
            tokio::time::sleep(RIGHTS_EVERY).await;
            let checked = rights::check(client, options).await;
            let problem = checked.clone().err();
            if self.set(Gate::Rights, checked)
                && let Some(problem) = problem
            {
                warn!(problem, "the operator lacks a right");
            }
        }
    }

    /// Returns a line for each thing that must hold. A standby is ready when it could lead.
    pub fn checks(&self) -> Vec<Check> {
        let known = self.known();
        let gates = Gate::ALL.into_iter().map(|gate| Check {
            name: gate.name(),
            problem: match known.gates.get(&gate) {
                Some(holds) => holds.clone().err(),
                None => Some("it was not looked at yet".to_owned()),
            },
        });
        let watches = known
            .watched
            .iter()
            .map(|watched| Check { name: watched.kind, problem: watched.problem() });
        gates.chain(watches).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of the watch of one kind, which may be one for each namespace.
#[derive(Clone)]
pub struct Watched {
    kind: &'static str,
    state: Arc<Mutex<WatchState>>,
}

#[derive(Default)]
struct WatchState {
    /// What is wrong with each part.
    broken: BTreeMap<usize, String>,
    /// Whether all that there is was listed once.
    is_filled: bool,
}

impl Watched {
    /// Returns the watch of a kind, with nothing listed yet.
    pub fn new(kind: &'static str) -> Self {
        Self { kind, state: Arc::default() }
    }

    /// Returns the kind's name.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Notes that all that there is was listed.
    pub fn filled(&self) {
        self.state().is_filled = true;
    }

    /// Notes that a part of the watch works; `true` where it did not before.
    pub fn works(&self, place: usize) -> bool {
        self.state().broken.remove(&place).is_some()
    }

    /// Notes that a part of the watch broke; `true` where that is news.
    pub fn broken(&self, place: usize, problem: &str) -> bool {
        self.state().broken.insert(place, problem.to_owned()).as_deref() != Some(problem)
    }

    /// Returns what is wrong with the watch, if anything is.
    pub fn problem(&self) -> Option<String> {
        let state = self.state();
        match state.broken.values().next() {
            Some(problem) => Some(format!("the watch is broken: {problem}")),
            None if state.is_filled => None,
            None => Some("it is being listed".to_owned()),
        }
    }

    fn state(&self) -> MutexGuard<'_, WatchState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(gates: &Gates) -> Vec<&'static str> {
        let checks = gates.checks();
        checks.iter().filter(|check| check.problem.is_some()).map(|check| check.name).collect()
    }

    #[test]
    fn a_standby_is_ready_without_watches_and_a_leader_only_with_them() {
        let gates = Gates::default();
        assert_eq!(problems(&gates), ["definitions", "rights", "state", "lease"]);

        for gate in Gate::ALL {
            gates.set(gate, Ok(()));
        }
        assert!(problems(&gates).is_empty());

        let watched = Watched::new("syncs");
        gates.lead(std::slice::from_ref(&watched));
        assert_eq!(problems(&gates), ["syncs"]);
        watched.filled();
        assert!(problems(&gates).is_empty());
    }

    #[test]
    fn a_part_of_a_watch_that_breaks_is_news_once() {
        let watched = Watched::new("syncs");
        watched.filled();

        assert!(watched.broken(1, "forbidden"));
        assert!(!watched.broken(1, "forbidden"));
        assert_eq!(watched.problem().as_deref(), Some("the watch is broken: forbidden"));
        assert!(watched.works(1));
        assert_eq!(watched.problem(), None);
    }
}
