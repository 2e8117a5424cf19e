//! What was lost or changed behind our back is noticed before it is believed.

use std::sync::Arc;

use ciosync::model::{Disposition, Reason};
use ciosync::state::snapshot::get;
use ciosync::state::{EntryChunk, SnapshotReader, StateError, StateStore, fold};

use super::place::{Place, error, in_each_store, lock, sync};
use super::rows::{Changes, accept, journal_row, key, segment};

/// Opens a store with 20,000 rows in its segments and a few in its journal.
async fn filled(place: &Place) -> Arc<dyn StateStore> {
    let store = place.open().await;
    let lock = lock(store.as_ref()).await;
    accept(store.as_ref(), &lock, 1, 0..20_000).await;
    fold(store.as_ref(), &lock, None).await.unwrap();
    accept(store.as_ref(), &lock, 2, 5..9).await;
    lock.release(store.as_ref()).await.unwrap();
    store
}

async fn read_to_the_end(store: &Arc<dyn StateStore>) -> Result<u64, StateError> {
    let mut snapshot = SnapshotReader::open(Arc::clone(store), sync()).await?;
    let mut chunk = EntryChunk::default();
    let mut rows = 0;
    while snapshot.next_chunk(&mut chunk).await? {
        rows += chunk.len() as u64;
    }
    Ok(rows)
}

fn assert_damaged(err: &StateError) {
    assert!(matches!(err, StateError::Damaged { .. }), "{err}");
    assert_eq!((err.disposition(), err.reason()), (Disposition::NeedsOperator, Reason::StateLost));
    assert!(err.hint().unwrap().contains("ciosync state import"));
}

#[tokio::test]
async fn a_missing_segment_is_not_a_removal() {
    in_each_store(async |place| {
        let store = filled(place).await;
        assert_eq!(read_to_the_end(&store).await.unwrap(), 20_000);

        place
            .execute(
                "delete from state_segment where first_key =
                    (select first_key from state_segment order by first_key limit 1 offset 2)",
            )
            .await;

        assert_damaged(&error(read_to_the_end(&store).await));
    })
    .await;
}

#[tokio::test]
async fn a_segment_that_goes_while_it_is_read_is_noticed_at_the_end() {
    in_each_store(async |place| {
        let store = filled(place).await;
        let mut snapshot = SnapshotReader::open(Arc::clone(&store), sync()).await.unwrap();
        let mut chunk = EntryChunk::default();

        place.execute("delete from state_segment").await;

        assert_damaged(&error(snapshot.next_chunk(&mut chunk).await));
    })
    .await;
}

#[tokio::test]
async fn a_changed_byte_is_noticed_by_everyone_who_reads_it() {
    in_each_store(async |place| {
        let store = filled(place).await;
        // SQLite joins bytes as text, and is told that they are bytes.
        let garbled = match place {
            Place::Sqlite(_) => "cast(substr(data, 1, 10) || x'07' || substr(data, 12) as blob)",
            Place::Postgres(_) => "set_byte(data, 10, 7)",
        };

        place.execute(&format!("update state_segment set data = {garbled}")).await;
        assert_damaged(&error(read_to_the_end(&store).await));
        assert_damaged(&error(get(store.as_ref(), &sync(), &key(19_000)).await));

        place.execute(&format!("update state_journal set data = {garbled}")).await;
        let lock = lock(store.as_ref()).await;
        assert_damaged(&error(fold(store.as_ref(), &lock, None).await));
        let planned = SnapshotReader::open_with_journal(Arc::clone(&store), sync()).await;
        assert_damaged(&error(planned));
    })
    .await;
}

#[tokio::test]
async fn a_fold_that_finds_damage_leaves_the_journal_as_it_is() {
    in_each_store(async |place| {
        let store = filled(place).await;
        place.execute("update state_segment set crc = crc + 1").await;
        let lock = lock(store.as_ref()).await;

        assert_damaged(&error(fold(store.as_ref(), &lock, None).await));

        let rows = store.journal(&sync(), None, 9).await.unwrap();
        let changes: Changes = (5..9).map(|number| (number, Some(number))).collect();
        assert!(rows == [journal_row(2, &changes)]);
        assert!(rows[0].changes == segment(&changes));
    })
    .await;
}

#[tokio::test]
async fn what_a_newer_ciosync_wrote_is_refused_and_not_called_damaged() {
    in_each_store(async |place| {
        let store = filled(place).await;

        place.execute("update state_segment set codec = 99").await;

        let err = error(read_to_the_end(&store).await);
        assert!(matches!(err, StateError::Refused { .. }), "{err}");
        assert!(err.hint().unwrap().contains("newer"));
    })
    .await;
}
