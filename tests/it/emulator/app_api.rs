//! The App API, in the vendor's shapes.

use reqwest::Method;
use serde_json::{Value, json};

use super::World;

#[tokio::test]
async fn people_are_found_by_email_and_nobody_is_an_empty_list() {
    let world = World::start().await;
    world.identify("7", json!({"email": "ann+x@example.com"})).await;
    let cio_id = world.workspace.person("7").unwrap().cio_id;

    let found = world.app_get("/v1/customers?email=ANN%2Bx%40example.com").await;
    let nobody = world.app_get("/v1/customers?email=absent%40example.com").await;

    let person = json!({"email": "ann+x@example.com", "id": "7", "cio_id": cio_id});
    assert_eq!(found, (200, json!({"results": [person]})));
    assert_eq!(nobody, (200, json!({"results": []})));
}

#[tokio::test]
async fn attributes_are_all_text() {
    let world = World::start().await;
    world
        .identify("7", json!({"email": "a@b.c", "n": 1.5, "ok": true, "list": [1], "text": "x\"y"}))
        .await;
    let cio_id = world.workspace.person("7").unwrap().cio_id;

    for path in [
        "/v1/customers/7/attributes".to_owned(),
        "/v1/customers/A%40b.c/attributes?id_type=email".to_owned(),
        format!("/v1/customers/{cio_id}/attributes?id_type=cio_id"),
        format!("/v1/customers/cio_{cio_id}/attributes?id_type=cio_id"),
    ] {
        let (status, body) = world.app_get(&path).await;
        let expected = json!({"id": "7", "email": "a@b.c", "cio_id": cio_id, "n": "1.5",
            "ok": "true", "list": "[1]", "text": "x\"y"});
        assert_eq!((status, &body["customer"]["attributes"]), (200, &expected), "{path}");
        assert_eq!(body["customer"]["identifiers"]["cio_id"], json!(cio_id));
        assert_eq!(body["customer"]["unsubscribed"], false);
    }
    assert_eq!(world.app_get("/v1/customers/8/attributes").await.0, 404);
}

