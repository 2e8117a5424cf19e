//! Whose key it is: region, workspace, and answers that stop a run.

use ciosync::customerio::spec::Region;
use ciosync::customerio::{Account, Fault, Task};
use ciosync::model::{Disposition, Reason};
use insta::assert_snapshot;

use super::scripted::{Reply, Scripted};
use super::*;

const IN_EUROPE: &str =
    r#"{"url":"https://track-eu.customer.io","region":"eu","environment_id":4711}"#;

/// Asks for the account and expects an error that a person must act on; returns all it says.
async fn complaint(reply: Reply, change: impl FnOnce(&mut ConnectionConfig)) -> (Reason, String) {
    let server = Scripted::start([reply]).await;
    let mut config = config(&server.url);
    change(&mut config);

    let error = client_of(config).account(&Run::default().context()).await.unwrap_err();

    assert_eq!(error.disposition(), Disposition::NeedsOperator);
    assert_eq!(server.seen().len(), 1, "{error:?}");
    let host = server.url.strip_prefix("http://").unwrap();
    let text = format!("{error}; {}", error.hint().unwrap_or_default());
    (error.reason(), text.replace(host, "HOST"))
}

#[tokio::test]
async fn the_account_says_region_and_workspace() {
    let server = Scripted::start([Reply::status(503), Reply::body(200, IN_EUROPE)]).await;
    let mut config = config(&server.url);
    config.region = Some(Region::Eu);
    config.workspace_id = Some(4_711);

    let account = client_of(config).account(&Run::default().context()).await.unwrap();

    assert_eq!(account, Account { region: Region::Eu, workspace_id: 4_711 });
    assert_eq!(server.seen()[1].line, "GET /api/v1/accounts/region HTTP/1.1");
}

#[tokio::test]
async fn another_region_or_workspace_than_configured_is_named_with_both() {
    let (reason, text) =
        complaint(Reply::body(200, IN_EUROPE), |config| config.region = Some(Region::Us)).await;
    assert_eq!(reason, Reason::RegionMismatch);
    assert_snapshot!(text, @"the workspace is in region eu, the connection says us; set `region: eu`, or leave it out");

    let (reason, text) =
        complaint(Reply::body(200, IN_EUROPE), |config| config.workspace_id = Some(7)).await;
    assert_eq!(reason, Reason::WorkspaceMismatch);
    assert_snapshot!(text, @"the key belongs to workspace 4711, the connection says 7; use the key of the workspace you meant, or set `workspaceId: 4711` if this is it");
}

#[tokio::test]
async fn refused_credentials_are_not_tried_again() {
    for status in [401, 403] {
        let (reason, text) = complaint(Reply::status(status), |_| ()).await;

        assert_eq!(reason, Reason::AuthenticationFailed);
        assert!(
            text.starts_with(&format!(
                "HOST refused the credentials (status {status}); check `siteId`"
            )),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_an_error_and_never_followed() {
    let elsewhere = Scripted::start([Reply::body(200, IN_EUROPE)]).await;
    for status in [301, 302, 307, 308] {
        let to = format!("{}/api/v1/accounts/region?token=secret", elsewhere.url);
        let (reason, text) = complaint(Reply::status(status).with("location", to), |_| ()).await;

        assert_eq!(reason, Reason::ConnectionNotReady);
        let host = elsewhere.url.strip_prefix("http://").unwrap();
        assert!(
            text.starts_with(&format!(
                "HOST redirected to {host} (status {status}); set `endpoint`"
            )),
            "{text}"
        );
    }
    let to = "https://track-eu.customer.io/api/v1/accounts/region";
    let (_, text) = complaint(Reply::status(301).with("location", to), |_| ()).await;
    assert_snapshot!(text, @"HOST redirected to track-eu.customer.io (status 301); set `region: eu`");
    assert_eq!(elsewhere.seen().len(), 0);
}

#[tokio::test]
async fn what_is_not_the_track_api_is_told_apart() {
    for (reply, start) in [
        (Reply::status(404), "HOST answered with status 404; check `endpoint`"),
        (Reply::status(402), "HOST answered with status 402; look at the state of the account"),
        (Reply::body(400, IN_EUROPE), "HOST answered with status 400"),
        (
            Reply::body(200, "{}"),
            "HOST does not answer as Customer.io's Track API does: the answer names no region",
        ),
    ] {
        let (reason, text) = complaint(reply, |_| ()).await;

        assert_eq!(reason, Reason::ConnectionNotReady);
        assert!(text.starts_with(start), "{text}");
    }
}

#[tokio::test]
async fn a_host_that_can_not_be_reached_is_told_long_before_the_run_ends() {
    let server = Scripted::start([]).await;
    let mut config = config(&server.url);
    drop(server);
    config.retry.account_max = Duration::from_millis(50);
    let run = Run::default();

    let error = client_of(config).account(&run.context()).await.unwrap_err();

    let DeliveryError::GaveUp { fault: Fault::Unreachable { .. }, task, attempts, .. } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(*task, Task::Account);
    assert_eq!(u64::from(*attempts), run.traffic.requests());
    assert_eq!(error.disposition(), Disposition::Transient);
    let tried = format!("; gave up after {attempts} attempts to look up the account in ");
    assert!(*attempts > 1 && error.to_string().contains(&tried), "{error}");
    assert!(error.hint().unwrap().starts_with("check that the host can be reached"));
    assert!(Instant::now() + PATIENCE / 2 < run.deadline);
}

#[tokio::test]
async fn only_the_account_has_less_time_than_the_run() {
    let server = Scripted::start([Reply::status(503), Reply::status(503), Reply::accept()]).await;
    let mut config = config(&server.url);
    config.retry.account_max = Duration::ZERO;
    let client = client_of(config);

    let error = client.account(&Run::default().context()).await.unwrap_err();
    let answer = Run::default().send(&client, &mut batch(["1"])).await;

    assert!(
        error.to_string().ends_with("after 1 attempt to look up the account in 0 s"),
        "{error}"
    );
    assert_eq!(answer.unwrap(), Answer::Accepted);
}

#[test]
fn settings_that_can_not_be_used_are_refused_before_anything_is_sent() {
    let complaint = |config: ConnectionConfig| {
        let limiter = Arc::new(Limiter::new(&config.rate));
        let Err(error) = Client::new(config, limiter) else { panic!("taken") };
        assert_eq!(error.reason(), Reason::InvalidSpec);
        error.to_string()
    };

    assert_snapshot!(complaint(config("http://user:hunter2@proxy.example")), @"the connection's endpoint holds credentials");
    assert_snapshot!(complaint(config("proxy.example")), @"the connection's endpoint is no URL: relative URL without a base");
    let no_key = ConnectionConfig { api_key: Secret::new("\n".to_owned()), ..config("http://a") };
    assert_snapshot!(complaint(no_key), @"the connection's apiKey is empty");
}
