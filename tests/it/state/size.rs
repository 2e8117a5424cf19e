//! How much room a remembered row takes.

use std::fs;
use std::sync::Arc;

use ciosync::model::{Encoding, Entry, EntryFlags, Fingerprint, KeyKind, KeyShape, RunId, Value};
use ciosync::state::store::{JournalRow, StoredSegment};
use ciosync::state::{EntryChunk, SegmentWriter, SnapshotReader, fold};

use super::place::{Place, lock, sync};

/// How many rows a request of the largest size confirms, roughly.
const ROWS_PER_REQUEST: i64 = 1_100;

/// After how many requests the journal is folded.
const REQUESTS_PER_FOLD: u64 = 256;

fn request(numbers: std::ops::Range<i64>) -> StoredSegment {
    let shape = KeyShape(vec![KeyKind::Number]);
    let mut writer = SegmentWriter::default();
    let mut key = Vec::new();
    for number in numbers {
        shape.encode([Value::Int(number)], &mut key).unwrap();
        let entry = Entry {
            key: &key,
            fingerprint: Some(Fingerprint::of(&key, Encoding::CURRENT)),
            encoding: Encoding::CURRENT,
            target: None,
            flags: EntryFlags::default(),
        };
        writer.push(&entry).unwrap();
    }
    writer.finish().unwrap()
}

#[tokio::test]
async fn a_million_rows_with_whole_numbers_as_keys_take_at_most_24_bytes_each() {
    const ROWS: i64 = 1_000_000;
    let place = Place::sqlite();
    let Place::Sqlite(folder) = &place else { return };
    let store = place.open().await;
    let lock = lock(store.as_ref()).await;

    for (seq, first) in (1u64..).zip((1..=ROWS).step_by(ROWS_PER_REQUEST as usize)) {
        let changes = request(first..(first + ROWS_PER_REQUEST).min(ROWS + 1));
        let row = JournalRow { run: RunId("run-1".to_owned()), seq, changes };
        store.append_journal(&lock, &[row]).await.unwrap();
        if seq % REQUESTS_PER_FOLD == 0 {
            fold(store.as_ref(), &lock, None).await.unwrap();
        }
    }
    fold(store.as_ref(), &lock, None).await.unwrap();

    let mut snapshot = SnapshotReader::open(Arc::clone(&store), sync()).await.unwrap();
    let mut chunk = EntryChunk::default();
    let mut rows = 0;
    while snapshot.next_chunk(&mut chunk).await.unwrap() {
        rows += chunk.len() as u64;
    }
    assert_eq!(rows, ROWS as u64);
    place.execute("pragma wal_checkpoint(truncate)").await;
    let bytes = fs::metadata(folder.path().join("state.db")).unwrap().len();
    assert!(bytes <= 24 * ROWS as u64, "{} bytes a row", bytes as f64 / ROWS as f64);
}
