//! Activities, page by page, from the newest back to where the last reading ended.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::late::{Kind, Meaning, Rules};
use crate::customerio::SendContext;
use crate::customerio::app::{Activity, App};
use crate::state::store::HandledFailure;

/// How far a reading goes back behind the end of the one before: activities appear late, and the
/// clocks may differ.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// How far back a reading goes at most. Source: App API description, "guaranteed to return activity
/// history within the past 30 days".
const BACK_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Failures that are held in memory, about 10 MB of them.
const FAILURES_MAX: usize = 50_000;

/// From when on activities are read.
pub(super) struct Since {
    /// The end of the reading before, or what stands for it.
    pub(super) at: Timestamp,
    /// From when on activities are gone without having been read.
    lost_from: Option<Timestamp>,
}

impl Since {
    /// Returns where a reading that begins `now` goes back to; without one before, to the plan of
    /// this run: nothing was sent earlier that anybody watches.
    pub(super) fn new(
        read_until: Option<Timestamp>,
        planned_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        let at = read_until.unwrap_or(planned_at);
        let limit = now.checked_sub(BACK_MAX).unwrap_or(Timestamp::MIN);
        let lost_from = (at < limit).then_some(at);
        Self { at: at.max(limit), lost_from }
    }

    /// Returns the first moment whose activities are looked at by a reading that starts at `at`.
    pub(super) fn overlap(at: Timestamp) -> Timestamp {
        at.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN)
    }

    /// Returns what a person should know of it.
    pub(super) fn note(&self) -> Option<String> {
        let from = self.lost_from?;
        Some(format!(
            "late failures between {from:.0} and {:.0} were never read: Customer.io keeps them for \
             30 days",
            self.at
        ))
    }
}

/// What went wrong for one person.
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// The attribute, where it is one that the Sync sends.
    pub(super) field: Option<String>,
    /// The activities that tell of it: hash of the id, and when.
    pub(super) told_by: Vec<(u64, i64)>,
}

/// Failures by the hash of whom they are about.
pub(super) type Failures = HashMap<u128, Failure>;

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) failures: Failures,
    pub(super) pages: u64,
    /// Failures that can't be matched to rows, by the type of activity.
    unmatched: Vec<(String, u64)>,
    /// Those of them that were counted.
    pub(super) told: Vec<HandledFailure>,
}

impl Read {
    fn count_unmatched(&mut self, kind: &Kind, activity: &Activity) {
        if self.unmatched.last().is_none_or(|(word, _)| *word != kind.word) {
            self.unmatched.push((kind.word.clone(), 0));
        }
        if let Some((_, count)) = self.unmatched.last_mut() {
            *count += 1;
        }
        if self.told.len() < FAILURES_MAX {
            let Activity { id_hash, timestamp, .. } = *activity;
            self.told.push(HandledFailure { id_hash, at: timestamp });
        }
    }

    /// Returns what a person should know of it.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        self.unmatched.iter().map(|(word, count)| {
            format!(
                "Customer.io reports {count} late failures ({word}) without saying which row they \
                 are about; its activity log shows them"
            )
        })
    }
}

/// A reading under way.
pub(super) struct Reading<'a> {
    rules: Rules<'a>,
    from_second: i64,
    read: Read,
}

impl<'a> Reading<'a> {
    /// Returns a reading of what happened from `since` on, and a while before.
    pub(super) fn new(rules: Rules<'a>, since: Timestamp) -> Self {
        Self { rules, from_second: Since::overlap(since).as_second(), read: Read::default() }
    }

    /// Reads all types of activities. What was read before an end that came early is kept; `Err`
    /// says why, in words for a person.
    pub(super) async fn read(
        &mut self,
        app: App<'_>,
        kinds: &[Kind],
        context: &SendContext<'_>,
    ) -> Result<(), String> {
        for kind in kinds {
            self.read_kind(app, kind, context).await?;
        }
        Ok(())
    }

    /// The newest come first, so the first page that is wholly too old is the last one needed.
    async fn read_kind(
        &mut self,
        app: App<'_>,
        kind: &Kind,
        context: &SendContext<'_>,
    ) -> Result<(), String> {
        let mut start: Option<String> = None;
        loop {
            let page = app.activities(&kind.word, start.as_deref(), context).await;
            let page = page.map_err(|error| match error.hint() {
                Some(hint) => format!("{error} ({hint})"),
                None => error.to_string(),
            })?;
            self.read.pages += 1;
            let is_old = |at: i64| at < self.from_second;
            let is_past = page.activities.iter().all(|activity| is_old(activity.timestamp));
            for activity in page.activities.iter().filter(|it| !is_old(it.timestamp)) {
                let (target, field) = match self.rules.meaning(kind, activity) {
                    Meaning::Ours(target, field) => (target, field),
                    Meaning::Foreign => continue,
                    Meaning::Nameless => {
                        self.read.count_unmatched(kind, activity);
                        continue;
                    }
                };
                let failures = &mut self.read.failures;
                if failures.len() >= FAILURES_MAX && !failures.contains_key(&target.holder_hash()) {
                    return Err(format!("there are more than {FAILURES_MAX} of them"));
                }
                let failure = failures.entry(target.holder_hash()).or_insert_with(|| Failure {
                    kind: kind.clone(),
                    field: field.map(str::to_owned),
                    told_by: Vec::new(),
                });
                failure.told_by.push((activity.id_hash, activity.timestamp));
            }
            match page.next {
                Some(next) if !is_past && start.as_deref() != Some(next.as_str()) => {
                    start = Some(next);
                }
                Some(_) | None => return Ok(()),
            }
        }
    }

    /// Returns what was read.
    pub(super) fn finish(self) -> Read {
        self.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_first_reading_goes_back_to_the_plan_and_later_ones_to_the_end_of_the_last() {
        let (planned, now) = (at(1_772_000_000), at(1_772_000_060));

        assert_eq!(Since::new(None, planned, now).at, planned);
        let since = Since::new(Some(at(1_771_990_000)), planned, now);
        assert_eq!((since.at, since.note()), (at(1_771_990_000), None));
    }

    #[test]
    fn what_is_older_than_customer_io_promises_to_keep_is_told_to_be_lost() {
        let now = at(1_772_000_000);

        let since = Since::new(Some(at(1_760_000_000)), now, now);

        assert_eq!(since.at, at(1_772_000_000 - 30 * 86_400));
        assert!(since.note().unwrap().contains("between 2025-10-09T"), "{:?}", since.note());
    }
}
