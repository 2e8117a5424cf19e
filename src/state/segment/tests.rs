//! The codec gives back what it was given, and never trusts bytes.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::model::{EntryBuf, EntryFlags, Fingerprint, KeyKind, KeyShape, Value};

type Parts = (Option<[u8; 16]>, bool, Option<String>, (bool, [Option<u32>; 2]));

fn entries() -> impl Strategy<Value = Vec<(Vec<u8>, Parts)>> {
    let flags = (any::<bool>(), [option::of(any::<u32>()), option::of(any::<u32>())]);
    let parts = (option::of(any::<[u8; 16]>()), any::<bool>(), option::of(".{0,40}"), flags);
    let key = prop_oneof![vec(any::<u8>(), 0..40), vec(0u8..2, 0..6)];
    btree_map(key, parts, 1..60).prop_map(|map| map.into_iter().collect())
}

fn entry_buf((key, (fingerprint, is_current, target, flags)): &(Vec<u8>, Parts)) -> EntryBuf {
    let (suppressed, [missing_since, read_at]) = *flags;
    let is_current = *is_current || fingerprint.is_none();
    EntryBuf {
        key: key.clone(),
        fingerprint: fingerprint.map(Fingerprint::from_bytes),
        encoding: if is_current { Encoding::CURRENT } else { Encoding::PREVIOUS },
        target: target.clone(),
        flags: EntryFlags { suppressed, missing_since, read_at },
    }
}

fn segment(entries: &[EntryBuf]) -> StoredSegment {
    let mut writer = SegmentWriter::default();
    for entry in entries {
        writer.push(&entry.as_entry()).unwrap();
    }
    writer.finish().unwrap()
}

fn decoded(segment: &StoredSegment) -> Result<EntryChunk, SegmentError> {
    let mut chunk = EntryChunk::default();
    decode(segment, &mut chunk)?;
    Ok(chunk)
}

fn with_data(mut segment: StoredSegment, change: impl FnOnce(&mut Vec<u8>)) -> StoredSegment {
    change(&mut segment.data);
    segment.crc = crc32fast::hash(&segment.data);
    segment
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(entries in entries()) {
        let entries: Vec<EntryBuf> = entries.iter().map(entry_buf).collect();

        let chunk = decoded(&segment(&entries)).unwrap();

        prop_assert_eq!(chunk.len(), entries.len());
        for (read, written) in chunk.iter().zip(&entries) {
            prop_assert!(read.key == written.key && read.target == written.target.as_deref());
            prop_assert!(read.fingerprint == written.fingerprint && read.flags == written.flags);
            prop_assert!(written.fingerprint.is_none() || read.encoding == written.encoding);
            prop_assert!(chunk.find(&written.key).is_some_and(|found| found == read));
        }
    }

    #[test]
    fn a_changed_byte_never_goes_unnoticed(entries in entries(), place: usize, bit in 0u8..8) {
        let entries: Vec<EntryBuf> = entries.iter().map(entry_buf).collect();
        let mut segment = segment(&entries);

        let place = place % segment.data.len();
        segment.data[place] ^= 1 << bit;

        prop_assert_eq!(decoded(&segment).err(), Some(SegmentError::Checksum));
    }

    #[test]
    fn garbled_bytes_with_a_right_checksum_never_panic(
        entries in entries(),
        edits in vec((any::<usize>(), any::<u8>()), 1..6),
        len: usize,
    ) {
        let entries: Vec<EntryBuf> = entries.iter().map(entry_buf).collect();
        let garbled = with_data(segment(&entries), |data| {
            for (place, byte) in edits {
                let place = place % data.len();
                data[place] = byte;
            }
            data.truncate(len % (data.len() + 1));
        });

        let mut chunk = EntryChunk::default();
        let _: Result<(), SegmentError> = decode(&garbled, &mut chunk);
        let _: Result<(), SegmentError> = decode_journal(&garbled, &mut chunk);
    }

    #[test]
    fn rubbish_never_panics(data: Vec<u8>, count in 0u32..9) {
        let (first_key, last_key) = (Vec::new(), Vec::new());
        let crc = crc32fast::hash(&data);
        let rubbish = StoredSegment { first_key, last_key, count, codec: CODEC, crc, data };

        prop_assert!(decoded(&rubbish).is_err() || count == 1);
    }
}

