//! Decoded entries side by side: no allocation for each of them, and searched by key.

use crate::model::{Encoding, Entry, EntryFlags, Fingerprint};

/// Bits of an entry's flag byte, on disk and in memory. Bit 7 is free: it would announce a
/// second byte.
pub(super) mod bits {
    pub(in crate::state) const FINGERPRINT: u8 = 1;
    pub(in crate::state) const TARGET: u8 = 1 << 1;
    pub(in crate::state) const REMOVED: u8 = 1 << 2;
    pub(in crate::state) const SUPPRESSED: u8 = 1 << 3;
    pub(in crate::state) const OTHER_ENCODING: u8 = 1 << 4;
    pub(in crate::state) const MISSING: u8 = 1 << 5;
    pub(in crate::state) const READ_AT: u8 = 1 << 6;
    pub(in crate::state) const KNOWN: u8 =
        FINGERPRINT | TARGET | REMOVED | SUPPRESSED | OTHER_ENCODING | MISSING | READ_AT;
}

/// Where one entry's parts lie in the arenas.
#[derive(Clone, Copy)]
struct Slot {
    key_start: usize,
    target_start: usize,
    target_len: u32,
    key_len: u16,
    fingerprint: [u8; 16],
    flags: u8,
    encoding: Encoding,
    /// Only where the flags say so.
    missing_since: u32,
    /// Only where the flags say so.
    read_at: u32,
}

/// Entries sorted by key, in arenas that are reused from chunk to chunk.
///
/// Has no `Debug`: keys and targets must not reach a log.
#[derive(Clone, Default)]
pub struct EntryChunk {
    keys: Vec<u8>,
    targets: String,
    slots: Vec<Slot>,
}

impl EntryChunk {
    /// Forgets all entries and keeps the memory.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.targets.clear();
        self.slots.clear();
    }

    /// Returns how many entries there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Returns the entry at `index`, counted from the smallest key.
    pub fn get(&self, index: usize) -> Option<Entry<'_>> {
        self.slots.get(index).map(|slot| self.entry(slot))
    }

    /// Returns the entries in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.slots.iter().map(|slot| self.entry(slot))
    }

    /// Returns where `key` stands, or else where it would stand.
    pub fn position(&self, key: &[u8]) -> Result<usize, usize> {
        self.slots.binary_search_by(|slot| self.key(slot).cmp(key))
    }

    /// Returns the entry of `key`.
    pub fn find(&self, key: &[u8]) -> Option<Entry<'_>> {
        self.position(key).ok().and_then(|index| self.get(index))
    }

    /// Appends an entry. Its key must lie behind the last one's; searching relies on it.
    pub fn push(&mut self, entry: &Entry<'_>) {
        self.push_with(entry, flags_of(entry));
    }

    fn push_with(&mut self, entry: &Entry<'_>, flags: u8) {
        let slot = Slot {
            key_start: self.keys.len(),
            key_len: short(entry.key.len()),
            target_start: self.targets.len(),
            target_len: short(entry.target.map_or(0, str::len)),
            fingerprint: entry.fingerprint.map_or([0; 16], Fingerprint::to_bytes),
            flags,
            encoding: entry.encoding,
            missing_since: entry.flags.missing_since.unwrap_or_default(),
            read_at: entry.flags.read_at.unwrap_or_default(),
        };
        self.keys.extend_from_slice(entry.key);
        self.targets.push_str(entry.target.unwrap_or_default());
        self.slots.push(slot);
    }

    /// Removes all entries up to and including `key`.
    pub(super) fn drop_through(&mut self, key: &[u8]) {
        let count = self.position(key).map_or_else(|index| index, |index| index + 1);
        self.slots.drain(..count);
    }

    /// Sorts by key what was appended from several sorted runs; of equal keys the last one stays.
    pub(super) fn settle(&mut self) {
        let keys = &self.keys;
        self.slots.sort_by(|a, b| slot_key(keys, a).cmp(slot_key(keys, b)));
        self.slots.dedup_by(|later, earlier| {
            let same = slot_key(keys, later) == slot_key(keys, earlier);
            if same {
                *earlier = *later;
            }
            same
        });
    }

    /// Returns whether the entry at `index` only says that its key is gone.
    pub(super) fn is_removed(&self, index: usize) -> bool {
        self.slots.get(index).is_some_and(|slot| slot.flags & bits::REMOVED != 0)
    }

    /// Appends an entry whose key begins with the first `shared` bytes of the last one's.
    /// The caller has checked that the last key is that long.
    pub(super) fn push_front_coded(&mut self, shared: usize, suffix: &[u8], rest: Decoded<'_>) {
        let key_start = self.keys.len();
        if let Some(last) = self.slots.last() {
            self.keys.extend_from_within(last.key_start..last.key_start + shared);
        }
        self.keys.extend_from_slice(suffix);
        let slot = Slot {
            key_start,
            key_len: short(shared + suffix.len()),
            target_start: self.targets.len(),
            target_len: short(rest.target.len()),
            fingerprint: rest.fingerprint,
            flags: rest.flags & !bits::OTHER_ENCODING,
            encoding: rest.encoding,
            missing_since: rest.missing_since,
            read_at: rest.read_at,
        };
        self.targets.push_str(rest.target);
        self.slots.push(slot);
    }

    /// Returns the key that was appended last.
    pub(super) fn last_key(&self) -> Option<&[u8]> {
        self.slots.last().map(|slot| self.key(slot))
    }

    fn key(&self, slot: &Slot) -> &[u8] {
        slot_key(&self.keys, slot)
    }

    fn entry(&self, slot: &Slot) -> Entry<'_> {
        let target_end = slot.target_start + slot.target_len as usize;
        let target = &self.targets[slot.target_start..target_end];
        Entry {
            key: self.key(slot),
            fingerprint: (slot.flags & bits::FINGERPRINT != 0)
                .then(|| Fingerprint::from_bytes(slot.fingerprint)),
            encoding: slot.encoding,
            target: (slot.flags & bits::TARGET != 0).then_some(target),
            flags: EntryFlags {
                suppressed: slot.flags & bits::SUPPRESSED != 0,
                missing_since: (slot.flags & bits::MISSING != 0).then_some(slot.missing_since),
                read_at: (slot.flags & bits::READ_AT != 0).then_some(slot.read_at),
            },
        }
    }
}

