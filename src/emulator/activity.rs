//! What a 200 hides: the activity log, in the App API's types.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

use crate::emulator::ulid;

/// Activities kept; older ones are only counted. Enough for a test that fails every row, and bounded.
const KEPT_MAX: usize = 100_000;

/// The identifiers of the person an activity speaks of, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ActivityPerson {
    /// The id, if any.
    pub id: Option<String>,
    /// The e-mail, if any.
    pub email: Option<String>,
    /// The workspace's own id of the person; empty where nobody matched.
    pub cio_id: String,
}

/// One entry of the activity log. Only what went wrong behind a 200 is recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Activity {
    /// The entry's place in the log, from 1.
    pub sequence: u64,
    /// A ULID.
    pub id: String,
    /// The App API's type: `failed_attribute_change`, `skipped_update`, `failed_event` and the like.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whom it is about.
    pub person: ActivityPerson,
    /// What was attempted: attribute -> `{from, to}`, and for events `name`; never documented in full.
    pub data: Value,
    /// Why, in the emulator's own words; not part of what the App API returns.
    pub reason: &'static str,
    /// When, in unix seconds.
    pub timestamp: i64,
}

/// The newest activities, and the number of all by type.
#[derive(Debug, Default)]
pub(crate) struct ActivityLog {
    kept: VecDeque<Activity>,
    counts: BTreeMap<String, u64>,
    last_sequence: u64,
}

impl ActivityLog {
    /// Appends an entry; its `sequence` is given here, and its `id` where it has none.
    pub(crate) fn record(&mut self, mut activity: Activity) {
        self.last_sequence += 1;
        activity.sequence = self.last_sequence;
        if activity.id.is_empty() {
            activity.id = ulid::fresh();
        }
        *self.counts.entry(activity.kind.clone()).or_default() += 1;
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(activity);
    }

    /// Returns the entries kept, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Activity> {
        self.kept.iter().rev()
    }

    /// Returns how many entries of each type there ever were.
    pub(crate) fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }
}
