//! The test's own books: what the state remembers, what every run sent, and whether the two agree.

use std::collections::{BTreeMap, BTreeSet};

use super::recorder::{Exchange, Item};
use super::world::{People, Person, Style};

/// What the state remembers of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    pub fingerprint: Option<[u8; 16]>,
    pub target: String,
}

/// What the state remembers, by the rows' keys.
pub type Snapshot = BTreeMap<i64, Remembered>;

/// What one run, however it ended, left behind.
pub struct Traces<'a> {
    /// The source while it ran.
    pub source: &'a People,
    /// The batches that left.
    pub exchanges: &'a [Exchange],
    /// What is remembered afterwards.
    pub after: Snapshot,
}

/// The batches of a run that the state doesn't know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unremembered {
    /// Those that left: what the next run repeats at most.
    pub sent: usize,
    /// Those among them of which the binary was told that they were accepted.
    pub accepted: usize,
}

/// What is remembered, and which content of each row that stands for.
pub struct Ledger {
    style: Style,
    remembered: Snapshot,
    contents: BTreeMap<i64, Person>,
    /// Who was sent for the first time by a run that was not there to hear the answer. Nobody
    /// knows of them, so they stay where their rows leave before the next run.
    unheard_of: BTreeSet<String>,
}

impl Ledger {
    /// Returns the books of a world in which nothing happened yet.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            remembered: Snapshot::new(),
            contents: BTreeMap::new(),
            unheard_of: BTreeSet::new(),
        }
    }

    /// Returns what was remembered after the last run.
    pub fn remembered(&self) -> &Snapshot {
        &self.remembered
    }

    /// Returns how many rows of the source would be sent now, removals included.
    pub fn pending(&self, source: &People) -> usize {
        if self.style == Style::Events {
            return source.keys().filter(|id| !self.contents.contains_key(id)).count();
        }
        let changed = source.iter().filter(|(id, person)| self.contents.get(id) != Some(person));
        let left = self.remembered.keys().filter(|id| !source.contains_key(id));
        changed.count() + left.count()
    }

    /// Returns whether nobody can know that this person was sent.
    pub fn is_unheard_of(&self, target: &str) -> bool {
        self.unheard_of.contains(target)
    }

    /// Enters a run. Fails where it sent what was remembered already, or remembers what was not
    /// accepted.
    pub fn enter(&mut self, traces: Traces<'_>) -> Unremembered {
        for item in traces.exchanges.iter().flat_map(|exchange| &exchange.items) {
            self.check_sent(item, &traces);
        }
        self.check_remembered(&traces);
        let keys: BTreeSet<i64> =
            self.remembered.keys().chain(traces.after.keys()).copied().collect();
        for id in keys {
            let now = traces.after.get(&id);
            if now == self.remembered.get(&id) {
                continue;
            }
            match now {
                Some(Remembered { fingerprint: Some(_), .. }) => {
                    self.contents.insert(id, traces.source[&id])
                }
                Some(Remembered { fingerprint: None, .. }) | None => self.contents.remove(&id),
            };
        }
        self.remembered = traces.after;
        for item in traces.exchanges.iter().flat_map(|exchange| &exchange.items) {
            let Item::Identify { id, target, .. } = item else { continue };
            if self.remembered.get(id).is_some_and(|row| row.target == *target) {
                self.unheard_of.remove(target);
            } else {
                self.unheard_of.insert(target.clone());
            }
        }
        let unknown = |exchange: &&Exchange| {
            exchange.items.iter().any(|item| !self.knows(item, traces.source))
        };
        Unremembered {
            sent: traces.exchanges.iter().filter(unknown).count(),
            accepted: traces.exchanges.iter().filter(unknown).filter(|it| it.is_accepted()).count(),
        }
    }

    /// What is sent is the source's, and news to the state.
    fn check_sent(&self, item: &Item, Traces { source, .. }: &Traces<'_>) {
        let style = self.style;
        let (id, known) = (item.id(), self.contents.get(&item.id()));
        match item {
            Item::Identify { version, target, .. } => {
                let person = source.get(&id).unwrap_or_else(|| panic!("row {id} is in no source"));
                assert_eq!(*version, person.version, "row {id} was sent as it is not");
                assert_eq!(*target, style.target(id, *person), "row {id} went to somebody else");
                assert_ne!(known, Some(person), "row {id} was sent although it is remembered");
                assert!(style != Style::Events || known.is_none(), "event {id} was sent again");
            }
            Item::Delete { target, .. } => {
                let row = self.remembered.get(&id);
                let row = row.unwrap_or_else(|| panic!("row {id} was removed, not remembered"));
                assert_eq!(*target, row.target, "another person was deleted");
                let wanted = source.get(&id).map(|person| style.target(id, *person));
                assert_ne!(wanted.as_ref(), Some(target), "row {id} was removed, and is there");
            }
        }
    }

    /// What is remembered anew was accepted, and what is forgotten left the source.
    fn check_remembered(&self, traces: &Traces<'_>) {
        let accepted: Vec<&Item> = traces
            .exchanges
            .iter()
            .filter(|it| it.is_accepted())
            .flat_map(|it| &it.items)
            .collect();
        let identified: BTreeSet<i64> = accepted
            .iter()
            .filter(|item| matches!(item, Item::Identify { .. }))
            .map(|item| item.id())
            .collect();
        let deleted: BTreeSet<i64> = accepted
            .iter()
            .filter(|item| matches!(item, Item::Delete { .. }))
            .map(|item| item.id())
            .collect();
        for (id, now) in &traces.after {
            let before = self.remembered.get(id);
            if before == Some(now) {
                continue;
            }
            if now.fingerprint.is_none() {
                // Sent, perhaps: which content the workspace has is in doubt until the next run.
                let target = before.map(|row| &row.target);
                assert_eq!(target, Some(&now.target), "row {id} was never remembered");
            } else {
                assert!(identified.contains(id), "row {id} was remembered, not accepted");
            }
        }
        for id in self.remembered.keys().filter(|id| !traces.after.contains_key(id)) {
            let is_gone = !traces.source.contains_key(id);
            let may_be_forgotten = match self.style {
                Style::Keep => is_gone,
                Style::Events => false,
                _ => deleted.contains(id),
            };
            assert!(may_be_forgotten, "row {id} was forgotten");
        }
    }

    fn knows(&self, item: &Item, source: &People) -> bool {
        match item {
            Item::Identify { id, .. } if self.style == Style::Events => {
                self.contents.contains_key(id)
            }
            Item::Identify { id, .. } => self.contents.get(id) == source.get(id),
            Item::Delete { id, target, .. } => {
                self.remembered.get(id).is_none_or(|row| row.target != *target)
            }
        }
    }
}
