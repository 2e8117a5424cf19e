//! Devices: a person and a token, added and taken away with their row.

use serde_json::json;

use super::Laptop;

const TABLE: &str = "
create table devices (token text primary key, person integer, os text, seen text, version text, push integer);
insert into devices values ('tok-a', 1, 'ios', '2026-03-01T10:00:00Z', '1.2', 1),
    ('tok-b', 1, 'Android', null, '3', 0), ('tok-c', 2, 'ios', '2026-03-02', null, null);";

fn spec(behavior: &str) -> String {
    format!(
        "model: {{table: devices, primaryKey: [token]}}\nbehavior: {behavior}\n\
         identifiers: {{id: person}}\n\
         device: {{token: token, platform: {{column: os}}, lastUsed: seen}}\n\
         mappings: [{{from: version, to: app_version}}, {{from: push, to: push_enabled, type: boolean}}]"
    )
}

async fn laptop(behavior: &str) -> Laptop {
    let laptop = Laptop::new(TABLE).await;
    for id in ["1", "2"] {
        laptop.identify_elsewhere(id, json!({})).await;
    }
    laptop.sync_of("device", "devices", &spec(behavior));
    laptop
}

/// Returns every device as `person token platform attributes`.
fn devices(laptop: &Laptop) -> Vec<String> {
    let all = laptop.workspace().devices().into_iter();
    let mut all: Vec<String> = all
        .map(|it| format!("{} {} {} {}", it.person, it.token, it.platform, it.attributes))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn update_or_create_adds_devices_and_changes_them() {
    let mut laptop = laptop("updateOrCreate").await;

    assert_eq!(laptop.run().await.code(0).counts(), "added 3, delivered 3");
    assert_eq!(
        devices(&laptop),
        [
            "1 tok-a ios {\"app_version\":\"1.2\",\"push_enabled\":\"true\"}",
            "1 tok-b android {\"app_version\":\"3\",\"push_enabled\":\"false\"}",
            "2 tok-c ios {\"app_version\":null,\"push_enabled\":null}",
        ]
    );
    let seen = laptop.workspace().devices()[0].last_used;
    assert_eq!(seen, 1_772_359_200);
    laptop.run().await.did_nothing();

    laptop.sql("update devices set version = '1.3' where token = 'tok-a'; delete from devices where token = 'tok-b'").await;
    assert_eq!(
        laptop.run().await.code(0).counts(),
        "changed 1, removed 1, unchanged 1, delivered 1"
    );
    assert_eq!(devices(&laptop).len(), 3);
    assert!(devices(&laptop)[0].contains("1.3"));
}

#[tokio::test]
async fn a_mirror_takes_away_the_devices_whose_rows_left_and_no_others() {
    let mut laptop = laptop("mirror").await;
    laptop.run().await.code(0);
    let item = json!({"type": "person", "action": "add_device", "identifiers": {"id": "1"},
                      "device": {"token": "by-hand", "platform": "ios"}});
    laptop.batch_elsewhere(json!([item])).await;

    laptop.sql("delete from devices where token = 'tok-b'; update devices set person = 2 where token = 'tok-a'").await;
    let run = laptop.run().await;

    // The device that changed hands is taken from the one before it is given to the other.
    assert_eq!(run.code(0).counts(), "added 1, removed 2, unchanged 1, delivered 3");
    let left: Vec<String> = devices(&laptop)
        .iter()
        .map(|it| it.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(left, ["1 by-hand", "2 tok-a", "2 tok-c"]);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn delete_takes_away_the_devices_of_the_rows() {
    let laptop = laptop("updateOrCreate").await;
    laptop.run().await.code(0);

    laptop.sync_of("device", "devices", &spec("delete"));
    assert_eq!(laptop.run().await.code(0).counts(), "changed 3, delivered 3");

    assert_eq!(devices(&laptop), [""; 0]);
    assert_eq!(laptop.workspace().people_count(), 2);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn what_is_no_device_is_invalid_and_removes_none() {
    let mut laptop = laptop("mirror\nguards: {maxInvalid: 100%}").await;
    laptop.run().await.code(0);

    laptop
        .sql(
            "update devices set os = 'windows' where token = 'tok-a';
              update devices set seen = 'soon' where token = 'tok-b';
              insert into devices values (' ', 2, 'ios', null, null, null)",
        )
        .await;
    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "unchanged 1, invalid 3");
    assert_eq!(run.invalid_codes(), "InvalidPlatform 1, InvalidTimestamp 1, MissingIdentifier 1");
    assert_eq!(devices(&laptop).len(), 3);
}
