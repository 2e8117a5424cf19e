//! A state store that goes away, is locked or runs full in the middle of a run: the run says so,
//! nothing that was accepted is lost beyond what was in flight, and the next run goes on.

use std::time::Duration;

use ciosync::emulator::Fault;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};

use super::wire::Wire;
use super::world::{IN_FLIGHT_MAX, Setup, Store, Style, World, failure, people};
use crate::support::cli::Ciosync;

const ROWS: i64 = 900;

async fn world(style: Style, store: Store) -> World {
    World::new(Setup::new(style, store), people(ROWS)).await
}

#[tokio::test]
async fn a_state_database_that_is_cut_off_ends_the_run_and_the_next_goes_on() {
    let mut world = world(Style::Keep, Store::Postgres).await;
    let database = world.database.as_ref().unwrap();
    let wire = Wire::to(database.port).await;
    let direct = world.state_url();
    let through = direct.replace(&format!(":{}/", database.port), &format!(":{}/", wire.port()));
    world.run().await.expect_code(0);

    // The first answers are those of opening; the last come when everything is delivered.
    for bytes in [1_000, 6_000, 9_000, 12_000, 20_000] {
        world.change(|people| people.values_mut().for_each(|person| person.version += 1)).await;
        wire.cut_after(bytes);
        world.keep_state_at(through.clone());
        let output = world.start().wait().await;
        world.keep_state_at(direct.clone());
        let left = world.enter().await;

        assert_eq!(output.code(), 1, "{bytes} bytes: {output}");
        assert!(left.sent <= IN_FLIGHT_MAX, "{bytes} bytes: {left:?}");
        let told = [output.stdout(), output.stderr()].concat();
        assert!(told.contains("state store"), "{bytes} bytes: {output}");
        wire.mend();
    }

    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn a_state_database_that_drops_its_connections_loses_nothing() {
    let mut world = world(Style::Mirror, Store::Postgres).await;
    world.emulator.faults().add(Fault::late(15).path("/api/v2/batch"));

    let running = world.start();
    world.recorder.wait_for(20).await;
    let ended = world.database.as_ref().unwrap().terminate_connections().await;
    let output = running.wait().await;
    let left = world.enter().await;

    assert!(ended > 0);
    if output.code() != 0 {
        assert_eq!(failure(&output).0, "StateUnavailable", "{output}");
    }
    assert!(left.sent <= IN_FLIGHT_MAX, "{left:?}\n{output}");
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn a_state_file_locked_for_longer_than_anybody_waits_ends_the_run() {
    let mut world = world(Style::Keep, Store::Sqlite).await;
    world.emulator.faults().add(Fault::late(15).path("/api/v2/batch"));
    let running = world.start();
    world.recorder.wait_for(20).await;

    let file = world.dir.path().join("state/state.db");
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(5));
    let mut other = options.connect().await.unwrap();
    other.execute("begin immediate").await.unwrap();
    let output = running.wait().await.expect_code(1);
    other.execute("rollback").await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
    let left = world.enter().await;

    let (reason, message) = failure(&output);
    assert_eq!(reason, "StateUnavailable", "{output}");
    assert!(message.contains("locked by another process"), "{output}");
    assert!(left.sent <= IN_FLIGHT_MAX, "{left:?}");
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn a_disk_that_is_full_ends_the_run_and_the_next_goes_on() {
    let mut world = world(Style::Keep, Store::Sqlite).await;
    world.change(|people| people.retain(|id, _| *id <= 10)).await;
    world.run().await.expect_code(0);
    world.change(|rows| *rows = people(ROWS)).await;

    let output = Ciosync::with_file_size_limit(world.dir.path(), 200_000)
        .args(world.run_words())
        .run()
        .await;
    let left = world.enter().await;

    let output = output.expect_code(1);
    let (reason, message) = failure(&output);
    assert_eq!(reason, "StateUnavailable", "{output}");
    assert!(message.contains("disk"), "{output}");
    assert!(left.sent <= IN_FLIGHT_MAX, "{left:?}");
    assert!(world.ledger.remembered().len() > 10, "nothing was delivered before");
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn a_state_that_is_taken_away_during_a_run_costs_repeats_and_nothing_else() {
    let mut world = world(Style::Keep, Store::Sqlite).await;
    let running = world.start();
    world.recorder.wait_for(20).await;
    std::fs::rename(world.dir.path().join("state"), world.dir.path().join("gone")).unwrap();
    running.wait().await;
    std::fs::rename(world.dir.path().join("gone"), world.dir.path().join("state")).unwrap();

    world.enter().await;

    world.expect_undisturbed_end().await;
}

/// Rows of eight kilobytes, so that the changes don't fit in memory.
fn wide() -> Setup {
    let numbers = 1..=8;
    let columns: String =
        numbers.clone().map(|it| format!(", printf('%.950c', 'x') as wide{it}")).collect();
    let mappings: String = numbers.map(|it| format!(", {{from: wide{it}}}")).collect();
    Setup {
        connection: "rateLimit: {requestsPerSecond: 1000, burst: 3000, recordsPerSecond: 1000000}",
        extra_columns: columns,
        extra_mappings: mappings,
        ..Setup::new(Style::Mirror, Store::Postgres)
    }
}

#[tokio::test]
async fn a_plan_that_the_disk_has_no_room_for_sends_nothing() {
    let mut world = World::new(wide(), people(2_000)).await;
    world.dir.write("spool/.keep", "");
    let mut words = world.run_words();
    words.extend(["--spool-dir", "spool"].map(str::to_owned));

    let output =
        Ciosync::with_file_size_limit(world.dir.path(), 200_000).args(words.clone()).run().await;
    let left = world.enter().await;

    let output = output.expect_code(1);
    let (_, message) = failure(&output);
    assert!(message.contains("temporary file in spool"), "{output}");
    assert!(output.json()[0]["hint"].as_str().unwrap().contains("--spool-dir"), "{output}");
    assert_eq!((left.sent, world.recorder.count()), (0, 0));
    let killed = Ciosync::new(world.dir.path()).args(words.clone()).spawn();
    let killed = killed.kill_at(world.recorder.wait_for(1)).await;
    assert!(killed.was_killed());
    world.enter().await;
    let again = Ciosync::new(world.dir.path()).args(words).run().await;
    again.expect_code(0);
    let kept: Vec<_> = std::fs::read_dir(world.dir.path().join("spool")).unwrap().collect();
    assert_eq!(kept.len(), 1, "temporary files were left: {kept:?}");
    world.enter().await;
    world.expect_workspace_equals_source();
}
