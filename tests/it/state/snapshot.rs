//! Reading what is remembered, while others write.

use std::sync::Arc;

use ciosync::model::{Encoding, Entry, EntryFlags, Fingerprint, RunId};
use ciosync::state::snapshot::{count, get};
use ciosync::state::store::JournalRow;
use ciosync::state::{EntryChunk, SegmentWriter, SnapshotReader, fold};

use super::place::{in_each_store, lock, sync};
use super::rows::{Changes, accept, apply, journal_row, key, read, remembered};

#[tokio::test]
async fn what_was_accepted_reads_back_in_every_part() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        let plain = Entry {
            key: b"a",
            fingerprint: Some(Fingerprint::from_bytes([1; 16])),
            encoding: Encoding::PREVIOUS,
            target: None,
            flags: EntryFlags::default(),
        };
        let rich = Entry {
            key: b"b",
            encoding: Encoding::CURRENT,
            target: Some("Ann@Example.com"),
            flags: EntryFlags { suppressed: true, ..EntryFlags::default() },
            ..plain
        };
        let failed_late =
            Entry { key: b"c", fingerprint: None, encoding: Encoding::CURRENT, ..plain };
        let mut writer = SegmentWriter::default();
        for entry in [plain, rich, failed_late] {
            writer.push(&entry).unwrap();
        }
        let changes = writer.finish().unwrap();
        let row = JournalRow { run: RunId("run-1".to_owned()), seq: 1, changes };
        store.append_journal(&lock, &[row]).await.unwrap();
        fold(store.as_ref(), &lock, None).await.unwrap();

        let mut chunk = EntryChunk::default();
        let mut snapshot = SnapshotReader::open(Arc::clone(&store), sync()).await.unwrap();
        assert!(snapshot.next_chunk(&mut chunk).await.unwrap());

        assert!(chunk.get(0).is_some_and(|entry| entry == plain));
        assert!(chunk.get(1).is_some_and(|entry| entry == rich));
        assert!(chunk.get(2).is_some_and(|entry| {
            entry.key == b"c" && entry.fingerprint.is_none() && entry.target.is_none()
        }));
        assert!(!snapshot.next_chunk(&mut chunk).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn rows_are_counted_with_what_stands_in_the_journal() {
    in_each_store(async |place| {
        let store = place.open().await;
        assert_eq!(count(&store, &sync()).await.unwrap(), 0);
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, 0..10).await;
        assert_eq!(count(&store, &sync()).await.unwrap(), 10, "nothing is folded");
        fold(store.as_ref(), &lock, None).await.unwrap();
        assert_eq!(count(&store, &sync()).await.unwrap(), 10, "all is folded");

        accept(store.as_ref(), &lock, 2, 5..9_000).await;
        let removed: Changes = [(0, None), (8_000, None)].into();
        store.append_journal(&lock, &[journal_row(3, &removed)]).await.unwrap();

        assert_eq!(count(&store, &sync()).await.unwrap(), 8_998);
    })
    .await;
}

#[tokio::test]
async fn a_fold_that_rewrites_segments_is_not_noticed_by_who_reads() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, (0..120_000).step_by(2)).await;
        fold(store.as_ref(), &lock, None).await.unwrap();
        let mut snapshot = SnapshotReader::open(Arc::clone(&store), sync()).await.unwrap();
        let mut chunk = EntryChunk::default();
        let mut seen = Vec::new();
        let mut seq = 2;

        while snapshot.next_chunk(&mut chunk).await.unwrap() {
            seen.extend(
                chunk.iter().map(|entry| u32::from_be_bytes(entry.key.try_into().unwrap())),
            );
            // What was read is delivered: new rows between the old ones, some of these removed.
            let last = *seen.last().unwrap();
            let changes: Changes = (last.saturating_sub(3_000)..last)
                .map(|number| (number, (number % 3 != 0).then_some(1)))
                .collect();
            if !changes.is_empty() {
                store.append_journal(&lock, &[journal_row(seq, &changes)]).await.unwrap();
                fold(store.as_ref(), &lock, Some(&key(last))).await.unwrap();
                seq += 1;
            }
        }

        assert!(seq > 10, "the reader was not disturbed");
        assert!(seen.iter().copied().eq((0..120_000).step_by(2)));
    })
    .await;
}

#[tokio::test]
async fn a_left_over_journal_is_seen_over_the_segments_without_being_written() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, 100..200).await;
        fold(store.as_ref(), &lock, None).await.unwrap();
        let mut model = remembered(&store, &sync()).await;
        let first = Changes::from([(1, Some(1)), (150, Some(7)), (151, None), (500, Some(5))]);
        let second = Changes::from([(1, None), (151, Some(2)), (500, Some(6))]);
        for (seq, changes) in [(2, &first), (3, &second)] {
            store.append_journal(&lock, &[journal_row(seq, changes)]).await.unwrap();
            apply(&mut model, changes);
        }

        assert_eq!(remembered(&store, &sync()).await, model);
        for number in [1, 100, 150, 151, 199, 200, 500] {
            let found = get(store.as_ref(), &sync(), &key(number)).await.unwrap();
            assert_eq!(found.is_some(), model.contains_key(&number), "{number}");
        }
        assert_eq!(store.journal(&sync(), None, 9).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_fold_behind_the_back_of_who_plans_loses_and_repeats_nothing() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, 0..60_000).await;
        fold(store.as_ref(), &lock, None).await.unwrap();
        accept(store.as_ref(), &lock, 2, 60_000..61_000).await;
        let expected = remembered(&store, &sync()).await;
        let snapshot = SnapshotReader::open_with_journal(Arc::clone(&store), sync()).await.unwrap();

        fold(store.as_ref(), &lock, None).await.unwrap();

        assert_eq!(read(snapshot).await, expected);
    })
    .await;
}
