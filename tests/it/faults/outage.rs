//! A workspace that is down for a while, slows to a crawl or falls silent: the run waits, ends when
//! it is told to, and loses nothing.

use std::time::{Duration, Instant};

use ciosync::emulator::{Body, Fault};

use super::world::{
    IN_FLIGHT_MAX, Person, SMALL_BATCHES, Setup, Store, Style, World, failure, people,
};

const BATCHES: &str = "/api/v2/batch";

/// Long enough for the slowest machine, and far below the minute after which a request times out.
const SOON: Duration = Duration::from_secs(20);

async fn world() -> World {
    World::new(Setup::new(Style::Mirror, Store::Sqlite), people(300)).await
}

fn down() -> Fault {
    Fault::fail(503, Body::Html).path(BATCHES)
}

#[tokio::test]
async fn a_run_outlasts_a_workspace_that_is_down_for_a_while() {
    let mut world = world().await;
    world.emulator.faults().add(Fault::fail(503, Body::Html).path(BATCHES).at(5).times(u64::MAX));

    let running = world.start();
    world.recorder.wait_for(20).await;
    world.emulator.faults().clear();
    running.wait().await.expect_code(0);

    assert_eq!(world.enter().await.sent, 0);
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn a_run_in_an_outage_ends_with_its_time_and_the_next_goes_on() {
    let mut world = world().await;
    world.set_up(|setup| setup.sync = "timeout: 3s");
    world.emulator.faults().add(Fault::fail(503, Body::Html).path(BATCHES).at(5).times(u64::MAX));

    let output = world.run().await.expect_code(1);

    let (reason, message) = failure(&output);
    assert_eq!(reason, "ConnectionNotReady", "{output}");
    assert!(message.contains("status 503") && message.contains("attempts"), "{output}");
    assert!(!world.ledger.remembered().is_empty());
    world.emulator.faults().clear();
    world.set_up(|setup| setup.sync = "guards: {maxRemoved: 100%}");
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn an_interrupted_run_stops_waiting_for_a_workspace_that_is_down() {
    let mut world = world().await;
    world.emulator.faults().add(down());

    let running = world.start();
    world.recorder.wait_for(IN_FLIGHT_MAX * 2).await;
    let asked_at = Instant::now();
    running.interrupt().await;
    running.wait().await.expect_code(130);

    assert!(asked_at.elapsed() < SOON);
    assert_eq!(world.enter().await.accepted, 0);
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn an_interrupted_run_waits_for_slow_answers_and_remembers_them() {
    let mut world = world().await;
    world.emulator.faults().add(Fault::late(700).after_acceptance().path(BATCHES));

    let running = world.start();
    world.recorder.wait_for(IN_FLIGHT_MAX + 1).await;
    running.interrupt().await;
    running.wait().await.expect_code(130);
    let left = world.enter().await;

    assert_eq!((left.sent, left.accepted), (0, 0), "what was in flight was answered");
    let remembered = world.ledger.remembered().len();
    assert_eq!(world.emulator.workspace().people_count(), remembered);
    assert!(remembered > 0 && remembered < 300, "{remembered} rows are remembered");
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn a_second_signal_ends_a_run_that_waits_for_silence() {
    let mut world = world().await;
    world.emulator.faults().add(Fault::hang().after_acceptance().path(BATCHES));

    let mut running = world.start();
    world.recorder.wait_for(IN_FLIGHT_MAX).await;
    running.interrupt().await;
    running.wait_for_stderr("stopping").await;
    running.interrupt().await;
    running.wait().await.expect_code(130);
    let left = world.enter().await;

    assert_eq!((left.sent, left.accepted), (IN_FLIGHT_MAX, 0));
    world.expect_undisturbed_end().await;
}

/// Long enough for a batch that leaves too early to be noticed.
const A_WHILE: Duration = Duration::from_millis(500);

/// Who joins a segment and who leaves it are told by two calls.
#[tokio::test]
async fn batches_of_two_kinds_begin_one_after_the_other_where_one_may_be_in_flight() {
    let mut setup = Setup::new(Style::Members, Store::Sqlite);
    setup.connection = "rateLimit: {maxInFlight: 1}";
    let mut world = World::new(setup, people(20)).await;
    world.run().await.expect_code(0);
    world.enter().await;
    let path = Style::Members.path();
    world
        .change(|people| {
            people.remove(&1);
            people.insert(21, Person::default());
        })
        .await;
    world.emulator.faults().add(Fault::hang().after_acceptance().path(path));
    let known = world.snapshot().await;

    let running = world.start();
    world.recorder.wait_for(world.recorder.count() + 1).await;
    tokio::time::sleep(A_WHILE).await; // sleep: nothing tells of what must not happen.
    running.kill().await;

    world.emulator.faults().clear();
    let doubted = world.snapshot().await;
    assert_eq!(doubted.get(&1), known.get(&1), "the removal begins once the addition is written");
    assert_eq!(world.enter().await.sent, 1);
    world.expect_undisturbed_end().await;
}

/// Kills a run that has everything in flight that it may have, all of it accepted.
async fn kill_in_flight(world: &mut World) {
    world.emulator.faults().add(Fault::hang().after_acceptance().path(BATCHES));
    let running = world.start();
    world.recorder.wait_for(world.recorder.count() + IN_FLIGHT_MAX).await;
    running.kill().await;
    world.emulator.faults().clear();
    assert_eq!(world.enter().await.sent, IN_FLIGHT_MAX);
}

#[tokio::test]
async fn rows_that_go_back_to_what_they_were_after_a_kill_are_sent_again() {
    let mut world = world().await;
    world.run().await.expect_code(0);

    world.change(|people| people.values_mut().for_each(|person| person.version = 1)).await;
    kill_in_flight(&mut world).await;
    world.change(|people| people.values_mut().for_each(|person| person.version = 0)).await;

    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn rows_that_come_back_after_their_removal_was_killed_are_sent_again() {
    let mut world = world().await;
    world.run().await.expect_code(0);
    let all = world.source.clone();

    world.set_up(|setup| {
        setup.connection = "limits: {itemBytes: 1000, batchBytes: 2000}
  rateLimit: {maxInFlight: 4}"
    });
    world.change(|people| people.retain(|id, _| *id <= 20)).await;
    kill_in_flight(&mut world).await;
    world.change(|people| *people = all).await;

    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn a_run_throttled_to_a_crawl_ends_with_its_time_and_remembers_what_went() {
    let mut world = world().await;
    world.set_up(|setup| {
        setup.sync = "timeout: 4s";
        setup.connection = "limits: {itemBytes: 1000, batchBytes: 2100}
  rateLimit: {requestsPerSecond: 3, burst: 3, recordsPerSecond: 1000000, maxInFlight: 4}";
    });

    let output = world.run().await.expect_code(1);

    assert_eq!(failure(&output).0, "Timeout", "{output}");
    let remembered = world.ledger.remembered().len();
    assert_eq!(world.emulator.workspace().people_count(), remembered);
    assert!(remembered > 0 && remembered < 300, "{remembered} rows are remembered");
    world.set_up(|setup| {
        setup.sync = "guards: {maxRemoved: 100%}";
        setup.connection = SMALL_BATCHES;
    });
    world.expect_undisturbed_end().await;
}
