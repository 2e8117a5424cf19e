//! Runs that are killed at any moment, and what is left of them.
//!
//! `make soak KILLS=500 SEED=7` does the same for longer.

use std::time::Duration;

use ciosync::emulator::Fault;
use fastrand::Rng;

use super::world::{
    IN_FLIGHT_MAX, People, Person, ROWS_IN_A_BATCH, Setup, Store, Style, World, people, result,
};

/// Enough for the journal to be folded in the middle of a run.
const ROWS: i64 = 1_400;

/// Events of a first run, where nobody asks for more.
const EVENTS: u64 = 20_000;

/// Batches of the usual size, few at once.
const FEW_IN_FLIGHT: &str =
    "rateLimit: {requestsPerSecond: 1000, burst: 3000, recordsPerSecond: 1000000, maxInFlight: 4}";

/// Kills of one case, where nobody asks for more.
const KILLS: usize = 7;

/// The cases that share the kills of a soak.
const CASES: usize = 12;

/// Runs that may end before their kill comes, for each kill.
const RUNS_FOR_A_KILL: usize = 5;

#[tokio::test]
async fn killed_runs_lose_nothing_and_repeat_no_more_than_was_in_flight() {
    survive(Style::Keep, Store::Sqlite).await;
}

#[tokio::test]
async fn killed_runs_lose_nothing_with_state_in_postgresql() {
    survive(Style::Keep, Store::Postgres).await;
}

#[tokio::test]
async fn a_killed_mirror_removes_exactly_what_left() {
    survive(Style::Mirror, Store::Sqlite).await;
}

#[tokio::test]
async fn a_killed_mirror_removes_exactly_what_left_with_state_in_postgresql() {
    survive(Style::Mirror, Store::Postgres).await;
}

#[tokio::test]
async fn rows_that_move_to_other_people_survive_kills() {
    survive(Style::MirrorByEmail, Store::Sqlite).await;
}

#[tokio::test]
async fn rows_that_move_to_other_people_survive_kills_with_state_in_postgresql() {
    survive(Style::MirrorByEmail, Store::Postgres).await;
}

#[tokio::test]
async fn killed_mirrors_of_every_entity_remove_exactly_what_left() {
    for style in [Style::Objects, Style::Relationships, Style::Devices, Style::Members] {
        survive(style, Store::Sqlite).await;
    }
}

#[tokio::test]
async fn events_are_counted_once_whatever_is_killed() {
    survive(Style::Events, Store::Sqlite).await;
}

#[tokio::test]
async fn events_are_counted_once_with_state_in_postgresql() {
    survive(Style::Events, Store::Postgres).await;
}

/// `make soak EVENTS=1000000` does it with as many.
#[tokio::test]
async fn a_first_run_of_events_that_is_killed_again_and_again_counts_each_once() {
    let events = number("SOAK_EVENTS").unwrap_or(EVENTS);
    let seed = seed();
    announce(&format!("{events} events: SEED={seed}"));
    let mut rng = Rng::with_seed(seed);
    let setup = Setup { connection: FEW_IN_FLIGHT, ..Setup::new(Style::Events, Store::Sqlite) };
    let mut world = World::new(setup, people(events.try_into().unwrap())).await;
    slow_down(&world, seed);
    // Some twenty kills, however many there are.
    let kill_within = usize::try_from(events / 18_000).unwrap().max(3);
    let (mut killed, mut has_ended) = (0, false);
    while !has_ended {
        let batches = 1 + rng.usize(..kill_within);
        let first = world.recorder.count() + batches;
        let moment = async {
            world.recorder.wait_for(first).await;
            let jitter_us = rng.u64(..20_000);
            tokio::time::sleep(Duration::from_micros(jitter_us)).await; // sleep: at any moment.
        };
        let output = world.start().kill_at(moment).await;
        world.enter().await;
        has_ended = !output.was_killed();
        killed += usize::from(output.was_killed());
    }
    assert!(killed > 2, "SEED={seed}: {killed} kills prove little");
    world.emulator.faults().clear();

    let workspace = world.emulator.workspace();
    assert_eq!(workspace.events_count() as u64, events);
    // Bodies of this size are still on their way when a run is gone, so the workspace is asked.
    let largest = world.recorder.since(0).iter().map(|exchange| exchange.items.len()).max();
    let in_flight = (killed * IN_FLIGHT_MAX * largest.unwrap_or_default()) as u64;
    let repeats = workspace.event_repeats();
    announce(&format!("{events} events, {killed} kills: {repeats} were sent twice"));
    assert!(repeats <= in_flight, "SEED={seed}: {repeats} of at most {in_flight} were sent twice");
    world.expect_workspace_equals_source();
    let before = world.recorder.count();
    assert_eq!(result(&world.run().await.expect_code(0)), "NoChanges");
    assert_eq!(world.recorder.count(), before, "the next run sends nothing");
}

