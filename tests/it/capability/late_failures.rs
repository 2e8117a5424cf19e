//! Changes that Customer.io accepts with a 200 and drops afterwards: found in its activity log,
//! counted as rejected, and tried again as any rejection.

use ciosync::emulator::{Body, Fault};
use serde_json::{Value, json};

use super::{Laptop, Ran};

const TABLE: &str = "
create table people (id integer primary key, email text, plan text);
insert into people values (1, 'ann@example.com', 'a'), (2, 'bob@example.com', 'b'),
    (3, 'cyd@example.com', 'c');";

const SYNC: &str = "
model: {table: people, primaryKey: [id]}
behavior: mirror
onRemove: delete
identifiers: {id: id}
mappings: [{from: email}, {from: plan}]";

const ACTIVITIES: &str = "/v1/activities";

/// Lets the connection read back.
pub fn give_app_key(laptop: &Laptop) {
    laptop.connection("appApiKey: {secretKeyRef: {name: customerio-app, key: key}}");
    laptop.secret("customerio-app", "key", "emulator-app-api-key");
}

async fn watched(more: &str) -> Laptop {
    let laptop = Laptop::with_sync(TABLE, &format!("{SYNC}{more}")).await;
    give_app_key(&laptop);
    laptop
}

/// Changes an e-mail, which this workspace allows by `cio_id` alone.
async fn change_an_email(laptop: &mut Laptop) {
    laptop.sql("update people set email = 'new@example.com' where id = 2").await;
}

async fn rejections(laptop: &Laptop) -> Vec<Value> {
    let words = ["get", "rejections", "people", "-o", "json", "--show-keys"];
    let output = laptop.say(&words).await.expect_code(0);
    output.json().as_array().unwrap().clone()
}

fn activities_asked(laptop: &Laptop) -> usize {
    let requests = laptop.workspace().requests();
    requests.iter().filter(|request| request.path.starts_with(ACTIVITIES)).count()
}

