//! Segments that a spec names: looked up, made where they are missing, and held against what was
//! sent, because Customer.io passes over people whom it does not know.

use serde_json::{Value, json};

use super::Laptop;
use super::late_failures::give_app_key;

const TABLE: &str = "
create table vips (id integer primary key);
insert into vips values (1), (2), (3);";

fn spec(more: &str) -> String {
    format!(
        "model: {{table: vips, primaryKey: [id]}}\nbehavior: mirror\nidentifiers: {{id: id}}\n\
         segment: {{name: VIP}}\nguards: {{maxRemoved: 100%}}\n{more}"
    )
}

/// A Sync of a segment by name, and people 1, 2 and 3.
async fn named(more: &str) -> Laptop {
    let laptop = Laptop::new(TABLE).await;
    for id in ["1", "2", "3"] {
        laptop.identify_elsewhere(id, json!({})).await;
    }
    give_app_key(&laptop);
    laptop.sync_of("segmentMembership", "vips", &spec(more));
    laptop
}

fn segments(laptop: &Laptop) -> Vec<(String, Vec<String>)> {
    let segments = laptop.workspace().segments().into_iter();
    segments.map(|segment| (segment.name, segment.members)).collect()
}

fn vip(members: &[&str]) -> (String, Vec<String>) {
    ("VIP".to_owned(), members.iter().map(|id| (*id).to_owned()).collect())
}

async fn rejections(laptop: &Laptop) -> Vec<(Value, Value)> {
    let words = ["get", "rejections", "vips", "-o", "json", "--show-keys"];
    let listed = laptop.say(&words).await.expect_code(0).json();
    let listed = listed.as_array().unwrap().iter();
    listed.map(|row| (row["key"].clone(), row["code"].clone())).collect()
}

#[tokio::test]
async fn a_missing_segment_is_made_once_and_found_by_every_later_run() {
    let mut laptop = named("").await;

    let planned = laptop.plan().await;
    assert_eq!(planned.code(0).counts(), "added 3");
    assert!(segments(&laptop).is_empty(), "a plan makes nothing");
    laptop.run().await.code(0);
    assert_eq!(segments(&laptop), [vip(&["1", "2", "3"])]);

    laptop.sql("delete from vips where id = 2").await;
    let second = laptop.run().await;
    assert_eq!(second.code(0).counts(), "removed 1, unchanged 2, delivered 1");
    assert_eq!(segments(&laptop), [vip(&["1", "3"])]);
}

#[tokio::test]
async fn a_segment_that_is_there_is_used() {
    let laptop = named("").await;
    laptop.workspace().create_segment("vip");
    laptop.workspace().create_segment("VIP");

    laptop.run().await.code(0);

    assert_eq!(segments(&laptop), [("vip".to_owned(), vec![]), vip(&["1", "2", "3"])]);
}

#[tokio::test]
async fn several_segments_of_one_name_are_told_and_none_is_taken() {
    let laptop = named("").await;
    for _ in 0..2 {
        laptop.workspace().create_segment("VIP");
    }

    let run = laptop.run().await;

    assert_eq!((run.code(1).result(), run.reason()), ("Failed", "SegmentNotFound"));
    let told = "2 manual segments are called `VIP` (numbers 1, 2)";
    assert!(run.output.stdout().contains(told), "{}", run.output);
    assert!(run.output.stdout().contains("give all but one of them another name"));
    assert_eq!(run.arrived, 0);
}

#[tokio::test]
async fn another_segment_made_later_under_the_name_changes_nothing() {
    let laptop = named("").await;
    laptop.run().await.code(0);
    laptop.workspace().create_segment("VIP");

    laptop.run().await.code(0);

    assert_eq!(segments(&laptop), [vip(&["1", "2", "3"]), vip(&[])]);
}

#[tokio::test]
async fn without_a_key_the_spec_is_refused_with_what_to_do() {
    let laptop = named("").await;
    laptop.connection("");

    let output = laptop.say(&["run", "-f", "."]).await.expect_code(2);

    let told = "add spec.appApiKey to the connection, or name the segment by its id";
    assert!(output.stderr().contains(told), "{output}");
}

#[tokio::test]
async fn people_whom_customer_io_passes_over_count_as_rejected_until_they_are_members() {
    let mut laptop = named("audit: {membership: true}").await;
    laptop.sql("insert into vips values (7)").await;

    let first = laptop.run().await;
    assert_eq!(first.code(3).counts(), "added 4, rejected 1, delivered 4");
    assert_eq!(rejections(&laptop).await, [(json!("7"), json!("LateFailureNotInSegment"))]);

    laptop.identify_elsewhere("7", json!({})).await;
    let second = laptop.run().await;
    assert_eq!(second.code(0).counts(), "changed 1, unchanged 3, retried 1, delivered 1");
    assert_eq!(segments(&laptop), [vip(&["1", "2", "3", "7"])]);
    laptop.run().await.code(0);
    assert_eq!(rejections(&laptop).await, []);
}

#[tokio::test]
async fn members_on_many_pages_are_compared() {
    let mut laptop = Laptop::new("create table vips (id integer primary key);").await;
    let rows: Vec<String> = (1..=12).map(|id| format!("({id})")).collect();
    laptop.sql(&format!("insert into vips values {}", rows.join(", "))).await;
    for id in (1..=12).filter(|id| id % 5 != 0) {
        laptop.identify_elsewhere(&id.to_string(), json!({})).await;
    }
    give_app_key(&laptop);
    laptop.sync_of("segmentMembership", "vips", &spec("audit: {membership: true}"));

    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "added 12, rejected 2, delivered 12");
    let keys: Vec<Value> = rejections(&laptop).await.into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [json!("5"), json!("10")]);
}

#[tokio::test]
async fn members_whom_others_took_out_are_found_and_put_back() {
    let laptop = named("audit: {lateFailures: false}").await;
    laptop.run().await.code(0);
    let segment = laptop.workspace().segments()[0].id;
    laptop.part_elsewhere(segment, json!(["2"])).await;

    let words = ["verify", "vips", "-f", ".", "-o", "json", "--show-keys"];
    let found = laptop.say(&words).await.expect_code(3).json();
    assert_eq!(found["rows"], json!([{"key": "2", "found": "missing"}]));

    laptop.say(&["verify", "vips", "-f", ".", "--repair"]).await.expect_code(0);
    assert_eq!(segments(&laptop), [vip(&["1", "2", "3"])]);
}
