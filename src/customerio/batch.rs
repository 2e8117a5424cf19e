//! Items in one request: filled up to the limits, stamped in place, halved without writing any
//! record again.
//!
//! A batch addresses its items by their index; what an item stands for is kept by the caller.
//! The ids of a segment's members go out in batches too, by a call of their own.

use std::fmt;
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::operation::{BadRecord, STAMP_DIGITS, write_item};
use super::spec::{SizeLimitsSpec, UpdateTimestamps};
use crate::model::{IdentifierKind, OperationKind, RecordView};

/// Most items in one batch. Customer.io publishes no limit; this one keeps the answer readable
/// when it lists an error for each, and is out of reach for anything but deletions.
pub const ITEMS_MAX: usize = 5_000;

/// Age of a stamp from which a retry carries a new one: by then another update of the profile may
/// have overtaken it, and Customer.io would drop this one.
const STAMP_AGE_MAX: Duration = Duration::from_secs(30);

/// Most ids in one request about a segment. Source: Track API v1, "limited to 1000 customer IDs per
/// request".
pub const SEGMENT_IDS_MAX: usize = 1_000;

const CLOSING: &[u8] = b"]}";

/// By which call a batch is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Version 2's `/batch`: anything but members of segments.
    Batch,
    /// Version 1's call for people who enter a segment, or leave it.
    Segment {
        /// The segment.
        id: u64,
        /// What the ids are.
        identifier: IdentifierKind,
        /// Whether they leave it.
        is_removal: bool,
    },
}

impl Route {
    /// Returns whether operations of this kind are sent so.
    pub fn carries(self, operation: OperationKind) -> bool {
        match (self, operation) {
            (Self::Segment { is_removal, .. }, OperationKind::SegmentAdd) => !is_removal,
            (Self::Segment { is_removal, .. }, OperationKind::SegmentRemove) => is_removal,
            (Self::Segment { .. }, _) => false,
            (
                Self::Batch,
                OperationKind::SegmentAdd
                | OperationKind::SegmentRemove
                | OperationKind::CollectionReplace,
            ) => false,
            (Self::Batch, _) => true,
        }
    }

    fn opening(self) -> &'static [u8] {
        match self {
            Self::Batch => b"{\"batch\":[",
            Self::Segment { .. } => b"{\"ids\":[",
        }
    }

    fn items_max(self) -> usize {
        match self {
            Self::Batch => ITEMS_MAX,
            Self::Segment { .. } => SEGMENT_IDS_MAX,
        }
    }
}

/// Where an item stands in the body.
#[derive(Clone, Copy)]
struct Item {
    start: usize,
    end: usize,
    /// First digit of its time stamp.
    stamp: Option<usize>,
}

impl Item {
    /// Returns the item moved from a body where it follows `from` bytes to one where it follows `to`.
    fn moved(self, from: usize, to: usize) -> Self {
        let place = |offset: usize| offset.saturating_sub(from) + to;
        Self { start: place(self.start), end: place(self.end), stamp: self.stamp.map(place) }
    }
}

/// Why a record did not become an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The record can't be read.
    #[error(transparent)]
    BadRecord(#[from] BadRecord),
    /// The item is over the limit for one item, or can't even be alone in a batch.
    #[error("an item of {size_bytes} bytes is over the limit")]
    TooLarge {
        /// The item's size in bytes of JSON.
        size_bytes: usize,
    },
}

/// Batches whose memory waits to be used again: as many as are mostly on the wire at once.
const SPARE_MAX: usize = 32;

/// Fills batches with records, in the order in which they come.
pub struct BatchBuilder {
    route: Route,
    limits: SizeLimitsSpec,
    timestamps: UpdateTimestamps,
    body: Vec<u8>,
    items: Vec<Item>,
    spare: Vec<(Vec<u8>, Vec<Item>)>,
}

impl BatchBuilder {
    /// Returns an empty builder of version 2 batches.
    pub fn new(limits: SizeLimitsSpec, timestamps: UpdateTimestamps) -> Self {
        Self::on_route(Route::Batch, limits, timestamps)
    }

    /// Returns an empty builder of batches that are sent by `route`.
    pub fn on_route(route: Route, limits: SizeLimitsSpec, timestamps: UpdateTimestamps) -> Self {
        let (body, items) = (route.opening().to_vec(), Vec::new());
        Self { route, limits, timestamps, body, items, spare: Vec::new() }
    }

    /// Returns by which call its batches are sent.
    pub fn route(&self) -> Route {
        self.route
    }

