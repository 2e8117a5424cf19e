//! Track API v1, and the way in.

use ciosync::emulator::{Emulator, Options, Region, RegionUrl};
use serde_json::json;

use super::{World, accepted, answer, client};

#[tokio::test]
async fn wrong_credentials_are_401_in_both_apis() {
    let world = World::start().await;
    let track = world.http.get(world.url("/api/v1/accounts/region"));
    let app = world.http.get(world.url("/v1/workspaces"));

    for request in [
        track.try_clone().unwrap(),
        track.try_clone().unwrap().basic_auth("emulator-site-id", Some("wrong")),
        track.bearer_auth("emulator-app-api-key"),
    ] {
        let (status, body) = answer(request.send().await.unwrap()).await;
        assert_eq!((status, body), (401, json!({"meta": {"error": "Unauthorized request"}})));
    }
    for request in [
        app.try_clone().unwrap(),
        app.try_clone().unwrap().bearer_auth("wrong"),
        app.basic_auth("emulator-site-id", Some("emulator-api-key")),
    ] {
        assert_eq!(answer(request.send().await.unwrap()).await.0, 401);
    }
}

#[tokio::test]
async fn region_names_the_workspace() {
    let options = Options { workspace_id: Some(77), region: Region::Eu, ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let ask = || async {
        let request = client().get(format!("{}/api/v1/accounts/region", emulator.url()));
        let request = request.basic_auth("emulator-site-id", Some("emulator-api-key"));
        answer(request.send().await.unwrap()).await
    };

    let own = json!({"url": emulator.url(), "region": "eu", "environment_id": 77});
    assert_eq!(ask().await, (200, own));

    emulator.settings().change(|settings| settings.region_url = RegionUrl::Vendor);
    assert_eq!(ask().await.1["url"], "https://track-eu.customer.io");
    emulator.stop().await;
}

#[tokio::test]
async fn each_start_is_another_workspace() {
    let one = Emulator::start(Options::default()).await.unwrap();
    let other = Emulator::start(Options::default()).await.unwrap();

    assert_ne!(one.url(), other.url());
    assert!((100_000..1_000_000).contains(&one.workspace_id()));
}

#[tokio::test]
async fn identify_tells_identifiers_apart_by_their_shape() {
    let world = World::start().await;

    assert_eq!(world.put("/api/v1/customers/a%2Fb%20c", json!({"n": 1})).await, accepted());
    assert_eq!(world.put("/api/v1/customers/ann%40example.com", json!({"n": 2})).await, accepted());
    let cio_id = world.workspace.person("a/b c").unwrap().cio_id;
    let by_cio_id = format!("/api/v1/customers/cio_{cio_id}");
    assert_eq!(world.put(&by_cio_id, json!({"n": 3})).await, accepted());

    assert_eq!(world.workspace.people_count(), 2);
    assert_eq!(world.workspace.attributes("a/b c").unwrap()["n"], 3);
    let ann = world.workspace.person_by_email("ann@example.com").unwrap();
    assert_eq!((ann.id, &ann.attributes["n"]), (None, &json!(2)));
}

#[tokio::test]
async fn an_unknown_id_with_a_known_email_is_given_to_that_person() {
    let world = World::start().await;
    world.put("/api/v1/customers/ann@example.com", json!({"n": 1})).await;

    world.put("/api/v1/customers/7", json!({"email": "ann@example.com", "m": 2})).await;

    assert_eq!(world.workspace.people_count(), 1);
    let expected = json!({"id": "7", "email": "ann@example.com", "n": 1, "m": 2});
    assert_eq!(world.workspace.attributes("7").unwrap(), expected);
}

#[tokio::test]
async fn identify_refuses_with_the_published_messages() {
    let world = World::start().await;
    let many: serde_json::Map<_, _> =
        (0..301).map(|number| (format!("a{number}"), json!(1))).collect();

    for (body, message) in [
        (json!(many), "cannot identify more than 300 attributes in one request"),
        (json!({"x".repeat(151): 1}), "attribute name cannot be longer than 150 bytes"),
        (
            json!({"plan": "x".repeat(1_001)}),
            "value for attribute 'plan' cannot be longer than 1000 bytes",
        ),
        (json!({"id": "8"}), "id attribute and identifier are not the same value"),
    ] {
        let answer = world.put("/api/v1/customers/7", body).await;
        assert_eq!(answer, (400, json!({"meta": {"errors": [message]}})));
    }
    assert_eq!(world.workspace.people_count(), 0);
}

#[tokio::test]
async fn one_value_too_long_refuses_the_whole_identify() {
    let world = World::start().await;

    let body = json!({"good": 1, "bad": "x".repeat(1_001)});
    assert_eq!(world.put("/api/v1/customers/7", body).await.0, 400);

    assert_eq!(world.workspace.people_count(), 0);
}

#[tokio::test]
async fn identify_relates_in_its_own_shape() {
    let world = World::start().await;
    let relationships = |action: &str| {
        json!({"cio_relationships": {"action": action, "relationships": [
            {"identifiers": {"object_type_id": "1", "object_id": "acme"},
             "relationship_attributes": {"role": "admin"}}]}})
    };

    world.put("/api/v1/customers/7", relationships("add_relationships")).await;
    let [related] = &world.workspace.relationships()[..] else { panic!("one relationship") };
    assert_eq!((&*related.object_id, &related.attributes["role"]), ("acme", &json!("admin")));

    world.put("/api/v1/customers/7", relationships("delete_relationships")).await;
    assert_eq!(world.workspace.relationships(), []);
}

#[tokio::test]
async fn delete_suppress_and_unsuppress() {
    let world = World::start().await;
    world.put("/api/v1/customers/7", json!({"email": "ann@example.com"})).await;

    assert_eq!(world.post("/api/v1/customers/7/suppress", json!({})).await, accepted());
    assert_eq!(world.workspace.people_count(), 0);
    let blocked = [("email", "ann@example.com".to_owned()), ("id", "7".to_owned())];
    assert_eq!(world.workspace.suppressed(), blocked);
    assert_eq!(world.put("/api/v1/customers/7", json!({"n": 1})).await, accepted());
    assert_eq!(world.workspace.people_count(), 0);

    assert_eq!(world.post("/api/v1/customers/7/unsuppress", json!({})).await, accepted());
    assert_eq!(world.workspace.people_count(), 0);
    world.put("/api/v1/customers/7", json!({"n": 1})).await;
    assert_eq!(world.workspace.people_count(), 1);

    assert_eq!(world.delete("/api/v1/customers/7").await, accepted());
    assert_eq!(world.workspace.people_count(), 0);
}

#[tokio::test]
async fn devices_are_named_by_id_here_and_may_hold_slashes() {
    let world = World::start().await;
    let body = json!({"device": {"id": "a/b", "platform": "android"}});

    assert_eq!(world.put("/api/v1/customers/7/devices", body).await, accepted());
    assert_eq!(world.workspace.devices()[0].token, "a/b");
    let refused = world.put("/api/v1/customers/7/devices", json!({"device": {"id": "x"}})).await;
    assert_eq!(refused.0, 400);

    assert_eq!(world.delete("/api/v1/customers/7/devices/a%2Fb").await, accepted());
    assert_eq!(world.workspace.devices(), []);
}

#[tokio::test]
async fn a_merge_of_two_identifiers_on_one_side_is_refused_with_one_error() {
    let world = World::start().await;
    world.identify("1", json!({})).await;
    world.identify("2", json!({"n": 2})).await;

    let bad = json!({"primary": {"id": "1", "email": "a@b.c"}, "secondary": {"id": "2"}});
    let (status, body) = world.post("/api/v1/merge_customers", bad).await;
    assert_eq!(status, 400);
    assert!(body["meta"]["error"].is_string());

    let good = json!({"primary": {"id": "1"}, "secondary": {"id": "2"}});
    assert_eq!(world.post("/api/v1/merge_customers", good).await, accepted());
    assert_eq!(world.workspace.people_count(), 1);
    assert_eq!(world.workspace.attributes("1").unwrap()["n"], 2);
}

#[tokio::test]
async fn segments_take_known_people_and_ignore_the_rest() {
    let world = World::start().await;
    for id in ["1", "2"] {
        world.identify(id, json!({"email": format!("{id}@example.com")})).await;
    }
    let segment = world.workspace.create_segment("VIP");
    let add = format!("/api/v1/segments/{segment}/add_customers");
    let remove = format!("/api/v1/segments/{segment}/remove_customers");
    let members = || world.workspace.segment(segment).unwrap().members;

    assert_eq!(world.post(&add, json!({"ids": ["1", "nobody"]})).await, accepted());
    assert_eq!(members(), ["1"]);
    let by_email = format!("{add}?id_type=email");
    world.post(&by_email, json!({"ids": ["2@EXAMPLE.com", "2"]})).await;
    assert_eq!(members(), ["1", "2"]);

    world.post(&remove, json!({"ids": ["1"]})).await;
    assert_eq!(members(), ["2"]);
    world.emulator.settings().change(|settings| settings.segment_removal_by_email = false);
    let by_email = format!("{remove}?id_type=email");
    assert_eq!(world.post(&by_email, json!({"ids": ["2@example.com"]})).await, accepted());
    assert_eq!(members(), ["2"]);
    assert_eq!(world.workspace.people_count(), 2);
}

#[tokio::test]
async fn a_segment_must_exist_and_take_1_to_1000_ids() {
    let world = World::start().await;
    let segment = world.workspace.create_segment("VIP");
    let add = format!("/api/v1/segments/{segment}/add_customers");
    let ids: Vec<String> = (0..1_001).map(|number| number.to_string()).collect();

    assert_eq!(world.post("/api/v1/segments/99/add_customers", json!({"ids": ["1"]})).await.0, 400);
    assert_eq!(world.post(&add, json!({"ids": []})).await.0, 400);
    assert_eq!(world.post(&add, json!({"ids": ids})).await.0, 400);
    assert_eq!(world.post(&add, json!({"ids": ids[..1_000]})).await, accepted());
    assert_eq!(world.post(&format!("{add}?id_type=name"), json!({"ids": ["1"]})).await.0, 400);
}
