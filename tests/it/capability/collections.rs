//! Collections: the whole content is replaced when any of it changed, through the App API.

use ciosync::emulator::{Body, Fault};
use serde_json::{Value, json};

use super::Laptop;
use super::late_failures::give_app_key;

const TABLE: &str = "
create table coupons (code text primary key, cut integer, terms text, valid boolean);
insert into coupons values ('A', 10, '{\"min\": 5}', true), ('B', 20, null, false),
    ('C', 30, '{}', true);";

const SYNC: &str = "
model: {table: coupons, primaryKey: [code]}
behavior: mirror
collection: {name: Coupons}
mappings: [{from: code}, {from: cut, to: percent}, {from: terms, type: json},
    {from: valid, type: boolean}]";

async fn laptop(more: &str) -> Laptop {
    let laptop = Laptop::new(TABLE).await;
    give_app_key(&laptop);
    laptop.sync_of("collection", "coupons", &format!("{SYNC}\n{more}"));
    laptop
}

fn contents(laptop: &Laptop) -> Vec<(String, Value)> {
    let all = laptop.workspace().collections().into_iter();
    all.map(|collection| (collection.name, collection.content)).collect()
}

fn row(code: &str, percent: u32, terms: Value, valid: bool) -> Value {
    json!({"code": code, "percent": percent, "terms": terms, "valid": valid})
}

fn replaced(laptop: &Laptop) -> usize {
    let requests = laptop.workspace().requests();
    requests
        .iter()
        .filter(|request| request.path.starts_with("/v1/collections") && request.method != "GET")
        .count()
}

#[tokio::test]
async fn a_collection_is_made_and_replaced_as_a_whole_when_any_of_it_changed() {
    let mut laptop = laptop("guards: {maxRemoved: 100%}").await;

    assert_eq!(laptop.run().await.code(0).counts(), "added 3, delivered 3");
    let b = row("B", 20, Value::Null, false);
    let all = json!([row("A", 10, json!({"min": 5}), true), b, row("C", 30, json!({}), true)]);
    assert_eq!(contents(&laptop), [("Coupons".to_owned(), all)]);

    let quiet = laptop.run().await;
    assert_eq!((quiet.code(0).result(), replaced(&laptop)), ("NoChanges", 1));

    laptop
        .sql(
            "delete from coupons where code = 'A'; update coupons set cut = 35 where code = 'C';
             insert into coupons values ('D', 1, null, true)",
        )
        .await;
    let changed = laptop.run().await;
    assert_eq!(changed.code(0).counts(), "added 1, changed 1, removed 1, unchanged 1, delivered 3");
    let all = json!([b, row("C", 35, json!({}), true), row("D", 1, Value::Null, true)]);
    assert_eq!(contents(&laptop), [("Coupons".to_owned(), all)]);
    assert_eq!(replaced(&laptop), 2);
}

#[tokio::test]
async fn guards_hold_as_for_every_mirror() {
    let mut laptop = laptop("guards: {maxRemoved: 1}").await;
    laptop.run().await.code(0);

    laptop.sql("delete from coupons where code in ('A', 'B')").await;
    let blocked = laptop.run().await;
    assert_eq!((blocked.code(4).reason(), replaced(&laptop)), ("GuardTripped", 1));

    laptop.sql("delete from coupons").await;
    let empty = laptop.run().await;
    assert_eq!((empty.code(4).reason(), replaced(&laptop)), ("GuardTripped", 1));
    assert_eq!(contents(&laptop)[0].1.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_plan_tells_what_would_change_and_changes_nothing() {
    let laptop = laptop("").await;

    let plan = laptop.plan().await;

    assert_eq!(plan.code(0).counts(), "added 3");
    assert_eq!(contents(&laptop), []);
}

#[tokio::test]
async fn rows_that_are_held_are_not_dropped_by_a_replacement() {
    let mut laptop = laptop("guards: {maxInvalid: 100%}").await;
    laptop.run().await.code(0);

    laptop.sql("update coupons set terms = 'no json' where code = 'A'").await;
    let held = laptop.run().await;
    assert_eq!(held.code(1).reason(), "GuardTripped");
    assert!(held.output.stdout().contains("1 rows that the collection holds"), "{}", held.output);
    assert_eq!(replaced(&laptop), 1);

    laptop.sql("update coupons set terms = null where code = 'A'").await;
    assert_eq!(laptop.run().await.code(0).counts(), "changed 1, unchanged 2, delivered 1");
}

#[tokio::test]
async fn a_content_that_is_too_large_is_refused_before_anything_is_sent() {
    let mut laptop = Laptop::new("create table coupons (code text primary key, cut text);").await;
    laptop
        .sql(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1100)
             insert into coupons select 'c' || i, hex(zeroblob(4700)) from n",
        )
        .await;
    give_app_key(&laptop);
    let sync = "
model: {table: coupons, primaryKey: [code]}
behavior: mirror
collection: {name: Coupons}
mappings: [{from: cut}]";
    laptop.sync_of("collection", "coupons", sync);

    let run = laptop.run().await;

    assert_eq!(run.code(1).reason(), "GuardTripped");
    assert!(run.output.stdout().contains("more than the 10000000 that Customer.io takes"));
    assert_eq!(replaced(&laptop), 0);

    laptop.sql("delete from coupons where code <> 'c1'; update coupons set cut = cut || cut").await;
    let row = laptop.run().await;
    assert_eq!(row.invalid_codes(), "ItemTooLarge 1");
}

#[tokio::test]
async fn a_renamed_collection_and_one_that_was_taken_away_get_the_whole_content() {
    let laptop = laptop("").await;
    laptop.run().await.code(0);
    let sync = SYNC.replace("name: Coupons", "name: Offers");
    laptop.sync_of("collection", "coupons", &sync);

    laptop.run().await.code(0);
    let names: Vec<String> = contents(&laptop).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Coupons", "Offers"]);

    laptop.app_elsewhere("DELETE", "/v1/collections/2").await;
    laptop.run_with(&["--full-resync", "coupons"]).await.code(0);
    assert_eq!(contents(&laptop)[1].1.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_replacement_whose_answer_was_lost_is_made_again() {
    let mut laptop = laptop("timeout: 5s").await;
    laptop.run().await.code(0);
    laptop.sql("update coupons set cut = 11 where code = 'A'").await;
    let lost = Fault::fail(401, Body::Json).path("/v1/collections/1").after_acceptance();
    let fault = laptop.emulator.faults().add(lost);
    laptop.run().await.code(1);
    laptop.emulator.faults().remove(fault);

    // Back to what is remembered: the workspace has the other content all the same.
    laptop.sql("update coupons set cut = 10 where code = 'A'").await;
    laptop.run().await.code(0);

    assert_eq!(contents(&laptop)[0].1[0]["percent"], 10);
}

#[tokio::test]
async fn without_a_key_the_spec_is_refused() {
    let laptop = laptop("").await;
    laptop.connection("");

    let output = laptop.say(&["run", "-f", "."]).await.expect_code(2);

    assert!(output.stderr().contains("it needs an appApiKey"), "{output}");
    assert!(output.stderr().contains("add spec.appApiKey to the connection"), "{output}");
}