    /// Returns how many items wait for their batch to be closed.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns whether no item waits.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds a record. Where it does not fit beside those before it, returns their batch, and the
    /// record is the first of the next one.
    ///
    /// # Errors
    /// Where the record can't be read or is too large; the builder is then as it was before.
    pub fn push(&mut self, record: &RecordView<'_>) -> Result<Option<Batch>, PushError> {
        let end_before = self.body.len();
        if !self.items.is_empty() {
            self.body.push(b',');
        }
        let start = self.body.len();
        let written = write_item(record, self.timestamps, &mut self.body);
        let size_bytes = self.body.len() - start;
        let stamp = match written {
            Ok(stamp) if self.takes(size_bytes) => stamp,
            Ok(_) => {
                self.body.truncate(end_before);
                return Err(PushError::TooLarge { size_bytes });
            }
            Err(error) => {
                self.body.truncate(end_before);
                return Err(error.into());
            }
        };
        let item = Item { start, end: self.body.len(), stamp };
        if item.end + CLOSING.len() <= self.limits.batch_bytes as usize
            && self.items.len() < self.route.items_max()
        {
            self.items.push(item);
            return Ok(None);
        }
        let next = self.body.split_off(start);
        self.body.truncate(end_before);
        let closed = self.finish();
        self.body.extend_from_slice(&next);
        self.items.push(item.moved(start, self.route.opening().len()));
        Ok(closed)
    }

    /// Closes the batch; `None` where it is empty.
    pub fn finish(&mut self) -> Option<Batch> {
        if self.items.is_empty() {
            return None;
        }
        // The next batch will most likely be as large as this one, and hold the item for a moment
        // that is the first of the batch behind it: growing then would double it.
        let (mut next, next_items) = self.spare.pop().unwrap_or_else(|| {
            (Vec::with_capacity(self.body.len() + self.body.len() / 32 + 1024), Vec::new())
        });
        next.extend_from_slice(self.route.opening());
        let mut body = std::mem::replace(&mut self.body, next);
        body.extend_from_slice(CLOSING);
        let items = std::mem::replace(&mut self.items, next_items);
        Some(Batch { route: self.route, body: body.into(), items, stamped_at: None })
    }

    /// Takes back the memory of a batch that is done with, for a later one: blocks of this size that
    /// come and go would leave holes all over the heap.
    pub fn reuse(&mut self, batch: Batch) {
        let Batch { body, mut items, .. } = batch;
        if self.spare.len() < SPARE_MAX
            && let Ok(body) = body.try_into_mut()
        {
            let mut body = Vec::from(body);
            body.clear();
            items.clear();
            self.spare.push((body, items));
        }
    }

    fn takes(&self, size_bytes: usize) -> bool {
        size_bytes <= self.limits.item_bytes as usize
            && self.route.opening().len() + size_bytes + CLOSING.len()
                <= self.limits.batch_bytes as usize
    }
}

/// The body of one request, and where its items stand. Never empty.
pub struct Batch {
    route: Route,
    body: Bytes,
    items: Vec<Item>,
    /// When the stamps that the body carries were put there.
    stamped_at: Option<Instant>,
}

impl Batch {
    /// Returns how many items the batch has.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns whether the batch has no item, which no batch of a builder is.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the body as it would be sent now.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns both halves, in order; `None` for a single item. The first one has the items up to
    /// `len() / 2`. Halves are stamped anew when they are sent.
    pub fn split(&self) -> Option<(Self, Self)> {
        let middle = self.items.len() / 2;
        Some((self.part(0..middle)?, self.part(middle..self.items.len())?))
    }

    /// Returns a batch of some neighbouring items; `None` for none.
    fn part(&self, range: Range<usize>) -> Option<Self> {
        let items = self.items.get(range)?;
        let (first, last) = (items.first()?, items.last()?);
        let piece = self.body.get(first.start..last.end)?;
        let opening = self.route.opening();
        let body = [opening, piece, CLOSING].concat();
        let items = items.iter().map(|item| item.moved(first.start, opening.len())).collect();
        Some(Self { route: self.route, body: body.into(), items, stamped_at: None })
    }

    /// Returns by which call the batch is sent.
    pub fn route(&self) -> Route {
        self.route
    }

    /// Returns the body for the wire, sharing its memory.
    pub(super) fn wire(&self) -> Bytes {
        self.body.clone()
    }

    /// Returns whether the batch has to be stamped before it is sent at `now`.
    pub(super) fn is_stamp_due(&self, now: Instant) -> bool {
        self.stamped_at.is_none_or(|at| now.saturating_duration_since(at) > STAMP_AGE_MAX)
    }

    /// Puts the Unix second `second`, of ten digits, into every item that carries a time.
    pub(super) fn stamp(&mut self, second: i64, now: Instant) {
        self.stamped_at = Some(now);
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(second).as_bytes();
        debug_assert_eq!(digits.len(), STAMP_DIGITS, "the clock gives ten digits");
        if self.items.iter().all(|item| item.stamp.is_none()) {
            return;
        }
        // The memory is ours alone, unless a request that failed still holds on to it.
        let body = std::mem::take(&mut self.body);
        let mut body = body.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        for start in self.items.iter().filter_map(|item| item.stamp) {
            if let Some(place) = body.get_mut(start..start + digits.len()) {
                place.copy_from_slice(digits);
            }
        }
        self.body = body.freeze();
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} items, {} bytes)", self.items.len(), self.body.len())
    }
}

#[cfg(test)]
mod tests;