#[test]
fn a_whole_number_as_key_costs_at_most_20_bytes_a_row() {
    let shape = KeyShape(vec![KeyKind::Number]);
    let mut writer = SegmentWriter::default();
    let mut key = Vec::new();

    for number in 500_000..500_000 + SEGMENT_ENTRIES as i64 {
        shape.encode([Value::Int(number)], &mut key).unwrap();
        let fingerprint = Some(Fingerprint::of(&key, Encoding::CURRENT));
        writer.push(&Entry { fingerprint, ..removed_entry(&key) }).unwrap();
    }

    let bytes_per_row = writer.finish().unwrap().data.len() as f64 / SEGMENT_ENTRIES as f64;
    assert!(bytes_per_row < 20.0, "{bytes_per_row}");
}

#[test]
fn only_the_journal_may_say_that_a_key_is_gone() {
    let mut writer = SegmentWriter::default();
    writer.push_removed(b"a").unwrap();
    let removal = writer.finish().unwrap();

    let mut chunk = EntryChunk::default();
    decode_journal(&removal, &mut chunk).unwrap();

    assert!(chunk.is_removed(0));
    assert_eq!(decoded(&removal).err(), Some(SegmentError::Layout));
}

#[test]
fn keys_must_ascend() {
    let mut writer = SegmentWriter::default();
    writer.push_removed(b"b").unwrap();

    assert_eq!(writer.push_removed(b"b"), Err(SegmentError::Order));
    assert_eq!(writer.push_removed(b"a"), Err(SegmentError::Order));
}

#[test]
fn what_stands_beside_a_segment_must_agree_with_it() {
    let good = segment(&[entry_buf(&(b"a".to_vec(), (None, true, None, (false, [None; 2]))))]);

    let wrong_count = StoredSegment { count: 2, ..good.clone() };
    let wrong_first = StoredSegment { first_key: b"b".to_vec(), ..good.clone() };
    let wrong_last = StoredSegment { last_key: b"b".to_vec(), ..good.clone() };

    for wrong in [wrong_count, wrong_first, wrong_last] {
        assert_eq!(decoded(&wrong).err(), Some(SegmentError::Label));
    }
    assert!(decoded(&good).is_ok());
}

#[test]
fn what_a_newer_binary_wrote_is_told_apart_from_damage() {
    let good = segment(&[entry_buf(&(b"a".to_vec(), (None, true, None, (false, [None; 2]))))]);
    let newer_codec = StoredSegment { codec: CODEC + 1, ..good.clone() };
    let newer_encoding = with_data(good, |data| data[0] = 200);

    assert_eq!(decoded(&newer_codec).err(), Some(SegmentError::UnknownCodec(CODEC + 1)));
    assert_eq!(decoded(&newer_encoding).err(), Some(SegmentError::UnknownEncoding(200)));
}

#[test]
fn the_layout_of_version_1_never_changes() {
    let mut writer = SegmentWriter::default();
    let plain = Entry {
        fingerprint: Some(Fingerprint::from_bytes([0xaa; 16])),
        ..removed_entry(b"customer-000000001")
    };
    let rich = Entry {
        key: b"customer-000000002",
        encoding: Encoding::PREVIOUS,
        target: Some("a@b.c"),
        flags: EntryFlags { suppressed: true, ..EntryFlags::default() },
        ..plain
    };
    writer.push(&plain).unwrap();
    writer.push(&rich).unwrap();
    writer.push_removed(b"d").unwrap();

    let block = writer.finish().unwrap();

    // The two encodings and the count; then each entry's flags, lengths and parts.
    let mut expected = vec![2, 1, 3];
    expected.extend_from_slice(&[0b1, 0x0f, 3]);
    expected.extend_from_slice(b"customer-000000001");
    expected.extend_from_slice(&[0xaa; 16]);
    expected.extend_from_slice(&[0b1_1011, 0xf1, 2, b'2']);
    expected.extend_from_slice(&[0xaa; 16]);
    expected.extend_from_slice(b"\x05a@b.c");
    expected.extend_from_slice(&[0b100, 0x01, b'd']);
    assert_eq!(block.data, expected);
    assert_eq!((block.codec, block.count, block.crc), (1, 3, crc32fast::hash(&expected)));
}
