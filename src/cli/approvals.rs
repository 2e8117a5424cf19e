//! Which Sync an approval is for: the one whose blocked run it names.

use std::collections::BTreeMap;

use super::load::Ready;
use crate::model::{RunId, SyncId};
use crate::state::{StateError, StateStore};

/// What `--approve` names, compared with what waits.
pub struct Approvals {
    /// The run that each Sync may let pass its guard.
    pub by_sync: BTreeMap<SyncId, RunId>,
    unknown: Vec<String>,
    waiting: Vec<(SyncId, RunId)>,
}

impl Approvals {
    /// Finds the Syncs among `ready` whose blocked runs have the ids in `given`.
    ///
    /// # Errors
    /// Where the state can't be read.
    pub async fn find(
        given: &[String],
        store: &dyn StateStore,
        ready: &[Ready],
    ) -> Result<Self, StateError> {
        let mut waiting = Vec::new();
        for next in ready {
            let blocked = store.sync(&next.id).await?.and_then(|state| state.memo.blocked);
            waiting.extend(blocked.map(|blocked| (next.id.clone(), blocked.id)));
        }
        let is_given = |id: &RunId| given.contains(&id.0);
        let is_waiting = |given: &&String| waiting.iter().any(|(_, id)| id.0 == **given);
        Ok(Self {
            by_sync: waiting.iter().filter(|(_, id)| is_given(id)).cloned().collect(),
            unknown: given.iter().filter(|given| !is_waiting(given)).cloned().collect(),
            waiting,
        })
    }

    /// Returns what is wrong with ids that no blocked run has, and what waits instead. They must
    /// not be ignored: who approves means a plan that was looked at.
    pub fn complaint(&self) -> Option<(String, String)> {
        let unknown = self.unknown.join(", ");
        let waiting: Vec<String> =
            self.waiting.iter().map(|(sync, id)| format!("{id} of {sync}")).collect();
        let hint = match waiting.is_empty() {
            true => "nothing waits: run without --approve".to_owned(),
            false => format!("what waits is {}", waiting.join(", ")),
        };
        let message =
            format!("no blocked run of these Syncs has the id {unknown}; nothing was run");
        (!self.unknown.is_empty()).then_some((message, hint))
    }
}
