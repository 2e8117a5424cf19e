//! The App API's client: its key, its brake, its retries, and what it never repeats.

use ciosync::customerio::app::App;
use ciosync::model::{Disposition, Reason};
use insta::assert_snapshot;

use super::scripted::{Reply, Scripted};
use super::*;

const SEGMENTS: &str = r#"{"segments":[{"id":7,"name":"VIP","type":"manual"}]}"#;
const SEGMENT: &str = r#"{"segment":{"id":8,"name":"New","type":"manual"}}"#;

fn app_client(server: &Scripted) -> Client {
    client_of(ConnectionConfig {
        app_api_key: Some(Secret::new("app-4242\n".to_owned())),
        ..config(&server.url)
    })
}

fn app(client: &Client) -> App<'_> {
    client.app().expect("the connection has a key")
}

/// Returns reason and words of an error, without the server's address.
fn told(server: &Scripted, error: &DeliveryError) -> String {
    let text = format!("{error}; {}", error.hint().unwrap_or_default());
    text.replace(server.url.strip_prefix("http://").unwrap(), "HOST")
}

#[tokio::test]
async fn without_a_key_there_is_no_app_api() {
    assert!(client("http://127.0.0.1:1").app().is_none());
}

#[tokio::test]
async fn a_question_carries_the_key_and_is_repeated_like_every_other() {
    let server = Scripted::start([
        Reply::status(500),
        Reply::Close,
        Reply::body(200, "<html>"),
        Reply::body(200, SEGMENTS),
    ])
    .await;
    let client = app_client(&server);

    let segments = app(&client).segments(&Run::default().context()).await.unwrap();

    assert_eq!((segments[0].id, segments[0].name.as_str()), (7, "VIP"));
    let seen = server.seen();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|seen| seen.line == "GET /v1/segments HTTP/1.1"), "{seen:?}");
    assert_eq!(seen[0].headers["authorization"], "Bearer app-4242");
}

