//! Events: taken once, by whom, and carried over from visitors.

use ciosync::emulator::{NonUlidIds, UnknownParty};
use serde_json::json;

use super::{World, accepted, person};

const ULID: &str = "01BX5ZZKBKACTAV9WEVGEMMVRY";

#[tokio::test]
async fn an_event_keeps_its_time_name_and_data() {
    let world = World::start().await;
    let event = json!({"name": "  bought ", "id": ULID, "timestamp": 1_772_013_598,
        "attributes": {"price": 29.99}});

    assert_eq!(world.entity(person("42", "event", event)).await, accepted());

    let [event] = &world.workspace.events()[..] else { panic!("one event") };
    assert_eq!((event.person.as_deref(), &*event.name), (Some("42"), "bought"));
    assert_eq!((event.id.as_deref(), event.timestamp), (Some(ULID), 1_772_013_598));
    assert_eq!(event.data, json!({"price": 29.99}));
}

#[tokio::test]
async fn a_ulid_is_taken_once_in_the_whole_workspace() {
    let world = World::start().await;

    for (id, name) in [("1", "a"), ("1", "a"), ("2", "b")] {
        let event = json!({"name": name, "id": ULID});
        assert_eq!(world.entity(person(id, "event", event)).await, accepted());
    }
    let in_v1 = json!({"name": "c", "id": ULID.to_lowercase()});
    world.post("/api/v1/customers/3/events", in_v1).await;

    assert_eq!((world.workspace.events_count(), world.workspace.event_repeats()), (1, 3));
}

#[tokio::test]
async fn an_event_without_an_id_is_taken_each_time() {
    let world = World::start().await;

    for _ in 0..2 {
        world.entity(person("1", "event", json!({"name": "a"}))).await;
    }

    assert_eq!(world.workspace.events_count(), 2);
}

#[tokio::test]
async fn ids_that_are_no_ulids_follow_the_setting() {
    for (setting, status, taken) in [
        (NonUlidIds::Refuse, 400, 0),
        (NonUlidIds::Accept, 200, 2),
        (NonUlidIds::Deduplicate, 200, 1),
    ] {
        let world = World::start().await;
        world.emulator.settings().change(|settings| settings.non_ulid_ids = setting);

        for _ in 0..2 {
            let event = person("1", "event", json!({"name": "a", "id": "order-7"}));
            assert_eq!(world.entity(event).await.0, status, "{setting:?}");
        }

        assert_eq!(world.workspace.events_count(), taken, "{setting:?}");
    }
}

#[tokio::test]
async fn an_event_for_nobody_makes_them_unless_set_otherwise() {
    let world = World::start().await;

    world.entity(person("1", "event", json!({"name": "a"}))).await;
    assert!(world.workspace.person("1").is_some());

    world.emulator.settings().change(|settings| {
        settings.event_for_unknown_person = UnknownParty::Ignore;
    });
    assert_eq!(world.entity(person("2", "event", json!({"name": "a"}))).await, accepted());
    assert_eq!(world.workspace.person("2"), None);
    assert_eq!(world.workspace.events_count(), 1);
    assert_eq!(world.failures(), ["failed_event"]);
}

#[tokio::test]
async fn pages_and_screens_are_told_apart() {
    let world = World::start().await;

    world.entity(person("1", "page", json!({"name": "/home"}))).await;
    world.entity(person("1", "screen", json!({"name": "Home"}))).await;
    world.post("/api/v1/customers/1/events", json!({"name": "/x", "type": "page"})).await;

    let kinds: Vec<_> = world.workspace.events().into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["page", "screen", "page"]);
}

#[tokio::test]
async fn a_visitors_events_go_to_the_person_they_turn_out_to_be() {
    let world = World::start().await;
    let visitor = json!({"name": "looked", "anonymous_id": "anon-1"});
    assert_eq!(world.post("/api/v1/events", visitor).await, accepted());
    let in_v2 = json!({"type": "person", "action": "event", "name": "looked",
        "identifiers": {"anonymous_id": "anon-1"}});
    assert_eq!(world.entity(in_v2).await, accepted());
    assert_eq!(world.workspace.people_count(), 0);

    world.identify("7", json!({"anonymous_id": "anon-1"})).await;

    let people: Vec<_> = world.workspace.events().into_iter().map(|event| event.person).collect();
    assert_eq!(people, [Some("7".to_owned()), Some("7".to_owned())]);
}

#[tokio::test]
async fn v1_refuses_with_the_published_messages() {
    let world = World::start().await;

    for (body, message) in [
        (json!({}), "event name must not be blank"),
        (json!({"name": "  "}), "event name must not be blank"),
        (json!({"name": "x".repeat(101)}), "event name cannot be longer than 100 bytes"),
        (json!({"name": "a", "data": []}), "event data must be a hash"),
        (
            json!({"name": "a", "data": {"x": "x".repeat(100_000)}}),
            "event data cannot be longer than 100000 bytes",
        ),
    ] {
        let answer = world.post("/api/v1/customers/1/events", body).await;
        assert_eq!(answer, (400, json!({"meta": {"errors": [message]}})));
    }
    assert_eq!(world.workspace.events_count(), 0);
}