/// Kills runs again and again, with the source changing in between, and then lets one be.
async fn survive(style: Style, store: Store) {
    let (kills, seed) = (kills_asked_for(), seed());
    announce(&format!("{style:?} on {store:?}: {kills} kills, SEED={seed}"));
    let mut rng = Rng::with_seed(seed);
    let mut world = World::new(Setup::new(style, store), people(ROWS)).await;
    slow_down(&world, seed);
    let (mut killed, mut repeats) = (0, 0);
    for _ in 0..kills * RUNS_FOR_A_KILL {
        if killed == kills {
            break;
        }
        let running = world.start();
        let output = running.kill_at(moment(&world, &mut rng)).await;
        let left = world.enter().await;
        if output.was_killed() {
            killed += 1;
            repeats += left.sent;
            assert!(left.sent <= IN_FLIGHT_MAX, "SEED={seed}: {left:?} were not remembered");
        } else {
            assert_eq!(left.sent, 0, "SEED={seed}: {left:?}\n{output}");
            output.expect_code(0);
        }
        if world.ledger.pending(&world.source) == 0 || rng.u8(..3) == 0 {
            world.change(|people| shuffle(people, style, &mut rng)).await;
        }
    }
    assert_eq!(killed, kills, "SEED={seed}: runs ended before they could be killed");
    announce(&format!("{style:?} on {store:?}: {repeats} batches were sent twice"));

    world.expect_undisturbed_end().await;
}

/// Answers that come late, before and after the request took effect, widen the windows.
fn slow_down(world: &World, seed: u64) {
    let (faults, path) = (world.emulator.faults(), world.setup.style.path());
    faults.add(Fault::late(3).path(path).share(0.3, seed));
    faults.add(Fault::late(6).after_acceptance().path(path).share(0.4, seed + 1));
}

/// Comes somewhere between the start of a run and its end: mostly while it delivers, now and then
/// while it opens, plans or commits.
async fn moment(world: &World, rng: &mut Rng) {
    let batches = world.ledger.pending(&world.source).div_ceil(ROWS_IN_A_BATCH);
    let (seen, jitter_us) = match rng.u8(..10) {
        0..2 => (0, rng.u64(..300_000)),
        2..8 => (rng.usize(1..=batches.max(1)), rng.u64(..8_000)),
        _ => (batches, rng.u64(..60_000)),
    };
    if seen > 0 {
        world.recorder.wait_for(world.recorder.count() + seen).await;
    }
    tokio::time::sleep(Duration::from_micros(jitter_us)).await; // sleep: the moment is to be any.
}

/// Changes, adds, removes and moves some rows, many of them back to what they were.
fn shuffle(people: &mut People, style: Style, rng: &mut Rng) {
    let share = rng.f64() * 0.6;
    people.retain(|_, _| rng.u8(..40) != 0);
    for person in people.values_mut() {
        if style.says() && rng.f64() < share {
            // Every other change is back to what was, which may be what a killed run was undoing.
            person.version ^= 1;
        }
        if style.moves() {
            person.address ^= u32::from(rng.u8(..10) == 0);
        }
    }
    // Of events, only what is new is sent.
    let (most, keys) = if style == Style::Events { (400, ROWS * 5) } else { (30, ROWS * 2) };
    for _ in 0..rng.usize(1..most) {
        people.entry(rng.i64(1..keys)).or_insert(Person { version: 0, address: 0 });
    }
}

fn kills_asked_for() -> usize {
    let asked = number("SOAK_KILLS").map(|all| all.div_ceil(CASES as u64));
    asked.map_or(KILLS, |kills| kills.try_into().unwrap())
}

fn seed() -> u64 {
    number("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000))
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

#[expect(clippy::print_stderr, reason = "shows how to repeat a failure, and how a soak goes on")]
fn announce(text: &str) {
    eprintln!("{text}");
}
