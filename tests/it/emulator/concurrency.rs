//! Many requests at once end in the state that each alone would have led to.

use reqwest::Method;
use serde_json::json;

use super::{World, person};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlapping_batches_lose_nothing_and_double_nothing() {
    let world = World::start().await;
    let send = |batch: u32| {
        // Every batch shares half its people with the next, and repeats one event.
        let items: Vec<_> = (batch * 50..batch * 50 + 100)
            .map(|id| person(&id.to_string(), "identify", json!({"attributes": {"id_again": id}})))
            .chain([person("0", "event", json!({"name": "e", "id": "01BX5ZZKBKACTAV9WEVGEMMVRY"}))])
            .collect();
        let request = world.http.post(world.url("/api/v2/batch"));
        let request = request.basic_auth("emulator-site-id", Some("emulator-api-key"));
        tokio::spawn(request.json(&json!({"batch": items})).send())
    };

    let sent: Vec<_> = (0..20).map(send).collect();
    for request in sent {
        assert_eq!(request.await.unwrap().unwrap().status(), 200);
    }

    // 20 batches of 100, each 50 further on.
    assert_eq!(world.workspace.people_count(), 1_050);
    for person in world.workspace.people() {
        let id: u32 = person.id.unwrap().parse().unwrap();
        assert_eq!(person.attributes["id_again"], id);
    }
    assert_eq!((world.workspace.events_count(), world.workspace.event_repeats()), (1, 19));
    assert_eq!(world.workspace.stats().items_accepted, 20 * 101);
}

#[tokio::test]
async fn a_client_that_leaves_is_noted() {
    let world = World::start().await;
    world.emulator.hold();
    let body = person("1", "identify", json!({}));
    let request = world.track(Method::POST, "/api/v2/entity", body);
    let left = async {
        world.workspace.wait_for(|stats| stats.requests_held == 1).await;
    };

    tokio::select! {
        _ = request => panic!("held requests are not answered"),
        () = left => {}
    }

    let stats = world.workspace.wait_for(|stats| stats.requests_finished == 1).await;
    assert_eq!((stats.requests_held, world.workspace.people_count()), (0, 0));
}
