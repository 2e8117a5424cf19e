//! The vendor's own description of the Track API, where it is at hand: its examples are accepted,
//! and what is answered has the described shape.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, object, person};

/// Reads the description; it is the vendor's, so that it is not part of this repository.
fn description() -> Option<Value> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/specs/customerio-track-openapi.json");
    let path = std::env::var_os("CIOSYNC_TRACK_OPENAPI").map_or(beside, PathBuf::from);
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("a description at hand is JSON"))
}

#[expect(clippy::print_stderr, reason = "a check that is left out says so")]
fn note_left_out() {
    eprintln!("left out: no description of the Track API at hand (CIOSYNC_TRACK_OPENAPI)");
}

#[tokio::test]
async fn every_example_of_the_description_is_accepted() {
    let Some(api) = description() else { return note_left_out() };
    let world = World::start().await;
    let batch = &api["paths"]["/api/v2/batch"]["post"]["requestBody"]["content"]["application/json"]
        ["schema"]["example"]["batch"];
    let schemas = api["components"]["schemas"].as_object().unwrap();
    let examples = schemas.values().map(|schema| &schema["example"]);
    // Other schemas have examples of other kinds: only v2 operations have a type and an action.
    let is_operation = |value: &&Value| value["type"].is_string() && value["action"].is_string();
    let operations: Vec<&Value> =
        batch.as_array().unwrap().iter().chain(examples).filter(is_operation).collect();
    assert!(operations.len() > 15, "{} examples", operations.len());

    for operation in operations {
        let answer = world.entity(operation.clone()).await;

        assert_eq!(answer, (200, json!({})), "{operation}");
    }
}

#[tokio::test]
async fn every_answer_has_a_described_status_and_shape() {
    let Some(api) = description() else { return note_left_out() };
    let world = World::start().await;
    world.identify("1", json!({})).await;
    let segment = world.workspace.create_segment("VIP");
    let good = || person("1", "identify", json!({"attributes": {"a": 1}}));

    for (method, path, actual, body) in [
        (Method::GET, "/api/v1/accounts/region", None, json!({})),
        (
            Method::PUT,
            "/api/v1/customers/{identifier}",
            Some("/api/v1/customers/1"),
            json!({"a": 1}),
        ),
        (
            Method::POST,
            "/api/v1/customers/{identifier}/events",
            Some("/api/v1/customers/1/events"),
            json!({}),
        ),
        (Method::POST, "/api/v1/merge_customers", None, json!({})),
        (
            Method::POST,
            "/api/v1/segments/{segment_id}/add_customers",
            Some(&*format!("/api/v1/segments/{segment}/add_customers")),
            json!({"ids": ["1"]}),
        ),
        (
            Method::POST,
            "/api/v1/segments/{segment_id}/remove_customers",
            Some("/api/v1/segments/99/remove_customers"),
            json!({"ids": ["1"]}),
        ),
        (Method::POST, "/api/v2/entity", None, good()),
        (Method::POST, "/api/v2/entity", None, json!({"type": "person"})),
        (Method::POST, "/api/v2/batch", None, json!({"batch": [good(), {}]})),
        (Method::POST, "/api/v2/batch", None, json!({"batch": 1})),
        (Method::DELETE, "/api/v1/customers/{identifier}", Some("/api/v1/customers/1"), json!({})),
    ] {
        let answer = world.track_answer(method.clone(), actual.unwrap_or(path), body).await;
        let operation = &api["paths"][path][method.as_str().to_lowercase()];
        let response = resolve(&api, &operation["responses"][answer.0.to_string()]);

        assert!(response.is_object(), "{method} {path}: {} is not described", answer.0);
        let schema = &response["content"]["application/json"]["schema"];
        // The address is the emulator's own, lest a client that follows it leaves.
        if path != "/api/v1/accounts/region" {
            assert_eq!(mismatch(&api, schema, &answer.1), None, "{method} {path}: {}", answer.1);
        }
    }
}

#[tokio::test]
async fn what_the_emulator_takes_for_an_action_is_described() {
    let Some(api) = description() else { return note_left_out() };
    let world = World::start().await;
    let schemas = api["components"]["schemas"].as_object().unwrap();
    let described: Vec<&str> = schemas
        .values()
        .flat_map(|schema| schema["allOf"].as_array().into_iter().flatten().chain([schema]))
        .flat_map(|part| part["properties"]["action"]["enum"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();

    for action in [
        "identify",
        "delete",
        "suppress",
        "unsuppress",
        "event",
        "page",
        "screen",
        "add_device",
        "delete_device",
        "add_relationships",
        "delete_relationships",
        "merge",
    ] {
        assert!(described.contains(&action), "{action}");
        let (_, body) = world.entity(person("1", action, json!({}))).await;
        assert_ne!(body["errors"][0]["field"], "action", "{action} of a person");
    }
    for action in
        ["identify", "identify_anonymous", "delete", "add_relationships", "delete_relationships"]
    {
        assert!(described.contains(&action), "{action}");
        let (_, body) = world.entity(object("1", action, json!({}))).await;
        assert_ne!(body["errors"][0]["field"], "action", "{action} of an object");
    }
}

pub(super) fn resolve<'a>(api: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let path = reference.trim_start_matches('#');
            resolve(api, api.pointer(path).expect("the reference leads somewhere"))
        }
        None => schema,
    }
}

/// Returns where a value departs from a schema; knows types, properties, items and required.
pub(super) fn mismatch(api: &Value, schema: &Value, value: &Value) -> Option<String> {
    let schema = resolve(api, schema);
    if value.is_null() && schema["nullable"] == true {
        return None;
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        return Some(format!("{value} is not {}", schema["type"]));
    }
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        if value.get(name).is_none() {
            return Some(format!("{name} is missing"));
        }
    }
    let properties = schema["properties"].as_object();
    for (name, inner) in value.as_object().into_iter().flatten() {
        match properties.and_then(|properties| properties.get(name)) {
            Some(property) => {
                if let Some(found) = mismatch(api, property, inner) {
                    return Some(format!("{name}: {found}"));
                }
            }
            None if properties.is_some() && schema["additionalProperties"].is_null() => {
                return Some(format!("{name} is not described"));
            }
            None => {}
        }
    }
    let items = value.as_array().into_iter().flatten();
    items.filter_map(|item| mismatch(api, &schema["items"], item)).next()
}
