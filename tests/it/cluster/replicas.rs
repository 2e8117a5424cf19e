//! Two replicas on one state: one works, and the other takes over when it is gone, whatever became
//! of it.

use ciosync::emulator::Fault;

use super::world::{SPEC, World};
use crate::support::postgres;

const ROWS: i64 = 3_000;

/// The most rows of a batch of 2,048 bytes; one is on its way at a time.
const IN_FLIGHT: u64 = 25;

const SLOWLY: &str = "limits: {itemBytes: 1024, batchBytes: 2048}
  rateLimit: {requestsPerSecond: 1000, burst: 3000, recordsPerSecond: 100000, maxInFlight: 1}";

async fn slow_world() -> World {
    let world = World::new(&format!(
        "create table people (id text primary key, email text);
         insert into people with recursive n(i) as (select 1 union all select i + 1 from n
            where i < {ROWS}) select 'p' || i, 'p' || i || '@example.com' from n;"
    ))
    .await;
    world.connection("production", SLOWLY).await;
    world.emulator.faults().add(Fault::late(40).path("/api/v2/batch"));
    world
}

async fn everybody_arrives(world: &World) {
    let sync = world.ended("people", "Succeeded").await;
    world.judge(&sync);
    assert_eq!(world.workspace().people_count(), usize::try_from(ROWS).unwrap());
    let sent_twice = world.workspace().stats().items_accepted - u64::try_from(ROWS).unwrap();
    assert!(sent_twice <= IN_FLIGHT, "{sent_twice} rows were sent twice");
}

#[tokio::test]
async fn a_standby_takes_over_from_a_killed_leader_and_nothing_is_lost() {
    let world = slow_world().await;
    let state = postgres().await.database().await;
    let setup = world.setup().state(&state.url()).flags(["--lease-duration=3s"]);
    let mut leader = setup.clone().elected("first").start().await;
    leader.wait_for_log("this replica is the leader").await;
    let mut standby = setup.elected("second").start().await;
    world.sync("people", SPEC).await;
    world.workspace().wait_for(|stats| stats.items_accepted > 0).await;

    leader.kill().await;
    standby.wait_for_log("this replica is the leader").await;

    everybody_arrives(&world).await;
    let ended = standby.terminate().await;
    assert_eq!(ended.code(), 0, "{ended}");
    let lease = world.cluster.object("Lease", &world.namespace, "ciosync").get().await;
    assert!(lease["spec"]["holderIdentity"].is_null(), "{lease:#}");
}

#[tokio::test]
async fn operators_with_a_lease_each_work_side_by_side() {
    let world = slow_world().await;
    let setup = world.setup().flags(["--lease-duration=3s"]);
    let mut blue = setup.clone().elected("blue").flags(["--lease-name=blue"]).start().await;
    let mut green = setup.elected("green").flags(["--lease-name=green"]).start().await;
    for operator in [&mut blue, &mut green] {
        operator.wait_for_log("this replica is the leader").await;
    }

    for name in ["blue", "green"] {
        let lease = world.cluster.object("Lease", &world.namespace, name).get().await;
        assert_eq!(lease["spec"]["holderIdentity"], name, "{lease:#}");
    }
}

#[tokio::test]
async fn a_leader_that_was_frozen_sends_nothing_more_once_another_took_over() {
    let world = slow_world().await;
    let state = postgres().await.database().await;
    let setup = world.setup().state(&state.url()).flags(["--lease-duration=3s"]);
    let setup = setup.flags(["--log=info,ciosync=debug"]);
    let mut leader = setup.clone().elected("first").start().await;
    leader.wait_for_log("this replica is the leader").await;
    let mut standby = setup.elected("second").start().await;
    world.sync("people", SPEC).await;
    leader.wait_for_log("batch answered").await;

    leader.freeze().await;
    let answered = |log: &str| log.matches("batch answered").count();
    let before = answered(&leader.wait_for_log("batch answered").await);
    standby.wait_for_log("this replica is the leader").await;
    // By now the run lock is the other's: until then the frozen one may still send what it holds.
    standby.wait_for_log("batch answered").await;
    leader.thaw().await;
    let ended = leader.wait().await;

    assert_eq!(ended.code(), 1, "{ended}");
    // What was on its way may have been answered while it stood still; nothing was sent since.
    assert!(answered(ended.stderr()) <= before + 1, "{before} batches before\n{ended}");
    everybody_arrives(&world).await;
}
