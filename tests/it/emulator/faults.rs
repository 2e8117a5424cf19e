//! Each way a request can go wrong on demand.

use std::time::{Duration, Instant};

use ciosync::emulator::{Body, Fault, Report};
use reqwest::Method;
use serde_json::{Value, json};

use super::{World, accepted, person};

fn batch(ids: &[&str]) -> Value {
    let items: Vec<_> = ids.iter().map(|id| person(id, "identify", json!({}))).collect();
    json!({"batch": items})
}

async fn send(world: &World, ids: &[&str]) -> reqwest::Result<reqwest::Response> {
    world.track(Method::POST, "/api/v2/batch", batch(ids)).await
}

#[tokio::test]
async fn throttle_with_and_without_retry_after() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::throttle(Some(7)).times(1));
    world.emulator.faults().add(Fault::throttle(None).times(1));

    let response = send(&world, &["1"]).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    let response = send(&world, &["1"]).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers().get("retry-after")), (429, None));
    assert_eq!(send(&world, &["1"]).await.unwrap().status(), 200);

    assert_eq!(world.workspace.stats().throttled, 2);
    assert_eq!(world.workspace.people_count(), 1);
}

#[tokio::test]
async fn a_rate_limit_lets_so_many_pass() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::rate_limit(3.0));
    let start = Instant::now();

    let mut passed = 0;
    for _ in 0..30 {
        passed += u64::from(send(&world, &["1"]).await.unwrap().status() == 200);
    }

    let refilled = (start.elapsed().as_secs_f64() * 3.0).ceil() as u64;
    assert!((3..=3 + refilled).contains(&passed), "{passed} passed");
    assert_eq!(world.workspace.stats().throttled, 30 - passed);
}

#[tokio::test]
async fn documented_rates_can_be_enforced_per_api() {
    let world = World::start().await;
    world.emulator.settings().change(|settings| settings.limits.app_requests_per_second = Some(1));

    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(world.app_get("/v1/workspaces").await.0);
    }

    assert_eq!((statuses[0], statuses.contains(&429)), (200, true));
    assert_eq!(send(&world, &["1"]).await.unwrap().status(), 200);
}

#[tokio::test]
async fn failures_come_with_each_kind_of_body() {
    let world = World::start().await;
    for body in [Body::Json, Body::Html, Body::Empty] {
        world.emulator.faults().add(Fault::fail(503, body).times(1));
    }

    let json = send(&world, &["1"]).await.unwrap();
    assert_eq!(json.status(), 503);
    assert!(json.json::<Value>().await.unwrap()["meta"]["error"].is_string());
    let html = send(&world, &["1"]).await.unwrap();
    assert_eq!(html.headers()["content-type"], "text/html");
    assert!(html.text().await.unwrap().starts_with("<html>"));
    assert_eq!(send(&world, &["1"]).await.unwrap().text().await.unwrap(), "");

    assert_eq!(world.workspace.people_count(), 0);
}

#[tokio::test]
async fn half_a_body_breaks_off_after_its_headers() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::fail(502, Body::Half).times(1));

    let response = send(&world, &["1"]).await.unwrap();

    assert_eq!(response.status(), 502);
    let promised = response.content_length().unwrap();
    assert!(promised > 20);
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn a_cut_before_acceptance_changes_nothing() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::cut().times(1));

    assert!(send(&world, &["1"]).await.is_err());

    assert_eq!(world.workspace.people_count(), 0);
    assert_eq!(world.workspace.requests()[0].status, 0);
    assert_eq!(send(&world, &["1"]).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_cut_after_acceptance_has_taken_effect() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::cut().after_acceptance().times(1));

    assert!(send(&world, &["1"]).await.is_err());

    assert_eq!(world.workspace.people_count(), 1);
    assert_eq!(world.workspace.stats().items_accepted, 1);
}

#[tokio::test]
async fn a_cut_on_a_connection_in_use_spares_the_next_one() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::cut().at(2));

    let results =
        [send(&world, &["1"]).await, send(&world, &["2"]).await, send(&world, &["3"]).await];

    assert_eq!(results.map(|result| result.is_ok()), [true, false, true]);
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_gives_up() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::hang().times(1));
    let request = world
        .http
        .post(world.url("/api/v2/batch"))
        .basic_auth("emulator-site-id", Some("emulator-api-key"))
        .timeout(Duration::from_millis(50))
        .json(&batch(&["1"]));

    assert!(request.send().await.unwrap_err().is_timeout());

    world.workspace.wait_for(|stats| stats.requests_finished == 1).await;
    assert_eq!((world.workspace.people_count(), world.workspace.requests()[0].status), (0, 0));
}

