//! A Sync's state as a file: complete, or refused.

use std::sync::Arc;

use ciosync::model::{RejectionKind, SyncId};
use ciosync::state::transfer::{export, import};
use ciosync::state::{LockHolder, RunLock, StateError, StateStore, fold};
use serde_json::Value;

use super::contract::{memo, rejected};
use super::place::{Place, error, in_each_store, lock, sync};
use super::rows::{Changes, Model, accept, folded, journal_row, remembered};

/// Opens a store with rows in segments and journal, rejections and a memo.
async fn filled(place: &Place) -> Arc<dyn StateStore> {
    let store = place.open().await;
    let lock = lock(store.as_ref()).await;
    store.save_memo(&lock, &memo()).await.unwrap();
    accept(store.as_ref(), &lock, 1, 0..10_000).await;
    fold(store.as_ref(), &lock, None).await.unwrap();
    let changes = Changes::from([(5, None), (6, Some(66)), (20_000, Some(2))]);
    store.append_journal(&lock, &[journal_row(2, &changes)]).await.unwrap();
    let rejections =
        [rejected(b"a", RejectionKind::Invalid), rejected(b"b", RejectionKind::Rejected)];
    store.save_rejections(&lock, &rejections, &[]).await.unwrap();
    lock.release(store.as_ref()).await.unwrap();
    store
}

async fn exported(store: &Arc<dyn StateStore>) -> Vec<u8> {
    let mut file = Vec::new();
    export(Arc::clone(store), &sync(), &mut file).await.unwrap();
    file
}

async fn imported(
    store: &Arc<dyn StateStore>,
    sync: &SyncId,
    mut file: &[u8],
) -> Result<(), StateError> {
    let holder = LockHolder::this_process();
    let lock = RunLock::acquire(store.as_ref(), sync, &holder).await?;
    let outcome = import(store.as_ref(), &lock, &mut file).await.map(drop);
    lock.release(store.as_ref()).await?;
    outcome
}

#[tokio::test]
async fn what_was_exported_is_imported_into_another_store() {
    in_each_store(async |place| {
        let from = filled(place).await;
        let other_place = match place {
            Place::Sqlite(_) => Place::postgres().await,
            Place::Postgres(_) => Place::sqlite(),
        };
        let to = other_place.open().await;
        let file = exported(&from).await;

        imported(&to, &sync(), &file).await.unwrap();

        assert_eq!(folded(&to, &sync()).await, remembered(&from, &sync()).await);
        assert_eq!(to.sync(&sync()).await.unwrap().unwrap().memo, memo());
        let rejections =
            async |store: &Arc<dyn StateStore>| store.rejections(&sync(), None, 9).await.unwrap();
        assert!(rejections(&to).await == rejections(&from).await);
        assert_eq!(exported(&to).await, file, "the same state gives the same file");
    })
    .await;
}

#[tokio::test]
async fn an_import_replaces_what_was_there_but_the_clock_never_goes_back() {
    in_each_store(async |place| {
        let store = filled(place).await;
        let file = exported(&store).await;
        let other = SyncId::new("default", "copy");
        let holder = LockHolder::this_process();
        let lock = RunLock::acquire(store.as_ref(), &other, &holder).await.unwrap();
        let mut later = memo();
        later.clock_floor_seconds += 60;
        later.run_number += 1;
        store.save_memo(&lock, &later).await.unwrap();
        accept(store.as_ref(), &lock, 1, 777_000..777_010).await;
        lock.release(store.as_ref()).await.unwrap();

        imported(&store, &other, &file).await.unwrap();

        assert_eq!(remembered(&store, &other).await, remembered(&store, &sync()).await);
        assert_eq!(store.sync(&other).await.unwrap().unwrap().memo, later);
    })
    .await;
}

#[tokio::test]
async fn a_damaged_or_incomplete_file_changes_nothing() {
    in_each_store(async |place| {
        let store = filled(place).await;
        let file = String::from_utf8(exported(&store).await).unwrap();
        let lines: Vec<&str> = file.lines().collect();
        let target = SyncId::new("default", "copy");
        let whole = |lines: &[&str]| lines.join("\n") + "\n";
        let mut swapped = lines.clone();
        swapped.swap(1, 2);
        let files = [
            ("empty", String::new()),
            ("without its end", whole(&lines[..lines.len() - 1])),
            ("cut in a line", file[..file.len() / 2].to_owned()),
            ("without a segment", whole(&[&lines[..1], &lines[2..]].concat())),
            ("with segments swapped", whole(&swapped)),
            ("with more behind its end", file.clone() + lines[1]),
            ("with a digit changed", file.replacen("\"runNumber\":7", "\"runNumber\":8", 1)),
            ("of a newer version", file.replacen("\"version\":1", "\"version\":2", 1)),
            ("of something else", "{\"customers\":[]}\n".to_owned()),
        ];

        for (what, file) in files {
            let err = error(imported(&store, &target, file.as_bytes()).await);

            assert!(matches!(err, StateError::Export { .. }), "{what}: {err}");
            assert_eq!(folded(&store, &target).await, Model::new(), "{what}");
            let state = store.sync(&target).await.unwrap().unwrap();
            assert_eq!(state.memo.run_number, 0, "{what}");
        }
        imported(&store, &target, file.as_bytes()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_file_is_lines_of_json_that_can_be_read_by_others() {
    let store = filled(&Place::sqlite()).await;

    let file = String::from_utf8(exported(&store).await).unwrap();
    let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();

    assert_eq!(lines[0]["header"]["sync"]["name"], "customers");
    assert_eq!(lines[0]["header"]["memo"]["identity"]["workspaceId"], 123_456);
    assert_eq!(lines[1]["segment"]["firstKey"], "00000000");
    assert_eq!(lines[lines.len() - 2]["rejection"]["key"], "62");
    assert_eq!(lines[lines.len() - 1]["end"]["rows"], 10_000);
}

#[tokio::test]
async fn a_sync_that_nobody_knows_is_not_exported() {
    in_each_store(async |place| {
        let store = place.open().await;

        let err = error(export(store, &sync(), &mut Vec::new()).await);

        assert!(err.to_string().contains("nothing is known of default/customers"), "{err}");
    })
    .await;
}
