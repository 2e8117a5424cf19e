//! Reading only what is new: from where a run reads, and how far the next one may trust it.
//!
//! The last value moves on only at the end of a run that ended well, never past a row that is
//! rejected and still tried: such a row must be read again. Of events only those are read anew for an
//! edited mapping that could not be sent, and none for a full resync, since none is sent twice.

use jiff::{SignedDuration, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use super::error::RunError;
use super::pipeline::{CursorRule, Pipeline};
use super::rejected::is_late;
use crate::sources::Window;
use crate::state::store::{CursorMemo, RejectedRow};

/// Why all rows are read although there is a cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadAll {
    /// A person asked for every row.
    pub full_resync: bool,
    /// A person asked for rows that were no longer tried, or a row is due that failed after it was
    /// accepted: where it stands in the window is not known.
    pub retry: bool,
}

impl ReadAll {
    /// Returns what run number `run` with these rejections was asked for.
    pub fn new(full_resync: bool, known: &[RejectedRow], run: u64) -> Self {
        // Only `retry` makes a row due at run 0.
        let is_due = |row: &RejectedRow| {
            row.due_run == 0 || is_late(row) && !row.parked && row.due_run <= run
        };
        Self { full_resync, retry: known.iter().any(is_due) }
    }
}

/// Returns what a run reads; `None` where the Sync has no cursor.
pub fn window(pipeline: &Pipeline, memo: Option<&CursorMemo>, read_all: ReadAll) -> Option<Window> {
    let CursorRule { column, lookback } = pipeline.cursor.as_ref()?;
    let trusted = memo.filter(|memo| {
        memo.column == *column
            && !read_all.retry
            && (pipeline.appends() || (memo.meaning == meaning(pipeline) && !read_all.full_resync))
    });
    let lookback = SignedDuration::try_from(*lookback).unwrap_or(SignedDuration::MAX);
    let from = trusted.map(|memo| {
        let from = memo.last.checked_sub(lookback).unwrap_or(Timestamp::MIN);
        match memo.invalid_from {
            Some(invalid_from) if memo.meaning != meaning(pipeline) => from.min(invalid_from),
            Some(_) | None => from,
        }
    });
    Some(Window { column: column.clone(), from: from.map(Timestamp::as_microsecond) })
}

/// Says whether the cursor is still that by which events are remembered and forgotten.
///
/// # Errors
/// Where it is another, or none although events were forgotten: what was forgotten could no longer be
/// told from what is new.
pub fn check(pipeline: &Pipeline, memo: Option<&CursorMemo>) -> Result<(), RunError> {
    let Some(memo) = memo.filter(|_| pipeline.appends()) else { return Ok(()) };
    let found = match &pipeline.cursor {
        Some(rule) if rule.column == memo.column => return Ok(()),
        None if memo.forgotten_before.is_none() => return Ok(()),
        Some(rule) => rule.column.clone(),
        None => "none".to_owned(),
    };
    let remembered = memo.column.clone();
    Err(RunError::IdentityChanged { what: "cursor column", remembered, found })
}

/// Returns the time before which events are forgotten by this run: they lie so far behind what is
/// still read, and what may be read again, that they are never met again. `None` where nothing is forgotten.
pub fn forget_before(pipeline: &Pipeline, memo: Option<&CursorMemo>) -> Option<Timestamp> {
    let rule = pipeline.cursor.as_ref().filter(|_| pipeline.appends())?;
    let memo = memo.filter(|memo| memo.column == rule.column)?;
    let lookback = SignedDuration::try_from(rule.lookback).ok()?;
    let before = memo.last.checked_sub(lookback).ok()?.checked_sub(lookback).ok()?;
    Some(memo.invalid_from.map_or(before, |invalid_from| before.min(invalid_from)))
}

/// What a run saw of its cursor column, in unix microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The largest value before the warehouse's now.
    pub largest: Option<i64>,
    /// The smallest value of a row that is rejected and still tried.
    pub held_back: Option<i64>,
    /// The smallest value of a row that we refused.
    pub invalid: Option<i64>,
    /// From where on rows were read; `None` where all were.
    pub from: Option<i64>,
}

/// Returns what is remembered after a run that ended well.
pub fn advance(pipeline: &Pipeline, memo: Option<CursorMemo>, seen: Seen) -> Option<CursorMemo> {
    let Some(rule) = pipeline.cursor.as_ref() else {
        // By which column events are remembered must not be lost with the cursor.
        return memo.filter(|_| pipeline.appends());
    };
    let meaning = meaning(pipeline);
    let before = memo.filter(|memo| memo.column == rule.column);
    let forgotten_before = before.as_ref().and_then(|memo| memo.forgotten_before);
    let not_read = before
        .as_ref()
        .and_then(|memo| memo.invalid_from)
        .filter(|invalid_from| seen.from.is_some_and(|from| invalid_from.as_microsecond() < from));
    let invalid = seen.invalid.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    let invalid_from = not_read.into_iter().chain(invalid).min();
    let reached = match (seen.largest, seen.held_back) {
        (Some(largest), Some(held_back)) => Some(largest.min(held_back)),
        (largest, _) => largest,
    };
    let reached = reached.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    let last = match (before.map(|memo| memo.last), reached) {
        (Some(before), Some(reached)) => before.max(reached),
        (before, reached) => before.or(reached)?,
    };
    // A row behind the window that is tried again must be inside of the next one.
    let lookback = SignedDuration::try_from(rule.lookback).unwrap_or(SignedDuration::MAX);
    let held_back = seen.held_back.and_then(|at| Timestamp::from_microsecond(at).ok());
    let furthest = held_back.and_then(|at| at.checked_add(lookback).ok());
    let last = furthest.map_or(last, |furthest| last.min(furthest));
    let column = rule.column.clone();
    Some(CursorMemo { column, last, meaning, forgotten_before, invalid_from })
}

/// Returns a hash of what is read and how it is mapped.
fn meaning(pipeline: &Pipeline) -> String {
    let text = format!("{:?} {:?}", pipeline.model, pipeline.record);
    format!("{:016x}", xxh3_64(text.as_bytes()))
}
