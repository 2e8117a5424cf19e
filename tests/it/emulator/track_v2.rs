//! Entity and batch: what each action does, and how answers point at what was refused.

use ciosync::emulator::{BatchOrder, ItemErrors, Settings};
use serde_json::json;

use super::{World, accepted, item, person};

#[tokio::test]
async fn identify_makes_a_person_then_changes_only_what_it_mentions() {
    let world = World::start().await;

    world.identify("42", json!({"plan": "pro", "seats": 3, "tags": ["a", {"b": null}]})).await;
    world.identify("42", json!({"plan": "free", "ok": true})).await;

    let attributes = world.workspace.attributes("42").unwrap();
    let expected =
        json!({"id": "42", "plan": "free", "seats": 3, "tags": ["a", {"b": null}], "ok": true});
    assert_eq!(attributes, expected);
    assert_eq!(world.workspace.people_count(), 1);
}

#[tokio::test]
async fn success_is_answered_as_recorded_from_the_vendor() {
    let world = World::start().await;
    let body = json!({"batch": [person("1", "identify", json!({"attributes": {}}))]});

    let response = world.track(reqwest::Method::POST, "/api/v2/batch", body).await.unwrap();

    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    assert_eq!(response.headers()["content-length"], "3");
    assert_eq!(response.text().await.unwrap(), "{}\n");
}

#[tokio::test]
async fn null_and_the_empty_string_clear_an_attribute_unless_set_otherwise() {
    let world = World::start().await;
    world.identify("1", json!({"a": 1, "b": 2, "c": 3})).await;

    world.identify("1", json!({"a": null, "b": ""})).await;
    assert_eq!(world.workspace.attributes("1").unwrap(), json!({"id": "1", "c": 3}));

    world.emulator.settings().change(|settings| {
        settings.null_clears = false;
        settings.empty_string_clears = false;
    });
    world.identify("1", json!({"a": null, "b": ""})).await;
    let expected = json!({"id": "1", "c": 3, "a": null, "b": ""});
    assert_eq!(world.workspace.attributes("1").unwrap(), expected);
}

#[tokio::test]
async fn ids_tell_case_apart_and_emails_do_not() {
    let world = World::start().await;

    world.identify("a", json!({"n": 1})).await;
    world.identify("A", json!({"n": 2})).await;
    for (email, n) in [("Ann@Example.com", 1), ("ann@example.COM", 2)] {
        let asked = json!({"type": "person", "action": "identify",
            "identifiers": {"email": email}, "attributes": {"n": n}});
        assert_eq!(world.entity(asked).await, accepted());
    }

    assert_eq!(world.workspace.people_count(), 3);
    let ann = world.workspace.person_by_email("ANN@EXAMPLE.COM").unwrap();
    assert_eq!(ann.attributes, json!({"email": "Ann@Example.com", "n": 2}));
}

#[tokio::test]
async fn numbers_identify_like_their_text() {
    let world = World::start().await;
    world.identify("42", json!({})).await;

    let asked = json!({"type": "person", "action": "identify", "identifiers": {"id": 42},
        "attributes": {"n": 1}});
    assert_eq!(world.entity(asked).await, accepted());

    assert_eq!(world.workspace.people_count(), 1);
    assert_eq!(world.workspace.attributes("42").unwrap()["n"], 1);
}

#[tokio::test]
async fn a_batch_refuses_by_index_and_takes_the_rest() {
    let world = World::start().await;
    let items = vec![
        person("1", "identify", json!({"attributes": {"plan": "x".repeat(1_001)}})),
        person("2", "identify", json!({"attributes": {"plan": "pro"}})),
        json!({"type": "person", "action": "identify", "identifiers": {"id": true}}),
        json!({"type": "person", "action": "dance", "identifiers": {"id": "4"}}),
        json!("not an object"),
    ];

    let (status, body) = world.batch(items).await;

    assert_eq!(status, 207);
    let expected = json!({"errors": [
        {"batch_index": 0, "reason": "invalid", "field": "attributes.plan",
         "message": "property value cannot be longer than 1000 bytes"},
        {"batch_index": 2, "reason": "invalid", "field": "identifiers.id",
         "message": "must be a string or a number"},
        {"batch_index": 3, "reason": "invalid", "field": "action",
         "message": "is not an action of a person"},
        {"batch_index": 4, "reason": "invalid", "field": "",
         "message": "must be a JSON object"},
    ]});
    assert_eq!(body, expected);
    assert_eq!(world.workspace.people_count(), 1);
    let stats = world.workspace.stats();
    assert_eq!((stats.items_accepted, stats.items_rejected), (1, 4));
}