#[tokio::test]
async fn stop_ends_a_hang_and_joins() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::hang());
    let World { emulator, workspace, http } = world;
    let request = http
        .post(format!("{}/api/v2/batch", emulator.url()))
        .basic_auth("emulator-site-id", Some("emulator-api-key"))
        .json(&batch(&["1"]));
    let hanging = tokio::spawn(request.send());
    workspace.wait_for(|stats| stats.requests_started == 1).await;

    let url = emulator.url().to_owned();
    emulator.stop().await;

    assert!(hanging.await.unwrap().is_err());
    assert!(http.get(url).send().await.is_err());
}

#[tokio::test]
async fn a_late_answer_takes_its_time() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::late(60).after_acceptance());
    let start = Instant::now();

    assert_eq!(send(&world, &["1"]).await.unwrap().status(), 200);

    assert!(start.elapsed() >= Duration::from_millis(60));
    assert_eq!(world.workspace.people_count(), 1);
}

#[tokio::test]
async fn a_redirect_points_elsewhere() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::redirect(301, "https://track-eu.example.com/api/v2/batch"));

    let response = send(&world, &["1"]).await.unwrap();

    assert_eq!(response.status(), 301);
    assert_eq!(response.headers()["location"], "https://track-eu.example.com/api/v2/batch");
    assert_eq!(world.workspace.people_count(), 0);
}

#[tokio::test]
async fn chosen_indices_are_refused_and_the_rest_accepted() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::reject_indices(&[0, 2]).times(1));
    // What has no items uses the fault up no more than it suffers from it.
    assert_eq!(world.put("/api/v1/customers/0", json!({})).await, accepted());

    let (status, body) = super::answer(send(&world, &["1", "2", "3"]).await.unwrap()).await;

    let indices: Vec<_> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["batch_index"].as_u64().unwrap())
        .collect();
    assert_eq!((status, indices), (207, vec![0, 2]));
    let ids: Vec<_> = world.workspace.people().into_iter().filter_map(|person| person.id).collect();
    assert_eq!(ids, ["0", "2"]);
}

#[tokio::test]
async fn a_207_may_point_at_nothing_usable() {
    let world = World::start().await;

    for (report, index) in [
        (Report::NoIndex, Value::Null),
        (Report::WrongIndex, json!(2)),
        (Report::TextIndex, json!("0")),
    ] {
        world.workspace.reset();
        world.emulator.faults().add(Fault::reject_indices(&[0]).reporting(report));
        let (status, body) = super::answer(send(&world, &["1", "2"]).await.unwrap()).await;

        assert_eq!((status, &body["errors"][0]["batch_index"]), (207, &index), "{report:?}");
        assert_eq!(world.workspace.people_count(), 1, "{report:?}");
    }
}

#[tokio::test]
async fn items_are_refused_by_their_identifier_wherever_they_are() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::reject_identifier("bad"));

    let (_, body) = super::answer(send(&world, &["1", "bad"]).await.unwrap()).await;
    assert_eq!(body["errors"][0]["batch_index"], 1);
    let (_, body) = super::answer(send(&world, &["bad", "3"]).await.unwrap()).await;
    assert_eq!(body["errors"][0]["batch_index"], 0);
    assert_eq!(world.entity(person("bad", "delete", json!({}))).await.0, 400);

    assert_eq!(world.workspace.people_count(), 2);
}

#[tokio::test]
async fn paths_and_turns_narrow_a_fault_down() {
    let world = World::start().await;
    world.emulator.faults().add(Fault::fail(500, Body::Empty).path("/api/v2/batch").at(2));

    assert_eq!(world.entity(person("1", "identify", json!({}))).await, accepted());
    assert_eq!(send(&world, &["1"]).await.unwrap().status(), 200);
    assert_eq!(send(&world, &["1"]).await.unwrap().status(), 500);
    assert_eq!(send(&world, &["1"]).await.unwrap().status(), 200);

    let [fault] = &world.emulator.faults().list()[..] else { panic!("one fault") };
    assert_eq!((fault.seen, fault.fired), (3, 1));
}

#[tokio::test]
async fn held_requests_wait_for_their_release() {
    let world = World::start().await;
    world.emulator.hold();
    let pending: Vec<_> = ["1", "2", "3"]
        .map(|id| {
            let request = world.http.post(world.url("/api/v2/batch"));
            let request = request.basic_auth("emulator-site-id", Some("emulator-api-key"));
            tokio::spawn(request.json(&batch(&[id])).send())
        })
        .into();

    let stats = world.workspace.wait_for(|stats| stats.requests_held == 3).await;
    assert_eq!((stats.requests_finished, world.workspace.people_count()), (0, 0));

    world.emulator.release();
    for request in pending {
        assert_eq!(request.await.unwrap().unwrap().status(), 200);
    }
    let stats = world.workspace.stats();
    assert_eq!((stats.requests_held, stats.in_flight_max), (0, 3));
    assert_eq!(world.workspace.people_count(), 3);
}