#[tokio::test]
async fn a_refused_key_is_named_and_not_tried_again() {
    for status in [401, 403] {
        let server = Scripted::start([Reply::status(status)]).await;
        let client = app_client(&server);

        let error = app(&client).segments(&Run::default().context()).await.unwrap_err();

        assert_eq!(server.seen().len(), 1);
        assert_eq!(error.reason(), Reason::AuthenticationFailed);
        assert_eq!(error.disposition(), Disposition::NeedsOperator);
        let told = told(&server, &error);
        assert!(
            told.starts_with(&format!(
                "HOST refused the App API key (status {status}); check `appApiKey`"
            )),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_key_of_another_account_is_told_by_the_probe() {
    let account = r#"{"url":"u","region":"us","environment_id":4711}"#;
    let workspaces = r#"{"workspaces":[{"id":12,"name":"Other"}]}"#;
    let server = Scripted::start([Reply::body(200, account), Reply::body(200, workspaces)]).await;

    let error = app_client(&server).probe(&Run::default().context()).await.unwrap_err();

    assert_eq!(error.reason(), Reason::WorkspaceMismatch);
    assert_snapshot!(told(&server, &error), @"the App API key belongs to an account that has no workspace 4711; give the App API key of the same workspace as `siteId` and `apiKey`");
}

#[tokio::test]
async fn the_probe_of_a_connection_proves_both_keys_and_changes_nothing() {
    let account = r#"{"url":"u","region":"us","environment_id":4711}"#;
    let workspaces = r#"{"workspaces":[{"id":4711,"name":"Ours"}]}"#;
    let server = Scripted::start([Reply::body(200, account), Reply::body(200, workspaces)]).await;

    let account = app_client(&server).probe(&Run::default().context()).await.unwrap();

    assert_eq!(account.workspace_id, 4_711);
    let lines: Vec<String> = server.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines, ["GET /api/v1/accounts/region HTTP/1.1", "GET /v1/workspaces HTTP/1.1"]);
}

#[tokio::test]
async fn a_redirect_is_an_error_and_never_followed() {
    let elsewhere = Scripted::start([Reply::body(200, SEGMENTS)]).await;
    let to = format!("{}/v1/segments", elsewhere.url);
    let server = Scripted::start([Reply::status(307).with("location", to)]).await;

    let client = app_client(&server);
    let error = app(&client).segments(&Run::default().context()).await.unwrap_err();

    assert!(matches!(error, DeliveryError::Redirected { status: 307, .. }), "{error:?}");
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn what_makes_something_is_not_repeated_where_it_may_have_been_carried_out() {
    for reply in [Reply::status(502), Reply::BreakOff] {
        let server = Scripted::start([reply, Reply::body(200, SEGMENT)]).await;
        let client = app_client(&server);

        let answer = app(&client).create_segment("New", &Run::default().context()).await;

        assert!(matches!(answer, Err(DeliveryError::GaveUp { .. })), "{answer:?}");
        assert_eq!(server.seen().len(), 1);
    }
    // One that was turned away at the door was not.
    let server = Scripted::start([Reply::status(429), Reply::body(200, SEGMENT)]).await;
    let client = app_client(&server);
    let made = app(&client).create_segment("New", &Run::default().context()).await.unwrap();
    assert_eq!(made.id, 8);
}

#[tokio::test]
async fn being_asked_to_slow_down_slows_the_app_api_alone() {
    let server = Scripted::start([Reply::status(429), Reply::body(200, SEGMENTS)]).await;
    let client = app_client(&server);

    app(&client).segments(&Run::default().context()).await.unwrap();

    assert_eq!(client.limiter().throttled_until(), None);
}

#[tokio::test]
async fn never_more_than_ten_requests_leave_in_a_second() {
    let answers = (0..14).map(|_| Reply::body(200, SEGMENTS));
    let server = Scripted::start(answers).await;
    let client = app_client(&server);
    let run = Run::default();
    let (context, started_at) = (run.context(), Instant::now());

    let mut left_at = Vec::new();
    for _ in 0..14 {
        app(&client).segments(&context).await.unwrap();
        left_at.push(started_at.elapsed());
    }

    // Of any eleven in a row, the first left a second or more before the answer to the last.
    assert!(left_at[11] - left_at[0] >= Duration::from_millis(990), "{left_at:?}");
}

#[tokio::test]
async fn a_part_of_a_path_is_encoded_and_what_is_not_there_is_no_error() {
    let server = Scripted::start([Reply::status(404)]).await;
    let client = app_client(&server);
    let target = (IdentifierKind::Email, "a/b?c#d+ü@e.f");

    let person = app(&client).person(target, &Run::default().context()).await.unwrap();

    assert!(person.is_none());
    assert_eq!(
        server.seen()[0].line,
        "GET /v1/customers/a%2Fb%3Fc%23d+%C3%BC@e.f/attributes?id_type=email HTTP/1.1"
    );
}

#[tokio::test]
async fn json_of_somebody_else_is_told_apart_from_an_empty_list() {
    let server = Scripted::start([Reply::body(200, "{\"ok\":true}")]).await;
    let client = app_client(&server);

    let error = app(&client).segments(&Run::default().context()).await.unwrap_err();

    assert_snapshot!(told(&server, &error), @"HOST does not answer as Customer.io's App API does: the answer lists no segments; check `endpoint`: it replaces https://track.customer.io and https://api.customer.io, without /api");
}

#[tokio::test]
async fn nothing_that_is_printed_shows_the_key_or_what_was_quoted() {
    let quote = r#"{"errors":[{"detail":"ann@example.com is unknown","status":"400"}],
        "meta":{"error":"ann@example.com"}}"#;
    for status in [400, 401, 403, 404, 422] {
        let server = Scripted::start([Reply::body(status, quote)]).await;
        let client = app_client(&server);

        let error = app(&client).segments(&Run::default().context()).await.unwrap_err();

        let text = format!("{error} {error:?} {:?} {:?}", error.hint(), client.config());
        for secret in ["ann", "app-4242", "key-0815"] {
            assert!(!text.contains(secret), "{status}: {text}");
        }
    }
}
