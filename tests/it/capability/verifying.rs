//! `verify`: what Customer.io holds, read back and held against what we believe it holds.

use ciosync::emulator::{Body, Fault};
use serde_json::{Value, json};

use super::Laptop;
use super::late_failures::give_app_key;
use crate::support::cli::Output;

const TABLE: &str = "
create table people (id integer primary key, email text, plan text, seats integer, ratio real,
    active boolean, tags text, note text);
insert into people values
    (1, 'ann@example.com', 'pro', 7, 1.50, true, '[1, \"a\"]', null),
    (2, 'bob@example.com', 'free', 0, 0.1, false, '{\"b\": 1, \"a\": null}', ''),
    (3, 'cyd@example.com', 'pro', -3, 1e10, true, '[]', 'x');";

const SYNC: &str = "
model: {table: people, primaryKey: [id]}
behavior: mirror
onRemove: delete
identifiers: {id: id}
mappings: [{from: email}, {from: plan}, {from: seats}, {from: ratio}, {from: note},
    {from: active, type: boolean}, {from: tags, type: json}]
audit: {lateFailures: false}";

async fn delivered(sync: &str) -> Laptop {
    let laptop = Laptop::with_sync(TABLE, sync).await;
    give_app_key(&laptop);
    laptop.run().await.code(0);
    laptop
}

async fn verify(laptop: &Laptop, more: &[&str]) -> Output {
    let words: Vec<&str> = ["verify", "people", "-f", "."].iter().chain(more).copied().collect();
    laptop.say(&words).await
}

async fn verified(laptop: &Laptop, code: i32, more: &[&str]) -> Value {
    let words: Vec<&str> = more.iter().chain(&["-o", "json"]).copied().collect();
    verify(laptop, &words).await.expect_code(code).json()
}

#[tokio::test]
async fn nothing_differs_where_nobody_touched_anything_whatever_the_kind_of_value() {
    let laptop = delivered(SYNC).await;

    let found = verified(&laptop, 0, &[]).await;

    assert_eq!((&found["checked"], &found["equal"]), (&json!(3), &json!(3)), "{found}");
    assert_eq!(found["rows"], json!([]));
    let lookups = laptop.workspace().requests();
    let asked = lookups.iter().filter(|it| it.path == "/v1/customers/attributes").count();
    assert_eq!(asked, 1, "a hundred ids fit into one question");
}

