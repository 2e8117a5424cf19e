//! Which waiting run is next: within the limits, and fair between namespaces.
//!
//! Namespaces take turns, so that one with a hundred due Syncs holds up no other; within a
//! namespace the one that waits longest goes first, past those whose source or connection is busy.
//! Runs that send every row may take hours: they never take the last place, so that the others
//! don't wait for them.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::controller::options::RunLimits;
use crate::controller::watch::ObjectKey;

/// A run that waits or goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its Sync.
    pub sync: ObjectKey,
    /// The Source that it reads.
    pub source: ObjectKey,
    /// The connection that it delivers to.
    pub connection: ObjectKey,
    /// Whether it sends every row, as a first run does.
    pub is_backfill: bool,
}

/// Runs that wait, and those that go on.
pub struct Queue {
    limits: RunLimits,
    waiting: BTreeMap<String, VecDeque<Ticket>>,
    running: HashMap<ObjectKey, Ticket>,
    /// The namespace whose turn it was last.
    served: String,
}

impl Queue {
    /// Returns an empty queue.
    pub fn new(limits: RunLimits) -> Self {
        let (waiting, running) = (BTreeMap::new(), HashMap::new());
        Self { limits, waiting, running, served: String::new() }
    }

    /// Puts a run at the end of its namespace's line.
    pub fn push(&mut self, ticket: Ticket) {
        self.waiting.entry(ticket.sync.0.clone()).or_default().push_back(ticket);
    }

    /// Takes the run of a Sync out of the line; `false` where it doesn't wait.
    pub fn remove(&mut self, sync: &ObjectKey) -> bool {
        let Some(line) = self.waiting.get_mut(&sync.0) else { return false };
        let Some(place) = line.iter().position(|ticket| ticket.sync == *sync) else { return false };
        line.remove(place);
        if line.is_empty() {
            self.waiting.remove(&sync.0);
        }
        true
    }

    /// Returns the run that may go on now, and counts it as running.
    pub fn next(&mut self) -> Option<Ticket> {
        if self.running.len() >= self.limits.total {
            return None;
        }
        let behind = self.waiting.keys().filter(|name| **name > self.served);
        let from_front = self.waiting.keys().filter(|name| **name <= self.served);
        let turns: Vec<String> = behind.chain(from_front).cloned().collect();
        for namespace in turns {
            let line = self.waiting.get(&namespace)?;
            let Some(ticket) = line.iter().find(|ticket| self.has_room(ticket)).cloned() else {
                continue;
            };
            self.remove(&ticket.sync);
            self.running.insert(ticket.sync.clone(), ticket.clone());
            self.served = namespace;
            return Some(ticket);
        }
        None
    }

    /// Gives back the place of a run that ended.
    pub fn finish(&mut self, sync: &ObjectKey) {
        self.running.remove(sync);
    }

    /// Returns how many runs go on.
    pub fn running_count(&self) -> usize {
        self.running.len()
    }

    /// Returns how many runs wait.
    pub fn waiting_count(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    fn has_room(&self, ticket: &Ticket) -> bool {
        let fits = |limit: usize, is_same: &dyn Fn(&Ticket) -> bool| {
            let same = || self.running.values().filter(|running| is_same(running));
            let backfills = same().filter(|running| running.is_backfill).count();
            // Where there is one place only, everybody has to wait for it.
            let is_last_kept = ticket.is_backfill && limit > 1 && backfills + 1 >= limit;
            same().count() < limit && !is_last_kept
        };
        fits(self.limits.total, &|_| true)
            && fits(self.limits.per_source, &|running| running.source == ticket.source)
            && fits(self.limits.per_connection, &|running| running.connection == ticket.connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(namespace: &str, name: &str, source: &str, connection: &str) -> Ticket {
        let key = |name: &str| (namespace.to_owned(), name.to_owned());
        let (source, connection) = (key(source), key(connection));
        Ticket { sync: key(name), source, connection, is_backfill: false }
    }

    fn backfill(name: &str, source: &str, connection: &str) -> Ticket {
        Ticket { is_backfill: true, ..ticket("a", name, source, connection) }
    }

    fn started(queue: &mut Queue) -> Vec<String> {
        std::iter::from_fn(|| queue.next()).map(|ticket| ticket.sync.1).collect()
    }

    #[test]
    fn namespaces_take_turns_however_long_their_lines_are() {
        let limits = RunLimits { total: 4, per_source: 9, per_connection: 9 };
        let mut queue = Queue::new(limits);
        for name in ["a1", "a2", "a3", "a4", "a5"] {
            queue.push(ticket("a", name, "s", "c"));
        }
        queue.push(ticket("b", "b1", "s", "c"));
        queue.push(ticket("c", "c1", "s", "c"));

        assert_eq!(started(&mut queue), ["a1", "b1", "c1", "a2"]);
        assert_eq!((queue.running_count(), queue.waiting_count()), (4, 3));
    }

    #[test]
    fn a_run_whose_source_or_connection_is_busy_is_passed_by() {
        let limits = RunLimits { total: 9, per_source: 1, per_connection: 2 };
        let mut queue = Queue::new(limits);
        queue.push(ticket("a", "first", "slow", "one"));
        queue.push(ticket("a", "same-source", "slow", "two"));
        queue.push(ticket("a", "second", "fast", "one"));
        queue.push(ticket("a", "same-connection", "other", "one"));

        assert_eq!(started(&mut queue), ["first", "second"]);

        queue.finish(&("a".to_owned(), "first".to_owned()));
        assert_eq!(started(&mut queue), ["same-source", "same-connection"]);
    }

    #[test]
    fn backfills_leave_a_place_to_those_that_send_what_changed() {
        let limits = RunLimits { total: 9, per_source: 3, per_connection: 3 };
        let mut queue = Queue::new(limits);
        for name in ["b1", "b2", "b3"] {
            queue.push(backfill(name, "s", "c"));
        }
        assert_eq!(started(&mut queue), ["b1", "b2"]);

        queue.push(ticket("a", "small", "s", "c"));
        queue.push(ticket("a", "small-too", "s", "c"));
        assert_eq!(started(&mut queue), ["small"]);

        queue.finish(&("a".to_owned(), "b1".to_owned()));
        assert_eq!(started(&mut queue), ["b3"]);
        queue.finish(&("a".to_owned(), "small".to_owned()));
        assert_eq!(started(&mut queue), ["small-too"]);
    }

    #[test]
    fn a_backfill_takes_the_only_place_there_is() {
        let mut queue = Queue::new(RunLimits { total: 1, per_source: 1, per_connection: 1 });
        queue.push(backfill("b1", "s", "c"));
        queue.push(backfill("b2", "s", "c"));

        assert_eq!(started(&mut queue), ["b1"]);
    }

    #[test]
    fn a_run_that_was_taken_out_of_the_line_does_not_start() {
        let mut queue = Queue::new(RunLimits::default());
        let one = ticket("a", "one", "s", "c");
        queue.push(one.clone());

        assert!(queue.remove(&one.sync));
        assert!(!queue.remove(&one.sync));

        assert_eq!(started(&mut queue), Vec::<String>::new());
    }
}
