//! Who may run a Sync, and until when.

use std::process::{Command, Stdio};
use std::time::Duration;

use ciosync::model::SyncId;
use ciosync::state::lock::LockTerms;
use ciosync::state::{LockHolder, RunLock, StateError};

use super::place::{Place, error, in_each_store, lock, sync};
use crate::support::postgres::postgres;

fn terms(ttl: Duration) -> LockTerms {
    LockTerms {
        ttl,
        margin: Duration::ZERO,
        renew_every: Duration::from_millis(2),
        retry_every: Duration::from_millis(2),
    }
}

#[tokio::test]
async fn a_held_lock_names_its_holder_and_another_syncs_lock_is_free() {
    in_each_store(async |place| {
        let store = place.open().await;
        let holder = LockHolder::this_process();
        let held = lock(store.as_ref()).await;

        let err = error(RunLock::acquire(store.as_ref(), &sync(), &holder).await);
        let other = SyncId::new("default", "orders");
        RunLock::acquire(store.as_ref(), &other, &holder).await.unwrap();

        let words = format!("process {} on {}", std::process::id(), holder.host);
        assert!(matches!(err, StateError::Locked { holder, .. } if holder == words));
        assert!(held.is_held());
    })
    .await;
}

#[tokio::test]
async fn each_taking_has_the_next_epoch() {
    in_each_store(async |place| {
        let store = place.open().await;
        let first = lock(store.as_ref()).await;
        first.release(store.as_ref()).await.unwrap();

        let second = lock(store.as_ref()).await;

        assert_eq!((first.epoch(), second.epoch()), (1, 2));
        assert!(!first.is_held() && second.is_held());
    })
    .await;
}

#[tokio::test]
async fn a_lapsed_lock_is_free_and_counts_as_lost_before_that() {
    in_each_store(async |place| {
        let store = place.open().await;
        let holder = LockHolder::this_process();
        let short = terms(Duration::ZERO);
        let all_margin =
            LockTerms { margin: Duration::from_secs(15), ..terms(Duration::from_secs(15)) };

        let lapsed = RunLock::acquire_on(short, store.as_ref(), &sync(), &holder).await.unwrap();
        let next = RunLock::acquire_on(all_margin, store.as_ref(), &sync(), &holder).await.unwrap();

        assert_eq!(next.epoch(), lapsed.epoch() + 1);
        assert!(!lapsed.is_held());
        assert!(!next.is_held(), "the margin covers all of it");
        assert!(RunLock::acquire(store.as_ref(), &sync(), &holder).await.is_err());
    })
    .await;
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn the_lock_of_a_process_that_ended_is_free_at_once() {
    in_each_store(async |place| {
        let store = place.open().await;
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let living = holder_of(child.id());
        // The number is the child's now; the process that took the lock had it before.
        let reused = LockHolder {
            process_start: living.process_start.as_ref().map(|start| format!("{start}0")),
            ..living.clone()
        };
        let sync = sync();
        let take = |holder| RunLock::acquire(store.as_ref(), &sync, holder);

        take(&reused).await.unwrap();
        take(&living).await.unwrap();
        assert!(matches!(take(&living).await, Err(StateError::Locked { .. })));
        child.kill().unwrap();
        child.wait().unwrap();

        take(&LockHolder::this_process()).await.unwrap();
    })
    .await;
}

/// Returns a process of this machine as it would name itself.
#[cfg(target_os = "linux")]
fn holder_of(pid: u32) -> LockHolder {
    let here = LockHolder::this_process();
    let world = here.process_start.as_deref().unwrap().rsplit_once('/').unwrap().0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
    LockHolder { pid, process_start: Some(format!("{world}/{ticks}")), ..here }
}

#[tokio::test]
async fn a_process_elsewhere_is_never_taken_for_dead() {
    in_each_store(async |place| {
        let store = place.open().await;
        let here = LockHolder::this_process();
        let elsewhere = LockHolder {
            host: "other".to_owned(),
            pid: u32::MAX,
            process_start: Some("other-boot/pid:[1]/1".to_owned()),
        };
        let silent = LockHolder { process_start: None, ..elsewhere.clone() };

        for (name, holder) in [("a", &elsewhere), ("b", &silent)] {
            let sync = SyncId::new("default", name);
            RunLock::acquire(store.as_ref(), &sync, holder).await.unwrap();
            let err = error(RunLock::acquire(store.as_ref(), &sync, &here).await);
            assert!(matches!(err, StateError::Locked { .. }), "{name}: {err}");
        }
    })
    .await;
}

#[tokio::test]
async fn keeping_a_lock_ends_when_another_process_took_it() {
    in_each_store(async |place| {
        let store = place.open().await;
        let terms = terms(Duration::from_secs(60));
        let holder = LockHolder::this_process();
        let held = RunLock::acquire_on(terms, store.as_ref(), &sync(), &holder).await.unwrap();

        let (ended, ()) = tokio::join!(
            held.keep(store.as_ref()),
            place.execute("update sync_state set epoch = epoch + 1"),
        );

        assert!(matches!(ended, StateError::LockLost { .. }), "{ended}");
        assert!(!held.is_held());
    })
    .await;
}

#[tokio::test]
async fn keeping_a_lock_outlasts_a_store_that_does_not_answer_until_it_lapses() {
    let place = Place::postgres().await;
    let Place::Postgres(database) = &place else { return };
    let store = place.open().await;
    let holder = LockHolder::this_process();
    let long = RunLock::acquire_on(
        terms(Duration::from_secs(60)),
        store.as_ref(),
        &SyncId::new("default", "long"),
        &holder,
    )
    .await
    .unwrap();
    let short =
        RunLock::acquire_on(terms(Duration::from_millis(500)), store.as_ref(), &sync(), &holder)
            .await
            .unwrap();
    let server = postgres().await;
    let doors = |open| format!("alter database {} with allow_connections {open}", database.name);
    server.execute(&doors("false")).await;
    database.terminate_connections().await;

    let mut keeping_long = Box::pin(long.keep(store.as_ref()));
    let ended = tokio::select! {
        ended = short.keep(store.as_ref()) => ended,
        ended = &mut keeping_long => panic!("gave up early: {ended}"),
    };
    server.execute(&doors("true")).await;
    let taken_over = async {
        place.execute("update sync_state set epoch = epoch + 1 where name = 'long'").await;
    };
    let (ended_long, ()) = tokio::join!(keeping_long, taken_over);

    assert!(!short.is_held());
    assert!(
        matches!(ended, StateError::Unavailable { .. } | StateError::LockLost { .. }),
        "{ended}"
    );
    assert!(matches!(ended_long, StateError::LockLost { .. }), "{ended_long}");
}
