//! Which Sync runs after which.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::SyncId;

/// Returns the Syncs so that each comes after those it depends on, otherwise in the order given.
/// Dependencies that are not among them don't count; the cycles that validation refuses end last.
pub fn in_dependency_order(syncs: &[(SyncId, Vec<SyncId>)]) -> Vec<SyncId> {
    let all: BTreeSet<&SyncId> = syncs.iter().map(|(id, _)| id).collect();
    let mut waiting: BTreeMap<&SyncId, BTreeSet<&SyncId>> = syncs
        .iter()
        .map(|(id, after)| (id, after.iter().filter(|it| all.contains(it)).collect()))
        .collect();
    let mut ordered = Vec::new();
    while ordered.len() < syncs.len() {
        let ready = syncs
            .iter()
            .map(|(id, _)| id)
            .find(|id| waiting.get(id).is_some_and(BTreeSet::is_empty));
        let next =
            ready.or_else(|| syncs.iter().map(|(id, _)| id).find(|id| waiting.contains_key(id)));
        let Some(next) = next else { break };
        waiting.remove(next);
        for after in waiting.values_mut() {
            after.remove(next);
        }
        ordered.push(next.clone());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sync_comes_after_what_it_depends_on() {
        let id = |name: &str| SyncId::new("n", name);
        let syncs = [
            (id("events"), vec![id("people"), id("elsewhere")]),
            (id("people"), vec![id("accounts")]),
            (id("accounts"), vec![]),
            (id("other"), vec![]),
        ];

        let names: Vec<String> =
            in_dependency_order(&syncs).into_iter().map(|id| id.name).collect();

        assert_eq!(names, ["accounts", "people", "events", "other"]);
    }
}
