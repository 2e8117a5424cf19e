//! The merge of rows and remembered entries, both sorted by key.
//!
//! Entries come in chunks, because reading them may wait; the merge says when it needs the next.

use std::cmp::Ordering;

use crate::model::Entry;

/// Some remembered entries, sorted by key.
pub trait Entries {
    /// Returns entry `index`, or `None` past the end.
    fn entry(&self, index: usize) -> Option<Entry<'_>>;
}

/// What a row's key met among the remembered entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// The entry of this index has the key.
    Entry(usize),
    /// No entry has it.
    Nothing,
    /// The chunk is used up: load the next and ask again.
    NeedsChunk,
}

/// A place in the sorted entries, moving forward only.
#[derive(Debug, Default)]
pub struct Cursor {
    index: usize,
    ended: bool,
}

impl Cursor {
    /// Moves past every entry below `key`, telling each to `left_behind`, and says what the key
    /// met. Keys must be asked for in ascending order.
    pub fn seek(
        &mut self,
        chunk: &impl Entries,
        key: &[u8],
        mut left_behind: impl FnMut(Entry<'_>),
    ) -> Met {
        loop {
            let Some(entry) = chunk.entry(self.index) else {
                return if self.ended { Met::Nothing } else { Met::NeedsChunk };
            };
            match entry.key.cmp(key) {
                Ordering::Less => {
                    left_behind(entry);
                    self.index += 1;
                }
                Ordering::Equal => {
                    let met = Met::Entry(self.index);
                    self.index += 1;
                    return met;
                }
                Ordering::Greater => return Met::Nothing,
            }
        }
    }

    /// Tells the rest of `chunk` to `left_behind`: no row comes any more.
    pub fn drain(&mut self, chunk: &impl Entries, mut left_behind: impl FnMut(Entry<'_>)) {
        while let Some(entry) = chunk.entry(self.index) {
            left_behind(entry);
            self.index += 1;
        }
    }

    /// Starts at the front of a newly loaded chunk; `more` tells whether there was one.
    pub fn next_chunk(&mut self, more: bool) {
        self.index = 0;
        self.ended = !more;
    }

    /// Returns whether all entries were seen.
    pub fn has_ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::model::{Encoding, EntryBuf, EntryFlags};

    struct Chunk(Vec<EntryBuf>);

    impl Entries for Chunk {
        fn entry(&self, index: usize) -> Option<Entry<'_>> {
            self.0.get(index).map(EntryBuf::as_entry)
        }
    }

    fn chunks(keys: &BTreeSet<u8>, size: usize) -> Vec<Chunk> {
        let entries: Vec<EntryBuf> = keys
            .iter()
            .map(|key| EntryBuf {
                key: vec![*key],
                fingerprint: None,
                encoding: Encoding::CURRENT,
                target: None,
                flags: EntryFlags::default(),
            })
            .collect();
        entries.chunks(size).map(|part| Chunk(part.to_vec())).collect()
    }

    /// Runs the merge as the engine does and tells which rows were met, not met, and left behind.
    fn merge(
        rows: &BTreeSet<u8>,
        entries: &BTreeSet<u8>,
        size: usize,
    ) -> BTreeMap<u8, &'static str> {
        let mut remaining = chunks(entries, size).into_iter();
        let (mut chunk, mut cursor) = (Chunk(Vec::new()), Cursor::default());
        let mut found = BTreeMap::new();
        for row in rows {
            loop {
                let met = cursor.seek(&chunk, &[*row], |entry| {
                    assert_eq!(found.insert(entry.key[0], "removed"), None);
                });
                match met {
                    Met::NeedsChunk => {
                        let next = remaining.next();
                        cursor.next_chunk(next.is_some());
                        chunk = next.unwrap_or(Chunk(Vec::new()));
                    }
                    Met::Entry(_) => break assert_eq!(found.insert(*row, "both"), None),
                    Met::Nothing => break assert_eq!(found.insert(*row, "added"), None),
                }
            }
        }
        while !cursor.has_ended() {
            cursor.drain(&chunk, |entry| assert_eq!(found.insert(entry.key[0], "removed"), None));
            let next = remaining.next();
            cursor.next_chunk(next.is_some());
            chunk = next.unwrap_or(Chunk(Vec::new()));
        }
        found
    }

    proptest! {
        #[test]
        fn every_key_of_either_side_is_told_once_and_rightly(
            rows: BTreeSet<u8>, entries: BTreeSet<u8>, size in 1usize..5,
        ) {
            let expected: BTreeMap<u8, &str> = rows
                .union(&entries)
                .map(|key| match (rows.contains(key), entries.contains(key)) {
                    (true, true) => (*key, "both"),
                    (true, false) => (*key, "added"),
                    _ => (*key, "removed"),
                })
                .collect();

            prop_assert_eq!(merge(&rows, &entries, size), expected);
        }
    }
}