fn message(ran: &Ran) -> String {
    ran.only()["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_change_that_is_dropped_behind_a_200_counts_as_rejected_and_is_tried_with_growing_pauses()
{
    let mut laptop = watched("").await;
    laptop.run().await.code(0);
    change_an_email(&mut laptop).await;

    let dropped = laptop.run().await;
    assert_eq!(dropped.code(3).result(), "PartiallySucceeded");
    assert_eq!(dropped.counts(), "changed 1, unchanged 2, rejected 1, delivered 1");
    let stored = rejections(&laptop).await;
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert_eq!(stored[0]["code"], "LateFailureAttributeChange");
    assert_eq!((&stored[0]["key"], &stored[0]["field"]), (&json!("2"), &json!("attributes.email")));
    assert!(!stored[0]["message"].as_str().unwrap().contains("example.com"), "{stored:?}");

    let tried = "changed 1, unchanged 2, rejected 1, retried 1, delivered 1";
    let waiting = "unchanged 2, rejected 1";
    for (number, expected) in
        [(3, tried), (4, waiting), (5, tried), (6, waiting), (7, waiting), (8, waiting), (9, tried)]
    {
        let run = laptop.run().await;
        assert_eq!(run.code(3).counts(), expected, "run {number}");
    }
    assert_eq!(rejections(&laptop).await[0]["attempts"], 4);
}

#[tokio::test]
async fn a_late_failure_is_settled_once_nothing_stands_in_its_way() {
    let mut laptop = watched("").await;
    laptop.run().await.code(0);
    change_an_email(&mut laptop).await;
    laptop.run().await.code(3);

    laptop.emulator.settings().change(|settings| settings.email_changes_by_id = true);
    let mended = laptop.run().await;
    assert_eq!(mended.code(0).counts(), "changed 1, unchanged 2, retried 1, delivered 1");
    assert_eq!(laptop.people()["2"]["email"], "new@example.com");

    // The failure of before is met once more, and not counted again.
    let quiet = laptop.run().await;
    assert_eq!(quiet.code(0).counts(), "unchanged 3");
    assert_eq!(rejections(&laptop).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_mirror_still_knows_a_row_that_failed_late() {
    let mut laptop = watched("").await;
    laptop.run().await.code(0);
    change_an_email(&mut laptop).await;
    laptop.run().await.code(3);

    laptop.sql("delete from people where id = 2").await;
    let removed = laptop.run().await;

    assert_eq!(removed.code(0).counts(), "removed 1, unchanged 2, delivered 1");
    assert_eq!(laptop.workspace().people_count(), 2);
}

#[tokio::test]
async fn a_failure_between_two_runs_is_found_by_the_next_one() {
    let laptop = watched("").await;
    laptop.run().await.code(0);
    // Somebody else's attempt on an attribute that this Sync sends leaves the same trace.
    laptop.identify_elsewhere("3", json!({"email": "taken@example.com"})).await;

    let found = laptop.run().await;

    assert_eq!(found.code(3).counts(), "unchanged 3, rejected 1");
    assert_eq!(rejections(&laptop).await[0]["key"], "3");
    let again = laptop.run().await;
    assert_eq!(again.code(0).counts(), "changed 1, unchanged 2, retried 1, delivered 1");
    laptop.run().await.code(0);
    assert_eq!(rejections(&laptop).await, Vec::<Value>::new());
}

#[tokio::test]
async fn failures_of_people_who_are_not_ours_are_passed_over() {
    let laptop = watched("").await;
    laptop.run().await.code(0);
    laptop.identify_elsewhere("99", json!({"email": "zoe@example.com"})).await;
    laptop.identify_elsewhere("99", json!({"email": "zoe2@example.com"})).await;
    assert!(!laptop.workspace().activities().is_empty());

    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "unchanged 3");
    assert_eq!(message(&run), "");
}

#[tokio::test]
async fn people_whom_an_update_does_not_reach_are_no_failures() {
    let laptop = watched("").await;
    let update = SYNC.replace("mirror", "updateOnly").replace("onRemove: delete\n", "");
    laptop.sync("people", &update);
    laptop.identify_elsewhere("1", json!({})).await;

    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 3, delivered 3");
    assert_eq!(laptop.workspace().activity_counts()["failed_attribute_change"], 2);
    assert_eq!(rejections(&laptop).await, Vec::<Value>::new());
}

#[tokio::test]
async fn nothing_is_read_back_without_a_key_nor_where_the_spec_says_so() {
    let mut laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.run().await.code(0);
    change_an_email(&mut laptop).await;
    laptop.run().await.code(0);
    assert_eq!(activities_asked(&laptop), 0);

    give_app_key(&laptop);
    laptop.sync("people", &format!("{SYNC}\naudit: {{lateFailures: false}}"));
    laptop.run().await.code(0);
    assert_eq!(activities_asked(&laptop), 0);

    laptop.sync("people", SYNC);
    laptop.run().await;
    assert_eq!(activities_asked(&laptop), 3);
}

#[tokio::test]
async fn an_audit_without_a_key_is_refused_before_anything_is_opened() {
    let laptop = Laptop::with_sync(TABLE, &format!("{SYNC}\naudit: {{lateFailures: true}}")).await;

    let output = laptop.say(&["run", "-f", "."]).await.expect_code(2);

    assert!(output.stderr().contains("it needs an appApiKey"), "{output}");
}

#[tokio::test]
async fn a_run_that_delivered_well_is_not_failed_by_an_app_api_that_is_down() {
    let mut laptop = watched("").await;
    let down = Fault::fail(401, Body::Json).path(ACTIVITIES);
    let fault = laptop.emulator.faults().add(down);

    let first = laptop.run().await;
    assert_eq!(first.code(0).result(), "Succeeded");
    assert!(
        message(&first).contains("late failures were not read to the end"),
        "{}",
        message(&first)
    );
    assert!(message(&first).contains("refused the App API key"), "{}", message(&first));
    assert!(first.output.stderr().contains("could not be audited in full"), "{}", first.output);

    change_an_email(&mut laptop).await;
    laptop.run().await.code(0);

    // Once it is back, what happened meanwhile is read too.
    laptop.emulator.faults().remove(fault);
    let third = laptop.run().await;
    assert_eq!(third.code(3).counts(), "unchanged 3, rejected 1");
    assert_eq!(message(&third), "");
}

#[tokio::test]
async fn faults_that_pass_delay_a_reading_and_lose_nothing() {
    let mut laptop = watched("").await;
    laptop.run().await.code(0);
    change_an_email(&mut laptop).await;
    for fault in [Fault::fail(500, Body::Html), Fault::throttle(None), Fault::cut()] {
        laptop.emulator.faults().add(fault.path(ACTIVITIES).times(1));
    }

    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "changed 1, unchanged 2, rejected 1, delivered 1");
    assert_eq!(message(&run), "");
}

#[tokio::test]
async fn a_reading_that_does_not_come_to_its_end_in_time_says_so() {
    let laptop = watched("\ntimeout: 3s").await;
    laptop.emulator.faults().add(Fault::hang().path(ACTIVITIES));

    let run = laptop.run().await;

    assert_eq!(run.code(0).result(), "Succeeded");
    assert!(message(&run).contains("were not read to the end"), "{}", message(&run));
}

#[tokio::test]
async fn failures_on_many_pages_are_matched_in_one_pass() {
    let mut laptop = Laptop::new("create table people (id integer primary key, email text);").await;
    let rows: Vec<String> = (1..=250).map(|id| format!("({id}, 'p{id}@example.com')")).collect();
    laptop.sql(&format!("insert into people values {}", rows.join(", "))).await;
    let sync = SYNC.replace(", {from: plan}", "");
    laptop.sync("people", &sync);
    give_app_key(&laptop);
    laptop.run().await.code(0);
    let before = activities_asked(&laptop);
    laptop.sql("update people set email = 'x' || email").await;

    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "changed 250, rejected 250, delivered 250");
    assert_eq!(activities_asked(&laptop) - before, 5, "three pages of one type, one of each other");
    laptop.emulator.settings().change(|settings| settings.email_changes_by_id = true);
    let mended = laptop.run().await;
    assert_eq!(mended.code(0).counts(), "changed 250, retried 250, delivered 250");
    laptop.run().await.code(0);
    assert_eq!(rejections(&laptop).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_cursor_reads_a_row_again_that_failed_late() {
    let laptop = Laptop::new(
        "create table people (id integer primary key, email text, at timestamp);
         insert into people values (1, 'ann@example.com', '2026-01-01 00:00:00'),
            (2, 'bob@example.com', '2026-01-02 00:00:00');",
    )
    .await;
    let mut laptop = laptop;
    let sync = "
model: {table: people, primaryKey: [id], cursor: {column: at, lookback: 1h}}
behavior: updateOrCreate
identifiers: {id: id}
mappings: [{from: email}]";
    laptop.sync("people", sync);
    give_app_key(&laptop);
    laptop.run().await.code(0);
    laptop
        .sql("update people set email = 'x@example.com', at = '2026-01-03 00:00:00' where id = 1")
        .await;
    laptop.run().await.code(3);
    laptop.sql("update people set at = '2026-01-04 00:00:00' where id = 2").await;

    laptop.emulator.settings().change(|settings| settings.email_changes_by_id = true);
    let mended = laptop.run().await;

    assert_eq!(mended.code(0).counts(), "changed 1, unchanged 1, retried 1, delivered 1");
    assert_eq!(laptop.people()["1"]["email"], "x@example.com");
    assert_eq!(rejections(&laptop).await, Vec::<Value>::new());
}

#[tokio::test]
async fn no_key_and_no_value_is_printed() {
    let mut laptop = watched("").await;
    laptop.run().await.code(0);
    change_an_email(&mut laptop).await;
    let run = laptop.say(&["run", "-f", ".", "--log", "ciosync=trace"]).await.expect_code(3);
    let listed = laptop.say(&["get", "rejections", "people"]).await.expect_code(0);

    for output in [&run, &listed] {
        for secret in ["example.com", "emulator-app-api-key", "emulator-api-key"] {
            assert!(!output.to_string().contains(secret), "{secret}: {output}");
        }
    }
}
