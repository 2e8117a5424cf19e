//! Activities, page by page, from the newest back to where the last reading ended.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::in_words;
use super::late::{Kind, Matched, Meaning, Rules};
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

/// Names of events that failures are matched under: each remembered row is tried with each of them.
const EVENT_NAMES_MAX: usize = 64;

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

/// What went wrong for one person, or with one event.
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// The attribute, where it is one that the Sync sends.
    pub(super) field: Option<String>,
    /// The activities that tell of it.
    pub(super) told_by: Vec<HandledFailure>,
    /// The rows that it may be about, where they are counted.
    pub(super) rows: u64,
}

/// Failures by the hash of what they are about.
#[derive(Default)]
pub(super) struct Failures {
    pub(super) by_hash: HashMap<u128, Failure>,
    /// What the events are called that failed.
    pub(super) event_names: BTreeSet<String>,
}

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
    fn count_unmatched(&mut self, kind: &Kind, told_by: HandledFailure) {
        if self.unmatched.last().is_none_or(|(word, _)| *word != kind.word) {
            self.unmatched.push((kind.word.clone(), 0));
        }
        if let Some((_, count)) = self.unmatched.last_mut() {
            *count += 1;
        }
        if self.told.len() < FAILURES_MAX {
            self.told.push(told_by);
        }
    }

    /// Takes note of failures that no row was found for.
    pub(super) fn take_left(&mut self, left: impl IntoIterator<Item = Failure>) {
        for Failure { kind, told_by, .. } in left {
            if kind.matched.leaves_doubt() {
                told_by.into_iter().for_each(|one| self.count_unmatched(&kind, one));
            }
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
    /// How many activities the failures hold that tell of them.
    told_count: usize,
}

impl<'a> Reading<'a> {
    /// Returns a reading of what happened from `since` on, and a while before.
    pub(super) fn new(rules: Rules<'a>, since: Timestamp) -> Self {
        let from_second = Since::overlap(since).as_second();
        Self { rules, from_second, read: Read::default(), told_count: 0 }
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
            let page = page.map_err(|error| in_words(&error))?;
            self.read.pages += 1;
            let from_second = self.from_second;
            let is_old = |at: i64| at < from_second;
            let is_past = page.activities.iter().all(|activity| is_old(activity.timestamp));
            for activity in page.activities.iter().filter(|it| !is_old(it.timestamp)) {
                self.take(kind, activity)?;
            }
            match page.next {
                Some(next) if !is_past && start.as_deref() != Some(next.as_str()) => {
                    start = Some(next);
                }
                Some(_) | None => return Ok(()),
            }
        }
    }

    fn take(&mut self, kind: &Kind, activity: &Activity) -> Result<(), String> {
        let told_by = HandledFailure { id_hash: activity.id_hash, at: activity.timestamp };
        if self.rules.was_handled(activity) {
            return Ok(());
        }
        let (hash, field) = match self.rules.meaning(kind, activity) {
            Meaning::Ours(hash, field) => (hash, field),
            Meaning::Foreign => return Ok(()),
            Meaning::Nameless => {
                self.read.count_unmatched(kind, told_by);
                return Ok(());
            }
        };
        let Failures { by_hash, event_names } = &mut self.read.failures;
        if by_hash.len() >= FAILURES_MAX && !by_hash.contains_key(&hash) {
            return Err(format!("there are more than {FAILURES_MAX} of them"));
        }
        if kind.matched == Matched::ByEventId
            && let Some(name) = self.rules.event_of(activity)
            && !event_names.contains(name)
        {
            if event_names.len() >= EVENT_NAMES_MAX {
                self.read.count_unmatched(kind, told_by);
                return Ok(());
            }
            event_names.insert(name.to_owned());
        }
        let failure = by_hash.entry(hash).or_insert_with(|| Failure {
            kind: kind.clone(),
            field: field.map(str::to_owned),
            told_by: Vec::new(),
            rows: 0,
        });
        // The newest come first: of too many the oldest are at worst counted once more.
        if self.told_count < FAILURES_MAX {
            self.told_count += 1;
            failure.told_by.push(told_by);
        }
        Ok(())
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