#[tokio::test]
async fn what_others_changed_or_deleted_is_told_and_repaired() {
    let laptop = delivered(SYNC).await;
    laptop.identify_elsewhere("1", json!({"plan": "hacked", "seats": 8, "theirs": 1})).await;
    laptop.elsewhere("DELETE", "2", &json!({})).await;

    let found = verified(&laptop, 3, &["--show-keys", "--show-values"]).await;
    assert_eq!(
        found["rows"],
        json!([
            {"key": "1", "found": "differs", "attributes": [
                {"name": "plan", "sent": "\"pro\"", "shown": "hacked"},
                {"name": "seats", "sent": "7", "shown": "8"},
            ]},
            {"key": "2", "found": "missing"},
        ])
    );

    let repaired = verified(&laptop, 0, &["--repair"]).await;
    assert_eq!((&repaired["differing"], &repaired["missing"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&repaired["run"]["changed"], &repaired["run"]["delivered"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(laptop.people()["1"]["plan"], "pro");
    assert_eq!(laptop.people()["1"]["theirs"], 1);
    assert_eq!(laptop.people()["2"]["email"], "bob@example.com");
    verified(&laptop, 0, &[]).await;
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn keys_and_values_are_shown_only_to_who_asks_for_them() {
    let laptop = delivered(SYNC).await;
    laptop.identify_elsewhere("1", json!({"plan": "hacked"})).await;

    for more in [&[][..], &["-o", "json"], &["--log", "ciosync=trace"]] {
        let output = verify(&laptop, more).await.expect_code(3);
        let text = output.to_string();
        assert!(text.contains("plan") && text.contains("•••"), "{text}");
        for secret in ["hacked", "pro\"", "example.com", "emulator-app-api-key"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    let output = verify(&laptop, &["--show-keys", "--show-values"]).await.expect_code(3);
    insta::assert_snapshot!(output.stdout(), @r#"
    people: 3 rows read back: 2 equal, 1 differing

    KEY   FOUND     ATTRIBUTE   SENT    SHOWN
    1     differs   plan        "pro"   hacked
    --repair makes them due again and sends them
    "#);
}

#[tokio::test]
async fn rows_that_the_next_run_sends_anyway_are_not_looked_at() {
    let mut laptop = delivered(SYNC).await;
    laptop
        .sql("update people set plan = 'new' where id = 1; insert into people (id) values (9)")
        .await;

    let found = verified(&laptop, 0, &[]).await;

    assert_eq!((&found["notCurrent"], &found["checked"]), (&json!(1), &json!(2)), "{found}");
}

#[tokio::test]
async fn a_sample_has_the_size_that_was_asked_for() {
    let mut laptop = Laptop::new("create table people (id integer primary key, plan text);").await;
    let rows: Vec<String> = (1..=250).map(|id| format!("({id}, 'p')")).collect();
    laptop.sql(&format!("insert into people values {}", rows.join(", "))).await;
    let sync = "
model: {table: people, primaryKey: [id]}
behavior: updateOrCreate
identifiers: {id: id}
mappings: [{from: plan}]";
    laptop.sync("people", sync);
    give_app_key(&laptop);
    laptop.run().await.code(0);

    assert_eq!(verified(&laptop, 0, &["--sample", "40"]).await["checked"], 40);
    assert_eq!(verified(&laptop, 0, &["--sample", "1000"]).await["checked"], 250);
    assert_eq!(verified(&laptop, 0, &[]).await["checked"], 250);
}

#[tokio::test]
async fn people_are_read_back_by_email_too_and_deleted_ones_must_be_gone() {
    let by_email = SYNC.replace("{id: id}", "{email: email}").replace("{from: email}, ", "");
    let laptop = delivered(&by_email).await;
    assert_eq!(verified(&laptop, 0, &[]).await["equal"], 3);

    let deleting = "
model: {table: people, primaryKey: [id]}
behavior: delete
identifiers: {id: id}";
    let laptop = Laptop::with_sync(TABLE, deleting).await;
    give_app_key(&laptop);
    laptop.run().await.code(0);
    assert_eq!(verified(&laptop, 0, &[]).await["equal"], 3);
    laptop.identify_elsewhere("2", json!({})).await;
    let found = verified(&laptop, 3, &[]).await;
    assert_eq!(found["unexpected"], 1);
    verified(&laptop, 0, &["--repair"]).await;
    assert_eq!(laptop.workspace().people_count(), 0);
}

#[tokio::test]
async fn people_whom_an_update_did_not_reach_are_told_and_are_no_difference() {
    let update = SYNC.replace("mirror", "updateOnly").replace("onRemove: delete\n", "");
    let laptop = delivered(&update).await;

    let found = verified(&laptop, 0, &[]).await;

    assert_eq!((&found["unreached"], &found["checked"]), (&json!(3), &json!(3)));
}

#[tokio::test]
async fn what_can_not_be_verified_says_why() {
    let laptop =
        Laptop::with_sync(TABLE, &SYNC.replace("\naudit: {lateFailures: false}", "")).await;
    let output = verify(&laptop, &[]).await.expect_code(2);
    assert!(output.stderr().contains("add spec.appApiKey to the connection"), "{output}");

    give_app_key(&laptop);
    let output = verify(&laptop, &[]).await.expect_code(1);
    assert!(output.stderr().contains("nothing was delivered by this Sync yet"), "{output}");

    let output = laptop.say(&["verify", "nobody", "-f", "."]).await.expect_code(2);
    assert!(output.stderr().contains("there is no Sync `default/nobody`"), "{output}");
}

#[tokio::test]
async fn faults_of_the_app_api_are_ridden_out_or_told() {
    let laptop = delivered(SYNC).await;
    let faults = laptop.emulator.faults();
    for fault in [Fault::fail(500, Body::Empty), Fault::throttle(None), Fault::cut()] {
        faults.add(fault.path("/v1/customers").times(1));
    }
    verified(&laptop, 0, &[]).await;

    faults.add(Fault::fail(401, Body::Json).path("/v1/"));
    let output = verify(&laptop, &[]).await.expect_code(1);
    assert!(output.stderr().contains("refused the App API key (status 401)"), "{output}");
    assert!(output.stderr().contains("check `appApiKey`"), "{output}");
}

#[tokio::test]
async fn validate_and_its_probe_look_at_the_app_api_key_too() {
    let laptop = delivered(SYNC).await;
    laptop.say(&["validate", "-f", ".", "--connect"]).await.expect_code(0);

    laptop.secret("customerio-app", "key", "wrong-key-4711");
    let output = laptop.say(&["validate", "-f", ".", "--connect"]).await.expect_code(1);

    assert!(output.stderr().contains("refused the App API key"), "{output}");
    assert!(!output.to_string().contains("4711"), "{output}");
}