#[tokio::test]
async fn attributes_of_up_to_100_people_leave_nobody_out_but_nobodies() {
    let world = World::start().await;
    world.identify("1", json!({"n": 1})).await;
    world.identify("2", json!({"n": 2})).await;
    let ask = |ids: Value| world.app(Method::POST, "/v1/customers/attributes", json!({"ids": ids}));

    let (status, body) = ask(json!(["2", "missing", "1"])).await;
    let ids: Vec<_> = body["customers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|customer| customer["customer"]["id"].as_str().unwrap())
        .collect();
    assert_eq!((status, ids), (200, vec!["2", "1"]));

    assert_eq!(ask(json!([])).await.0, 400);
    assert_eq!(ask(json!(vec!["x"; 101])).await.0, 400);
    assert_eq!(ask(json!(vec!["x"; 100])).await, (200, json!({"customers": []})));
}

#[tokio::test]
async fn activities_come_newest_first_page_by_page() {
    let world = World::start().await;
    for number in 0..5 {
        world.identify(&format!("{number}"), json!({"_update": true})).await;
    }
    world.identify("9", json!({})).await;
    let stale = super::person("9", "identify", json!({"timestamp": 1}));
    world.entity(stale).await;

    let (mut start, mut ids, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let path = format!("/v1/activities?type=failed_attribute_change&limit=2&start={start}");
        let (status, body) = world.app_get(&path).await;
        assert_eq!(status, 200);
        for activity in body["activities"].as_array().unwrap() {
            assert_eq!(activity["type"], "failed_attribute_change");
            assert!(activity["id"].is_string() && activity["timestamp"].is_i64());
            ids.push(activity["customer_identifiers"]["id"].as_str().unwrap().to_owned());
        }
        pages += 1;
        start = body["next"].as_str().unwrap().to_owned();
        if start.is_empty() {
            break;
        }
        // What arrives in between must not shift the pages.
        world.identify("late", json!({"_update": true})).await;
    }

    assert_eq!((pages, ids), (3, vec!["4".into(), "3".into(), "2".into(), "1".into(), "0".into()]));
    let (_, skipped) = world.app_get("/v1/activities?type=skipped_update").await;
    assert_eq!(skipped["activities"][0]["customer_id"], "9");
    let (_, of_one) = world.app_get("/v1/activities?customer_id=3").await;
    assert_eq!(of_one["activities"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn segments_are_made_listed_counted_paged_and_deleted() {
    let world = World::start().await;
    let new = json!({"segment": {"name": "VIP", "description": "the best"}});
    let (status, made) = world.app(Method::POST, "/v1/segments", new).await;
    let segment = &made["segment"];
    assert_eq!(
        (status, &segment["type"], &segment["name"]),
        (200, &json!("manual"), &json!("VIP"))
    );
    let path = format!("/v1/segments/{}", segment["id"]);
    for id in ["1", "2", "3"] {
        world.identify(id, json!({})).await;
    }
    let add = format!("/api{path}/add_customers");
    world.post(&add, json!({"ids": ["1", "2", "3"]})).await;

    assert_eq!(world.app_get("/v1/segments").await.1["segments"][0]["id"], segment["id"]);
    assert_eq!(world.app_get(&path).await.1["segment"]["description"], "the best");
    let (_, count) = world.app_get(&format!("{path}/customer_count")).await;
    assert_eq!(count["count"], 3);
    let (_, first) = world.app_get(&format!("{path}/membership?limit=2")).await;
    assert_eq!(first["ids"], json!(["1", "2"]));
    let next = first["next"].as_str().unwrap();
    let (_, last) = world.app_get(&format!("{path}/membership?limit=2&start={next}")).await;
    assert_eq!((&last["ids"], &last["next"]), (&json!(["3"]), &json!("")));
    let (_, of_person) = world.app_get("/v1/customers/1/segments").await;
    assert_eq!(of_person["segments"][0]["name"], "VIP");

    assert_eq!(world.app(Method::DELETE, &path, json!({})).await.0, 204);
    assert_eq!(world.app_get(&path).await.0, 404);
    assert_eq!(world.app(Method::POST, "/v1/segments", json!({"segment": {}})).await.0, 400);
}

#[tokio::test]
async fn collections_are_made_replaced_and_deleted() {
    let world = World::start().await;
    let new = json!({"name": "Coupons", "data": [{"code": "A"}, {"code": "B", "off": 10}]});

    let (status, made) = world.app(Method::POST, "/v1/collections", new).await;
    let collection = &made["collection"];
    assert_eq!((status, &collection["rows"]), (200, &json!(2)));
    assert_eq!(collection["schema"], json!(["code", "off"]));
    let path = format!("/v1/collections/{}", collection["id"]);

    let replaced = json!([{"code": "C"}]);
    let content = format!("{path}/content");
    let (status, changed) = world.app(Method::PUT, &content, replaced.clone()).await;
    assert_eq!((status, &changed["collection"]["rows"]), (200, &json!(1)));
    assert_eq!(world.app_get(&content).await, (200, replaced.clone()));
    assert_eq!(world.workspace.collections()[0].content, replaced);
    let listed = world.app_get("/v1/collections").await.1;
    assert_eq!(listed["collections"][0]["name"], "Coupons");

    assert_eq!(world.app(Method::DELETE, &path, json!({})).await.0, 204);
    assert_eq!(world.app_get(&content).await.0, 404);
    let nameless = json!({"data": []});
    assert_eq!(world.app(Method::POST, "/v1/collections", nameless).await.0, 400);
}

#[tokio::test]
async fn the_workspace_describes_itself() {
    let world = World::start().await;
    world.identify("1", json!({})).await;
    world.entity(super::object("acme", "identify", json!({}))).await;

    let (_, workspaces) = world.app_get("/v1/workspaces").await;
    let workspace = &workspaces["workspaces"][0];
    assert_eq!(workspace["id"], world.emulator.workspace_id());
    assert_eq!((&workspace["people"], &workspace["objects"]), (&json!(1), &json!(1)));

    let (_, types) = world.app_get("/v1/object_types").await;
    assert_eq!(
        (&types["types"][0]["id"], &types["types"][0]["name"]),
        (&json!("1"), &json!("Companies"))
    );
    let (_, topics) = world.app_get("/v1/subscription_topics").await;
    assert_eq!(topics["topics"][0]["identifier"], "topic_1");
}

#[tokio::test]
async fn relationships_of_a_person_are_shown() {
    let world = World::start().await;
    let related = json!({"cio_relationships": [{"identifiers": {"id": "ann"},
        "relationship_attributes": {"role": "admin"}}]});
    world.entity(super::object("acme", "identify", related)).await;

    let (status, body) = world.app_get("/v1/customers/ann/relationships").await;

    let shown = &body["cio_relationships"][0];
    assert_eq!((status, &shown["object_type_id"]), (200, &json!(1)));
    assert_eq!(shown["identifiers"]["object_id"], "acme");
    assert_eq!(shown["attributes"], json!({"role": "admin"}));
}
