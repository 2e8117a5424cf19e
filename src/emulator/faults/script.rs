//! The script: which faults are set, and what happens to the request at hand.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::emulator::faults::fault::{Action, Fault, Pick, Rejection, Report, When};
use crate::emulator::faults::handle::FaultStatus;
use crate::emulator::lock::lock;
use crate::emulator::rate::RateGate;

/// The faults that are set, in the order in which they were.
#[derive(Debug, Default)]
pub(crate) struct FaultScript {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    armed: Vec<Armed>,
    last_id: u64,
}

#[derive(Debug)]
struct Armed {
    id: u64,
    fault: Fault,
    seen: u64,
    fired: u64,
    random: fastrand::Rng,
    rate: RateGate,
}

/// What happens to one request.
#[derive(Debug)]
pub(crate) struct Strike {
    pub(crate) action: Action,
    pub(crate) when: When,
    /// For a rate limit: how long until the next request may pass.
    pub(crate) wait: Duration,
}

/// Items that a v2 request must refuse.
#[derive(Debug, Clone, Default)]
pub(crate) struct ItemFaults(pub(crate) Vec<(Pick, Report, Rejection)>);

impl FaultScript {
    /// Sets a fault; returns its number.
    pub(crate) fn add(&self, fault: Fault) -> u64 {
        let mut state = lock(&self.state);
        state.last_id += 1;
        let id = state.last_id;
        let random = fastrand::Rng::with_seed(fault.seed);
        let rate = RateGate::default();
        state.armed.push(Armed { id, fault, seen: 0, fired: 0, random, rate });
        id
    }

    /// Takes a fault away; returns whether it was set.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut state = lock(&self.state);
        let before = state.armed.len();
        state.armed.retain(|armed| armed.id != id);
        state.armed.len() < before
    }

    /// Takes every fault away.
    pub(crate) fn clear(&self) {
        lock(&self.state).armed.clear();
    }

    /// Returns the faults with what they have done.
    pub(crate) fn list(&self) -> Vec<FaultStatus> {
        lock(&self.state)
            .armed
            .iter()
            .map(|armed| FaultStatus {
                id: armed.id,
                fault: armed.fault.clone(),
                seen: armed.seen,
                fired: armed.fired,
            })
            .collect()
    }

    /// Decides about a request. The first fault that fires counts; rejections of items add up.
    pub(crate) fn decide(&self, path: &str, now: Instant) -> (Option<Strike>, ItemFaults) {
        let mut strike = None;
        let mut items = ItemFaults::default();
        for armed in &mut lock(&self.state).armed {
            // Only v2 has items: other calls must not use a rejection up.
            if matches!(armed.fault.action, Action::Reject { .. }) && !path.starts_with("/api/v2/")
            {
                continue;
            }
            if armed.fault.path.as_ref().is_some_and(|prefix| !path.starts_with(prefix.as_str())) {
                continue;
            }
            armed.seen += 1;
            match &armed.fault.action {
                Action::Reject { items: pick, report, error } => {
                    let rejection = (pick.clone(), *report, error.clone());
                    if armed.fires(now).is_some() {
                        items.0.push(rejection);
                    }
                }
                _ if strike.is_some() => {}
                action => {
                    let action = action.clone();
                    strike = armed.fires(now).map(|wait| Strike {
                        action,
                        when: armed.fault.when,
                        wait,
                    });
                }
            }
        }
        (strike, items)
    }
}

impl Armed {
    /// Whether the fault happens to the request just seen; with the wait that a rate limit asks for.
    fn fires(&mut self, now: Instant) -> Option<Duration> {
        let fault = &self.fault;
        let left = match (fault.at, fault.times) {
            (Some(at), times) => self.seen >= at && self.fired < times.unwrap_or(1),
            (None, Some(times)) => self.fired < times,
            (None, None) => true,
        };
        if !left || fault.share.is_some_and(|share| self.random.f64() >= share) {
            return None;
        }
        let wait = match fault.action {
            Action::RateLimit { per_second, burst, .. } => {
                self.rate.admit(per_second, burst.unwrap_or(per_second).max(1.0), now).err()?
            }
            _ => Duration::ZERO,
        };
        self.fired += 1;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(fault: Fault, requests: usize) -> Vec<usize> {
        let script = FaultScript::default();
        script.add(fault);
        (1..=requests)
            .filter(|_| script.decide("/api/v2/batch", Instant::now()).0.is_some())
            .collect()
    }

    #[test]
    fn times_and_at_pick_the_requests() {
        assert_eq!(fired(Fault::hang(), 3), [1, 2, 3]);
        assert_eq!(fired(Fault::hang().times(2), 4), [1, 2]);
        assert_eq!(fired(Fault::hang().at(3), 5), [3]);
        assert_eq!(fired(Fault::hang().at(2).times(2), 5), [2, 3]);
        assert_eq!(fired(Fault::hang().path("/v1"), 3), Vec::<usize>::new());
    }

    #[test]
    fn a_share_is_the_same_for_the_same_seed() {
        let once = fired(Fault::hang().share(0.3, 7), 1_000);

        assert_eq!(once, fired(Fault::hang().share(0.3, 7), 1_000));
        assert_ne!(once, fired(Fault::hang().share(0.3, 8), 1_000));
        assert!((250..350).contains(&once.len()), "{} of 1,000", once.len());
    }
}
