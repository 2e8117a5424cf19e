//! A segment that a spec names: looked up before a row is read, and made where it is missing.

use std::time::{Duration, Instant};

use tracing::warn;

use super::error::RunError;
use super::pipeline::{Pipeline, SegmentRef};
use crate::customerio::app::{App, Segment};
use crate::customerio::{DeliveryError, SendContext};
use crate::state::store::SyncMemo;

/// How long a segment is looked up whose number is known: an App API that is down must not take the
/// time that the run needs to deliver.
const KNOWN_LOOK_UP_MAX: Duration = Duration::from_secs(60);

/// A segment that a run found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Its number; `None` where rows are no members.
    pub id: Option<u64>,
    /// What a person should know of it.
    pub note: Option<String>,
}

/// Returns the segment whose members rows are, and makes one that is missing.
///
/// # Errors
/// Where the name can't be looked up, or not for certain.
pub async fn resolve(
    pipeline: &Pipeline,
    memo: &SyncMemo,
    workspace_id: u64,
    context: &SendContext<'_>,
) -> Result<Resolved, RunError> {
    let Some((app, name)) = named(pipeline)? else {
        return Ok(Resolved { id: by_id(pipeline), note: None });
    };
    let mut asking = *context;
    if known(name, memo).is_some() {
        asking.deadline = asking.deadline.min(Instant::now() + KNOWN_LOOK_UP_MAX);
    }
    // What is made must not be made in somebody else's account.
    let found = match app.check(workspace_id, &asking).await {
        Ok(()) => find(app, name, memo, &asking).await,
        Err(error) => Err(error.into()),
    };
    match found {
        Ok(Some(id)) => Ok(Resolved { id: Some(id), note: None }),
        Ok(None) => {
            let _turn = app.making_turn().await;
            // Another Sync may have made it meanwhile.
            let id = match find(app, name, memo, context).await? {
                Some(id) => id,
                None => app.create_segment(name, context).await?.id,
            };
            Ok(Resolved { id: Some(id), note: None })
        }
        Err(error) => remembered(name, memo, error),
    }
}

/// Returns the segment as [`resolve`], and makes nothing: `None` too where the segment is missing.
///
/// # Errors
/// As [`resolve`].
pub async fn look_up(
    pipeline: &Pipeline,
    memo: &SyncMemo,
    context: &SendContext<'_>,
) -> Result<Option<u64>, RunError> {
    let Some((app, name)) = named(pipeline)? else { return Ok(by_id(pipeline)) };
    match find(app, name, memo, context).await {
        Ok(found) => Ok(found),
        Err(error) => Ok(remembered(name, memo, error)?.id),
    }
}

/// Returns the number of the segment that was found under this name before.
fn known(name: &str, memo: &SyncMemo) -> Option<u64> {
    let identity = memo.identity.as_ref().filter(|it| it.segment_name.as_deref() == Some(name))?;
    identity.segment.as_deref()?.parse().ok()
}

/// Returns the segment that was found under this name before, where the App API is down.
fn remembered(name: &str, memo: &SyncMemo, error: RunError) -> Result<Resolved, RunError> {
    use DeliveryError::{GaveUp, OutOfTime};
    let is_down = matches!(error, RunError::Delivery(GaveUp { .. } | OutOfTime { .. }));
    let Some(id) = known(name, memo).filter(|_| is_down) else { return Err(error) };
    let note = format!("the segment `{name}` was not looked up, its number {id} is known: {error}");
    warn!(note, "going on without the App API");
    Ok(Resolved { id: Some(id), note: Some(note) })
}

fn by_id(pipeline: &Pipeline) -> Option<u64> {
    match &pipeline.segment {
        Some(SegmentRef::Id(id)) => Some(*id),
        Some(SegmentRef::Name(_)) | None => None,
    }
}

/// Returns the name to be looked up, and what to ask.
fn named(pipeline: &Pipeline) -> Result<Option<(App<'_>, &str)>, RunError> {
    let Some(SegmentRef::Name(name)) = &pipeline.segment else { return Ok(None) };
    let app = pipeline.client.app();
    let app = app.ok_or_else(|| RunError::SegmentNeedsKey { name: name.clone() })?;
    Ok(Some((app, name)))
}

async fn find(
    app: App<'_>,
    name: &str,
    memo: &SyncMemo,
    context: &SendContext<'_>,
) -> Result<Option<u64>, RunError> {
    let known = memo.identity.as_ref().and_then(|identity| identity.segment.as_deref());
    choose(&app.segments(context).await?, name, known)
}

/// Returns the manual segment of that name; `None` where there is none and none was `known`.
fn choose(segments: &[Segment], name: &str, known: Option<&str>) -> Result<Option<u64>, RunError> {
    let named: Vec<&Segment> = segments.iter().filter(|it| it.name == name).collect();
    let manual: Vec<u64> = named.iter().filter(|it| it.is_manual).map(|it| it.id).collect();
    let name = name.to_owned();
    let is_known = |id: &&u64| Some(id.to_string().as_str()) == known;
    match (manual.as_slice(), known) {
        ([id], _) => Ok(Some(*id)),
        // Another one of the same name was made since: rows were put into this one.
        ([_, _, ..], Some(_)) if manual.iter().any(|id| is_known(&id)) => {
            Ok(manual.iter().find(is_known).copied())
        }
        ([_, _, ..], _) => Err(RunError::SegmentAmbiguous { name, ids: manual }),
        ([], Some(known)) => Err(RunError::SegmentGone { name, id: known.to_owned() }),
        ([], None) if !named.is_empty() => Err(RunError::SegmentNotManual { name }),
        ([], None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(id: u64, name: &str, is_manual: bool) -> Segment {
        Segment { id, name: name.to_owned(), is_manual }
    }

    #[test]
    fn only_a_manual_segment_of_exactly_that_name_is_meant() {
        let all = [segment(1, "VIP", true), segment(2, "vip", true), segment(3, "New", false)];

        assert_eq!(choose(&all, "VIP", None).unwrap(), Some(1));
        assert_eq!(choose(&all, "Old", None).unwrap(), None);
        assert!(matches!(choose(&all, "New", None), Err(RunError::SegmentNotManual { .. })));
    }

    #[test]
    fn of_several_the_one_that_rows_were_put_into_is_meant_and_else_none() {
        let all = [segment(1, "VIP", true), segment(2, "VIP", true)];

        assert!(matches!(choose(&all, "VIP", None), Err(RunError::SegmentAmbiguous { .. })));
        assert!(matches!(choose(&all, "VIP", Some("9")), Err(RunError::SegmentAmbiguous { .. })));
        assert_eq!(choose(&all, "VIP", Some("2")).unwrap(), Some(2));
    }

    #[test]
    fn one_that_is_gone_is_not_made_again_without_a_word() {
        assert!(matches!(choose(&[], "VIP", Some("7")), Err(RunError::SegmentGone { .. })));
    }
}
