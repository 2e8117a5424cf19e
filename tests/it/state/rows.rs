//! Remembered rows in tests: keys are numbers, and what was accepted is one more number.

use std::collections::BTreeMap;
use std::sync::Arc;

use ciosync::model::{Encoding, Entry, EntryFlags, Fingerprint, RunId, SyncId};
use ciosync::state::store::{JournalRow, StoredSegment};
use ciosync::state::{EntryChunk, RunLock, SegmentWriter, SnapshotReader, StateStore};

/// What is remembered: of each key, the number that was accepted.
pub type Model = BTreeMap<u32, u32>;

/// What one request changed: a number was accepted for a key, or the key was removed.
pub type Changes = BTreeMap<u32, Option<u32>>;

pub fn key(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

pub fn fingerprint(accepted: u32) -> Fingerprint {
    Fingerprint::from_bytes(u128::from(accepted).to_le_bytes())
}

pub fn entry<'a>(key: &'a [u8], accepted: u32, target: Option<&'a str>) -> Entry<'a> {
    Entry {
        key,
        fingerprint: Some(fingerprint(accepted)),
        encoding: Encoding::CURRENT,
        target,
        flags: EntryFlags::default(),
    }
}

pub fn segment(changes: &Changes) -> StoredSegment {
    let mut writer = SegmentWriter::default();
    for (number, accepted) in changes {
        match accepted {
            Some(accepted) => writer.push(&entry(&key(*number), *accepted, None)).unwrap(),
            None => writer.push_removed(&key(*number)).unwrap(),
        }
    }
    writer.finish().unwrap()
}

pub fn journal_row(seq: u64, changes: &Changes) -> JournalRow {
    JournalRow { run: RunId("run-1".to_owned()), seq, changes: segment(changes) }
}

/// Appends a journal row that says that `numbers` were accepted.
pub async fn accept(
    store: &dyn StateStore,
    lock: &RunLock,
    seq: u64,
    numbers: impl IntoIterator<Item = u32>,
) {
    let changes = numbers.into_iter().map(|number| (number, Some(number))).collect();
    store.append_journal(lock, &[journal_row(seq, &changes)]).await.unwrap();
}

pub fn apply(model: &mut Model, changes: &Changes) {
    for (number, accepted) in changes {
        match accepted {
            Some(accepted) => model.insert(*number, *accepted),
            None => model.remove(number),
        };
    }
}

/// Reads what the segments hold.
pub async fn folded(store: &Arc<dyn StateStore>, sync: &SyncId) -> Model {
    read(SnapshotReader::open(Arc::clone(store), sync.clone()).await.unwrap()).await
}

/// Reads what segments and journal hold together.
pub async fn remembered(store: &Arc<dyn StateStore>, sync: &SyncId) -> Model {
    read(SnapshotReader::open_with_journal(Arc::clone(store), sync.clone()).await.unwrap()).await
}

/// Reads a snapshot to its end; keys must ascend.
pub async fn read(mut snapshot: SnapshotReader) -> Model {
    let mut model = Model::new();
    let mut chunk = EntryChunk::default();
    while snapshot.next_chunk(&mut chunk).await.unwrap() {
        assert!(!chunk.is_empty());
        for entry in chunk.iter() {
            let number = u32::from_be_bytes(entry.key.try_into().unwrap());
            assert!(model.last_key_value().is_none_or(|(last, _)| *last < number));
            let accepted = u128::from_le_bytes(entry.fingerprint.unwrap().to_bytes());
            model.insert(number, u32::try_from(accepted).unwrap());
        }
    }
    model
}
