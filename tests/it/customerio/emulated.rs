//! The client against a whole workspace: what was sent is what is there afterwards.

use ciosync::customerio::Account;
use ciosync::customerio::spec::Region;
use ciosync::emulator::{Emulator, Options};
use serde_json::json;

use super::*;

async fn workspace() -> (Emulator, Client) {
    let options = Options {
        workspace_id: Some(4_711),
        site_id: "site-4711".to_owned(),
        api_key: "key-0815".to_owned(),
        ..Options::default()
    };
    let emulator = Emulator::start(options).await.unwrap();
    let client = client(emulator.url());
    (emulator, client)
}

/// Sends one operation about one person.
async fn ask(client: &Client, operation: OperationKind, id: &str) -> Answer {
    let mut builder = BatchBuilder::new(SizeLimitsSpec::default(), UpdateTimestamps::SendTime);
    let record = record(operation, id);
    builder.push(&RecordView::parse(&record.canonical).unwrap()).unwrap();
    let mut batch = builder.finish().unwrap();
    Run::default().send(client, &mut batch).await.unwrap()
}

#[tokio::test]
async fn the_account_is_the_workspaces() {
    let (_emulator, client) = workspace().await;

    let account = client.account(&Run::default().context()).await.unwrap();

    assert_eq!(account, Account { region: Region::Us, workspace_id: 4_711 });
}

#[tokio::test]
async fn identified_people_have_the_attributes_that_were_sent() {
    let (emulator, client) = workspace().await;

    let answer = Run::default().send(&client, &mut batch(["1", "2"])).await.unwrap();

    assert_eq!(answer, Answer::Accepted);
    let workspace = emulator.workspace();
    assert_eq!(workspace.people_count(), 2);
    let attributes = workspace.attributes("2").unwrap();
    assert_eq!((&attributes["name"], &attributes["visits"]), (&json!("name of 2"), &json!(7)));
}

#[tokio::test]
async fn update_and_clear_reach_those_who_exist_and_create_nobody() {
    let (emulator, client) = workspace().await;
    ask(&client, OperationKind::PersonIdentify, "1").await;

    for (operation, id) in [
        (OperationKind::PersonUpdate, "2"),
        (OperationKind::PersonClear, "2"),
        (OperationKind::PersonClear, "1"),
    ] {
        assert_eq!(ask(&client, operation, id).await, Answer::Accepted);
    }

    let workspace = emulator.workspace();
    assert_eq!(workspace.people_count(), 1);
    let attributes = workspace.attributes("1").unwrap();
    assert!(attributes["name"].is_null() && attributes["visits"].is_null(), "{attributes}");
}

#[tokio::test]
async fn deleted_and_suppressed_people_are_gone_and_the_suppressed_stay_away() {
    let (emulator, client) = workspace().await;
    Run::default().send(&client, &mut batch(["1", "2", "3"])).await.unwrap();

    ask(&client, OperationKind::PersonDelete, "1").await;
    ask(&client, OperationKind::PersonSuppress, "2").await;
    ask(&client, OperationKind::PersonIdentify, "2").await;

    let workspace = emulator.workspace();
    let ids: Vec<_> = workspace.people().into_iter().filter_map(|person| person.id).collect();
    assert_eq!(ids, ["3"]);

    ask(&client, OperationKind::PersonUnsuppress, "2").await;
    ask(&client, OperationKind::PersonIdentify, "2").await;
    assert_eq!(workspace.people_count(), 2);
}

#[tokio::test]
async fn an_item_that_the_workspace_refuses_is_named_by_its_index() {
    let (emulator, client) = workspace().await;
    let too_long = "x".repeat(200);

    let answer = Run::default().send(&client, &mut batch(["1", &too_long, "3"])).await.unwrap();

    let Answer::Partial { rejected } = answer else { panic!("{answer:?}") };
    assert_eq!(rejected.iter().map(|error| error.index).collect::<Vec<_>>(), [1]);
    assert_eq!(emulator.workspace().people_count(), 2);
}
