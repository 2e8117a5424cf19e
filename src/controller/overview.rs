//! How every Sync stands, for the page that shows it.

use std::sync::{Arc, OnceLock};

use kube::runtime::reflector::Store;

use super::figures;
use super::follow;
use super::watch::key_of;
use crate::api::Sync;
use crate::api::condition::ConditionStatus;
use crate::web::SyncLine;

/// The Syncs that this replica watches, once it leads. Clones share them.
#[derive(Clone, Default)]
pub struct Overview(Arc<OnceLock<Store<Sync>>>);

impl Overview {
    /// Notes what is watched from now on.
    pub fn lead(&self, syncs: Store<Sync>) {
        self.0.get_or_init(|| syncs);
    }

    /// Returns a line for each Sync, in no order; `None` where this replica stands by.
    pub fn lines(&self) -> Option<Vec<SyncLine>> {
        Some(self.0.get()?.state().iter().map(|sync| line(sync)).collect())
    }
}

fn line(sync: &Sync) -> SyncLine {
    let (namespace, name) = key_of(sync);
    let Some(status) = &sync.status else {
        return SyncLine { namespace, name, ..SyncLine::default() };
    };
    let ready = follow::ready(&status.conditions);
    let success = status.last_successful_time.as_ref().map(|time| time.0.to_string());
    SyncLine {
        namespace,
        name,
        ready: ready.map(|it| word(it.status).to_owned()).unwrap_or_default(),
        reason: ready.map(|it| it.reason.clone()).unwrap_or_default(),
        message: ready.map(|it| it.message.clone()).unwrap_or_default(),
        is_suspended: figures::of_sync(status).is_suspended,
        phase: status.current_run.as_ref().and_then(|run| run.phase.clone()).unwrap_or_default(),
        last_success: success.unwrap_or_default(),
        next: status.next_schedule_time.clone().unwrap_or_default(),
        rows: status.snapshot_rows,
    }
}

fn word(status: ConditionStatus) -> &'static str {
    match status {
        ConditionStatus::True => "True",
        ConditionStatus::False => "False",
        ConditionStatus::Unknown => "Unknown",
    }
}
