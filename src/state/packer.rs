//! Packs a stream of entries into segments that are neither tiny nor huge.

use std::collections::VecDeque;

use crate::model::Entry;
use crate::state::chunk::EntryChunk;
use crate::state::segment::{SEGMENT_BYTES, SEGMENT_ENTRIES, SegmentError, SegmentWriter};
use crate::state::store::StoredSegment;

/// What a small entry costs: as many of these fill a segment as it may have entries.
const COST_MIN: usize = SEGMENT_BYTES / SEGMENT_ENTRIES;

/// What an entry costs besides its key and target: a fingerprint, flags, lengths.
const COST_FIXED: usize = 20;

/// Entries in order, cut into full segments; the last two share what is left evenly.
#[derive(Default)]
pub(super) struct Packer {
    /// Full portions, oldest first. The newest one waits for the rest, to share with it.
    full: VecDeque<EntryChunk>,
    filling: EntryChunk,
    filling_cost: usize,
    writer: SegmentWriter,
}

impl Packer {
    /// Appends an entry; keys must ascend.
    pub(super) fn push(&mut self, entry: &Entry<'_>) {
        let cost = cost(entry);
        if self.filling_cost + cost > SEGMENT_BYTES {
            self.full.push_back(std::mem::take(&mut self.filling));
            self.filling_cost = 0;
        }
        self.filling.push(entry);
        self.filling_cost += cost;
    }

    /// Returns whether something waits that would make a tiny segment by itself.
    pub(super) fn is_light(&self) -> bool {
        self.full.is_empty() && self.filling_cost > 0 && self.filling_cost < SEGMENT_BYTES / 4
    }

    /// Appends the segments that are surely full to `out`.
    pub(super) fn take_full(&mut self, out: &mut Vec<StoredSegment>) -> Result<(), SegmentError> {
        while self.full.len() > 1 {
            let Some(portion) = self.full.pop_front() else { return Ok(()) };
            for entry in portion.iter() {
                self.writer.push(&entry)?;
            }
            out.extend(self.writer.finish());
        }
        Ok(())
    }

    /// Appends all that is left to `out`: one segment, or two halves where that would be too large.
    pub(super) fn take_rest(&mut self, out: &mut Vec<StoredSegment>) -> Result<(), SegmentError> {
        let portions =
            [self.full.pop_front().unwrap_or_default(), std::mem::take(&mut self.filling)];
        self.filling_cost = 0;
        let entries = || portions.iter().flat_map(EntryChunk::iter);
        let total: usize = entries().map(|entry| cost(&entry)).sum();
        let target = if total > SEGMENT_BYTES * 5 / 4 { total / 2 } else { total };
        let mut written = 0;
        for entry in entries() {
            self.writer.push(&entry)?;
            written += cost(&entry);
            if written >= target {
                out.extend(self.writer.finish());
                written = 0;
            }
        }
        out.extend(self.writer.finish());
        Ok(())
    }
}

/// Returns what share of [`SEGMENT_BYTES`] a stored segment takes up, roughly.
pub(super) fn cost_of_segment(segment: &StoredSegment) -> usize {
    (segment.count as usize * COST_MIN).max(segment.data.len())
}

fn cost(entry: &Entry<'_>) -> usize {
    (entry.key.len() + entry.target.map_or(0, str::len) + COST_FIXED).max(COST_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::chunk::removed_entry;

    fn packed(count: u32, key_len: usize) -> Vec<u32> {
        let mut packer = Packer::default();
        let mut out = Vec::new();
        for number in 0..count {
            let mut key = number.to_be_bytes().to_vec();
            key.resize(key_len, 0);
            packer.push(&removed_entry(&key));
            packer.take_full(&mut out).unwrap();
        }
        packer.take_rest(&mut out).unwrap();
        out.iter().map(|segment| segment.count).collect()
    }

    #[test]
    fn segments_are_full_and_the_last_two_share_evenly() {
        assert_eq!(packed(4_096, 4), [4_096]);
        assert_eq!(packed(5_000, 4), [5_000]);
        assert_eq!(packed(6_000, 4), [3_000, 3_000]);
        assert_eq!(packed(10_000, 4), [4_096, 2_952, 2_952]);
        assert!(packed(0, 4).is_empty());
    }

    #[test]
    fn large_entries_make_smaller_segments() {
        let counts = packed(1_000, 1_000);

        assert!(counts.iter().all(|count| *count <= 322), "{counts:?}");
    }
}
