//! Customer.io's own clients against the emulator: they get the answers they expect, and what they
//! asked for stands in the workspace. So the emulator is no invention of ours.

use std::path::{Path, PathBuf};

use ciosync::emulator::{Emulator, Options, WorkspaceHandle};
use serde_json::{Value, json};
use tokio::process::Command;

/// Returns the folder with the clients.
fn clients() -> PathBuf {
    let folder = std::env::var_os("CIOSYNC_TEST_CLIENTS");
    folder.map(PathBuf::from).expect("CIOSYNC_TEST_CLIENTS is not set: run `make test`")
}

async fn drive(program: &str, script: &str, arguments: &[&str]) {
    let clients = clients();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let output = Command::new(clients.join("bin").join(program))
        .arg(script)
        .args(arguments)
        .env("NODE_PATH", clients.join("node_modules"))
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("client is content"), "{said}");
}

fn person(workspace: &WorkspaceHandle, id: &str) -> Option<Value> {
    workspace.attributes(id)
}

/// What both clients did in the same way.
fn check_common(workspace: &WorkspaceHandle) {
    assert_eq!(person(workspace, "a/b c").unwrap()["plan"], "tin");
    assert_eq!(person(workspace, "gone"), None);
    assert_eq!(person(workspace, "blocked"), None);
    assert_eq!(workspace.suppressed(), [("id", "blocked".to_owned())]);
    assert_eq!(person(workspace, "freed").unwrap()["plan"], "back");
    assert_eq!(person(workspace, "2").unwrap()["plan"], "iron");

    let older = person(workspace, "older").unwrap();
    assert_eq!((&older["plan"], &older["seats"]), (&json!("old"), &json!(3)));
    assert_eq!(person(workspace, "newer"), None, "the other one was merged into it");

    let devices = workspace.devices();
    assert_eq!(devices.len(), 1);
    assert_eq!((devices[0].token.as_str(), devices[0].last_used), ("token-1", 1_713_484_800));
    assert_eq!(devices[0].platform, "ios");

    let objects = workspace.objects();
    assert_eq!(objects.len(), 1);
    assert_eq!(
        (objects[0].object_id.as_str(), &objects[0].attributes["name"]),
        ("acme", &json!("Acme"))
    );
    assert_eq!(workspace.relationships().len(), 1);
}

fn named(workspace: &WorkspaceHandle, name: &str) -> Vec<(Option<String>, String)> {
    let events = workspace.events().into_iter().filter(|event| event.name == name);
    events.map(|event| (event.anonymous_id, event.kind)).collect()
}

fn check_events(workspace: &WorkspaceHandle) {
    let event = |kind: &str| vec![(None, kind.to_owned())];
    assert_eq!(named(workspace, "order placed"), event("event"));
    assert_eq!(named(workspace, "order paid"), event("event"), "an id is counted once");
    assert_eq!(workspace.event_repeats(), 1);
    assert_eq!(named(workspace, "/pricing"), event("page"));
    assert_eq!(named(workspace, "batched"), event("event"));
    let anonymous = vec![(Some("visitor".to_owned()), "event".to_owned())];
    assert_eq!(named(workspace, "looked around"), anonymous);
}

#[tokio::test]
async fn the_official_node_client_finds_what_it_expects() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let workspace = emulator.workspace();
    let segment = workspace.create_segment("VIP");

    drive("node", "node/run.js", &[emulator.url(), &segment.to_string()]).await;

    check_common(&workspace);
    check_events(&workspace);
    assert_eq!(person(&workspace, "3").unwrap()["plan"], "good", "the rest of a batch is accepted");
    assert_eq!(person(&workspace, "4"), None);
    assert_eq!(person(&workspace, "nobody-2"), None, "an update creates nobody");
    assert_eq!(workspace.segment(segment).unwrap().members.len(), 1);
    assert_eq!(workspace.devices()[0].attributes["app"], "2");
}

#[tokio::test]
async fn the_official_python_client_finds_what_it_expects() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let workspace = emulator.workspace();

    drive("python", "python/run.py", &[emulator.url()]).await;

    check_common(&workspace);
    check_events(&workspace);
    let ann = person(&workspace, "1").unwrap();
    assert_eq!(ann["joined"], 1_714_521_600);
    let signed_up = workspace.events().into_iter().find(|event| event.name == "signed up").unwrap();
    assert_eq!(signed_up.timestamp, 1_713_484_800);
}
