//! What a 200 hides: each way a request is accepted and does not take effect.

use ciosync::emulator::{NewIdForKnownEmail, StaleUpdates};
use serde_json::json;

use super::{World, accepted, person};

#[tokio::test]
async fn an_update_only_miss_is_a_failed_attribute_change() {
    let world = World::start().await;

    world.identify("nobody", json!({"_update": true, "plan": "pro"})).await;

    assert_eq!(world.workspace.people_count(), 0);
    let [activity] = &world.workspace.activities()[..] else { panic!("one activity") };
    assert_eq!(activity.kind, "failed_attribute_change");
    assert_eq!(activity.person.id.as_deref(), Some("nobody"));
    assert_eq!(activity.data, json!({"plan": {"from": null, "to": "pro"}}));
}

#[tokio::test]
async fn update_only_changes_whoever_is_there() {
    let world = World::start().await;
    world.identify("1", json!({"plan": "free"})).await;

    world.identify("1", json!({"_update": true, "plan": "pro"})).await;

    assert_eq!(world.workspace.attributes("1").unwrap(), json!({"id": "1", "plan": "pro"}));
    assert_eq!(world.failures(), Vec::<String>::new());
}

#[tokio::test]
async fn the_email_of_another_person_is_not_taken_but_the_rest_is() {
    let world = World::start().await;
    world.identify("1", json!({"email": "ann@example.com"})).await;
    world.identify("2", json!({})).await;

    world.identify("2", json!({"email": "ANN@example.com", "plan": "pro"})).await;

    assert_eq!(world.workspace.attributes("2").unwrap(), json!({"id": "2", "plan": "pro"}));
    let [activity] = &world.workspace.activities()[..] else { panic!("one activity") };
    assert_eq!(activity.kind, "failed_attribute_change");
    assert_eq!(activity.data, json!({"email": {"from": null, "to": "ANN@example.com"}}));
}

#[tokio::test]
async fn a_new_id_for_a_known_email_conflicts_or_reassigns_by_the_setting() {
    let world = World::start().await;
    world.identify("1", json!({"email": "ann@example.com"})).await;

    world.identify("2", json!({"email": "ann@example.com"})).await;
    assert_eq!(world.workspace.people_count(), 2);
    assert_eq!(world.workspace.person("2").unwrap().email, None);
    assert_eq!(world.failures(), ["failed_attribute_change"]);

    world.emulator.settings().change(|settings| {
        settings.new_id_for_known_email = NewIdForKnownEmail::Reassign;
    });
    world.identify("3", json!({"email": "ann@example.com"})).await;
    assert_eq!(world.workspace.people_count(), 2);
    assert_eq!(world.workspace.person("1"), None);
    assert_eq!(world.workspace.person("3").unwrap().email.as_deref(), Some("ann@example.com"));
}

#[tokio::test]
async fn an_email_changes_by_id_only_where_the_workspace_allows_it() {
    let world = World::start().await;
    world.identify("1", json!({"email": "old@example.com"})).await;
    let email = || world.workspace.person("1").unwrap().email.unwrap();

    world.identify("1", json!({"email": "new@example.com", "plan": "pro"})).await;
    assert_eq!(email(), "old@example.com");
    assert_eq!(world.workspace.attributes("1").unwrap()["plan"], "pro");
    world.identify("1", json!({"email": null})).await;
    assert_eq!(email(), "old@example.com");
    assert_eq!(world.failures(), ["failed_attribute_change"; 2]);

    world.emulator.settings().change(|settings| settings.email_changes_by_id = true);
    world.identify("1", json!({"email": "new@example.com"})).await;
    assert_eq!(email(), "new@example.com");
    assert_eq!(world.failures().len(), 2);
}

#[tokio::test]
async fn two_halves_of_a_person_are_merged_only_by_the_setting() {
    for auto_merge in [false, true] {
        let world = World::start().await;
        world.emulator.settings().change(|settings| settings.auto_merge = auto_merge);
        world.identify("1", json!({"a": 1})).await;
        world.put("/api/v1/customers/ann@example.com", json!({"b": 2})).await;

        world.identify("1", json!({"email": "ann@example.com"})).await;

        let people = if auto_merge { 1 } else { 2 };
        assert_eq!(world.workspace.people_count(), people, "auto_merge: {auto_merge}");
        let attributes = world.workspace.attributes("1").unwrap();
        assert_eq!(attributes.get("b").is_some(), auto_merge);
        assert_eq!(world.failures().is_empty(), auto_merge);
    }
}

