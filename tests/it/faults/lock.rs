//! Two processes and one Sync: one runs, the other waits; who slept through its lock's end sends
//! nothing more and writes nothing.

use ciosync::emulator::Fault;
use ciosync::model::SyncId;
use ciosync::state::store::SyncState;
use ciosync::state::{self, Access};

use super::world::{IN_FLIGHT_MAX, Setup, Store, Style, World, failure, people, result};

const ROWS: i64 = 300;

async fn world(store: Store) -> World {
    World::new(Setup::new(Style::Mirror, store), people(ROWS)).await
}

async fn stored(world: &World) -> SyncState {
    let store = state::open_existing(&world.state_url(), None, Access::Read).await.unwrap();
    store.unwrap().sync(&SyncId::new("default", "people")).await.unwrap().unwrap()
}

#[tokio::test]
async fn of_two_runs_at_once_one_waits_for_the_other() {
    let mut world = world(Store::Sqlite).await;
    world.emulator.hold();
    let first = world.start();
    world.emulator.workspace().wait_for(|stats| stats.requests_held == 1).await;
    let words = world.run_words();

    let mut second = crate::support::cli::Ciosync::new(world.dir.path()).args(words).spawn();
    second.wait_for_stderr("waiting").await;
    world.emulator.release();
    let (first, second) = (first.wait().await, second.wait().await);

    assert_eq!(result(&first.expect_code(0)), "Succeeded");
    assert_eq!(result(&second.expect_code(0)), "NoChanges");
    assert_eq!(world.enter().await.sent, 0);
    assert_eq!(world.emulator.workspace().stats().items_accepted, ROWS as u64);
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn who_slept_through_its_lock_sends_and_writes_nothing_more() {
    oversleep(Store::Sqlite).await;
}

#[tokio::test]
async fn who_slept_through_its_lock_sends_and_writes_nothing_more_in_postgresql() {
    oversleep(Store::Postgres).await;
}

/// Lets a run sleep in the middle of its delivery until another one took its lock over.
async fn oversleep(store: Store) {
    let mut world = world(store).await;
    let slow = Fault::late(300).after_acceptance().path("/api/v2/batch");
    world.emulator.faults().add(slow);
    let sleeper = world.start();
    world.recorder.wait_for(IN_FLIGHT_MAX * 2).await;
    sleeper.pause().await;
    world.emulator.faults().clear();
    let left = world.enter().await;
    assert!(left.sent <= IN_FLIGHT_MAX, "{left:?}");

    let second = world.run().await.expect_code(0);
    assert_eq!(result(&second), "Succeeded");
    let (requests, before) = (world.emulator.workspace().stats(), stored(&world).await);
    sleeper.resume().await;
    let woken = sleeper.wait().await.expect_code(1);

    let (reason, message) = failure(&woken);
    assert_eq!(reason, "StateUnavailable", "{woken}");
    assert!(message.contains("lock"), "{woken}");
    let requests_now = world.emulator.workspace().stats();
    assert_eq!(requests_now.requests_started, requests.requests_started, "it sent more");
    assert_eq!(stored(&world).await, before, "it wrote more");
    world.expect_undisturbed_end().await;
}
