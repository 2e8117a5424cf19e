//! Remembered rows that were damaged: an error, never a panic, and never rows out of order.
//!
//! The bytes are the number of entries, the lengths of the outer keys, both keys and the block.

use ciosync::model::Entry;
use ciosync::state::segment::{self, CODEC, SegmentWriter};
use ciosync::state::store::StoredSegment;
use ciosync::state::{EntryBuf, EntryChunk};

/// Fails where the law does not hold for these bytes; may be given any.
pub fn check(data: &[u8]) {
    let Some(stored) = stored(data) else { return };
    let mut changes = EntryChunk::default();
    if segment::decode_journal(&stored, &mut changes).is_ok() {
        check_read(&stored, &changes);
    }

    let mut chunk = EntryChunk::default();
    if segment::decode(&stored, &mut chunk).is_err() {
        return;
    }
    check_read(&stored, &chunk);
    let entries: Vec<EntryBuf> = chunk.iter().map(owned).collect();
    let mut writer = SegmentWriter::default();
    for entry in &entries {
        writer.push(&entry.as_entry()).unwrap();
    }
    let again = writer.finish().unwrap();
    assert_eq!((again.first_key.as_slice(), again.count), (&stored.first_key[..], stored.count));
    let mut read_again = EntryChunk::default();
    segment::decode(&again, &mut read_again).unwrap();
    let read_again: Vec<EntryBuf> = read_again.iter().map(owned).collect();
    assert!(read_again == entries, "what was written again reads otherwise");
}

/// What reads as a segment is in order and is what stands beside it.
fn check_read(stored: &StoredSegment, chunk: &EntryChunk) {
    let keys: Vec<&[u8]> = chunk.iter().map(|entry| entry.key).collect();
    assert_eq!(keys.len(), stored.count as usize);
    assert!(keys.is_sorted_by(|a, b| a < b), "keys do not ascend");
    assert_eq!(keys.first(), Some(&stored.first_key.as_slice()));
    assert_eq!(keys.last(), Some(&stored.last_key.as_slice()));
    for (index, key) in keys.iter().enumerate() {
        assert_eq!(chunk.position(key), Ok(index));
    }
}

/// The checksum is right, so that what lies behind it is reached.
fn stored(data: &[u8]) -> Option<StoredSegment> {
    let [count, first_len, last_len, rest @ ..] = data else { return None };
    let (first_key, rest) = rest.split_at_checked(usize::from(*first_len))?;
    let (last_key, data) = rest.split_at_checked(usize::from(*last_len))?;
    Some(StoredSegment {
        first_key: first_key.to_vec(),
        last_key: last_key.to_vec(),
        count: u32::from(*count),
        codec: CODEC,
        crc: crc32fast::hash(data),
        data: data.to_vec(),
    })
}

fn owned(entry: Entry<'_>) -> EntryBuf {
    EntryBuf {
        key: entry.key.to_vec(),
        fingerprint: entry.fingerprint,
        encoding: entry.encoding,
        target: entry.target.map(str::to_owned),
        flags: entry.flags,
    }
}