#[tokio::test]
async fn everything_about_a_suppressed_person_is_ignored() {
    let world = World::start().await;
    world.identify("1", json!({"email": "ann@example.com"})).await;
    world.entity(person("1", "suppress", json!({}))).await;
    let device = json!({"device": {"token": "t", "platform": "ios"}});

    for asked in [
        person("1", "identify", json!({"attributes": {"plan": "pro"}})),
        person("2", "identify", json!({"attributes": {"email": "ann@example.com"}})),
        person("1", "event", json!({"name": "bought"})),
        person("1", "add_device", device),
        person(
            "1",
            "add_relationships",
            json!({"cio_relationships": [
            {"identifiers": {"object_type_id": "1", "object_id": "acme"}}]}),
        ),
    ] {
        assert_eq!(world.entity(asked).await, accepted());
    }

    assert_eq!(world.workspace.people_count(), 0);
    assert_eq!((world.workspace.events_count(), world.workspace.devices().len()), (0, 0));
    assert_eq!(world.workspace.relationships(), []);
    let skipped = "skipped_update";
    assert_eq!(world.failures(), [skipped, skipped, "failed_event", skipped, skipped]);
}

#[tokio::test]
async fn an_update_older_than_the_profile_is_dropped_unless_set_otherwise() {
    let world = World::start().await;
    let identify = |timestamp: i64, n: u32| {
        let more = json!({"timestamp": timestamp, "attributes": {"n": n}});
        world.entity(person("1", "identify", more))
    };
    let n = || world.workspace.attributes("1").unwrap()["n"].clone();

    identify(2_000, 1).await;
    assert_eq!(identify(1_999, 2).await, accepted());
    assert_eq!(n(), 1);
    assert_eq!(world.failures(), ["skipped_update"]);
    identify(2_000, 3).await;
    assert_eq!(n(), 3);

    world.emulator.settings().change(|settings| settings.stale_updates = StaleUpdates::Apply);
    identify(5, 4).await;
    assert_eq!(n(), 4);
}

#[tokio::test]
async fn a_person_found_by_their_email_is_protected_from_old_updates_too() {
    let world = World::start().await;
    world.put("/api/v1/customers/ann@example.com", json!({"n": 1})).await;

    let old = json!({"timestamp": 1_000, "attributes": {"email": "ann@example.com", "n": 2}});
    assert_eq!(world.entity(person("7", "identify", old)).await, accepted());

    assert_eq!(world.workspace.person("7"), None);
    let ann = world.workspace.person_by_email("ann@example.com").unwrap();
    assert_eq!(ann.attributes["n"], 1);
    assert_eq!(world.failures(), ["skipped_update"]);
}

#[tokio::test]
async fn an_update_without_a_timestamp_counts_as_now() {
    let world = World::start().await;
    world.identify("1", json!({"n": 1})).await;

    let old = json!({"timestamp": 1_000_000_000, "attributes": {"n": 2}});
    world.entity(person("1", "identify", old)).await;

    assert_eq!(world.workspace.attributes("1").unwrap()["n"], 1);
}

#[tokio::test]
async fn v1_orders_updates_by_its_own_timestamp_attribute() {
    let world = World::start().await;

    world.put("/api/v1/customers/1", json!({"_timestamp": 2_000, "n": 1})).await;
    world.put("/api/v1/customers/1", json!({"_timestamp": 1_000, "n": 2})).await;

    assert_eq!(world.workspace.attributes("1").unwrap(), json!({"id": "1", "n": 1}));
}

#[tokio::test]
async fn an_unknown_cio_id_drops_the_request() {
    let world = World::start().await;
    world.identify("1", json!({})).await;
    let cio_id = world.workspace.person("1").unwrap().cio_id;
    world.entity(person("1", "delete", json!({}))).await;

    for gone in [cio_id.as_str(), "never-seen"] {
        let asked = person(
            "",
            "identify",
            json!({"identifiers": {"cio_id": gone},
            "attributes": {"id": "1", "n": 1}}),
        );
        assert_eq!(world.entity(asked).await, accepted());
    }

    assert_eq!(world.workspace.people_count(), 0);
    assert_eq!(world.failures(), ["skipped_update"; 2]);
}

#[tokio::test]
async fn a_merge_into_nobody_does_nothing() {
    let world = World::start().await;
    world.identify("2", json!({})).await;

    let merge = json!({"type": "person", "action": "merge", "primary": {"id": "1"},
        "secondary": {"id": "2"}});
    assert_eq!(world.entity(merge).await, accepted());

    assert!(world.workspace.person("2").is_some());
    assert_eq!(world.failures(), ["skipped_update"]);
}

#[tokio::test]
async fn a_person_cannot_grow_past_the_number_of_attributes() {
    let world = World::start().await;
    world.emulator.settings().change(|settings| settings.limits.attributes = 2);
    world.identify("1", json!({"a": 1, "b": 2})).await;

    world.identify("1", json!({"b": 3, "c": 3})).await;

    assert_eq!(world.workspace.attributes("1").unwrap(), json!({"id": "1", "a": 1, "b": 2}));
    assert_eq!(world.failures(), ["failed_attribute_change"]);
}
