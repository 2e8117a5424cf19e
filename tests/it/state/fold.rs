//! Laws of folding: whatever the journal said, in whatever steps, the segments say it afterwards.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::ops::{Bound, Range};
use std::sync::Arc;
use std::task::Poll;

use ciosync::model::{RunId, SyncId};
use ciosync::state::store::JournalRow;
use ciosync::state::{LockHolder, RunLock, SegmentWriter, StateStore, fold};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::place::{Place, in_each_store, lock, sync};
use super::rows::{Changes, Model, accept, apply, entry, folded, journal_row, key, remembered};

/// What happens to a Sync's state.
#[derive(Clone, Debug)]
enum Event {
    /// A request was answered.
    Answered(Changes),
    /// All journal rows below a key are folded.
    Folded(Option<u32>),
    /// The process dies in a fold that was polled so often.
    Died(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let changes = || btree_map(0u32..300, option::weighted(0.7, 0u32..9), 1..40);
    let event = prop_oneof![
        4 => changes().prop_map(Event::Answered),
        2 => option::of(0u32..310).prop_map(Event::Folded),
        1 => (0usize..40).prop_map(Event::Died),
    ];
    vec(event, 1..14)
}

/// Polls a piece of work so often, then drops it; `true` where it was done before.
async fn die_within<T>(polls: usize, work: impl Future<Output = T>) -> bool {
    let mut work = Box::pin(work);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|_| true)
    })
    .await
}

async fn check(store: &Arc<dyn StateStore>, sync: &SyncId, events: Vec<Event>) {
    let holder = LockHolder::this_process();
    let lock = RunLock::acquire(store.as_ref(), sync, &holder).await.unwrap();
    let mut model = Model::new();
    for (seq, event) in events.into_iter().enumerate() {
        match event {
            Event::Answered(changes) => {
                let row = journal_row(seq as u64, &changes);
                store.append_journal(&lock, &[row]).await.unwrap();
                apply(&mut model, &changes);
            }
            Event::Folded(below) => {
                let below = below.map(key);
                fold(store.as_ref(), &lock, below.as_ref().map(<[u8; 4]>::as_slice)).await.unwrap();
                let rows = store.journal(sync, None, 1).await.unwrap();
                assert!(rows.iter().all(|row| {
                    below.is_some_and(|below| row.changes.last_key.as_slice() >= &below[..])
                }));
            }
            Event::Died(polls) => {
                die_within(polls, fold(store.as_ref(), &lock, None)).await;
            }
        }
        assert_eq!(remembered(store, sync).await, model);
    }
    fold(store.as_ref(), &lock, None).await.unwrap();
    assert_eq!(folded(store, sync).await, model);
    assert_eq!(fold(store.as_ref(), &lock, None).await.unwrap(), 0);
}

fn law_holds_in(place: impl Future<Output = Place>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_place, store) = runtime.block_on(async {
        let place = place.await;
        let store = place.open().await;
        (place, store)
    });
    let cases = std::cell::Cell::new(0);
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&events(), |events| {
            cases.set(cases.get() + 1);
            let sync = SyncId::new("default", format!("case-{}", cases.get()));
            runtime.block_on(check(&store, &sync, events));
            Ok(())
        })
        .unwrap();
}

#[test]
fn journal_and_segments_always_say_what_was_accepted_in_sqlite() {
    law_holds_in(async { Place::sqlite() });
}

#[test]
fn journal_and_segments_always_say_what_was_accepted_in_postgres() {
    law_holds_in(Place::postgres());
}

#[tokio::test]
async fn only_the_rows_before_the_first_open_one_are_folded() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        for (seq, numbers) in [(1, 1..3), (2, 5..9), (3, 3..4)] {
            accept(store.as_ref(), &lock, seq, numbers).await;
        }

        let count = fold(store.as_ref(), &lock, Some(&key(8))).await.unwrap();

        assert_eq!(count, 1, "the second row reaches over the key, the third comes after it");
        assert_eq!(folded(&store, &sync()).await.len(), 2);
    })
    .await;
}

