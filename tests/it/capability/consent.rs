//! Consent flows one way: nobody is subscribed by accident.

use serde_json::{Value, json};

use super::Laptop;

const TABLE: &str = "
create table people (id integer primary key, plan text, opted_out, news, topics text);
insert into people values (1, 'gold', 0, 1, null), (2, 'tin', null, null, null);";

fn sync(consent: &str) -> String {
    format!(
        "model: {{table: people, primaryKey: [id]}}\nbehavior: mirror\nonRemove: clear\n\
         identifiers: {{id: id}}\nmappings:\n  - {{from: plan}}\n\
         \x20 - {{from: opted_out, to: unsubscribed{consent}}}\n\
         \x20 - {{from: news, to: cio_subscription_preferences.topics.topic_1{consent}}}"
    )
}

async fn unsubscribe(laptop: &Laptop, id: &str) {
    let body = json!({"unsubscribed": true,
        "cio_subscription_preferences": {"topics": {"topic_1": false, "topic_2": true}}});
    laptop.identify_elsewhere(id, body).await;
}

fn consent_of(laptop: &Laptop, id: &str) -> (bool, Value) {
    let person = laptop.workspace().person(id).unwrap();
    (person.unsubscribed, person.attributes["cio_subscription_preferences"]["topics"].clone())
}

#[tokio::test]
async fn who_unsubscribed_stays_so_when_another_column_of_the_row_changes() {
    let mut laptop = Laptop::with_sync(TABLE, &sync("")).await;
    laptop.run().await.code(0);
    unsubscribe(&laptop, "1").await;
    unsubscribe(&laptop, "2").await;

    laptop.sql("update people set plan = 'silver'").await;
    assert_eq!(laptop.run().await.code(0).counts(), "changed 2, delivered 2");

    assert_eq!(laptop.people()["1"]["plan"], "silver");
    for id in ["1", "2"] {
        let expected = (true, json!({"topic_1": false, "topic_2": true}));
        assert_eq!(consent_of(&laptop, id), expected);
    }
}

#[tokio::test]
async fn an_opt_out_is_sent_and_taking_it_back_is_not() {
    let mut laptop = Laptop::with_sync(TABLE, &sync("")).await;
    laptop.run().await.code(0);
    assert_eq!(consent_of(&laptop, "1"), (false, Value::Null));

    laptop.sql("update people set opted_out = 'yes', news = 0 where id = 1").await;
    assert_eq!(laptop.run().await.code(0).counts(), "changed 1, unchanged 1, delivered 1");
    assert_eq!(consent_of(&laptop, "1"), (true, json!({"topic_1": false})));

    laptop.sql("update people set opted_out = 'no', news = 1 where id = 1").await;
    laptop.run().await.code(0);
    assert_eq!(consent_of(&laptop, "1"), (true, json!({"topic_1": false})));
}

#[tokio::test]
async fn overwriting_consent_works_only_where_it_is_asked_for() {
    let mut laptop = Laptop::with_sync(TABLE, &sync(", consent: overwrite, type: boolean")).await;
    laptop.run().await.code(0);
    assert_eq!(consent_of(&laptop, "1"), (false, json!({"topic_1": true})));
    unsubscribe(&laptop, "1").await;

    laptop.sql("update people set plan = 'silver' where id = 1").await;
    laptop.run().await.code(0);

    assert_eq!(consent_of(&laptop, "1"), (false, json!({"topic_1": true, "topic_2": true})));
}

#[tokio::test]
async fn an_opt_out_that_cannot_be_read_holds_its_row_back() {
    let mut laptop = Laptop::with_sync(TABLE, &sync("")).await;
    laptop.run().await.code(0);

    laptop.sql("update people set opted_out = 'perhaps', plan = 'silver' where id = 1").await;
    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "unchanged 1, invalid 1");
    assert_eq!(run.invalid_codes(), "InvalidBoolean 1");
    assert_eq!(laptop.people()["1"]["plan"], "gold");
}

#[tokio::test]
async fn of_a_document_of_topics_only_the_opt_outs_are_sent_each_by_itself() {
    let spec = "model: {table: people, primaryKey: [id]}\nbehavior: updateOrCreate\n\
                identifiers: {id: id}\n\
                mappings: [{from: topics, to: cio_subscription_preferences, type: json}]";
    let mut laptop = Laptop::with_sync(TABLE, spec).await;
    laptop
        .sql("update people set topics = '{\"topics\": {\"topic_1\": false, \"topic_2\": true}}' where id = 1")
        .await;
    laptop
        .identify_elsewhere(
            "1",
            json!({"cio_subscription_preferences": {"topics": {"topic_2": false, "topic_3": true}}}),
        )
        .await;

    laptop.run().await.code(0);

    let expected = json!({"topic_1": false, "topic_2": false, "topic_3": true});
    assert_eq!(consent_of(&laptop, "1").1, expected);
}

#[tokio::test]
async fn a_row_that_left_is_cleared_without_touching_what_the_person_chose() {
    let mut laptop = Laptop::with_sync(TABLE, &sync("")).await;
    laptop.run().await.code(0);
    unsubscribe(&laptop, "1").await;

    laptop.sql("delete from people where id = 1").await;
    assert_eq!(laptop.run().await.code(0).counts(), "removed 1, unchanged 1, delivered 1");

    assert_eq!(laptop.people()["1"].get("plan"), None);
    let expected = (true, json!({"topic_1": false, "topic_2": true}));
    assert_eq!(consent_of(&laptop, "1"), expected);
}
