//! The vendor's own description of the App API, where it is at hand: what is answered has the
//! described status and shape.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};

use super::World;
use super::contract::{mismatch, resolve};

/// Reads the description; it is the vendor's, so that it is not part of this repository.
fn description() -> Option<Value> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/specs/customerio-app-openapi.json");
    let path = std::env::var_os("CIOSYNC_APP_OPENAPI").map_or(beside, PathBuf::from);
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("a description at hand is JSON"))
}

#[expect(clippy::print_stderr, reason = "a check that is left out says so")]
fn note_left_out() {
    eprintln!("left out: no description of the App API at hand (CIOSYNC_APP_OPENAPI)");
}

#[tokio::test]
async fn every_answer_that_is_read_has_a_described_status_and_shape() {
    let Some(api) = description() else { return note_left_out() };
    let world = World::start().await;
    world.identify("1", json!({"email": "ann@example.com", "plan": "pro"})).await;
    world.identify("1", json!({"email": "new@example.com"})).await;
    let segment = world.workspace.create_segment("VIP");
    let ids = json!({"ids": ["1"]});
    world.post(&format!("/api/v1/segments/{segment}/add_customers"), ids.clone()).await;
    let rows = json!([{"code": "A", "off": 10}]);
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);

    for (method, path, actual, body) in [
        (&get, "/v1/workspaces", None, json!({})),
        (&get, "/v1/activities", Some("/v1/activities?type=failed_attribute_change"), json!({})),
        (&get, "/v1/segments", None, json!({})),
        (&post, "/v1/segments", None, json!({"segment": {"name": "New", "description": ""}})),
        (
            &get,
            "/v1/segments/{segment_id}/membership",
            Some(&*format!("/v1/segments/{segment}/membership?limit=10000")),
            json!({}),
        ),
        (
            &get,
            "/v1/segments/{segment_id}/membership",
            Some("/v1/segments/99/membership"),
            json!({}),
        ),
        (&post, "/v1/customers/attributes", None, ids),
        (
            &get,
            "/v1/customers/{customer_id}/attributes",
            Some("/v1/customers/ann%40example.com/attributes?id_type=email"),
            json!({}),
        ),
        (
            &get,
            "/v1/customers/{customer_id}/attributes",
            Some("/v1/customers/9/attributes?id_type=id"),
            json!({}),
        ),
        (&post, "/v1/collections", None, json!({"name": "Coupons", "data": rows})),
        (&get, "/v1/collections", None, json!({})),
        (&put, "/v1/collections/{collection_id}", Some("/v1/collections/1"), json!({"data": rows})),
    ] {
        let answer = world.app(method.clone(), actual.unwrap_or(path), body).await;
        let operation = &api["paths"][path][method.as_str().to_lowercase()];
        let response = resolve(&api, &operation["responses"][answer.0.to_string()]);

        assert!(response.is_object(), "{method} {path}: {} is not described", answer.0);
        let schema = &response["content"]["application/json"]["schema"];
        let shapes = schema["oneOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
        let found: Vec<_> =
            shapes.iter().filter_map(|shape| mismatch(&api, shape, &answer.1)).collect();
        assert!(found.len() < shapes.len(), "{method} {path}: {found:?} in {}", answer.1);
    }
}

#[tokio::test]
async fn every_type_of_activity_that_is_asked_for_is_described() {
    let Some(api) = description() else { return note_left_out() };
    let parameters = api["paths"]["/v1/activities"]["get"]["parameters"].as_array().unwrap();
    let kind = parameters.iter().find(|parameter| parameter["name"] == "type").unwrap();
    let described: Vec<&str> =
        kind["schema"]["enum"].as_array().unwrap().iter().filter_map(Value::as_str).collect();

    for kind in [
        "failed_attribute_change",
        "skipped_update",
        "failed_batch_update",
        "failed_event",
        "_o:<object_type_id>:failed_attribute_change",
        "_r:<object_type_id>:failed_attribute_change",
    ] {
        assert!(described.contains(&kind), "{kind}");
    }
}

#[tokio::test]
async fn a_collection_over_the_described_size_is_refused() {
    let world = World::start().await;
    let row = json!({"text": "x".repeat(10_000)});
    let make =
        |data| world.app(Method::POST, "/v1/collections", json!({"name": "C", "data": data}));

    assert_eq!(make(json!([row])).await.0, 400);
    let row = json!({"text": "x".repeat(9_900)});
    assert_eq!(make(Value::Array(vec![row.clone(); 1_100])).await.0, 400);
    assert_eq!(make(Value::Array(vec![row; 900])).await.0, 200);
}

#[tokio::test]
async fn an_object_is_shown_by_either_of_its_ids() {
    let world = World::start().await;
    let attributes = json!({"attributes": {"name": "Acme", "seats": 7}});
    world.entity(super::object("acme", "identify", attributes)).await;

    let (status, shown) = world.app_get("/v1/objects/1/acme/attributes?id_type=object_id").await;

    assert_eq!((status, &shown["object"]["attributes"]["name"]), (200, &json!("Acme")));
    let own = shown["object"]["identifiers"]["cio_object_id"].as_str().unwrap();
    let by_own = format!("/v1/objects/1/{own}/attributes?id_type=cio_object_id");
    assert_eq!(world.app_get(&by_own).await, (200, shown.clone()));
    assert_eq!(world.app_get("/v1/objects/1/none/attributes").await.0, 404);
    assert_eq!(world.app_get("/v1/objects/2/acme/attributes").await.0, 404);
}