#[tokio::test]
async fn one_item_may_be_reported_twice_or_once() {
    let world = World::start().await;
    let long = "x".repeat(1_001);
    let items = vec![person("1", "identify", json!({"attributes": {"a": long, "b": long}}))];

    let (_, body) = world.batch(items.clone()).await;
    assert_eq!(body["errors"].as_array().unwrap().len(), 2);

    world.emulator.settings().change(|settings| settings.item_errors = ItemErrors::First);
    let (_, body) = world.batch(items).await;
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_batch_without_a_valid_item_is_207_or_400_by_the_setting() {
    let world = World::start().await;
    let items = vec![json!({}), json!({})];

    assert_eq!(world.batch(items.clone()).await.0, 207);

    world.emulator.settings().change(|settings| settings.all_invalid_status = 400);
    let (status, body) = world.batch(items).await;
    assert_eq!(status, 400);
    assert!(body["errors"][0].get("batch_index").is_none());
}

#[tokio::test]
async fn errors_may_hide_behind_a_200() {
    let settings = Settings { some_invalid_status: 200, ..Settings::default() };
    let world = World::with(settings).await;

    let (status, body) = world.batch(vec![person("1", "identify", json!({})), json!({})]).await;

    assert_eq!((status, &body["errors"][0]["batch_index"]), (200, &json!(1)));
}

#[tokio::test]
async fn a_malformed_batch_is_refused_as_a_whole() {
    let world = World::start().await;

    for body in [json!({}), json!({"batch": {}}), json!({"batch": []}), json!([])] {
        let (status, answer) = world.post("/api/v2/batch", body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["errors"][0].get("batch_index").is_none(), "{body}");
        assert!(answer["errors"][0]["message"].is_string(), "{body}");
    }
}

#[tokio::test]
async fn an_entity_is_refused_with_its_fields() {
    let world = World::start().await;

    for (operation, field) in [
        (json!({"action": "identify", "identifiers": {"id": "1"}}), "type"),
        (json!({"type": "planet", "action": "identify"}), "type"),
        (json!({"type": "person", "identifiers": {"id": "1"}}), "action"),
        (json!({"type": "person", "action": "identify"}), "identifiers"),
        (item(person("1", "identify", json!({})), json!({"identifiers": {}})), "identifiers"),
        (
            person("1", "identify", json!({"identifiers": {"id": "1", "email": "a@b.c"}})),
            "identifiers",
        ),
        (person("", "identify", json!({})), "identifiers.id"),
        (person("1", "identify", json!({"identifiers": {"phone": "0123"}})), "identifiers.phone"),
        (person("1", "identify", json!({"attributes": []})), "attributes"),
        (person("1", "identify", json!({"timestamp": "now"})), "timestamp"),
        (person("1", "event", json!({})), "name"),
        (person("1", "add_device", json!({"device": {"token": "t"}})), "device.platform"),
        (person("1", "add_device", json!({"device": {"platform": "ios"}})), "device.token"),
        (person("1", "add_relationships", json!({})), "cio_relationships"),
        (json!({"type": "person", "action": "merge", "primary": {"id": "1"}}), "secondary"),
        (
            json!({"type": "person", "action": "merge", "primary": {"phone": "+1"},
            "secondary": {"id": "1"}}),
            "primary",
        ),
    ] {
        let (status, body) = world.entity(operation.clone()).await;

        assert_eq!((status, &body["errors"][0]["field"]), (400, &json!(field)), "{operation}");
    }
    assert_eq!(world.workspace.people_count(), 0);
}

#[tokio::test]
async fn a_phone_number_identifies() {
    let world = World::start().await;

    let asked = person(
        "",
        "identify",
        json!({"identifiers": {"phone": "+14155552671"},
        "attributes": {"n": 1}}),
    );
    assert_eq!(world.entity(asked).await, accepted());

    let [person] = &world.workspace.people()[..] else { panic!("one person") };
    assert_eq!(person.phone.as_deref(), Some("+14155552671"));
}

#[tokio::test]
async fn a_cio_id_renames_a_person() {
    let world = World::start().await;
    world.identify("old", json!({"email": "old@example.com"})).await;
    let cio_id = world.workspace.person("old").unwrap().cio_id;

    let asked = person(
        "",
        "identify",
        json!({"identifiers": {"cio_id": cio_id},
        "attributes": {"id": "new", "email": "new@example.com"}}),
    );
    assert_eq!(world.entity(asked).await, accepted());

    assert_eq!(world.workspace.person("old"), None);
    let person = world.workspace.person("new").unwrap();
    assert_eq!(person.email.as_deref(), Some("new@example.com"));
    assert_eq!(world.workspace.person_by_email("old@example.com"), None);
}

#[tokio::test]
async fn devices_come_and_go() {
    let world = World::start().await;
    let device = json!({"device": {"token": "t1", "platform": "ios", "last_used": 1_713_484_800,
        "attributes": {"app_version": "1"}}});

    world.entity(person("1", "add_device", device.clone())).await;
    world.entity(person("1", "add_device", device)).await;
    let [device] = &world.workspace.devices()[..] else { panic!("one device") };
    assert_eq!((&*device.person, &*device.token, &*device.platform), ("1", "t1", "ios"));
    assert_eq!((device.last_used, &device.attributes["app_version"]), (1_713_484_800, &json!("1")));

    world.entity(person("1", "delete_device", json!({"device": {"token": "t1"}}))).await;
    assert_eq!(world.workspace.devices(), []);
}

#[tokio::test]
async fn merge_fills_what_the_primary_lacks_and_takes_the_rest_over() {
    let world = World::start().await;
    world.identify("keep", json!({"plan": "pro", "note": null})).await;
    world.identify("gone", json!({"email": "x@y.z", "plan": "free", "note": "hi"})).await;
    world.entity(person("gone", "event", json!({"name": "e"}))).await;
    world
        .entity(person("gone", "add_device", json!({"device": {"token": "t", "platform": "ios"}})))
        .await;
    world
        .entity(person(
            "gone",
            "add_relationships",
            json!({"cio_relationships": [
        {"identifiers": {"object_type_id": "1", "object_id": "acme"}}]}),
        ))
        .await;

    let merge = json!({"type": "person", "action": "merge", "primary": {"id": "keep"},
        "secondary": {"email": "X@Y.Z"}});
    assert_eq!(world.entity(merge).await, accepted());

    assert_eq!(world.workspace.person("gone"), None);
    let expected = json!({"id": "keep", "email": "x@y.z", "plan": "pro", "note": "hi"});
    assert_eq!(world.workspace.attributes("keep").unwrap(), expected);
    assert_eq!(world.workspace.events()[0].person.as_deref(), Some("keep"));
    assert_eq!(world.workspace.devices()[0].person, "keep");
    assert_eq!(world.workspace.relationships()[0].person, "keep");
}

#[tokio::test]
async fn a_deleted_person_comes_back_with_the_next_identify() {
    let world = World::start().await;
    world.identify("1", json!({"a": 1, "email": "a@b.c"})).await;

    assert_eq!(world.entity(person("1", "delete", json!({}))).await, accepted());
    assert_eq!(world.workspace.people_count(), 0);
    assert_eq!(world.entity(person("1", "delete", json!({}))).await, accepted());

    world.identify("1", json!({"b": 2})).await;
    assert_eq!(world.workspace.attributes("1").unwrap(), json!({"id": "1", "b": 2}));
}

#[tokio::test]
async fn subscription_preferences_are_replaced_whole_or_changed_by_topic() {
    let world = World::start().await;
    let topics = |value| json!({"cio_subscription_preferences": {"topics": value}});

    world.identify("1", topics(json!({"topic_1": true, "topic_2": false}))).await;
    world.identify("1", json!({"cio_subscription_preferences.topics.topic_3": false})).await;
    let expected = json!({"topic_1": true, "topic_2": false, "topic_3": false});
    let attributes = world.workspace.attributes("1").unwrap();
    assert_eq!(attributes["cio_subscription_preferences"]["topics"], expected);

    world.identify("1", topics(json!({"topic_1": false}))).await;
    let attributes = world.workspace.attributes("1").unwrap();
    assert_eq!(attributes["cio_subscription_preferences"]["topics"], json!({"topic_1": false}));
}

#[tokio::test]
async fn other_dotted_names_are_paths_only_by_the_setting() {
    let world = World::start().await;

    world.identify("1", json!({"address.city": "Paris"})).await;
    assert_eq!(world.workspace.attributes("1").unwrap()["address.city"], "Paris");

    world.emulator.settings().change(|settings| settings.dotted_names_are_paths = true);
    world.identify("2", json!({"address.city": "Paris"})).await;
    assert_eq!(world.workspace.attributes("2").unwrap()["address"], json!({"city": "Paris"}));
}

#[tokio::test]
async fn unsubscribed_is_read_leniently() {
    let world = World::start().await;

    for (value, unsubscribed) in [
        (json!(true), true),
        (json!("TRUE"), true),
        (json!(1), true),
        (json!("1"), true),
        (json!(false), false),
        (json!("yes"), false),
        (json!(0), false),
    ] {
        world.identify("1", json!({"unsubscribed": value})).await;

        assert_eq!(world.workspace.person("1").unwrap().unsubscribed, unsubscribed, "{value}");
    }
}

#[tokio::test]
async fn the_order_within_a_batch_is_a_setting() {
    let world = World::start().await;
    let items = || {
        vec![
            person("1", "identify", json!({"attributes": {"n": 1}})),
            person("1", "identify", json!({"attributes": {"n": 2}})),
        ]
    };

    world.batch(items()).await;
    assert_eq!(world.workspace.attributes("1").unwrap()["n"], 2);

    world.emulator.settings().change(|settings| settings.batch_order = BatchOrder::Reversed);
    world.batch(items()).await;
    assert_eq!(world.workspace.attributes("1").unwrap()["n"], 1);
}

#[tokio::test]
async fn delivery_events_are_kept() {
    let world = World::start().await;
    let event = |name: &str| {
        json!({"type": "delivery", "action": "event", "identifiers": {"id": "RPIyMTM6"},
            "name": name, "attributes": {"device_token": "t"}})
    };

    assert_eq!(world.entity(event("opened")).await, accepted());
    assert_eq!(world.entity(event("eaten")).await.0, 400);

    let [delivery] = &world.workspace.delivery_events()[..] else { panic!("one event") };
    assert_eq!((&*delivery.delivery_id, &*delivery.name), ("RPIyMTM6", "opened"));
}
