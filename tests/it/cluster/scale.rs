//! Five hundred Syncs in one operator: it stays small, meets every slot, and spares the API server.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::world::{World, last_run};

const CONNECTIONS: usize = 20;
const SOURCES: usize = 5;
const SYNCS: usize = 500;

/// Long enough for all first runs in an unoptimised build, on a machine that does other things.
const INTERVAL: &str = "40s";

/// How late a slot's run may end after the slot.
const LATE_MAX_SECONDS: i64 = 10;

/// How much memory the operator may take, in bytes.
const MEMORY_MAX: u64 = 200 << 20;

/// A run is announced and its end written; Syncs that begin and probes that are noted come on top.
const WRITES_PER_RUN_MAX: usize = 3;

const POLL: Duration = Duration::from_millis(500);

fn instant(text: &Value) -> Timestamp {
    text.as_str().unwrap_or_else(|| panic!("no time: {text}")).parse().unwrap()
}

fn runs(sync: &Value) -> Vec<&Value> {
    sync["status"]["history"].as_array().into_iter().flatten().collect()
}

/// Waits until every Sync has ended a run that a slot started, and returns them all.
async fn after_a_slot(world: &World) -> Vec<Value> {
    let limit = tokio::time::Instant::now() + Duration::from_secs(240);
    loop {
        let syncs = world.cluster.list("Sync", &world.namespace).await;
        let is_served = |sync: &&Value| last_run(sync)["trigger"] == "schedule";
        if syncs.iter().filter(is_served).count() == SYNCS {
            return syncs;
        }
        let waiting = syncs.iter().find(|sync| !is_served(sync)).unwrap();
        assert!(tokio::time::Instant::now() < limit, "still waiting for {waiting:#}");
        tokio::time::sleep(POLL).await; // sleep: a watch of so many would cost more than a list.
    }
}

#[tokio::test]
async fn five_hundred_syncs_over_twenty_connections_are_small_and_punctual() {
    let world = World::new(
        "create table people (id text primary key, email text);
         insert into people values ('1', 'ann@example.com'), ('2', 'bob@example.com');",
    )
    .await;
    for number in 0..SOURCES {
        world.source(&format!("warehouse-{number}"), "sqlite: {path: warehouse.db}").await;
    }
    for number in 0..CONNECTIONS {
        world.connection(&format!("production-{number}"), "").await;
    }
    for number in 0..SYNCS {
        let spec = format!(
            "sourceRef: {{name: warehouse-{}}}\n  connectionRef: {{name: production-{}}}\n  \
             entity: person\n  behavior: updateOrCreate\n  identifiers: {{id: id}}\n  \
             model: {{sql: \"select '{number}-' || id as id, email from people\", primaryKey: [id]}}\n  \
             mappings: [{{from: email}}]\n  interval: {INTERVAL}",
            number % SOURCES,
            number % CONNECTIONS
        );
        world.apply("Sync", &format!("people-{number}"), &spec).await;
    }
    let operator = world.operator().await;

    let syncs = after_a_slot(&world).await;

    assert_eq!(world.workspace().people_count(), SYNCS * 2);
    let (mut latest, mut run_count) = (0, 0);
    for sync in &syncs {
        world.judge(sync);
        let status = &sync["status"];
        assert!(status["missedSchedules"].as_i64().unwrap_or(0) == 0, "{status:#}");
        for run in runs(sync) {
            let is_well = run["result"] == "Succeeded" || run["result"] == "NoChanges";
            assert!(is_well, "{status:#}");
        }
        run_count += runs(sync).len();
        let late = instant(&last_run(sync)["finishedAt"])
            .duration_since(instant(&status["lastScheduleTime"]));
        latest = latest.max(late.as_secs());
    }
    let user = world.account.user();
    let writes = world.cluster.writes(&user, "syncs/status");
    let memory = operator.memory_max();
    let said =
        format!("{run_count} runs, {writes} writes, {latest} s late at most, {memory:?} bytes");
    println!("{said}");
    assert!(latest <= LATE_MAX_SECONDS, "{said}");
    assert!(writes <= run_count * WRITES_PER_RUN_MAX, "{said}");
    assert!(memory.is_none_or(|memory| memory < MEMORY_MAX), "{said}");
    assert_eq!(operator.terminate().await.code(), 0);
}
