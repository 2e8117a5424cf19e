//! Five hundred Syncs in one operator: it stays small, meets every slot, and spares the API server.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::world::{World, last_run};
use crate::support::apiserver::object::LIMIT;
use crate::support::apiserver::operator::Operator;

const CONNECTIONS: usize = 20;
const SOURCES: usize = 5;
const SYNCS: usize = 500;

/// The time between two slots, as in a cluster where each of them runs every four minutes.
const SPREAD: Duration = Duration::from_millis(500);

/// For how long slots are looked at, unless `SCALE_SECONDS` says otherwise: `make scale` looks at all.
const WINDOW: SignedDuration = SignedDuration::from_secs(40);

/// How late a slot's run may end after the slot: an unoptimised build beside other tests.
const LATE_MAX: SignedDuration = SignedDuration::from_secs(10);

/// How much memory the operator may take, in bytes.
const MEMORY_MAX: u64 = 200 << 20;

/// The first look at a Sync, the start of its run, and its end.
const WRITES_MAX: usize = 3;

/// How often figures are looked at.
const POLL: Duration = Duration::from_millis(200);

/// Requests of the test that go on at once.
const AT_ONCE: usize = 8;

fn window() -> SignedDuration {
    let asked = std::env::var("SCALE_SECONDS").ok().filter(|text| !text.is_empty());
    asked.map_or(WINDOW, |text| {
        SignedDuration::from_secs(text.parse().expect("SCALE_SECONDS is a number"))
    })
}

fn instant(text: &Value) -> Timestamp {
    text.as_str().unwrap_or_else(|| panic!("no time: {text}")).parse().unwrap()
}

fn name_of(number: usize) -> String {
    format!("people-{number}")
}

/// Makes all Syncs, as if an operator had looked after them until now: the next slots lie `SPREAD`
/// apart, from some seconds from now on.
async fn make_syncs(world: &World) {
    let each = |number: usize| async move {
        let spec = format!(
            "sourceRef: {{name: warehouse-{}}}\n  connectionRef: {{name: production-{}}}\n  \
             entity: person\n  behavior: updateOrCreate\n  identifiers: {{id: id}}\n  \
             model: {{sql: \"select '{number}-' || id as id, email from people\", primaryKey: [id]}}\n  \
             mappings: [{{from: email}}]\n  sharedAttributes: [email]\n  interval: 15m",
            number % SOURCES,
            number % CONNECTIONS
        );
        world.apply("Sync", &name_of(number), &spec).await;
    };
    stream::iter(0..SYNCS).map(each).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    let first = Timestamp::now() + SignedDuration::from_secs(10);
    let each = |number: usize| async move {
        let before = "2026-11-24T05:00:00Z";
        let slot = first + SPREAD * u32::try_from(number).unwrap();
        let slot = Timestamp::from_second(slot.as_second()).unwrap();
        let status = json!({
            "observedGeneration": 1, "nextScheduleTime": slot.to_string(),
            "lastRun": {
                "id": "01K0000000000000000000000A", "trigger": "schedule", "startedAt": before,
                "finishedAt": before, "result": "NoChanges", "rowsRead": 0, "added": 0, "changed": 0,
                "removed": 0, "unchanged": 0, "refreshed": 0, "kept": 0, "delivered": 0,
                "invalid": 0, "rejected": 0, "retried": 0, "requests": 0,
            },
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "NoChanges", "message": "as it was",
                "lastTransitionTime": before, "observedGeneration": 1,
            }],
        });
        world.the(&name_of(number)).patch_status(status).await.unwrap();
    };
    stream::iter(0..SYNCS).map(each).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// Waits until the operator has looked at every Sync once, and caught up with the slots that passed
/// meanwhile.
async fn first_looks(operator: &Operator) {
    let figure = |figures: &str, name: &str| -> Option<usize> {
        figures.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    loop {
        let figures = operator.probe("metrics").await.unwrap().1;
        let looks = figure(&figures, r#"ciosync_reconciles_total{kind="Sync",result="ok"}"#);
        let waiting = figure(&figures, r#"ciosync_operator_runs{state="waiting"}"#);
        if looks >= Some(SYNCS) && waiting == Some(0) {
            return;
        }
        tokio::time::sleep(POLL).await; // sleep: figures don't announce that they change.
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
    make_syncs(&world).await;
    let slots: Vec<Timestamp> = {
        let syncs = world.cluster.list("Sync", &world.namespace).await;
        let mut slots: Vec<_> =
            syncs.iter().map(|sync| instant(&sync["status"]["nextScheduleTime"])).collect();
        slots.sort();
        slots
    };
    let operator = world.operator().await;
    first_looks(&operator).await;
    let begun_at = Timestamp::now();
    let window = window();
    let last = slots.partition_point(|slot| *slot <= begun_at + window).checked_sub(1);
    let last = last.expect("the operator was ready before the last slot");

    let is_served = |sync: &Value| sync["status"]["lastScheduleTime"].is_string();
    let looked_at = world.the(&name_of(last)).within(window.unsigned_abs() + LIMIT);
    looked_at.wait("the last slot to be served", is_served).await;

    let until = slots[last] - LATE_MAX;
    let (mut served, mut latest) = (0, SignedDuration::ZERO);
    let writes = writes_by_name(&world);
    for sync in world.cluster.list("Sync", &world.namespace).await {
        let (status, name) = (&sync["status"], sync["metadata"]["name"].as_str().unwrap());
        let writes = writes.get(name).copied().unwrap_or_default();
        assert!(writes <= WRITES_MAX, "{writes} writes for {sync:#}");
        if !is_served(&sync) {
            assert!(instant(&status["nextScheduleTime"]) >= until, "not served: {status:#}");
            continue;
        }
        let slot = instant(&status["lastScheduleTime"]);
        if slot < begun_at || slot >= until {
            continue;
        }
        world.judge(&sync);
        assert_eq!(last_run(&sync)["result"], "Succeeded", "{status:#}");
        assert_eq!(status["missedSchedules"].as_i64().unwrap_or(0), 0, "{status:#}");
        latest = latest.max(instant(&last_run(&sync)["finishedAt"]).duration_since(slot));
        served += 1;
    }
    let memory = operator.memory_max();
    let said = format!("{served} slots served, {latest} late at most, {memory:?} bytes");
    announce(&said);
    assert!(served > 30, "{said}");
    assert!(latest <= LATE_MAX, "{said}");
    assert!(memory.is_none_or(|memory| memory < MEMORY_MAX), "{said}");
    assert_eq!(operator.terminate().await.code(), 0, "{said}");
}

#[expect(clippy::print_stderr, reason = "the figures, also where all is well")]
fn announce(text: &str) {
    eprintln!("{text}");
}

/// Returns how often the operator wrote the status of each Sync.
fn writes_by_name(world: &World) -> HashMap<String, usize> {
    let mut writes = HashMap::new();
    for request in world.cluster.requests(&world.account.user()) {
        if request.is_write() && request.resource == "syncs/status" {
            *writes.entry(request.name).or_default() += 1;
        }
    }
    writes
}
