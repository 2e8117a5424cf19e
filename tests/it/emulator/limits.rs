//! Sizes and counts: the last that passes and the first that does not.

use serde_json::{Value, json};

use super::{World, accepted, object, person};

/// An identify of exactly this many bytes, made of many attributes.
fn sized(id: &str, bytes: usize) -> Value {
    let mut attributes = serde_json::Map::new();
    let with = |attributes: &serde_json::Map<String, Value>| {
        person(id, "identify", json!({"attributes": attributes}))
    };
    loop {
        let left = bytes - with(&attributes).to_string().len();
        let name = format!("a{:03}", attributes.len());
        // `,"a000":""` around a value; the first has no comma.
        let frame = if attributes.is_empty() { 9 } else { 10 };
        if left == 0 {
            return with(&attributes);
        }
        let value = if left - frame > 1_000 { 900 } else { left - frame };
        attributes.insert(name, json!("x".repeat(value)));
    }
}

async fn first_message(world: &World, operation: Value) -> (u16, Value) {
    let (status, body) = world.entity(operation).await;
    (status, body["errors"][0]["message"].clone())
}

#[tokio::test]
async fn an_item_of_32000_bytes_passes_and_no_more() {
    let world = World::start().await;

    assert_eq!(world.entity(sized("1", 32_000)).await, accepted());
    assert_eq!(world.entity(sized("2", 32_001)).await.0, 400);
    let (status, body) = world.batch(vec![sized("3", 32_001), sized("4", 32_000)]).await;

    assert_eq!((status, &body["errors"][0]["batch_index"]), (207, &json!(0)));
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
    assert!(world.workspace.person("4").is_some());
    assert!(world.workspace.person("3").is_none());
}

#[tokio::test]
async fn an_oversize_item_may_refuse_the_whole_batch() {
    let world = World::start().await;
    world.emulator.settings().change(|settings| settings.oversize_item_refuses_batch = true);

    let (status, _) = world.batch(vec![sized("1", 32_001), sized("2", 100)]).await;

    assert_eq!((status, world.workspace.people_count()), (400, 0));
}

#[tokio::test]
async fn a_batch_of_500000_bytes_passes_and_no_more() {
    let world = World::start().await;
    // {"batch":[...]} is 12 bytes, and there are 15 commas between 16 items.
    let items = |bytes: usize| {
        let mut items: Vec<Value> =
            (0..15).map(|number| sized(&format!("{number:02}"), 31_500)).collect();
        items.push(sized("15", bytes - 12 - 15 - 15 * 31_500));
        items
    };

    assert_eq!(world.batch(items(500_000)).await, accepted());
    assert_eq!(world.workspace.stats().batch_bytes, 500_000);
    assert_eq!(world.batch(items(500_001)).await.0, 413);
    world.emulator.settings().change(|settings| settings.oversize_batch_status = 400);
    assert_eq!(world.batch(items(500_001)).await.0, 400);
    assert_eq!(world.workspace.people_count(), 16);
}

#[tokio::test]
async fn names_values_and_ids_end_where_documented() {
    let world = World::start().await;
    let identify = |attributes: Value| person("1", "identify", json!({"attributes": attributes}));
    let name = |bytes: usize| identify(json!({"n".repeat(bytes): 1}));
    let value = |bytes: usize| identify(json!({"v": "v".repeat(bytes)}));
    let id = |bytes: usize| person(&"i".repeat(bytes), "identify", json!({}));
    let email = |bytes: usize| identify(json!({"email": "e".repeat(bytes)}));
    let event = |bytes: usize| person("1", "event", json!({"name": "e".repeat(bytes)}));
    let object_id = |bytes: usize| object(&"o".repeat(bytes), "identify", json!({}));

    for (fits, fails) in [
        (name(150), name(151)),
        (value(1_000), value(1_001)),
        (id(150), id(151)),
        (email(1_000), email(1_001)),
        (event(100), event(101)),
        (object_id(150), object_id(151)),
    ] {
        assert_eq!(world.entity(fits).await, accepted());
        let (status, message) = first_message(&world, fails).await;
        assert_eq!(status, 400);
        assert!(message.as_str().unwrap().contains("cannot be longer than"), "{message}");
    }
}

#[tokio::test]
async fn bytes_are_counted_not_characters() {
    let world = World::start().await;
    let value = |text: &str| person("1", "identify", json!({"attributes": {"v": text}}));

    assert_eq!(world.entity(value(&"é".repeat(500))).await, accepted());
    assert_eq!(world.entity(value(&"é".repeat(501))).await.0, 400);
    // Escaped it is 2,000 bytes of JSON, and 1,000 of text.
    assert_eq!(world.entity(value(&"\"".repeat(1_000))).await, accepted());
}

#[tokio::test]
async fn three_hundred_attributes_pass_and_no_more() {
    let world = World::start().await;
    let attributes = |count: usize| {
        let attributes: serde_json::Map<_, _> =
            (0..count).map(|number| (format!("a{number}"), json!(1))).collect();
        json!({"attributes": attributes})
    };

    assert_eq!(world.entity(person("1", "identify", attributes(300))).await, accepted());
    assert_eq!(world.entity(person("2", "identify", attributes(301))).await.0, 400);
    assert_eq!(world.entity(object("1", "identify", attributes(301))).await.0, 400);
}

#[tokio::test]
async fn nested_values_count_as_their_json_unless_set_otherwise() {
    let world = World::start().await;
    let nested = |count: usize| {
        let list = vec!["x"; count];
        person("1", "identify", json!({"attributes": {"list": list}}))
    };

    assert_eq!(world.entity(nested(200)).await, accepted());
    assert_eq!(world.entity(nested(300)).await.0, 400);
    world.emulator.settings().change(|settings| settings.nested_values_are_limited = false);
    assert_eq!(world.entity(nested(300)).await, accepted());
}

#[tokio::test]
async fn limits_can_be_raised_like_support_does() {
    let world = World::start().await;
    world.emulator.settings().change(|settings| {
        settings.limits.item_bytes = 64_000;
        settings.limits.batch_items = Some(1);
    });

    assert_eq!(world.entity(sized("1", 64_000)).await, accepted());
    assert_eq!(world.batch(vec![sized("1", 100)]).await, accepted());
    assert_eq!(world.batch(vec![sized("1", 100), sized("2", 100)]).await.0, 400);
}

#[tokio::test]
async fn malformed_emails_are_refused_only_by_the_setting() {
    let world = World::start().await;
    let asked = || person("", "identify", json!({"identifiers": {"email": "not an address"}}));

    assert_eq!(world.entity(asked()).await, accepted());
    world.emulator.settings().change(|settings| settings.malformed_email_is_refused = true);
    assert_eq!(world.entity(asked()).await.0, 400);
}
