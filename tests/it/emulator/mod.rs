//! The emulator, asked over HTTP like any outside client asks Customer.io.

#![expect(clippy::unwrap_used, reason = "helpers of tests may unwrap: a failed one fails the test")]

mod app_api;
mod concurrency;
mod contract;
mod contract_app;
mod door;
mod events;
mod faults;
mod limits;
mod objects;
mod silent;
mod track_v1;
mod track_v2;

use std::time::Duration;

use ciosync::emulator::{Emulator, Options, Settings, WorkspaceHandle};
use reqwest::{Method, Response, redirect};
use serde_json::{Value, json};

/// An emulator and a client that knows its credentials.
struct World {
    emulator: Emulator,
    workspace: WorkspaceHandle,
    http: reqwest::Client,
}

/// What came back: status and body, `null` when there is none.
type Answer = (u16, Value);

impl World {
    async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        let options = Options { settings, ..Options::default() };
        let emulator = Emulator::start(options).await.unwrap();
        let workspace = emulator.workspace();
        Self { emulator, workspace, http: client() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.url())
    }

    /// Sends with the Track API's credentials.
    async fn track(&self, method: Method, path: &str, body: Value) -> reqwest::Result<Response> {
        let request = self.http.request(method, self.url(path));
        request.basic_auth("emulator-site-id", Some("emulator-api-key")).json(&body).send().await
    }

    async fn track_answer(&self, method: Method, path: &str, body: Value) -> Answer {
        answer(self.track(method, path, body).await.unwrap()).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.track_answer(Method::POST, path, body).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.track_answer(Method::PUT, path, body).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.track_answer(Method::DELETE, path, json!({})).await
    }

    async fn entity(&self, operation: Value) -> Answer {
        self.post("/api/v2/entity", operation).await
    }

    async fn batch(&self, items: Vec<Value>) -> Answer {
        self.post("/api/v2/batch", json!({"batch": items})).await
    }

    /// Identifies by id through v2 and expects success.
    async fn identify(&self, id: &str, attributes: Value) {
        let answer = self.entity(person(id, "identify", json!({"attributes": attributes}))).await;
        assert_eq!(answer, accepted());
    }

    /// Sends with the App API's credentials.
    async fn app(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.http.request(method, self.url(path));
        let request = request.bearer_auth("emulator-app-api-key").json(&body);
        answer(request.send().await.unwrap()).await
    }

    async fn app_get(&self, path: &str) -> Answer {
        self.app(Method::GET, path, json!({})).await
    }

    /// The types of what went wrong behind a 200, newest first.
    fn failures(&self) -> Vec<String> {
        self.workspace.activities().into_iter().map(|activity| activity.kind).collect()
    }
}

fn client() -> reqwest::Client {
    // Building a client asks for a TLS provider, though everything here is plain HTTP. Another test
    // may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

async fn answer(response: Response) -> Answer {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn accepted() -> Answer {
    (200, json!({}))
}

/// An item about the person with this id.
fn person(id: &str, action: &str, more: Value) -> Value {
    item(json!({"type": "person", "action": action, "identifiers": {"id": id}}), more)
}

/// An item about an object of type 1.
fn object(id: &str, action: &str, more: Value) -> Value {
    let identifiers = json!({"object_type_id": "1", "object_id": id});
    item(json!({"type": "object", "action": action, "identifiers": identifiers}), more)
}

fn item(mut item: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}
