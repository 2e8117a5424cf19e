//! What takes its minute: a run that is long enough to be watched, and outages that are no blips.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use ciosync::emulator::Fault;
use serde_json::{Value, json};

use super::world::{SPEC, World, condition, last_run};
use crate::support::apiserver::Cluster;
use crate::support::postgres::Server;

const MINUTE: Duration = Duration::from_secs(60);

/// For how long what comes after a minute is awaited.
const PATIENCE: Duration = Duration::from_secs(180);

/// How often progress may be shown.
const PROGRESS_EVERY: Duration = Duration::from_secs(15);

/// How much earlier than that a watch may tell of it, the write before having been a slow one.
const SLACK: Duration = Duration::from_secs(2);

const PEOPLE: &str = "create table people (id text primary key, email text);
    insert into people values ('1', 'ann@example.com');";

/// Two people a request, and one request at a time.
const TWO_BY_TWO: &str = "limits: {itemBytes: 1024, batchBytes: 2048}
  rateLimit: {requestsPerSecond: 1000, burst: 3000, recordsPerSecond: 100000, maxInFlight: 1}";

fn knows(rows: u64) -> impl Fn(&Value) -> bool {
    move |sync| sync["status"]["snapshotRows"] == json!(rows)
}

fn has_ready(reason: &str) -> impl Fn(&Value) -> bool {
    move |sync| condition(sync, "Ready")["reason"] == reason
}

#[tokio::test]
async fn a_long_run_shows_its_progress_now_and_then_and_the_slots_that_fall_into_it_are_told() {
    let world = World::new(&format!(
        "create table people (id text primary key, note text);
         insert into people with recursive n(i) as (select 1 union all select i + 1 from n
            where i < 100) select i, '{}' from n;",
        "x".repeat(800)
    ))
    .await;
    world.connection("production", TWO_BY_TWO).await;
    world.emulator.faults().add(Fault::late(1_000).path("/api/v2/batch"));
    let operator = world.operator().await;
    let spec = SPEC.replace("email", "note");
    world.sync("people", &format!("{spec}\n  interval: 5s")).await;
    let people = world.the("people").within(PATIENCE);
    people.wait("a run", |sync| !sync["status"]["currentRun"].is_null()).await;

    let seen = RefCell::new(Vec::<(Instant, i64)>::new());
    let sync = people
        .wait("the run to end", |sync| {
            if let Some(delivered) = sync["status"]["currentRun"]["delivered"].as_i64() {
                let mut seen = seen.borrow_mut();
                if seen.last().is_none_or(|(_, last)| *last != delivered) {
                    seen.push((Instant::now(), delivered));
                }
            }
            !last_run(sync).is_null()
        })
        .await;

    world.judge(&sync);
    assert_eq!(last_run(&sync)["result"], "Succeeded", "{:#}", sync["status"]);
    let seen: Vec<_> = seen.into_inner().into_iter().filter(|(_, rows)| *rows > 0).collect();
    assert!(seen.len() >= 2, "fifty seconds show twice how far they are: {seen:?}");
    assert!(seen.is_sorted_by_key(|(_, delivered)| *delivered), "{seen:?}");
    let mut gaps = seen.iter().zip(seen.iter().skip(1)).map(|((a, _), (b, _))| *b - *a);
    assert!(gaps.all(|gap| gap >= PROGRESS_EVERY - SLACK), "{seen:?}");

    let is_counted = |sync: &Value| sync["status"]["missedSchedules"].as_i64() >= Some(5);
    people.wait("slots to be missed", is_counted).await;
    let is_told = |events: &[Value]| events.iter().any(|it| it["reason"] == "MissedSchedule");
    world.cluster.wait_all("Event", &world.namespace, "MissedSchedule", is_told).await;
    assert_eq!(operator.terminate().await.code(), 0);
}

#[tokio::test]
async fn a_database_that_is_gone_for_a_minute_is_told_and_gone_on_with() {
    let mut world = World::new(PEOPLE).await;
    let mut state = Server::private().await;
    let operator = world.setup().state(&state.admin_url()).start().await;
    world.sync("people", &format!("{SPEC}\n  interval: 1s\n  retry: {{minBackoff: 1s}}")).await;
    world.ended("people", "NoChanges").await;
    let people = world.the("people").within(PATIENCE);

    state.stop().await;
    let stopped_at = Instant::now();
    world.sql("insert into people values ('2', 'bob@example.com')").await;
    let sync = people.wait("StateUnavailable", has_ready("StateUnavailable")).await;
    assert!(stopped_at.elapsed() >= MINUTE - SLACK, "{:?}", stopped_at.elapsed());
    assert_eq!(condition(&sync, "Ready")["status"], "False");
    world.judge(&sync);
    assert_eq!(operator.probe("livez").await.unwrap().0, 200);
    state.start_again().await;

    let sync = people.wait("the new row", knows(2)).await;
    world.judge(&sync);
    operator.ready().await;
    let is_well = |sync: &Value| condition(sync, "Ready")["status"] == "True";
    people.wait("to be Ready again", is_well).await;
    assert_eq!(world.workspace().stats().items_accepted, 2);
    assert_eq!(operator.terminate().await.code(), 0);
}

#[tokio::test]
async fn an_api_server_that_is_gone_for_a_minute_is_waited_for() {
    let mut world = World::of(Cluster::private().await, PEOPLE).await;
    let operator = world.operator().await;
    world.sync("people", &format!("{SPEC}\n  interval: 1s")).await;
    world.ended("people", "NoChanges").await;

    world.cluster.stop().await;
    world.sql("insert into people values ('2', 'bob@example.com')").await;
    tokio::time::sleep(MINUTE).await; // sleep: it is the outage that takes a minute.
    assert_eq!(operator.probe("livez").await.unwrap().0, 200);
    world.cluster.start().await;

    let people = world.the("people").within(PATIENCE);
    let sync = people.wait("the new row", knows(2)).await;
    world.judge(&sync);
    operator.ready().await;
    assert_eq!(world.workspace().stats().items_accepted, 2);
    world.sql("insert into people values ('3', 'cy@example.com')").await;
    people.wait("a row of the next slot", knows(3)).await;
    assert_eq!(operator.terminate().await.code(), 0);
}
