//! A store of every released version is brought up to date and says the same afterwards.
//!
//! `tests/fixtures/migrations/<store>/<version>.sql` makes a store as that version left it. A new
//! version must bring its own; files of released versions are never edited.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ciosync::model::{RejectionKind, SyncId};
use ciosync::state::{
    Access, LockHolder, RequestKind, StateStore, StoredRequest, open_existing, schema,
};

use super::contract::{memo, rejected};
use super::place::{Place, in_each_store, sync};
use super::rows::{Changes, apply, folded, remembered};

const TTL: Duration = Duration::from_secs(15);

fn sample(store: &str, version: i64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/fixtures/migrations/{store}/{version}.sql"))
}

/// Opens what the sample of a version holds, migrated.
async fn migrated(place: &Place, version: i64) -> Arc<dyn StateStore> {
    let path = sample(place.name(), version);
    let sql = fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("version {version} needs sample data in {}", path.display()));
    match place {
        Place::Sqlite(_) => place.execute(&sql).await,
        Place::Postgres(database) => database.execute(&sql).await,
    }
    open_existing(&place.url(), Some("local"), Access::Write).await.unwrap().unwrap()
}

/// The requests that the sample of a version holds.
fn requests_of(version: i64) -> Vec<StoredRequest> {
    let request = StoredRequest {
        kind: RequestKind::Run,
        token: "2025-01-02".to_owned(),
        is_handled: true,
        seen_at: "2025-01-02T03:04:05.678901Z".parse().unwrap(),
    };
    if version < 2 { vec![] } else { vec![request] }
}

#[tokio::test]
async fn every_version_has_a_sample_that_reads_back_after_migration() {
    for version in 1..=schema::VERSION {
        in_each_store(async |place| {
            let store = migrated(place, version).await;

            let state = store.sync(&sync()).await.unwrap().unwrap();
            assert_eq!((state.memo, state.segment_rows, state.epoch), (memo(), 300, 3));
            let mut model = folded(&store, &sync()).await;
            assert!(model.iter().map(|(k, v)| (*k, *v)).eq((0..300).map(|n| (n, n))));
            apply(&mut model, &Changes::from([(7, None), (8, Some(88)), (400, Some(4))]));
            assert_eq!(remembered(&store, &sync()).await, model);
            let rejections = store.rejections(&sync(), None, 9).await.unwrap();
            assert!(
                rejections
                    == [
                        rejected(b"a", RejectionKind::Invalid),
                        rejected(b"b", RejectionKind::Rejected)
                    ]
            );
            let runs = store.runs(&sync(), 9).await.unwrap();
            assert_eq!(runs.iter().map(|run| run.id.0.as_str()).collect::<Vec<_>>(), ["2", "1"]);
            assert_eq!(store.requests(&sync()).await.unwrap(), requests_of(version));
            let seen = store.untouched_since("2026-01-01T00:00:00Z".parse().unwrap());
            assert_eq!(seen.await.unwrap(), if version < 2 { vec![] } else { vec![sync()] });
            let holder = LockHolder::this_process();
            let epoch = store.acquire_lock(&SyncId::new("a", "b"), &holder, TTL).await.unwrap();
            assert_eq!(epoch, if version < 2 { 1 } else { 8 });
        })
        .await;
    }
}

#[test]
fn there_are_no_samples_of_versions_that_do_not_exist() {
    for store in ["sqlite", "postgres"] {
        assert!(!sample(store, schema::VERSION + 1).exists());
    }
}