/// What a decoder read of an entry, besides its key.
pub(super) struct Decoded<'a> {
    pub(super) fingerprint: [u8; 16],
    pub(super) target: &'a str,
    pub(super) flags: u8,
    pub(super) encoding: Encoding,
    pub(super) missing_since: u32,
    pub(super) read_at: u32,
}

/// Returns the flag bits of an entry, those of its encoding and of its removal left out.
pub(super) fn flags_of(entry: &Entry<'_>) -> u8 {
    let mut flags = 0;
    if entry.fingerprint.is_some() {
        flags |= bits::FINGERPRINT;
    }
    if entry.target.is_some() {
        flags |= bits::TARGET;
    }
    if entry.flags.suppressed {
        flags |= bits::SUPPRESSED;
    }
    if entry.flags.missing_since.is_some() {
        flags |= bits::MISSING;
    }
    if entry.flags.read_at.is_some() {
        flags |= bits::READ_AT;
    }
    flags
}

/// Returns what stands for a key that is gone, before the flag that says so.
pub(super) fn removed_entry(key: &[u8]) -> Entry<'_> {
    Entry {
        key,
        fingerprint: None,
        encoding: Encoding::CURRENT,
        target: None,
        flags: EntryFlags::default(),
    }
}

/// Slots are only made together with the bytes they point to.
fn slot_key<'a>(keys: &'a [u8], slot: &Slot) -> &'a [u8] {
    &keys[slot.key_start..slot.key_start + usize::from(slot.key_len)]
}

/// Slots are many, so lengths are kept short in them.
fn short<T: TryFrom<usize, Error: std::fmt::Debug>>(length: usize) -> T {
    T::try_from(length)
        .expect("keys end at 1,000 bytes, and a target is below 4 GiB with its block")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(keys: &[&str]) -> EntryChunk {
        let mut chunk = EntryChunk::default();
        for key in keys {
            chunk.push(&Entry { target: Some(key), ..removed_entry(key.as_bytes()) });
        }
        chunk
    }

    fn keys(chunk: &EntryChunk) -> Vec<&[u8]> {
        chunk.iter().map(|entry| entry.key).collect()
    }

    #[test]
    fn entries_are_found_by_their_key() {
        let chunk = chunk(&["a", "b", "d"]);

        assert!(chunk.find(b"b").is_some_and(|entry| entry.target == Some("b")));
        assert!(chunk.find(b"c").is_none());
        assert_eq!(chunk.position(b"c"), Err(2));
    }

    #[test]
    fn what_was_already_seen_is_dropped_whether_or_not_the_key_is_there() {
        let mut present = chunk(&["a", "b", "d"]);
        let mut absent = chunk(&["a", "b", "d"]);

        present.drop_through(b"b");
        absent.drop_through(b"c");

        assert_eq!(keys(&present), [b"d"]);
        assert_eq!(keys(&absent), [b"d"]);
    }

    #[test]
    fn of_equal_keys_the_last_one_stays() {
        let mut chunk = chunk(&["b", "c"]);
        chunk.push(&Entry { target: Some("new"), ..removed_entry(b"b") });
        chunk.push_with(&removed_entry(b"c"), bits::REMOVED);
        chunk.push_with(&removed_entry(b"a"), bits::REMOVED);

        chunk.settle();

        assert_eq!(keys(&chunk), [b"a", b"b", b"c"]);
        assert!(chunk.find(b"b").is_some_and(|entry| entry.target == Some("new")));
        assert!(chunk.is_removed(0) && !chunk.is_removed(1) && chunk.is_removed(2));
    }
}
