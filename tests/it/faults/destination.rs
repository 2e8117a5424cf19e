//! A workspace that fails in every way that there is, and what the runs make of it.

use ciosync::emulator::{Body, Fault};

use super::world::{Setup, Store, Style, World, failure, people, result};

const ROWS: i64 = 900;

/// Runs after which rows that were refused now and then must have come through.
const RUNS_MAX: usize = 40;

const BATCHES: &str = "/api/v2/batch";

async fn world(style: Style) -> World {
    World::new(Setup::new(style, Store::Sqlite), people(ROWS)).await
}

/// One request in five fails, each time in another way.
fn one_in_five_fails(world: &World, seed: u64) {
    let unavailable = |body| Fault::fail(503, body);
    let kinds = [
        Fault::throttle(None),
        Fault::throttle(Some(0)),
        Fault::fail(500, Body::Json),
        unavailable(Body::Empty),
        unavailable(Body::Half),
        Fault::fail(502, Body::Html),
        Fault::fail(408, Body::Empty),
        Fault::fail(400, Body::Json),
        Fault::fail(413, Body::Html),
        Fault::fail(200, Body::Html),
        Fault::fail(200, Body::Half).after_acceptance(),
        Fault::fail(500, Body::Json).after_acceptance(),
        Fault::cut(),
        Fault::cut().after_acceptance(),
        Fault::late(40),
        Fault::late(40).after_acceptance(),
        Fault::reject_indices(&[0, 3]),
    ];
    let share = 0.2 / kinds.len() as f64;
    let path = world.setup.style.path();
    for (kind, seed) in kinds.into_iter().zip(seed..) {
        world.emulator.faults().add(kind.path(path).share(share, seed));
    }
}

#[tokio::test]
async fn a_destination_that_fails_one_request_in_five_gets_every_row() {
    for (style, seed) in [(Style::Keep, 11), (Style::Mirror, 12), (Style::MirrorByEmail, 13)] {
        survive(style, seed).await;
    }
}

#[tokio::test]
async fn every_other_entity_gets_through_to_it_too() {
    let styles =
        [Style::Objects, Style::Relationships, Style::Devices, Style::Members, Style::Events];
    for (style, seed) in styles.into_iter().zip(14..) {
        survive(style, seed).await;
    }
}

async fn survive(style: Style, seed: u64) {
    let mut world = world(style).await;
    one_in_five_fails(&world, seed);

    world.run_until_nothing_is_left(RUNS_MAX).await;
    world.expect_workspace_equals_source();
    world
        .change(|people| {
            people.retain(|id, _| id % 30 != 0);
            for (id, person) in people.iter_mut() {
                person.version += u32::from(style.says());
                person.address += u32::from(style.moves() && id % 7 == 0);
            }
        })
        .await;
    world.run_until_nothing_is_left(RUNS_MAX).await;

    let fired: u64 = world.emulator.faults().list().iter().map(|fault| fault.fired).sum();
    assert!(fired > 5, "{fired} faults only: nothing was proved");
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn an_account_that_is_hard_to_reach_is_asked_again() {
    let mut world = world(Style::Keep).await;
    let account = "/api/v1/accounts";
    for fault in [Fault::fail(502, Body::Html), Fault::cut(), Fault::fail(200, Body::Half)] {
        world.emulator.faults().add(fault.path(account).times(1));
    }

    let output = world.run().await.expect_code(0);

    assert_eq!(result(&output), "Succeeded");
    world.expect_undisturbed_end().await;
}

#[tokio::test]
async fn an_answer_that_no_retry_changes_ends_the_run_and_the_next_goes_on() {
    for (fault, reason, words) in [
        (Fault::redirect(307, "https://elsewhere.test/x"), "ConnectionNotReady", "elsewhere.test"),
        (Fault::fail(401, Body::Json), "AuthenticationFailed", "refused the credentials"),
        (Fault::fail(403, Body::Html), "AuthenticationFailed", "refused the credentials"),
        (Fault::fail(404, Body::Json), "ConnectionNotReady", "status 404"),
    ] {
        let mut world = world(Style::Keep).await;
        let id = world.emulator.faults().add(fault.path(BATCHES).at(20).times(u64::MAX));

        let output = world.start().wait().await.expect_code(1);
        let left = world.enter().await;

        let (found, message) = failure(&output);
        assert_eq!(found, reason, "{output}");
        assert!(message.contains(words), "{output}");
        assert!(output.json()[0]["hint"].is_string(), "{output}");
        assert_eq!(left.accepted, 0, "what was accepted is remembered");
        assert!(world.recorder.count() < 30, "requests went on after one that told to stop");
        let known = world.ledger.remembered().len();
        assert!(known > 0 && known < ROWS as usize, "{known} rows are remembered");

        assert!(world.emulator.faults().remove(id));
        world.run().await.expect_code(0);
        world.expect_undisturbed_end().await;
    }
}

#[tokio::test]
async fn a_workspace_that_refuses_everything_for_one_reason_stops_the_run() {
    let mut world = world(Style::Keep).await;
    world.emulator.faults().add(Fault::fail(400, Body::Json).path(BATCHES));

    let output = world.run().await.expect_code(1);

    assert_eq!(failure(&output).0, "TooManyRejected", "{output}");
    assert_eq!(world.emulator.workspace().people_count(), 0);
    assert!(world.ledger.remembered().is_empty());
    world.emulator.faults().clear();
    world.run_until_nothing_is_left(4).await;
    world.expect_undisturbed_end().await;
}
