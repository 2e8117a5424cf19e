//! The emulator's own door and page.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, World, answer, person};

impl World {
    async fn door(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.http.request(method, self.url(&format!("/_emulator/{path}")));
        answer(request.json(&body).send().await.unwrap()).await
    }

    async fn look(&self, path: &str) -> Value {
        let (status, body) = self.door(Method::GET, path, json!({})).await;
        assert_eq!(status, 200, "{path}");
        body
    }
}

#[tokio::test]
async fn people_are_listed_page_by_page_without_the_gone() {
    let world = World::start().await;
    for id in ["1", "2", "3", "4"] {
        world.identify(id, json!({"email": format!("{id}@example.com")})).await;
    }
    world.entity(person("2", "delete", json!({}))).await;

    let first = world.look("people?limit=2").await;
    let last = world.look(&format!("people?limit=2&start={}", first["next"])).await;

    let ids = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|p| p["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((&first["total"], ids(&first)), (&json!(3), vec![json!("1"), json!("3")]));
    assert_eq!((&last["next"], ids(&last)), (&Value::Null, vec![json!("4")]));
    assert_eq!(world.look("people/3").await["email"], "3@example.com");
    assert_eq!(world.look("people?email=4@EXAMPLE.com").await["items"][0]["id"], "4");
    assert_eq!(world.door(Method::GET, "people/2", json!({})).await.0, 404);
}

#[tokio::test]
async fn everything_else_can_be_seen_too() {
    let world = World::start().await;
    let device = json!({"device": {"token": "t", "platform": "ios"}});
    let related = json!({"cio_relationships": [{"identifiers": {"id": "1"}}]});
    world.entity(person("1", "add_device", device)).await;
    world.entity(person("1", "event", json!({"name": "bought"}))).await;
    world.entity(super::object("acme", "identify", related)).await;
    world.identify("nobody", json!({"_update": true})).await;
    world.entity(person("2", "suppress", json!({}))).await;
    let segment = world.workspace.create_segment("VIP");
    world.post(&format!("/api/v1/segments/{segment}/add_customers"), json!({"ids": ["1"]})).await;
    world.app(Method::POST, "/v1/collections", json!({"name": "C", "data": [{"a": 1}]})).await;

    assert_eq!(world.look("devices").await["items"][0]["token"], "t");
    assert_eq!(world.look("events").await["items"][0]["name"], "bought");
    assert_eq!(world.look("events/counts").await, json!({"bought": 1}));
    assert_eq!(world.look("objects").await["items"][0]["object_id"], "acme");
    assert_eq!(world.look("relationships").await["items"][0]["person"], "1");
    assert_eq!(world.look("segments").await[0]["members"], json!(["1"]));
    assert_eq!(world.look("collections").await[0]["content"], json!([{"a": 1}]));
    assert_eq!(world.look("suppressed").await, json!([["id", "2"]]));
    assert_eq!(world.look("deliveries").await, json!([]));
    let activities = world.look("activities").await;
    assert_eq!(activities["counts"], json!({"failed_attribute_change": 1}));
    assert_eq!(activities["items"][0]["reason"], "_update: no person matches");
}

#[tokio::test]
async fn requests_are_counted_by_endpoint_and_status() {
    let world = World::start().await;
    let items = vec![person("1", "identify", json!({})), json!({})];
    world.batch(items.clone()).await;
    world.put("/api/v1/customers/7", json!({"a": 1})).await;
    world.put("/api/v1/customers/8", json!([])).await;
    world.look("people").await;

    let requests = world.look("requests").await;

    let counts: Vec<_> = requests["counts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|count| (count["endpoint"].as_str().unwrap(), count["status"].as_u64().unwrap()))
        .collect();
    let identify = "PUT /api/v1/customers/{identifier}";
    assert_eq!(counts, [("POST /api/v2/batch", 207), (identify, 200), (identify, 400)]);
    assert_eq!(requests["totals"]["items_accepted"], 2);
    assert_eq!(requests["totals"]["items_rejected"], 2);
    let size = json!({"batch": items}).to_string().len();
    assert_eq!(requests["mean_batch_bytes"], size);
    assert_eq!(requests["latest"][0]["path"], "/api/v1/customers/8");
}

#[tokio::test]
async fn settings_change_one_by_one_and_typos_are_refused() {
    let world = World::start().await;

    let changes = json!({"email_changes_by_id": true, "limits": {"value_bytes": 10}});
    let (status, settings) = world.door(Method::PUT, "settings", changes).await;
    assert_eq!((status, &settings["limits"]["item_bytes"]), (200, &json!(32_000)));
    let read = world.emulator.settings().get();
    assert_eq!((read.email_changes_by_id, read.limits.value_bytes), (true, 10));

    assert_eq!(world.door(Method::PUT, "settings", json!({"emial": true})).await.0, 400);
    assert_eq!(world.door(Method::PUT, "settings", json!({"non_ulid_ids": "eat"})).await.0, 400);
    assert_eq!(world.emulator.settings().get(), read);
}

#[tokio::test]
async fn faults_are_set_listed_replaced_and_taken_away() {
    let world = World::start().await;

    let throttle = json!({"action": {"throttle": {"retry_after": "1"}}, "times": 1});
    let (status, made) = world.door(Method::POST, "faults", throttle).await;
    assert_eq!(status, 200);
    assert_eq!(world.entity(person("1", "identify", json!({}))).await.0, 429);
    let listed = world.look("faults").await;
    assert_eq!((&listed[0]["id"], &listed[0]["fired"]), (&made["id"], &json!(1)));

    let script = json!([
        {"action": "hang", "when": "after", "path": "/api/v1"},
        {"action": {"reject": {"items": {"indices": [0]}, "report": "no_index"}}, "share": 0.5, "seed": 3},
    ]);
    let (status, listed) = world.door(Method::PUT, "faults", script).await;
    assert_eq!((status, listed.as_array().unwrap().len()), (200, 2));
    let one = format!("faults/{}", listed[0]["id"]);
    assert_eq!(world.door(Method::DELETE, &one, json!({})).await.0, 204);
    assert_eq!(world.door(Method::DELETE, &one, json!({})).await.0, 404);
    assert_eq!(world.door(Method::DELETE, "faults", json!({})).await.0, 204);
    assert_eq!(world.look("faults").await, json!([]));
}

#[tokio::test]
async fn faults_that_make_no_sense_are_refused() {
    let world = World::start().await;

    for fault in [
        json!({"action": "explode"}),
        json!({"action": "hang", "tims": 1}),
        json!({"action": "hang", "share": 2}),
        json!({"action": "hang", "at": 0}),
        json!({"action": {"fail": {"status": 42}}}),
        json!({"action": {"redirect": {"status": 200, "location": "x"}}}),
        json!({"action": {"rate_limit": {"per_second": 0}}}),
    ] {
        assert_eq!(world.door(Method::POST, "faults", fault.clone()).await.0, 400, "{fault}");
    }
    assert_eq!(world.look("faults").await, json!([]));
}

#[tokio::test]
async fn reset_empties_all_but_the_settings() {
    let world = World::start().await;
    world.emulator.settings().change(|settings| settings.auto_merge = true);
    world.identify("1", json!({})).await;
    world.door(Method::POST, "faults", json!({"action": "hang"})).await;

    assert_eq!(world.door(Method::POST, "reset", json!({})).await.0, 204);

    assert_eq!(world.workspace.people_count(), 0);
    assert_eq!(world.workspace.stats().requests_finished, 0);
    assert_eq!(world.look("faults").await, json!([]));
    assert!(world.emulator.settings().get().auto_merge);
    world.identify("1", json!({})).await;
}

#[tokio::test]
async fn requests_can_be_held_from_outside() {
    let world = World::start().await;
    world.door(Method::POST, "hold", json!({})).await;
    let body = person("1", "identify", json!({}));
    let held = world.post("/api/v2/entity", body);
    let release = async {
        world.workspace.wait_for(|stats| stats.requests_held == 1).await;
        world.door(Method::POST, "release", json!({})).await
    };

    let (held, released) = tokio::join!(held, release);

    assert_eq!((held.0, released.0), (200, 204));
}

#[tokio::test]
async fn the_page_shows_what_is_inside_and_escapes_it() {
    let world = World::start().await;
    world.identify("<script>alert(1)</script>", json!({"a": "<b>&"})).await;

    let page = world.http.get(world.url("/")).send().await.unwrap();

    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let html = page.text().await.unwrap();
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!html.contains("<script") && !html.contains("<b>"));
    assert!(html.contains("POST /api/v2/entity"));
}

#[tokio::test]
async fn the_page_names_every_setting_that_stands_for_a_choice() {
    let world = World::start().await;
    let settings = world.look("settings").await;

    let html = world.http.get(world.url("/")).send().await.unwrap().text().await.unwrap();

    // The rest is what a workspace is set to, not what the emulator had to decide.
    let facts = ["email_changes_by_id", "object_types", "subscription_topics", "region_url"];
    for name in settings.as_object().unwrap().keys().filter(|name| !facts.contains(&name.as_str()))
    {
        assert!(html.contains(&format!("<code>{name}</code>")), "{name}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_in_json() {
    let world = World::start().await;

    let (status, body) = world.post("/api/v3/batch", json!({})).await;

    assert_eq!((status, body), (404, json!({"meta": {"error": "not found"}})));
}
