//! A segment that a spec names: looked up before a row is read, and made where it is missing.

use super::error::RunError;
use super::pipeline::{Pipeline, SegmentRef};
use crate::customerio::SendContext;
use crate::customerio::app::{App, Segment};
use crate::state::store::SyncMemo;

/// Returns the segment whose members rows are, and makes one that is missing; `None` where rows are
/// no members.
///
/// # Errors
/// Where the name can't be looked up, or not for certain.
pub async fn resolve(
    pipeline: &Pipeline,
    memo: &SyncMemo,
    workspace_id: u64,
    context: &SendContext<'_>,
) -> Result<Option<u64>, RunError> {
    let Some((app, name)) = named(pipeline)? else { return Ok(by_id(pipeline)) };
    // What is made must not be made in somebody else's account.
    app.check(workspace_id, context).await?;
    match find(app, name, memo, context).await? {
        Some(id) => Ok(Some(id)),
        None => Ok(Some(app.create_segment(name, context).await?.id)),
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
    match named(pipeline)? {
        Some((app, name)) => find(app, name, memo, context).await,
        None => Ok(by_id(pipeline)),
    }
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