/// Returns a journal row of entries so large that some 250 of them fill a segment.
fn large_row(seq: u64, numbers: Range<u32>) -> JournalRow {
    let target = "x".repeat(1_000);
    let mut writer = SegmentWriter::default();
    for number in numbers {
        writer.push(&entry(&key(number), number, Some(&target))).unwrap();
    }
    JournalRow { run: RunId("run-1".to_owned()), seq, changes: writer.finish().unwrap() }
}

#[tokio::test]
async fn a_fold_that_dies_between_its_steps_is_finished_by_the_next() {
    const ROWS: u32 = 20_000;
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        store.append_journal(&lock, &[large_row(1, 0..ROWS)]).await.unwrap();
        fold(store.as_ref(), &lock, None).await.unwrap();
        let changes: Changes = (0..ROWS)
            .step_by(100)
            .map(|number| (number, (number % 200 == 0).then_some(1)))
            .collect();
        store.append_journal(&lock, &[journal_row(2, &changes)]).await.unwrap();
        let mut model: Model = (0..ROWS).map(|number| (number, number)).collect();
        apply(&mut model, &changes);

        // It dies as soon as another reader sees that a step was taken.
        let first_step = async {
            while store.sync(&sync()).await.unwrap().unwrap().segment_rows == u64::from(ROWS) {}
        };
        let done = tokio::select! {
            biased;
            () = first_step => false,
            folded = fold(store.as_ref(), &lock, None) => folded.is_ok(),
        };
        let half_folded = store.sync(&sync()).await.unwrap().unwrap().segment_rows;
        assert!(!done && half_folded > model.len() as u64, "it didn't die between two steps");
        assert_eq!(remembered(&store, &sync()).await, model);
        fold(store.as_ref(), &lock, None).await.unwrap();

        assert_eq!(folded(&store, &sync()).await, model);
        assert!(store.journal(&sync(), None, 1).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn rows_that_come_a_few_at_a_time_do_not_make_tiny_segments() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        for seq in 0..30u32 {
            accept(store.as_ref(), &lock, u64::from(seq), seq * 400..(seq + 1) * 400).await;
            fold(store.as_ref(), &lock, None).await.unwrap();
        }
        let segments = store.segments(&sync(), Bound::Unbounded, 99).await.unwrap();
        let counts: Vec<u32> = segments.iter().map(|segment| segment.count).collect();

        let all_but_last = &counts[..counts.len() - 1];
        assert!(all_but_last.iter().all(|count| *count >= 2_000), "{counts:?}");
    })
    .await;
}

#[tokio::test]
async fn segments_that_shrink_are_joined() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, 0..40_960).await;
        fold(store.as_ref(), &lock, None).await.unwrap();
        let gone: Changes =
            (0..40_960).filter(|number| number % 64 != 0).map(|number| (number, None)).collect();
        store.append_journal(&lock, &[journal_row(2, &gone)]).await.unwrap();

        fold(store.as_ref(), &lock, None).await.unwrap();

        let segments = store.segments(&sync(), Bound::Unbounded, 99).await.unwrap();
        assert_eq!(segments.iter().map(|segment| segment.count).collect::<Vec<_>>(), [640]);
    })
    .await;
}

#[tokio::test]
async fn a_change_in_one_place_rewrites_one_segment() {
    in_each_store(async |place| {
        let store = place.open().await;
        let lock = lock(store.as_ref()).await;
        accept(store.as_ref(), &lock, 1, 0..40_960).await;
        fold(store.as_ref(), &lock, None).await.unwrap();
        let crcs = async || -> BTreeMap<Vec<u8>, u32> {
            let segments = store.segments(&sync(), Bound::Unbounded, 99).await.unwrap();
            segments.into_iter().map(|segment| (segment.first_key, segment.crc)).collect()
        };
        let before = crcs().await;
        let change = Changes::from([(20_000, Some(1))]);
        store.append_journal(&lock, &[journal_row(2, &change)]).await.unwrap();

        fold(store.as_ref(), &lock, None).await.unwrap();

        let after = crcs().await;
        assert!(before.keys().eq(after.keys()));
        assert_eq!(before.values().zip(after.values()).filter(|(a, b)| a != b).count(), 1);
    })
    .await;
}
