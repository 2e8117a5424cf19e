//! People who are edited by others while a slow run goes on end as the source says, although the
//! workspace drops updates that are older than a profile's last edit.

use std::time::Duration;

use ciosync::emulator::Emulator;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::{SMALL_BATCHES, Setup, Store, Style, World, people};

const ROWS: i64 = 400;

/// Some 35 batches in five seconds and more.
const SLOWLY: &str = "limits: {itemBytes: 1000, batchBytes: 2100}
  rateLimit: {requestsPerSecond: 6, burst: 2, recordsPerSecond: 1000000, maxInFlight: 4}";

/// Edits people as another client of the workspace does, now.
async fn edit(emulator: &Emulator, ids: impl Iterator<Item = i64>, attributes: &Value) {
    let timestamp = Timestamp::now().as_second();
    let items: Vec<Value> = ids
        .map(|id| {
            json!({
                "type": "person",
                "action": "identify",
                "identifiers": {"id": id.to_string()},
                "timestamp": timestamp,
                "attributes": attributes,
            })
        })
        .collect();
    if items.is_empty() {
        return;
    }
    let answer = reqwest::Client::new()
        .post(format!("{}/api/v2/batch", emulator.url()))
        .basic_auth("emulator-site-id", Some("emulator-api-key"))
        .json(&json!({"batch": items}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn people_edited_during_a_slow_run_end_as_the_source_says() {
    let setup = Setup::new(Style::Keep, Store::Sqlite);
    let mut world = World::new(setup, people(ROWS)).await;
    world.run().await.expect_code(0);
    world.change(|people| people.values_mut().for_each(|person| person.version += 1)).await;
    world.set_up(|setup| setup.connection = SLOWLY);
    let sent = world.recorder.count();

    let running = world.start();
    for batches in [3, 8, 13] {
        world.recorder.wait_for(sent + batches).await;
        // A whole second later than the start of the run and the batches so far.
        tokio::time::sleep(Duration::from_millis(1_001)).await; // sleep: timestamps are seconds.
        // Whom the run has yet to reach loses what the source says; all others another attribute.
        let reached = world.recorder.since(sent).iter().map(|it| it.items.len()).sum::<usize>();
        let ahead = i64::try_from(reached).unwrap() + 50..=ROWS;
        assert!(batches > 3 || !ahead.is_empty(), "the run is too fast to be edited into");
        edit(&world.emulator, ahead, &json!({"version": 77, "note": "by hand"})).await;
        edit(&world.emulator, 1..=ROWS, &json!({"seen_by": "another client"})).await;
    }
    running.wait().await.expect_code(0);
    world.enter().await;

    world.expect_workspace_equals_source();
    let attributes = world.emulator.workspace().attributes("1").unwrap();
    assert_eq!(attributes["seen_by"], "another client");
    world.set_up(|setup| setup.connection = SMALL_BATCHES);
    world.expect_undisturbed_end().await;
}
