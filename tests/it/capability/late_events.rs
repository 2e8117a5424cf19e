//! Events and relationships that Customer.io accepts and drops afterwards: matched to their rows where
//! that is certain, and told where it is not.

use ciosync::emulator::UnknownParty;
use serde_json::{Value, json};

use super::late_failures::give_app_key;
use super::{Laptop, Ran};

const TABLE: &str = "
create table orders (id integer primary key, person text, kind text);
insert into orders values (1, 'ann', 'placed'), (2, 'ann', 'placed'), (3, 'bob', 'placed'),
    (4, 'bob', 'returned'), (5, 'cyd', 'placed');";

const SPEC: &str = "
model: {table: orders, primaryKey: [id]}
behavior: append
identifiers: {id: person}
event: {name: {column: kind}}";

/// A workspace that knows `ann` alone and takes no events of others.
async fn laptop() -> Laptop {
    let laptop = Laptop::new(TABLE).await;
    give_app_key(&laptop);
    laptop.sync_of("event", "orders", SPEC);
    laptop.emulator.settings().change(|settings| {
        settings.event_for_unknown_person = UnknownParty::Ignore;
    });
    laptop.identify_elsewhere("ann", json!({})).await;
    laptop
}

fn message(ran: &Ran) -> String {
    ran.only()["message"].as_str().unwrap_or_default().to_owned()
}

async fn rejected(laptop: &Laptop, sync: &str) -> Vec<(String, String)> {
    let words = ["get", "rejections", sync, "-o", "json", "--show-keys"];
    let listed = laptop.say(&words).await.expect_code(0).json();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = listed.as_array().unwrap().iter();
    rows.map(|row| (text(row, "key"), text(row, "code"))).collect()
}

#[tokio::test]
async fn an_event_that_was_dropped_behind_a_200_is_found_by_its_id_and_sent_again_until_it_counts_once()
 {
    let laptop = laptop().await;

    let first = laptop.run().await;
    assert_eq!(first.code(3).counts(), "added 5, rejected 3, delivered 5");
    assert_eq!(message(&first), "");
    let late = |key: &str| (key.to_owned(), "LateFailureEvent".to_owned());
    assert_eq!(rejected(&laptop, "orders").await, [late("3"), late("4"), late("5")]);

    laptop.identify_elsewhere("bob", json!({})).await;
    let second = laptop.run().await;
    assert_eq!(
        second.code(3).counts(),
        "changed 3, unchanged 2, rejected 1, retried 3, delivered 3"
    );

    laptop.identify_elsewhere("cyd", json!({})).await;
    let mut runs = 0;
    while laptop.workspace().events_count() < 5 {
        laptop.run().await;
        runs += 1;
        assert!(runs < 5, "a row that failed twice waits for two runs");
    }
    laptop.run().await;
    let last = laptop.run().await;
    assert_eq!(last.code(0).counts(), "unchanged 5");
    assert_eq!(rejected(&laptop, "orders").await, []);
    assert_eq!(laptop.workspace().events_count(), 5);
    assert_eq!(laptop.workspace().event_repeats(), 0);
}

#[tokio::test]
async fn an_event_whose_failure_does_not_carry_its_id_is_told_and_never_sent_again() {
    let laptop = laptop().await;
    laptop.emulator.settings().change(|settings| settings.failed_events_keep_their_id = false);

    let first = laptop.run().await;

    assert_eq!(first.code(0).counts(), "added 5, delivered 5");
    let told = "3 late failures (failed_event) without saying which row";
    assert!(message(&first).contains(told), "{}", message(&first));
    let second = laptop.run().await;
    assert_eq!(second.code(0).counts(), "unchanged 5");
    assert_eq!(message(&second), "", "told once");
}

#[tokio::test]
async fn failures_of_events_that_others_sent_are_told_and_no_row_pays_for_them() {
    let laptop = laptop().await;
    laptop.sync_of("event", "orders", &SPEC.replace("{column: kind}", "{constant: placed}"));
    laptop.identify_elsewhere("bob", json!({})).await;
    laptop.identify_elsewhere("cyd", json!({})).await;
    laptop.run().await.code(0);
    for (id, name) in
        [("01AK4N8V8G8KVA4HN8Y50CCZ59", "placed"), ("01AK4N8V8G8KVA4HN8Y50CCZ60", "left")]
    {
        let event = json!({"type": "person", "action": "event", "identifiers": {"id": "zoe"},
            "name": name, "id": id});
        laptop.send_elsewhere(event).await;
    }

    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "unchanged 5");
    let told = "1 late failures (failed_event) without saying which row";
    assert!(message(&run).contains(told), "{}", message(&run));
}

#[tokio::test]
async fn a_persons_only_relationship_is_held_to_be_the_one_that_failed() {
    let mut laptop = Laptop::new(
        "create table members (id text, account text, role text, primary key (id, account));
         insert into members values ('ann', 'acme', 'a role of more than twenty bytes'),
            ('ann', 'beta', 'guest'), ('bob', 'acme', 'a role that is just as long');",
    )
    .await;
    give_app_key(&laptop);
    laptop.sync_of(
        "relationship",
        "members",
        "model: {table: members, primaryKey: [id, account]}\nbehavior: updateOrCreate\n\
         identifiers: {id: id}\nobject: {typeId: \"1\", id: account}\nmappings: [{from: role}]",
    );
    laptop.emulator.settings().change(|settings| settings.limits.object_bytes = 20);

    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "added 3, rejected 1, delivered 3");
    let told = "1 late failures (_r:1:failed_attribute_change) without saying which row";
    assert!(message(&run).contains(told), "{}", message(&run));
    let bob = ("bob, acme".to_owned(), "LateFailureAttributeChange".to_owned());
    assert_eq!(rejected(&laptop, "members").await, [bob]);

    laptop.sql("update members set role = 'short' where id = 'bob'").await;
    assert_eq!(laptop.run().await.code(0).counts(), "changed 1, unchanged 2, delivered 1");
    assert_eq!(laptop.run().await.code(0).counts(), "unchanged 3");
    assert_eq!(rejected(&laptop, "members").await, []);
}
